"""Work grows with what is stored, and not with its square: counted, not timed."""

from __future__ import annotations

import contextlib
import io
import itertools
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import isfray.catalog
from isfray import cli
from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from isfray.catalog.storage import Storage
from tests.catalog.synthetic import batch, spec
from tests.catalog.test_catalog import RUN

CATALOG = str(Path(isfray.catalog.__file__).parent)


class Counting(Storage):
    """Another storage that counts trips to it, and the keys that were read and listed on them."""

    def __init__(self, inner: Storage) -> None:
        super().__init__(inner.uri, inner.options)
        self.inner, self.trips, self.keys = inner, 0, 0

    def _counted(self, found: Any, keys: int) -> Any:
        self.trips += 1
        self.keys += keys
        return found

    def read(self, key):
        return self._counted(self.inner.read(key), 1)

    def read_many(self, keys):
        asked = list(keys)
        return self._counted(self.inner.read_many(asked), len(asked))

    def listing(self, prefix):
        found = self.inner.listing(prefix)
        return self._counted(found, len(found))

    def listings(self, prefixes):
        found = self.inner.listings(prefixes)
        return self._counted(found, len(found))

    def newer(self, prefix, key):
        found = self.inner.newer(prefix, key)
        return self._counted(found, len(found))

    def folders(self, prefix):
        found = self.inner.folders(prefix)
        return self._counted(found, len(found))

    def put(self, key, data):
        return self._counted(self.inner.put(key, data), 1)

    def create(self, key, data):
        return self._counted(self.inner.create(key, data), 1)

    def delete(self, keys):
        return self._counted(self.inner.delete(keys), len(list(keys)))

    def source(self, key):
        return self._counted(self.inner.source(key), 1)


def place() -> str:
    return f"memory://{uuid.uuid4().hex}/r"


def trials_only(*numbers: int) -> dict[str, Any]:
    return {"trials": batch(numbers, synapses=0, cells=0, samples=1)["trials"]}


def with_commits(commits: int) -> str:
    catalog = Catalog(place())
    catalog.open_run(spec())
    for trial in range(commits):
        catalog.commit(RUN, trials_only(trial))
    return catalog.uri


def with_runs(runs: int) -> str:
    catalog = Catalog(place())
    for run in range(runs):
        catalog.close_run(f"r{run}", catalog.open_run(spec(f"r{run}")))
        catalog.commit(f"r{run}", trials_only(0))
    return catalog.uri


def info(catalog: Catalog) -> None:
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(cli, "_existing", lambda uri: catalog)
        assert cli.main(["info", catalog.uri]) == 0


def follow(catalog: Catalog) -> None:
    """See each of ten trials when it comes."""
    writer, seen = Catalog(catalog.uri), catalog.live(RUN, every_s=0.0)
    there = len(next(seen))
    for trial in range(there, there + 10):
        writer.commit(RUN, trials_only(trial))
        assert next(seen).tolist() == [trial]


@pytest.fixture(scope="module")
def runs() -> tuple[str, str]:
    """Catalogs with some and with twice as many runs: more than a catalog shows of itself."""
    return with_runs(13), with_runs(26)


@pytest.mark.parametrize(
    "act",
    [
        lambda catalog: catalog.snapshot(),
        lambda catalog: catalog["trials"].collect(),
        lambda catalog: catalog.infos(),
        info,
        str,
    ],
    ids=["snapshot", "scan", "infos", "info", "str"],
)
def test_many_runs_take_as_many_trips_to_the_store_as_few(runs, act):
    few, many = (Counting(open_storage(uri)) for uri in runs)
    for storage in (few, many):
        storage.source = storage.inner.source  # which Polars calls, in memory, file by file
        act(Catalog(storage))
    assert many.trips == few.trips < 20
    assert many.keys <= 2 * few.keys


STEPS: dict[str, Callable[[Catalog], Any]] = {
    "open": lambda catalog: catalog.snapshot(RUN),
    "info": lambda catalog: catalog.info(RUN),
    "verify": lambda catalog: catalog.verify(RUN),
    "follow": follow,
    "compact": lambda catalog: catalog.compact(RUN),
}


@pytest.fixture(scope="module")
def grown() -> dict[str, list[tuple[int, int]]]:
    """Keys, and calls within the catalog's modules, that each step took with 100, 200 and 400 commits."""
    took: dict[str, list[tuple[int, int]]] = {name: [] for name in STEPS}
    for commits in (100, 200, 400):
        uri = with_commits(commits)
        for name, step in STEPS.items():
            storage, calls = Counting(open_storage(uri)), Counter[str]()

            def count(frame: Any, event: str, _: Any, calls: Counter[str] = calls) -> None:
                calls[event] += event == "call" and frame.f_code.co_filename.startswith(CATALOG)

            sys.setprofile(count)
            try:
                step(Catalog(storage))
            finally:
                sys.setprofile(None)
            took[name].append((storage.keys, calls["call"]))
    return took


@pytest.mark.parametrize("step", STEPS)
def test_keys_and_calls_grow_no_faster_than_the_commits(grown, step):
    for few, some, many in zip(*grown[step], strict=True):
        assert many - some <= 2.5 * (some - few) + 20, f"{few}, {some}, {many} with 100, 200, 400 commits"


def test_a_follower_reads_what_is_new_and_not_what_was_there():
    storage = Counting(open_storage(with_commits(50)))
    catalog = Catalog(storage)
    assert len(catalog.committed_trials(RUN)) == 50
    writer = Catalog(catalog.uri)
    for trial in itertools.islice(itertools.count(50), 5):
        writer.commit(RUN, trials_only(trial))
        before = storage.keys
        assert len(catalog.committed_trials(RUN)) == trial + 1
        assert storage.keys - before == 3, "that the run is there, one name and one commit"
