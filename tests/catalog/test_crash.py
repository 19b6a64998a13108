"""Real processes killed in the middle of their work."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from isfray.catalog import Catalog
from tests.catalog.synthetic import spec
from tests.catalog.test_catalog import RUN, assert_holds

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
import numpy as np
from isfray.catalog import Catalog
from tests.catalog.synthetic import batch, spec
catalog = Catalog(sys.argv[1])
catalog.open_run(spec(trials=200))
print("ready", flush=True)
missing = np.setdiff1d(np.arange(200), catalog.committed_trials("stim_C2"))
for trials in np.split(missing, range(2, len(missing), 2)) if len(missing) else ():
    catalog.commit("stim_C2", batch(trials))
"""


def writer(place: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(place)], cwd=ROOT, stdout=subprocess.PIPE)


def test_writers_killed_again_and_again_lose_and_double_no_trial(tmp_path):
    moments = random.Random(5)
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    seen: list[int] = []
    for _ in range(6):
        first, second = writer(tmp_path / "r"), writer(tmp_path / "r")  # two drivers resume one run at once
        for process in (first, second):
            process.stdout.readline()
        time.sleep(moments.uniform(0, 0.25))
        for process in (first, second):
            process.send_signal(signal.SIGKILL)
            process.wait()
        seen.append(len(catalog.committed_trials(RUN)))
        assert catalog.verify(RUN).problems == ()
    assert seen == sorted(seen)
    last = writer(tmp_path / "r")
    last.communicate()
    assert last.returncode == 0
    assert_holds(catalog, range(200))
    report = catalog.verify(RUN, repair=True, grace_s=0)
    assert (report.problems, report.leftovers) == ((), ())
