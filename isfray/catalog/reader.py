"""Reading a catalog: its runs and tables, and what is known about them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.catalog import runs as run_objects
from isfray.catalog.display import SHOWN, catalog_facts
from isfray.catalog.location import open_storage
from isfray.catalog.log import Commit, CommitLog, catch_up, committed, read_json
from isfray.catalog.runs import RunInfo, Session, check_name, is_name, run_key
from isfray.catalog.scan import Trials
from isfray.catalog.snapshot import Snapshot, check_table, unknown_run
from isfray.catalog.storage import Storage
from isfray.check import number
from isfray.errors import InputError
from isfray.formats.isf.cell import cell_from_inputs
from isfray.formats.isf.network import network_from_inputs
from isfray.formats.nmodl import mechanisms_from_inputs
from isfray.model.cell import CellModel
from isfray.model.display import Facts
from isfray.model.inputs import ModelInputs
from isfray.model.network import NetworkModel

CATALOG_VERSION = 1


class CatalogReader:
    """What a `Catalog` gives to read."""

    def __init__(self, uri: str | os.PathLike[str] | Storage, storage_options: Mapping[str, Any] | None = None) -> None:
        self.storage = uri if isinstance(uri, Storage) else open_storage(uri, storage_options)
        self.uri = self.storage.uri
        self._logs: dict[str, CommitLog] = {}
        self._exists = False
        self._check()

    def __repr__(self) -> str:
        return f"Catalog({self.uri!r})"

    def __str__(self) -> str:
        return self._facts().text

    def _repr_html_(self) -> str:
        return self._facts().html

    @property
    def exists(self) -> bool:
        """Whether a catalog has been made here."""
        if not self._exists:
            self._check()
        return self._exists

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

        Raises
        ------
        InputError
            If there is no such table, run or column.

        Examples
        --------
        >>> spikes = catalog.scan("spike_times", run="stim_C2", trials=range(4))
        >>> late = spikes.filter(pl.col("site") == "soma", pl.col("time") > 245.0)
        >>> late.select("trial", "time").sort("trial").collect()
        shape: (4, 2)
        ┌───────┬─────────┐
        │ trial ┆ time    │
        │ ---   ┆ ---     │
        │ i32   ┆ f64     │
        ╞═══════╪═════════╡
        │ 0     ┆ 255.875 │
        │ 1     ┆ 253.675 │
        │ 2     ┆ 253.15  │
        │ 3     ┆ 255.85  │
        └───────┴─────────┘
        """
        check_table(table, self.uri)
        return self.snapshot(run).scan(table, run, trials, columns)

    def __getitem__(self, table: str) -> pl.LazyFrame:
        """Lazy table of every run; see `scan`."""
        return self.scan(table)

    def snapshot(self, run: str | None = None) -> Snapshot:
        """What is committed now, of one run or of all: its tables stay in step while the runs grow.

        Parameters
        ----------
        run : str, optional
            Only this run.

        Returns
        -------
        Snapshot

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> now = catalog.snapshot("stim_C2")
        >>> now.scan("trials").select(pl.len()).collect().item()
        8
        """
        if run is not None:
            return Snapshot(self.storage, {run: self._log(self._known(run)).live()})
        listed = self.storage.listing("runs/")
        return Snapshot(self.storage, self._live(run_objects.names_in(listed), listed))

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

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> for trials in catalog.live("stim_C2"):
        ...     print(trials)
        [0 1 2 3 4 5 6 7]
        """
        every_s = number("every_s", every_s, least=0.0, unit="s")
        seen = np.empty(0, dtype=np.int32)
        news = time.monotonic()
        while True:
            new = np.setdiff1d(self.committed_trials(run), seen)
            if len(new):
                seen, news = np.union1d(seen, new), time.monotonic()
                yield new
            elif len(seen) >= run_objects.trials_asked(self._sessions(run)) or time.monotonic() - news >= patience_s:
                return
            else:
                time.sleep(every_s)

    def tables(self) -> list[str]:
        """Names of the tables that hold rows.

        Returns
        -------
        list of str
            In the order of `isfray.tables.SCHEMAS`.

        Examples
        --------
        >>> catalog.tables()
        ['trials', 'synapse_activation', 'cell_activation', 'spike_times', 'voltage_traces']
        """
        return self.snapshot().tables()

    def runs(self) -> list[str]:
        """Names of the runs, sorted.

        Returns
        -------
        list of str

        Examples
        --------
        >>> catalog.runs()
        ['stim_C2']
        """
        keys = {run_key(name): name for name in self._folders()}
        return sorted(keys[key] for key in self.storage.read_many(keys))

    def committed_trials(self, run: str) -> NDArray[np.int32]:
        """Ascending numbers of the trials of a run that are there.

        Parameters
        ----------
        run : str
            The run.

        Returns
        -------
        ndarray of int32, shape (trials,)

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> catalog.committed_trials("stim_C2")
        array([0, 1, 2, 3, 4, 5, 6, 7], dtype=int32)
        """
        return committed(self._log(self._known(run)).live())

    def info(self, run: str) -> RunInfo:
        """What is known about a run.

        Parameters
        ----------
        run : str
            The run.

        Returns
        -------
        RunInfo

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> about = catalog.info("stim_C2")
        >>> about.trials_committed, about.seed, about.settings["t_stop"]
        (8, 7, 300.0)
        >>> about.rows["synapse_activation"]
        22991
        """
        return run_objects.about(self._body(run), self._log(run).live(), self._sessions(run))

    def infos(self, runs: Sequence[str] | None = None) -> list[RunInfo]:
        """What is known about many runs, in much less time than asking for one after the other.

        Parameters
        ----------
        runs : sequence of str, optional
            Names, of which those that are not there are left out; all runs without it.

        Returns
        -------
        list of RunInfo
            By name, as `runs` gives them.

        Examples
        --------
        >>> [(about.name, about.trials_committed) for about in catalog.infos()]
        [('stim_C2', 8)]
        """
        below = ["runs/"] if runs is None else [f"runs/{check_name(name)}/" for name in runs]
        listed = self.storage.listings(below)
        stored = self.storage.read_many(map(run_key, run_objects.names_in(listed)))
        bodies = {body["name"]: body for key, data in stored.items() for body in [self._parsed(key, data)]}
        live, sessions = self._live(bodies, listed), run_objects.read_sessions(self.storage, listed)
        return [run_objects.about(body, live[name], sessions.get(name, ())) for name, body in sorted(bodies.items())]

    def load_inputs(self, run: str) -> dict[str, ModelInputs]:
        """Input files of a run, byte for byte, by role (`cell`, `mechanisms`, `network`).

        Parameters
        ----------
        run : str
            The run.

        Returns
        -------
        mapping of str to ModelInputs

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> {role: inputs.main.name for role, inputs in catalog.load_inputs("stim_C2").items()}
        {'cell': 'synthetic_L5tt.param', 'mechanisms': 'mechanisms.json', 'network': 'network.param'}
        """
        return run_objects.load_inputs(self.storage, self._body(run))

    def load_models(self, run: str) -> tuple[CellModel, NetworkModel | None]:
        """Cell and network model exactly as they were run, on any machine; no network if the run had none.

        The cell has the mechanisms of the run, from their stored sources; isfray's own if an older version stored none.

        Parameters
        ----------
        run : str
            The run.

        Returns
        -------
        CellModel, NetworkModel or None

        Raises
        ------
        InputError
            If there is no such run.

        Examples
        --------
        >>> cell_as_run, network_as_run = catalog.load_models("stim_C2")
        >>> cell_as_run == cell, network_as_run == network
        (True, True)
        """
        inputs = self.load_inputs(run)
        network = network_from_inputs(inputs["network"]) if "network" in inputs else None
        sources = inputs.get(run_objects.MECHANISMS)
        return cell_from_inputs(inputs["cell"], mechanisms_from_inputs(sources) if sources else None), network

    # objects of the catalog

    def _facts(self) -> Facts:
        made = {name: body["created"] for name, body in self._bodies().items()}
        latest = sorted(made, key=lambda name: made[name], reverse=True)[:SHOWN]
        return catalog_facts(self.uri, sorted(made), self.infos(latest))

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

    def _known(self, run: str) -> str:
        self._body(run)
        return run

    def _stored(self, run: str) -> bytes:
        data = self.storage.read(run_key(check_name(run)))
        if data is None:
            self._check_room()
            raise unknown_run("catalog", self.uri, run, self.runs())
        return data

    def _check_room(self) -> None:
        if not self.storage.has_room:
            raise InputError("has no such bucket", file=self.uri, expected="a bucket that exists")

    def _bodies(self) -> dict[str, dict[str, Any]]:
        stored = self.storage.read_many(map(run_key, self._folders()))
        return {body["name"]: body for key, data in stored.items() for body in [self._parsed(key, data)]}

    def _folders(self) -> list[str]:
        """Names under which there may be runs."""
        return [name for name in self.storage.folders("runs/") if is_name(name)]

    def _body(self, run: str) -> dict[str, Any]:
        return self._parsed(run_key(run), self._stored(run))

    def _parsed(self, key: str, stored: bytes) -> dict[str, Any]:
        return run_objects.parse_run(stored, f"{self.uri}/{key}")

    def _log(self, run: str) -> CommitLog:
        return self._logs.setdefault(run, CommitLog(self.storage, run))

    def _sessions(self, run: str) -> tuple[Session, ...]:
        return run_objects.read_sessions(self.storage, self.storage.listing(f"runs/{run}/sessions/")).get(run, ())

    def _live(self, runs: Iterable[str], listed: Iterable[str]) -> dict[str, tuple[Commit, ...]]:
        """Commits of runs that count now, from a listing of the objects that are there."""
        logs = {run: self._log(run) for run in runs}
        if logs:
            catch_up(list(logs.values()), listed)
        return {run: log.known() for run, log in logs.items()}
