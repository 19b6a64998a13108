"""Tables to analyse: made by hand, or the published replays of the reference cell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

import isfray
from isfray import tables
from isfray.catalog import Catalog, RunSpec

Row = tuple[str, int, float, list[float]]  # synapse type, id, soma distance, times


def trial_tables(
    trial: int,
    *,
    soma: Sequence[float] = (),
    dendrite: Sequence[float] = (),
    dendrite_site: str = "tuft",
    synapses: Sequence[Row] = (),
    cells: Sequence[tuple[str, int, list[float]]] = (),
    voltage: Mapping[str, Any] | None = None,
    sections: Mapping[str, tuple[int, float, float]] | None = None,
    places: Sequence[tuple[int, int, str]] | None = None,
    t_stop: float = 100.0,
    seed: int | None = None,
) -> dict[str, pa.Table]:
    """Tables of one trial; `sections` gives section, x and distance of a voltage site, `places` those of synapses."""
    kinds = sorted({row[0] for row in (*synapses, *cells)})
    celltypes, columns = [k.rpartition("_")[0] for k in kinds], [k.rpartition("_")[2] for k in kinds]
    common: dict[str, Any] = {"type_names": kinds, "celltypes": celltypes, "columns": columns}
    traces, of = dict(voltage or {}), sections or {}
    where = [of.get(site, (0, 0.5, 0.0)) for site in traces]
    spots = list(places) if places is not None else [(1, 0, "Dendrite")] * len(synapses)
    labels = sorted({label for _, _, label in spots})
    return {
        "trials": tables.trial_row(
            trial,
            seed=trial if seed is None else seed,
            t_stop=t_stop,
            dt=0.025,
            n_active_synapses=len(synapses),
            n_releases=sum(len(row[3]) for row in synapses),
            n_spikes=len(soma),
            engine="neuron",
            host="host",
            wall_s=1.0,
            finished_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        "synapse_activation": tables.synapse_activation(
            trial,
            synapse_type_index=[kinds.index(row[0]) for row in synapses],
            synapse_id=[row[1] for row in synapses],
            section_id=[section for section, _, _ in spots],
            section_pt_id=[point for _, point, _ in spots],
            soma_distance=[row[2] for row in synapses],
            label_index=[labels.index(label) for _, _, label in spots],
            labels=labels,
            **ragged([row[3] for row in synapses]),
            **common,
        ),
        "cell_activation": tables.cell_activation(
            trial,
            synapse_type_index=[kinds.index(row[0]) for row in cells],
            cell_id=[row[1] for row in cells],
            **ragged([row[2] for row in cells]),
            **common,
        ),
        "spike_times": tables.spike_times(
            trial,
            sites=["soma", dendrite_site],
            thresholds=[0.0, -30.0],
            times=[np.array(soma, float), np.array(dendrite, float)],
        ),
        "voltage_traces": tables.voltage_traces(
            trial,
            sites=list(traces),
            section_id=[section for section, _, _ in where],
            x=[x for _, x, _ in where],
            soma_distance=[distance for _, _, distance in where],
            t_start=0.0,
            dt=0.025,
            voltage=np.array(list(traces.values())),
        )
        if traces
        else tables.SCHEMAS["voltage_traces"].empty_table(),
    }


def ragged(lists: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Offsets and values of lists."""
    return {
        "offsets": np.r_[0, np.cumsum([len(x) for x in lists], dtype=int)].astype(int),
        "times": np.concatenate([*(np.asarray(x, float) for x in lists), np.empty(0)]),
    }


def by_hand(*trials: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Tables of several trials, numbered from 0, without a catalog."""
    joined = tables.join_trials(trial_tables(i, **given) for i, given in enumerate(trials))
    frames = {name: pl.DataFrame(table) for name, table in joined.items()}
    return {name: frame for name, frame in frames.items() if name != "voltage_traces" or len(frame)}


def published_rows(path: Path) -> list[list[str]]:
    """Rows of an ISF CSV, split at tabs: an independent reader."""
    return [line.split("\t") for line in path.read_text().splitlines()[1:]]


def published_times(field: str) -> list[float]:
    """Times of the last field of a row."""
    return [float(t) for t in field.split(",") if t.strip()]


def golden_trial(reference: Path, case: dict[str, Any], trial: int) -> dict[str, pa.Table]:
    """One published replay as the tables of a trial."""
    folder, name = reference / "golden", f"replay{case['case']}"
    synapses = published_rows(folder / f"{name}_synapses.csv")
    cells = published_rows(folder / f"{name}_presynaptic_cells.csv")
    site = case["rec_sites"][0]
    voltage = {"soma": np.load(folder / f"{name}_soma_v.npy"), site["label"]: np.load(folder / f"{name}_rec0_v.npy")}
    return trial_tables(
        trial,
        soma=case["spike_times"],
        dendrite=dendritic_spikes(reference, case),
        dendrite_site=site["label"],
        synapses=[(r[0], int(r[1]), float(r[2]), published_times(r[6])) for r in synapses],
        places=[(int(r[3]), int(r[4]), r[5]) for r in synapses],
        cells=[(r[0], int(r[1]), published_times(r[2])) for r in cells],
        voltage=voltage,
        sections={site["label"]: (site["section"], site["x"], 920.7)},
        t_stop=300.0,
    )


def dendritic_spikes(reference: Path, case: dict[str, Any]) -> list[float]:
    """When the recorded dendrite of a published replay crosses -30 mV from below."""
    folder = reference / "golden"
    above = np.load(folder / f"replay{case['case']}_rec0_v.npy") >= -30.0
    times: list[float] = np.load(folder / "replay1_t.npy")[1:][above[1:] & ~above[:-1]].tolist()
    return times


def golden_cases(reference: Path) -> list[dict[str, Any]]:
    """What is published about the replays."""
    cases: list[dict[str, Any]] = json.loads((reference / "golden" / "replays.json").read_text())
    return cases


def golden_catalog(reference: Path, folder: Path, run: str = "replays") -> Catalog:
    """A catalog whose run holds the published replays, with the models they were run with."""
    cell = isfray.load_cell(reference / "model" / "86_C2_center.param")
    network = isfray.load_network(reference / "model" / "network.param")
    catalog = Catalog(folder)
    settings = {"t_stop": 300.0, "dt": 0.025, "engine": "neuron", "clamp": [], "record": "sites"}
    spec = RunSpec(run, 7, settings, {"cell": cell.inputs, "network": network.inputs}, trials=2)
    session = catalog.open_run(spec)
    for trial, case in enumerate(golden_cases(reference)):
        catalog.commit(run, golden_trial(reference, case, trial))
    catalog.close_run(run, session)
    return catalog
