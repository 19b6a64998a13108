"""The catalog: many runs at one URI, each finished trial exactly once."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isfray.catalog import runs as run_objects
from isfray.catalog.batch import CommitInfo, trials_of, write_batch
from isfray.catalog.compact import FILE_BYTES, CompactReport, compact_run
from isfray.catalog.inspection import IMPORTED, initial_voltage, inspect_batch
from isfray.catalog.intervals import count
from isfray.catalog.leftovers import GRACE_S
from isfray.catalog.log import Commit, DataFile, committed, numbers, ranges, up_to
from isfray.catalog.mending import Told, mend_run, quietly
from isfray.catalog.reader import CATALOG_VERSION, CatalogReader
from isfray.catalog.removal import end_log, remove_files, remove_run, remove_strays, removed_runs
from isfray.catalog.runs import RunSpec, Session, check_name, run_key
from isfray.catalog.storage import Storage
from isfray.catalog.verify import VerifyReport, verify_run
from isfray.check import name_of_file
from isfray.errors import InputError
from isfray.model.soundness import UnsoundTrialError
from isfray.tables import canonical


class Catalog(CatalogReader):
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

    Examples
    --------
    >>> catalog = isfray.Catalog("results")
    >>> catalog.runs()
    ['stim_C2']
    >>> catalog.tables()
    ['trials', 'synapse_activation', 'cell_activation', 'spike_times', 'voltage_traces']
    """

    def __init__(self, uri: str | os.PathLike[str] | Storage, storage_options: Mapping[str, Any] | None = None) -> None:
        super().__init__(uri, storage_options)
        self._writing: dict[str, tuple[str, float | None]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Catalog, (self.uri, self.storage.options)

    # writing

    def open_run(self, spec: RunSpec) -> Session:
        """Begin a run, or resume it if one of that name with the same seed, settings and inputs is there.

        Parameters
        ----------
        spec : RunSpec
            Name, seed, settings, inputs and the number of trials.

        Returns
        -------
        Session
            To be given to `close_run`. What is left to do is the asked trials minus `committed_trials(spec.name)`.

        Raises
        ------
        InputError
            If a run of that name differs, saying how; if the catalog cannot be written.

        Examples
        --------
        >>> from isfray.catalog import RunSpec
        >>> inputs = catalog.load_inputs("stim_C2")
        >>> other = isfray.Catalog("other")
        >>> session = other.open_run(RunSpec("mine", seed=7, settings={"t_stop": 50.0}, inputs=inputs, trials=1))
        >>> session.trials, session.ended
        (1, None)
        """
        self._create()
        key, now = run_key(spec.name), _now()
        stored = self.storage.read(key)
        if stored is None:
            end_log(self._log(spec.name), spec.name)
            run_objects.store_inputs(self.storage, spec)
            ours = run_objects.run_json(spec, now)
            stored = ours if self.storage.create(key, ours) else self.storage.read(key) or ours
        there = self._same(stored, spec)
        run_objects.restore_inputs(self.storage, spec, there)
        self._writing[spec.name] = there["created"], initial_voltage(self.storage, there)
        asked = spec.asked
        session = Session(
            id=f"{now.replace(':', '')}-{secrets.token_hex(4)}",
            started=now,
            ended=None,
            trials=count(asked),
            provenance=dict(spec.provenance),
            chosen=None if asked == up_to(count(asked)) else asked,
        )
        self._put_session(spec.name, session)
        return session

    def check_run(self, spec: RunSpec) -> None:
        """Raise InputError if a run of this name is there and differs, or the run cannot be stored; nothing is written.

        Parameters
        ----------
        spec : RunSpec
            The run.

        Examples
        --------
        >>> from isfray.catalog import RunSpec
        >>> isfray.Catalog("unborn").check_run(RunSpec("mine", 7, {"t_stop": 50.0}, catalog.load_inputs("stim_C2")))
        """
        stored = self.storage.read(run_key(spec.name))
        if stored is None:
            spec.identity()
        else:
            self._same(stored, spec)

    def close_run(self, run: str, session: Session) -> Session:
        """Note the end of a session.

        Parameters
        ----------
        run : str
            The run.
        session : Session
            What `open_run` gave.

        Returns
        -------
        Session
            With its end.

        Examples
        --------
        >>> from isfray.catalog import RunSpec
        >>> other = isfray.Catalog("closed")
        >>> session = other.open_run(RunSpec("mine", 7, {"t_stop": 50.0}, catalog.load_inputs("stim_C2")))
        >>> other.close_run("mine", session).ended > session.started
        True
        """
        ended = replace(session, ended=_now())
        self._put_session(self._known(run), ended)
        return ended

    def commit(self, run: str, tables: Mapping[str, pa.Table]) -> CommitInfo:
        """Make a batch of trials exist, in all its tables at once; trials that are there already are left as they are.

        Parameters
        ----------
        run : str
            An opened run.
        tables : mapping
            Table name to rows of one or more trials. `trials` must be among them, with one row per trial.

        Returns
        -------
        CommitInfo
            The trials that were added, and those that were there.

        Raises
        ------
        ValueError
            If the tables do not fit their schemas or each other.
        UnsoundTrialError
            If a trial is not what it must be (see `verify`), with what is wrong with each; nothing is written.
        InputError
            If the run is not there (any more), or the storage refuses. Calling again with the same tables is always
            safe.

        Examples
        --------
        >>> from isfray.catalog import RunSpec
        >>> other = isfray.Catalog("committed")
        >>> session = other.open_run(RunSpec("mine", 7, {"t_stop": 50.0}, catalog.load_inputs("stim_C2"), trials=1))
        >>> result = isfray.Simulator(cell, network).run(seed=isfray.trial_seed(7, trial=0), t_stop=50.0)
        >>> other.commit("mine", result.tables).trials
        array([0], dtype=int32)
        >>> other.commit("mine", result.tables).already_there  # once is enough
        array([0], dtype=int32)
        """
        batch = {name: canonical(name, table) for name, table in tables.items()}
        asked = trials_of(batch)
        log, (made, v_init) = self._log(run), self._made(run)
        if wrong := inspect_batch(batch, asked, v_init):
            raise UnsoundTrialError(wrong)
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
            return Commit(sequence, "batch", ranges(new), files, checked=ranges(new)) if len(new) else None

        commit = log.append(make)
        added = numbers(commit.trials if commit else ())
        return CommitInfo(run, added, np.setdiff1d(asked, added), commit.files if commit else ())

    # keeping house

    def verify(self, run: str, *, repair: bool = False, grace_s: float = GRACE_S, tell: Told = quietly) -> VerifyReport:
        """Check a run against everything the catalog promises; see `isfray.catalog.verify.verify_run`.

        Parameters
        ----------
        run : str
            The run.
        repair : bool
            Withdraw wrong trials, which resuming the run simulates again, and remove what no reader sees.
        grace_s : float
            If it is older than this, s.
        tell : callable, optional
            Told how many bytes of how many have been read.

        Returns
        -------
        VerifyReport

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> report = catalog.verify("stim_C2")
        >>> report.ok, report.trials, report.problems
        (True, 8, ())
        """
        log = self._log(check_name(run))
        return verify_run(self.storage, log, run, self._body(run), repair=repair, grace_s=grace_s, tell=tell)

    def mend(self, run: str, tell: Told = quietly) -> dict[int, str]:
        """Withdraw wrong trials that were stored by a version that did not look at them.

        `simulate` and `isfray resume` begin with this, and simulate them again. Each trial is looked at once: a commit
        says of which trials that was done.

        Parameters
        ----------
        run : str
            The run. An imported one is left as it is.
        tell : callable, optional
            Told how many bytes of how many have been read.

        Returns
        -------
        dict of int to str
            By trial that was withdrawn, what is wrong with it.

        Raises
        ------
        InputError
            If there is no such run, or a file of it is gone or damaged.

        Examples
        --------
        >>> catalog.mend("stim_C2")
        {}
        """
        body = self._body(run)
        if body["settings"].engine == IMPORTED:
            return {}
        return mend_run(self.storage, self._log(run), run, initial_voltage(self.storage, body), tell)

    def compact(self, run: str, *, file_bytes: int = FILE_BYTES, grace_s: float = GRACE_S) -> CompactReport:
        """Turn many small files into few large ones; see `isfray.catalog.compact.compact_run`.

        Parameters
        ----------
        run : str
            The run.
        file_bytes : int
            Size at which a merged file is full.
        grace_s : float
            Age from which files that no reader sees are removed, s.

        Returns
        -------
        CompactReport

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> report = catalog.compact("stim_C2")
        >>> report.files_after <= report.files_before
        True
        """
        return compact_run(self.storage, self._log(self._known(run)), run, file_bytes=file_bytes, grace_s=grace_s)

    def sweep(self, *, grace_s: float = GRACE_S) -> tuple[str, ...]:
        """Remove what belongs to no run, if older than `grace_s` (s), and return its keys.

        That is: inputs no run names, files of runs that are gone, and writes that never ended.

        Parameters
        ----------
        grace_s : float
            Age, s.

        Returns
        -------
        tuple of str
            Keys of what was removed.

        Examples
        --------
        >>> isfray.Catalog("results").sweep()
        ()
        """
        if not self.exists:
            return ()
        gone = removed_runs(self.storage, self._bodies(), grace_s)
        removed = [key for run in gone for key in remove_files(self._log(run), run)]
        return (*removed, *remove_strays(self.storage, self._bodies, grace_s))

    def delete(self, run: str) -> None:
        """Remove a run: at the first step, for every reader. Calling again finishes an interrupted removal.

        Parameters
        ----------
        run : str
            The run.

        Raises
        ------
        InputError
            If there is no such run, and nothing left of one.

        Examples
        --------
        >>> from isfray.catalog import RunSpec
        >>> other = isfray.Catalog("emptied")
        >>> session = other.open_run(RunSpec("mine", 7, {"t_stop": 50.0}, catalog.load_inputs("stim_C2")))
        >>> other.delete("mine")
        >>> other.runs()
        []
        """
        if not committed(self._log(check_name(run)).live()).size:
            self._stored(run)
        remove_run(self._log(run), run)

    # the catalog's own objects

    def _create(self) -> None:
        if self._exists:
            return
        self._check()
        self._check_room()
        body = json.dumps({"format": "isfray-catalog", "version": CATALOG_VERSION}, indent=1).encode() + b"\n"
        self.storage.create("catalog.json", body)
        if self.storage.create("catalog.json", body):
            raise InputError(
                "ignores conditional writes, so that two writers could overwrite each other",
                file=self.uri,
                expected="a store that honours If-None-Match",
            )
        self._exists = True

    def _same(self, stored: bytes, spec: RunSpec) -> dict[str, Any]:
        """What is stored of a run, if it is the run that is asked for."""
        there = run_objects.parse_run(stored, f"{self.uri}/{run_key(spec.name)}")
        if differing := run_objects.differences(there, spec.identity()):
            raise InputError(
                f"exists with other content: {'; '.join(differing)}",
                file=self.uri,
                key="run",
                value=spec.name,
                expected="the same content, or another run name",
            )
        return there

    def _made(self, run: str) -> tuple[str, float | None]:
        """When the run that this object writes to was made, and what its voltages begin with.

        A later one of its name is another run.
        """
        if run not in self._writing:
            body = self._body(run)
            self._writing[run] = body["created"], initial_voltage(self.storage, body)
        return self._writing[run]

    def _put_session(self, run: str, session: Session) -> None:
        said = {key: value for key, value in session.__dict__.items() if key != "chosen" or value is not None}
        body = json.dumps(said, indent=1, sort_keys=True, default=str).encode() + b"\n"
        self.storage.put(f"runs/{run}/sessions/{name_of_file('id', session.id)}.json", body)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
