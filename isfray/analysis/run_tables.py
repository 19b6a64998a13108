"""The tables of one run as they were at one moment: what every analysis starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.catalog import Catalog
from isfray.catalog.scan import Trials, among
from isfray.check import nearest
from isfray.errors import InputError
from isfray.formats.isf.network import network_from_inputs
from isfray.model.network import NetworkModel


@dataclass(frozen=True)
class RunTables:
    """One run at one moment: all tables hold the same trials, even while the run grows.

    Attributes
    ----------
    name : str
        The run's, for messages and legends.
    trials : ndarray of int32, shape (trials,)
        Finished trials, ascending: the denominator of everything, whether or not they spiked.
    read : callable
        Lazy table by name and trials (None for all of these); see `scan`.
    load_network : callable
        The network as it was run, None if it had none.
    """

    name: str
    trials: NDArray[np.int32]
    read: Callable[[str, Trials | None], pl.LazyFrame]
    load_network: Callable[[], NetworkModel | None]

    def scan(self, table: str, trials: Trials | None = None) -> pl.LazyFrame:
        """Lazy table of these trials, or of some; files without any of them are not opened.

        Parameters
        ----------
        table : str
            One of `isfray.tables.SCHEMAS`.
        trials : int, range, list or array of int, optional
            Only these.

        Returns
        -------
        polars.LazyFrame

        Examples
        --------
        >>> analysis.run_tables(catalog, "stim_C2").scan("spike_times", trials=[0, 1]).select(pl.len()).collect().item()
        13
        """
        return self.read(table, trials)

    @property
    def n_trials(self) -> int:
        """Number of finished trials, the silent ones among them."""
        return len(self.trials)

    @cached_property
    def network(self) -> NetworkModel | None:
        """The network model, read once."""
        return self.load_network()

    @cached_property
    def t_stop(self) -> float:
        """Simulated time, ms; the shortest, if trials differ."""
        shortest = self.scan("trials").select(pl.col("t_stop").min()).collect().item()
        return float(shortest)

    @cached_property
    def sites(self) -> tuple[str, ...]:
        """Recorded places, in the order they were recorded; empty if no voltage was kept."""
        first = self.scan("voltage_traces", int(self.trials[0]))
        return tuple(first.select(pl.col("site").cast(pl.String)).collect()["site"])

    def finished(self, key: str, trial: Any) -> int:
        """Return the number of one of these trials.

        Parameters
        ----------
        key : str
            What the argument is called, for the message.
        trial : int
            A number that was given.

        Returns
        -------
        int

        Raises
        ------
        InputError
            If it is no number of a finished trial.

        Examples
        --------
        >>> analysis.run_tables(catalog, "stim_C2").finished("trial", 3)
        3
        """
        whole = isinstance(trial, Integral) and not isinstance(trial, bool)
        if not whole or not np.any(self.trials == int(trial)):
            expected = f"one of the {self.n_trials} finished trials of {self.name}, such as {self.trials[0]}"
            raise InputError("is not there", key=key, value=trial, expected=expected)
        return int(trial)

    def of_site(self, table: str, site: str) -> pl.LazyFrame:
        """Return the rows of one recorded place; InputError if there is no such place.

        Parameters
        ----------
        table : str
            `spike_times` or `voltage_traces`.
        site : str
            Recorded place.

        Returns
        -------
        polars.LazyFrame

        Raises
        ------
        InputError
            If the site was not recorded.

        Examples
        --------
        >>> analysis.run_tables(catalog, "stim_C2").of_site("spike_times", "soma").select(pl.len()).collect().item()
        32
        """
        if not isinstance(site, str) or (self.sites and site not in self.sites):
            raise InputError("was not recorded", key="site", value=site, expected=nearest(str(site), self.sites))
        return self.scan(table).filter(pl.col("site") == site)


Source: TypeAlias = Catalog | RunTables | Mapping[str, Any]
"""A catalog, with the name of a run; or tables by name (Polars or Arrow), `trials` among them."""


def run_tables(source: Source, run: str | None = None, trials: Trials | None = None) -> RunTables:
    """Return the tables of a run as they are now.

    Parameters
    ----------
    source : Catalog, RunTables or mapping
        A catalog; or tables by name, such as those of a `TrialResult`; or what this returned before.
    run : str, optional
        Name of the run; a catalog needs it.
    trials : int, range, list or array of int, optional
        Only these, of those that are finished.

    Returns
    -------
    RunTables

    Raises
    ------
    InputError
        If the run is not there or has no finished trial.

    Examples
    --------
    >>> tables = analysis.run_tables(catalog, "stim_C2")
    >>> tables.n_trials, tables.t_stop, tables.sites[0]
    (8, 300.0, 'soma')
    """
    if trials is not None:
        return _of_trials(run_tables(source, run), trials)
    if run is not None and not isinstance(run, str):
        raise InputError("is no name of a run", key="run", value=run, expected="a name")
    if isinstance(source, RunTables):
        return source
    if isinstance(source, Catalog):
        if run is None:
            raise InputError("is missing", file=source.uri, key="run", expected=nearest("", source.runs()))
        return _of_catalog(source, run)
    if not isinstance(source, Mapping) or "trials" not in source:
        raise InputError(
            "holds no trials", key="source", expected="a catalog, or tables by name with `trials` among them"
        )
    return _of_frames(source, run)


def _of_trials(whole: RunTables, trials: Trials) -> RunTables:
    chosen = among(whole.trials, trials)
    if not len(chosen):
        raise InputError(
            "are not there", key="trials", value=trials, expected=f"some of {whole.n_trials} finished ones"
        )

    def read(table: str, some: Trials | None) -> pl.LazyFrame:
        return whole.read(table, chosen if some is None else among(chosen, some))

    return RunTables(whole.name, chosen, read, lambda: whole.network)


def _of_catalog(catalog: Catalog, run: str) -> RunTables:
    now = catalog.snapshot(run)
    trials = now.committed_trials(run)
    if not len(trials):
        raise InputError("has no finished trial yet", file=catalog.uri, key="run", value=run)

    def network() -> NetworkModel | None:
        inputs = catalog.load_inputs(run)
        return network_from_inputs(inputs["network"]) if "network" in inputs else None

    return RunTables(run, trials, lambda table, some: now.scan(table, run, some), network)


def _of_frames(frames: Mapping[str, Any], run: str | None) -> RunTables:
    def scan(table: str) -> pl.LazyFrame:
        if table not in frames:
            raise InputError("is not there", key="table", value=table, expected="one of " + ", ".join(frames))
        frame = frames[table]
        if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
            try:
                frame = pl.DataFrame(frame)
            except Exception as error:  # Polars has many ways to say no
                problem = f"is no table ({error})"
                raise InputError(problem[:200], key=table, value=type(frame).__name__, expected="a table") from None
        lazy: pl.LazyFrame = frame.lazy()
        if run is not None and "run" in lazy.collect_schema():
            lazy = lazy.filter(pl.col("run") == run)
        return lazy

    trials = scan("trials").select(pl.col("trial").cast(pl.Int32).unique().sort()).collect()["trial"].to_numpy()
    if not len(trials):
        raise InputError("holds no finished trial", key="trials")

    def of_trials(table: str, some: Trials | None) -> pl.LazyFrame:
        if table == "voltage_traces" and table not in frames:
            return pl.LazyFrame(schema={"trial": pl.Int32, "site": pl.String})
        wanted = trials if some is None else among(trials, some)
        return scan(table).filter(pl.col("trial").is_in(wanted.tolist()))

    return RunTables(run or "", trials, of_trials, lambda: None)
