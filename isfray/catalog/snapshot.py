"""What was committed at one moment, in every table alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.catalog.log import Commit, by_table, committed
from isfray.catalog.scan import Trials, scan_files
from isfray.catalog.storage import Storage
from isfray.check import nearest
from isfray.errors import InputError
from isfray.tables import SCHEMAS


@dataclass(frozen=True)
class Snapshot:
    """Some runs as they were when it was taken: trials committed since are in none of its tables.

    Attributes
    ----------
    storage : Storage
        Where.
    commits : mapping
        Commits that counted then, by run.
    """

    storage: Storage
    commits: Mapping[str, tuple[Commit, ...]]

    def scan(
        self, table: str, run: str | None = None, trials: Trials | None = None, columns: Sequence[str] | None = None
    ) -> pl.LazyFrame:
        """Lazy table; see `Catalog.scan`.

        Parameters
        ----------
        table, run, trials, columns
            As in `Catalog.scan`.

        Returns
        -------
        polars.LazyFrame

        Raises
        ------
        InputError
            If there is no such table, run or column.

        Examples
        --------
        >>> trials = catalog.snapshot().scan("trials", run="stim_C2")
        >>> trials.select("trial", "n_spikes").sort("trial").head(3).collect()
        shape: (3, 2)
        ┌───────┬──────────┐
        │ trial ┆ n_spikes │
        │ ---   ┆ ---      │
        │ i32   ┆ i32      │
        ╞═══════╪══════════╡
        │ 0     ┆ 5        │
        │ 1     ┆ 4        │
        │ 2     ┆ 5        │
        └───────┴──────────┘
        """
        check_table(table, self.storage.uri)
        wanted = self.commits if run is None else {run: self._of(run)}
        files = {name: by_table(of).get(table, []) for name, of in wanted.items()}
        return scan_files(self.storage, table, files, trials, columns)

    def __getitem__(self, table: str) -> pl.LazyFrame:
        """Lazy table of every run; see `scan`."""
        return self.scan(table)

    def runs(self) -> list[str]:
        """Names of the runs, sorted.

        Returns
        -------
        list of str

        Examples
        --------
        >>> catalog.snapshot().runs()
        ['stim_C2']
        """
        return sorted(self.commits)

    def tables(self) -> list[str]:
        """Names of the tables that hold rows.

        Returns
        -------
        list of str

        Examples
        --------
        >>> catalog.snapshot().tables()
        ['trials', 'synapse_activation', 'cell_activation', 'spike_times', 'voltage_traces']
        """
        used = {file.table for of in self.commits.values() for commit in of for file in commit.files if file.rows}
        return [name for name in SCHEMAS if name in used]

    def committed_trials(self, run: str) -> NDArray[np.int32]:
        """Ascending numbers of the trials of a run.

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
            If it is not in the snapshot.

        Examples
        --------
        >>> catalog.snapshot().committed_trials("stim_C2")
        array([0, 1, 2, 3, 4, 5, 6, 7], dtype=int32)
        """
        return committed(self._of(run))

    def _of(self, run: str) -> tuple[Commit, ...]:
        if run not in self.commits:
            expected = "one of its runs: " + nearest(str(run), self.runs()).removeprefix("one of ")
            raise InputError("is not in the snapshot", file=self.storage.uri, key="run", value=run, expected=expected)
        return self.commits[run]


def check_table(table: str, uri: str) -> None:
    """Refuse a name that is no table's."""
    if table not in SCHEMAS:
        raise InputError("is not a table", file=uri, key="table", value=table, expected="one of " + ", ".join(SCHEMAS))
