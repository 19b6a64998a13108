"""The whole story on the built-in example: build it, simulate trials, look at the tables, say what to try next."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from isfray.catalog import Catalog
from isfray.catalog.intervals import count
from isfray.check import path as a_path
from isfray.examples import STIMULUS, WHISKER, example, write_example
from isfray.model.cell import CellModel
from isfray.model.morphology import APICAL, DENDRITE
from isfray.model.network import NetworkModel
from isfray.runs.request import check_trials
from isfray.runs.simulation import simulate

RUN = "demo"
SEED = 7
T_STOP = 300.0
WINDOW = 50.0
"""Length of the windows before and after the touch in which a response is looked for, ms."""
SETTLED = 150.0
"""When the cell has settled after its start at one voltage everywhere, ms (docs/formats.md, Integration)."""

_STYLE = pl.Config(
    tbl_formatting="NOTHING",
    tbl_hide_dataframe_shape=True,
    tbl_hide_column_data_types=True,
    tbl_rows=30,
    tbl_cols=20,
    tbl_width_chars=120,
    float_precision=1,
    thousands_separator=True,
    apply_on_context_enter=True,
)


def demo(folder: str | os.PathLike[str], trials: int = 16, *, force: bool = False) -> Catalog:
    """Simulate the built-in example into a folder and print what came out; again, it takes up what is there.

    Parameters
    ----------
    folder : path
        Gets the models' files (`model/`) and the catalog (`catalog/`).
    trials : int
        Number of trials in all, at least 1.
    force : bool
        Write the models' files anew where they were changed; without it they are kept, and a line says so.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        If the folder cannot be written, holds something else, or `trials` is no number of trials.
    """
    folder, trials = a_path("folder", folder), count(check_trials(trials))
    cell, network = example()
    print(_introduction(cell, network), flush=True)
    catalog = Catalog(folder / "catalog")
    simulate(cell, network, catalog, run=RUN, trials=trials, seed=SEED, t_stop=T_STOP)
    files = write_example(folder / "model", force=force)
    with _STYLE:
        print(f"\n{_activations(catalog)}\n\n{_distances(catalog)}\n\n{_spikes(catalog)}\n")
    print(_farewell(folder, trials, *files))
    return catalog


def _introduction(cell: CellModel, network: NetworkModel) -> str:
    dendrites = [i for i, label in enumerate(cell.morphology.labels) if label in (DENDRITE, APICAL)]
    celltypes, columns = ({getattr(p, of) for p in network.populations} for of in ("celltype", "column"))
    return (
        "The built-in example. It is synthetic: nothing in it was reconstructed or measured.\n"
        f"  cell     layer 5 thick-tufted pyramidal neuron: {len(cell.morphology)} sections, "
        f"{cell.geometry.n_segments} segments, {cell.geometry.L[dendrites].sum() / 1000:.1f} mm of dendrite\n"
        f"  network  {len(celltypes)} cell types in {len(columns)} barrel columns: "
        f"{network.cell_offsets[-1]:,} cells, {len(network.synapses):,} synapses\n"
        f"  trial    {T_STOP:g} ms of ongoing activity; whisker {WHISKER} is touched at {STIMULUS:g} ms"
    )


def _activations(catalog: Catalog) -> str:
    rows = catalog.scan("synapse_activation", run=RUN)
    columns = ("trial", "synapse_type", "synapse_id", "section_id", "soma_distance", "dendrite_label", "times")
    n = rows.select(pl.len()).collect().item()
    head = rows.select(columns).head(5).collect()
    return (
        f"synapse_activation: {n:,} rows, one for each synapse that released in a trial; the first five\n{_text(head)}"
    )


def _text(table: pl.DataFrame) -> str:
    return "\n".join(line.rstrip() for line in str(table).splitlines())


def _distances(catalog: Catalog) -> str:
    by_type = (
        catalog.scan("synapse_activation", run=RUN)
        .with_columns(pl.col("trial").n_unique().alias("trials"))
        .group_by("celltype")
        .agg(
            (pl.len() / pl.col("trials").first()).alias("active synapses a trial"),
            (pl.col("times").list.len().sum() / pl.col("trials").first()).alias("releases a trial"),
            pl.col("soma_distance").mean().alias("mean soma distance / um"),
        )
        .sort("mean soma distance / um")
        .collect()
    )
    return f"Where the active synapses of each cell type lie\n{_text(by_type)}"


def _spikes(catalog: Catalog) -> str:
    trials = catalog.scan("trials", run=RUN).select("trial").sort("trial").collect()
    spikes = (
        catalog.scan("spike_times", run=RUN)
        .filter((pl.col("site") == "soma") & (pl.col("time") >= SETTLED))
        .select("trial", "time")
        .collect()
    )

    def during(begin: float, end: float) -> pl.DataFrame:
        return spikes.filter(pl.col("time").is_between(begin, end, closed="left"))

    def response(begin: float) -> float:
        return during(begin, begin + WINDOW)["trial"].n_unique() / len(trials)

    rate = len(during(SETTLED, STIMULUS)) / len(trials) / (STIMULUS - SETTLED) * 1000
    per_trial = trials.join(spikes.group_by("trial").len(), on="trial", how="left")["len"].fill_null(0)
    counts = " ".join(map(str, per_trial.head(40).to_list())) + (" ..." if len(trials) > 40 else "")
    return (
        f"Somatic spikes of the {len(trials)} trials, from {SETTLED:g} ms on (the cell settles before): {counts}\n"
        f"  rate until the touch                        {rate:.1f} Hz\n"
        f"  trials with a spike in {WINDOW:g} ms before it     {response(STIMULUS - WINDOW):.0%}\n"
        f"  trials with a spike in {WINDOW:g} ms after it      {response(STIMULUS):.0%}"
    )


def _farewell(folder: Path, trials: int, cell: Path, network: Path) -> str:
    catalog = folder / "catalog"
    return (
        f"Everything is in {folder}: the results in {catalog}, the models' files in {cell.parent}.\n"
        "What to try next\n"
        "  more trials; those that are there are kept:\n"
        f"    isfray demo --out {folder} --trials {2 * trials}\n"
        "  what is stored:\n"
        f"    isfray info {catalog} {RUN}\n"
        "  the same models from their files, to change as you like:\n"
        f"    isfray run --cell {cell} --network {network} \\\n"
        f"      --catalog {catalog} --run mine --trials 4\n"
        "  any table as a Polars LazyFrame, in Python:\n"
        f'    isfray.Catalog("{catalog}")["spike_times"]'
    )
