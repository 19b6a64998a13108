"""The catalog: many runs at one URI, each finished trial exactly once."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
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
from isfray.catalog.leftovers import GRACE_S, unlisted
from isfray.catalog.location import open_storage
from isfray.catalog.log import Commit, CommitLog, by_table, committed, numbers, ranges, read_json
from isfray.catalog.runs import RunInfo, RunSpec, Session, check_name, run_key
from isfray.catalog.scan import Trials, scan_files
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
        if table not in SCHEMAS:
            raise InputError(
                "is not a table", file=self.uri, key="table", value=table, expected="one of " + ", ".join(SCHEMAS)
            )
        wanted = self.runs() if run is None else [self._known(run)]
        files = {name: by_table(self._log(name).live()).get(table, []) for name in wanted}
        return scan_files(self.storage, table, files, trials, columns)

    def __getitem__(self, table: str) -> pl.LazyFrame:
        """Lazy table of every run; see `scan`."""
        return self.scan(table)

    def tables(self) -> list[str]:
        """Names of the tables that hold rows."""
        used = {
            file.table for run in self.runs() for commit in self._log(run).live() for file in commit.files if file.rows
        }
        return [name for name in SCHEMAS if name in used]

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
            self._end_log(spec.name)
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

        def make(sequence: int, live: tuple[Commit, ...]) -> Commit | None:
            self._known(run)
            new = np.setdiff1d(asked, committed(live))
            files = write_batch(self.storage, run, batch, new) if len(new) else ()
            return Commit(sequence, "batch", ranges(new), files) if files else None

        commit = self._log(run).append(make)
        added = numbers(commit.trials if commit else ())
        return CommitInfo(run, added, np.setdiff1d(asked, added), commit.files if commit else ())

    # keeping house

    def verify(self, run: str, *, repair: bool = False, grace_s: float = GRACE_S) -> VerifyReport:
        """Check a run against everything the catalog promises; see `isfray.catalog.verify.verify_run`."""
        return verify_run(self.storage, self._log(run), run, self._body(run), repair=repair, grace_s=grace_s)

    def compact(self, run: str, *, file_bytes: int = FILE_BYTES, grace_s: float = GRACE_S) -> CompactReport:
        """Turn many small files into few large ones; see `isfray.catalog.compact.compact_run`."""
        return compact_run(self.storage, self._log(self._known(run)), run, file_bytes=file_bytes, grace_s=grace_s)

    def delete(self, run: str) -> None:
        """Remove a run: at the first step, for every reader. Calling again finishes an interrupted removal."""
        if not self._log(check_name(run)).live():
            self._known(run)
        self.storage.delete([run_key(run)])
        self._end_log(run)
        leftovers = [*unlisted(self.storage, (), run), *self.storage.listing(f"runs/{run}/sessions/")]
        self.storage.delete(leftovers)

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
        if self.storage.read(run_key(check_name(run))) is None:
            there = ", ".join(self.runs()) or "none"
            raise InputError(
                "is not in the catalog", file=self.uri, key="run", value=run, expected=f"one of its runs: {there}"
            )
        return run

    def _body(self, run: str) -> dict[str, Any]:
        key = run_key(self._known(run))
        return run_objects.parse_run(self.storage.read(key) or b"", f"{self.uri}/{key}")

    def _log(self, run: str) -> CommitLog:
        return self._logs.setdefault(run, CommitLog(self.storage, run))

    def _end_log(self, run: str) -> None:
        """Make sure that commits of a deleted run of this name do not come back with the new one."""

        def make(sequence: int, live: tuple[Commit, ...]) -> Commit | None:
            if not committed(live).size or self.storage.read(run_key(run)) is not None:
                return None
            return Commit(sequence, "deletion", replaces=ranges(range(sequence)))

        self._log(run).append(make)

    def _sessions(self, run: str) -> tuple[Session, ...]:
        stored = self.storage.read_many(sorted(self.storage.listing(f"runs/{run}/sessions/")))
        return tuple(Session(**json.loads(stored[key])) for key in sorted(stored))

    def _put_session(self, run: str, session: Session) -> None:
        body = json.dumps(session.__dict__, indent=1, sort_keys=True, default=str).encode() + b"\n"
        self.storage.put(f"runs/{run}/sessions/{session.id}.json", body)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
