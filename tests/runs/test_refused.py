"""A store that refuses for a reason that stays ends a run at once; every committed trial stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from isfray.catalog import Catalog
from isfray.runs import RunError
from isfray.runs.dispatch.limits import Limits
from isfray.runs.run import run_trials
from tests.catalog.faulty_proxy import FaultyProxy
from tests.catalog.s3_server import BUCKET, S3Server
from tests.runs.null_engine import NullEngine, spec

pytestmark = pytest.mark.usefixtures("two_cpus", "weed")

NEVER = Limits(batch_trials=4, batch_seconds=0.3, pauses=(3600.0,))  # a run that waits does not end within the test


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    server = S3Server(tmp_path / "weed").start()
    yield server
    server.kill()


def test_credentials_that_expire_end_the_run_at_once_in_the_words_of_s3(server, tmp_path: Path):
    gate, expired = tmp_path / "gate", False
    with FaultyProxy(server.endpoint, lambda *_: "ExpiredToken" if expired else "pass") as proxy:
        catalog = Catalog(f"s3://{BUCKET}/results", {**server.options, "endpoint_url": proxy.endpoint})

        def go(engine: NullEngine, *, wait: bool):
            return run_trials(
                spec("run", 12), catalog, engine, t_stop=300.0, workers=2, wait=wait, progress=False, limits=NEVER
            )

        handle = go(NullEngine(held_from=8, gate=gate), wait=False)
        next(iter(handle))
        expired = True
        gate.touch()
        with pytest.raises(
            RunError, match=r"with \d+ of 12 trials in the catalog: .*s3://.*\(ExpiredToken: The provided token has exp"
        ) as caught:
            handle.wait(120)
        assert "credentials that are valid now" in str(caught.value)
        assert server.options["secret"] not in str(caught.value)
        assert len(proxy.met) <= 6, "one request of each writer, and of the driver, that notes the end"
        expired = False
        there = set(catalog.committed_trials("run").tolist())
        assert 0 < len(there) < 12
        go(NullEngine(), wait=True)
        assert catalog.committed_trials("run").tolist() == list(range(12))
        assert catalog.verify("run").ok
