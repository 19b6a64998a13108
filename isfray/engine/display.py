"""How a trial shows itself."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from isfray.arrays import F64
from isfray.model.display import Facts, listed, plural
from isfray.model.thumbnail import trace


def trial_facts(
    time: F64, voltage: Mapping[str, F64], tables: Mapping[str, pa.Table], variables: Mapping[str, F64]
) -> Facts:
    """Return what to show of a trial; the arguments are the fields of `TrialResult`."""
    (about,) = tables["trials"].to_pylist()
    spikes = [f"{row['time']:.1f}" for row in tables["spike_times"].to_pylist() if row["site"] == "soma"]
    rows = [
        ("soma", f"{voltage['soma'].min():.1f} to {voltage['soma'].max():.1f} mV"),
        ("spikes there", f"{listed(spikes, 10)} ms" if spikes else "none"),
        ("recorded", listed(list(voltage), 3)),
        ("samples", f"{len(time):,}, {about['dt']:g} ms apart"),
        ("releases", f"{about['n_releases']:,} at {plural(about['n_active_synapses'], 'synapse')}"),
        ("seed", f"{about['seed']}"),
        ("took", f"{about['wall_s']:.2f} s with {about['engine']}"),
        ("tables", ", ".join(f"{name} ({table.num_rows:,})" for name, table in tables.items())),
    ]
    if variables:
        rows.insert(3, ("variables", ", ".join(f"{name} ({len(values)})" for name, values in variables.items())))
    gist = f"{about['t_stop']:g} ms, {plural(len(spikes), 'spike')} at the soma, {about['n_releases']:,} releases"
    return Facts("TrialResult", f"trial {about['trial']}", gist, rows, drawing=trace(time, voltage["soma"], "mV"))
