"""The catalog: many runs at one URI, each finished trial exactly once."""

from __future__ import annotations

import json
import math
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from isfray.catalog import runs as run_objects
from isfray.catalog.batch import CommitInfo, trials_of, write_batch
from isfray.catalog.compact import FILE_BYTES, CompactReport, compact_run
from isfray.catalog.leftovers import GRACE_S
from isfray.catalog.location import open_storage
from isfray.catalog.log import Commit, CommitLog, DataFile, by_table, committed, numbers, ranges, read_json
from isfray.catalog.removal import end_log, remove_files, remove_run, remove_strays, removed_runs
from isfray.catalog.runs import RunInfo, RunSpec, Session, check_name, run_key
from isfray.catalog.scan import Trials
from isfray.catalog.snapshot import Snapshot, check_table
from isfray.catalog.storage import Storage
from isfray.catalog.verify import VerifyReport, verify_run
from isfray.model.cell import CellModel, cell_from_inputs
from isfray.model.errors import InputError
from isfray.model.inputs import ModelInputs
from isfray.model.network import NetworkModel, network_from_inputs
from isfray.tables import SCHEMAS, canonical

CATALOG_VERSION = 1


class Catalog:
    """Results at a URI. Nothing is written, not even the folder, before a run is opened.

    Parameters
    ----------
    uri : str, path or Storage
        A folder, or a URI such as `s3://bucket/prefix`.
    storage_options : mapping, optional
        What fsspec takes to reach it.

    Raises
    ------
    InputError
        If something else is there, or a catalog of a newer format.
    """

    def __init__(self, uri: str | os.PathLike[str] | Storage, storage_options: Mapping[str, Any] | None = None) -> None:
        self.storage = uri if isinstance(uri, Storage) else open_storage(uri, storage_options)
        self.uri = self.storage.uri
        self._logs: dict[str, CommitLog] = {}
        self._writing: dict[str, str] = {}
        self._exists = False
        self._check()

    def __repr__(self) -> str:
        return f"Catalog({self.uri!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Catalog, (self.uri, self.storage.options)

    @property
    def exists(self) -> bool:
        """Whether a catalog has been made here."""
        if not self._exists:
            self._check()
        return self._exists

    # reading

    def scan(
        self, table: str, run: str | None = None, trials: Trials | None = None, columns: Sequence[str] | None = None
    ) -> pl.LazyFrame:
        """Lazy table of everything committed up to now.

        Parameters
        ----------
        table : str
            One of `isfray.tables.SCHEMAS`.
        run : str, optional
            Only this run; every run without it.
        trials : int, range, list or array of int, optional
            Only these; files without any of them are not opened.
        columns : list of str, optional
            Only these, in this order.

        Returns
        -------
        polars.LazyFrame
            Columns `run` (categorical), `trial` and the table's own. Call again to see what was committed since.
        """
        check_table(table, self.uri)
        return self.snapshot(run).scan(table, run, trials, columns)

    def __getitem__(self, table: str) -> pl.LazyFrame:
        """Lazy table of every run; see `scan`."""
        return self.scan(table)

    def snapshot(self, run: str | None = None) -> Snapshot:
        """What is committed now, of one run or of all: its tables stay in step while the runs grow."""
        names = self.runs() if run is None else [self._known(run)]
        return Snapshot(self.storage, {name: self._log(name).live() for name in names})

    def live(self, run: str, *, every_s: float = 1.0, patience_s: float = math.inf) -> Iterator[NDArray[np.int32]]:
        """Follow a growing run.

        Parameters
        ----------
        run : str
            The run.
        every_s : float
            Pause between two looks, s.
        patience_s : float
            Time without news after which it ends, s.

        Yields
        ------
        int32[n]
            Numbers of trials that have been committed since the last time, ascending; those that are there already come
            first, and each comes once. All tables hold them. Ends with the last trial the run was asked for.
        """
        seen = np.empty(0, dtype=np.int32)
        news = time.monotonic()
        while True:
            new = np.setdiff1d(self.committed_trials(run), seen)
            if len(new):
                seen, news = np.union1d(seen, new), time.monotonic()
                yield new
            elif len(seen) >= self.info(run).trials_asked or time.monotonic() - news >= patience_s:
                return
            else:
                time.sleep(every_s)

    def tables(self) -> list[str]:
        """Names of the tables that hold rows."""
        return self.snapshot().tables()

    def runs(self) -> list[str]:
        """Names of the runs, sorted."""
        keys = {run_key(name): name for name in self.storage.folders("runs/")}
        return sorted(keys[key] for key in self.storage.read_many(keys))

    def committed_trials(self, run: str) -> NDArray[np.int32]:
        """Ascending numbers of the trials of a run that are there."""
        return committed(self._log(self._known(run)).live())

    def info(self, run: str) -> RunInfo:
        """What is known about a run."""
        body, live = self._body(run), self._log(run).live()
        files, sessions = by_table(live), self._sessions(run)
        return RunInfo(
            name=run,
            seed=body["seed"],
            settings=body["settings"],
            inputs=body["inputs"],
            created=body["created"],
            trials_asked=max((s.trials for s in sessions), default=0),
            trials_committed=len(committed(live)),
            sessions=sessions,
            rows={name: sum(f.rows for f in files[name]) for name in SCHEMAS if name in files},
            bytes={name: sum(f.bytes for f in files[name]) for name in SCHEMAS if name in files},
        )

    def load_inputs(self, run: str) -> dict[str, ModelInputs]:
        """Input files of a run, byte for byte, by role (`cell`, `network`)."""
        return run_objects.load_inputs(self.storage, self._body(run))

    def load_models(self, run: str) -> tuple[CellModel, NetworkModel | None]:
        """Cell and network model exactly as they were run, on any machine; no network if the run had none."""
        inputs = self.load_inputs(run)
        network = network_from_inputs(inputs["network"]) if "network" in inputs else None
        return cell_from_inputs(inputs["cell"]), network

    # writing

    def open_run(self, spec: RunSpec) -> Session:
        """Begin a run, or resume it if one of that name with the same seed, settings and inputs is there.

        Returns
        -------
        Session
            To be given to `close_run`. What is left to do is the asked trials minus `committed_trials(spec.name)`.

        Raises
        ------
        InputError
            If a run of that name differs, saying how; if the catalog cannot be written.
        """
        self._create()
        key, now = run_key(spec.name), _now()
        stored = self.storage.read(key)
        if stored is None:
            end_log(self._log(spec.name), spec.name)
            run_objects.store_inputs(self.storage, spec)
            ours = run_objects.run_json(spec, now)
            stored = ours if self.storage.create(key, ours) else self.storage.read(key) or ours
        there = run_objects.parse_run(stored, f"{self.uri}/{key}")
        if differing := run_objects.differences(there, spec.identity()):
            raise InputError(
                f"exists with other content: {'; '.join(differing)}",
                file=self.uri,
                key="run",
                value=spec.name,
                expected="the same content, or another run name",
            )
        run_objects.restore_inputs(self.storage, spec)
        self._writing[spec.name] = there["created"]
        session = Session(
            f"{now.replace(':', '')}-{secrets.token_hex(4)}", now, None, spec.trials, dict(spec.provenance)
        )
        self._put_session(spec.name, session)
        return session

    def close_run(self, run: str, session: Session) -> Session:
        """Note the end of a session."""
        ended = replace(session, ended=_now())
        self._put_session(run, ended)
        return ended

    def commit(self, run: str, tables: Mapping[str, pa.Table]) -> CommitInfo:
        """Make a batch of trials exist, in all its tables at once; trials that are there already are left as they are.

        Parameters
        ----------
        run : str
            An opened run.
        tables : mapping
            Table name to rows of one or more trials. `trials` must be among them, with one row per trial.

        Raises
        ------
        ValueError
            If the tables do not fit their schemas or each other.
        InputError
            If the run is not there (any more), or the storage refuses. Calling again with the same tables is always
            safe.
        """
        batch = {name: canonical(name, table) for name, table in tables.items()}
        asked = trials_of(batch)

        log, made = self._log(run), self._made(run)
        written: tuple[int, NDArray[np.int32], tuple[DataFile, ...]] = (-1, asked[:0], ())

        def make(sequence: int) -> Commit | None:
            nonlocal written
            if self._body(run)["created"] != made:
                raise InputError("was deleted and made again", file=self.uri, key="run", value=run)
            new = log.absent(asked)
            number, trials, files = written
            if len(new) and not (number > log.fence and np.array_equal(trials, new)):
                files = write_batch(self.storage, run, batch, new, sequence)
                written = (sequence, new, files)
            return Commit(sequence, "batch", ranges(new), files) if len(new) else None

        commit = log.append(make)
        added = numbers(commit.trials if commit else ())
        return CommitInfo(run, added, np.setdiff1d(asked, added), commit.files if commit else ())

    # keeping house

    def verify(self, run: str, *, repair: bool = False, grace_s: float = GRACE_S) -> VerifyReport:
        """Check a run against everything the catalog promises; see `isfray.catalog.verify.verify_run`."""
        return verify_run(self.storage, self._log(run), run, self._body(run), repair=repair, grace_s=grace_s)

    def compact(self, run: str, *, file_bytes: int = FILE_BYTES, grace_s: float = GRACE_S) -> CompactReport:
        """Turn many small files into few large ones; see `isfray.catalog.compact.compact_run`."""
        return compact_run(self.storage, self._log(self._known(run)), run, file_bytes=file_bytes, grace_s=grace_s)

    def sweep(self, *, grace_s: float = GRACE_S) -> tuple[str, ...]:
        """Remove what belongs to no run, if older than `grace_s` (s), and return its keys.

        That is: inputs no run names, files of runs that are gone, and writes that never ended.
        """
        if not self.exists:
            return ()
        gone = removed_runs(self.storage, self._bodies(), grace_s)
        removed = [key for run in gone for key in remove_files(self._log(run), run)]
        return (*removed, *remove_strays(self.storage, self._bodies, grace_s))

    def delete(self, run: str) -> None:
        """Remove a run: at the first step, for every reader. Calling again finishes an interrupted removal."""
        if not committed(self._log(check_name(run)).live()).size:
            self._known(run)
        remove_run(self._log(run), run)

    # the catalog's own objects

    def _check(self) -> None:
        data = self.storage.read("catalog.json")
        if data is not None:
            read_json(data, f"{self.uri}/catalog.json", "isfray-catalog", CATALOG_VERSION)
            self._exists = True
        elif not self.storage.empty() and self.storage.read("catalog.json") is None:
            raise InputError(
                "holds files but no catalog.json",
                file=self.uri,
                expected="an isfray catalog, or an empty place for one",
            )

    def _create(self) -> None:
        if self._exists:
            return
        self._check()
        if not self.storage.has_room:
            raise InputError("has no such bucket", file=self.uri, expected="a bucket that exists")
        body = json.dumps({"format": "isfray-catalog", "version": CATALOG_VERSION}, indent=1).encode() + b"\n"
        self.storage.create("catalog.json", body)
        if self.storage.create("catalog.json", body):
            raise InputError(
                "ignores conditional writes, so that two writers could overwrite each other",
                file=self.uri,
                expected="a store that honours If-None-Match",
            )
        self._exists = True

    def _known(self, run: str) -> str:
        self._stored(run)
        return run

    def _stored(self, run: str) -> bytes:
        data = self.storage.read(run_key(check_name(run)))
        if data is None:
            there = ", ".join(self.runs()) or "none"
            raise InputError(
                "is not in the catalog", file=self.uri, key="run", value=run, expected=f"one of its runs: {there}"
            )
        return data

    def _bodies(self) -> dict[str, dict[str, Any]]:
        stored = self.storage.read_many(map(run_key, self.storage.folders("runs/")))
        return {body["name"]: body for key, data in stored.items() for body in [run_objects.parse_run(data, key)]}

    def _body(self, run: str) -> dict[str, Any]:
        return run_objects.parse_run(self._stored(run), f"{self.uri}/{run_key(run)}")

    def _made(self, run: str) -> str:
        """When the run that this object writes to was made: a later one of its name is another run."""
        return self._writing.setdefault(run, self._body(run)["created"])

    def _log(self, run: str) -> CommitLog:
        return self._logs.setdefault(run, CommitLog(self.storage, run))

    def _sessions(self, run: str) -> tuple[Session, ...]:
        stored = self.storage.read_many(sorted(self.storage.listing(f"runs/{run}/sessions/")))
        return tuple(Session(**json.loads(stored[key])) for key in sorted(stored))

    def _put_session(self, run: str, session: Session) -> None:
        body = json.dumps(session.__dict__, indent=1, sort_keys=True, default=str).encode() + b"\n"
        self.storage.put(f"runs/{run}/sessions/{session.id}.json", body)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
