"""The golden numbers of the built-in example: made here, kept in tests/data/example.json, compared by test_golden.

`python -m tests.examples.golden` writes them anew. That is right only where the example itself, or the rules by which
its input is drawn, were changed on purpose, which makes every stored run another one: CHANGELOG.md says so then. A
change of the engine, of the compiler, of NEURON or NumPy is no reason: it has to give these numbers.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import isfray
from isfray import edits
from isfray.model import NetworkModel

FILE = Path(__file__).resolve().parent.parent / "data" / "example.json"
SEED, DRAWN, SIMULATED = 7, 4, 2  # seed of the run; trials whose input, and whose voltage, is kept
T_STOP, STIMULUS, EVERY = 100.0, 50.0, 20  # of what is simulated: ms, ms, and which samples are kept (0.5 ms apart)

KINDS: dict[str, dict[str, Any]] = {
    "spiketrain": {"interval": 20.0, "noise": 0.5, "start": 3.0},
    "normal": {"activeFrac": 0.5, "spikeT": 15.0, "spikeWidth": 4.0},
    "uniform": {"activeFrac": 0.5, "window": 30.0, "offset": 20.0},
    "lognormal": {"activeFrac": 0.5, "mu": 2.5, "sigma": 0.5},
    "PSTH": {"intervals": [[0.0, 5.0], [8.0, 9.0]], "probabilities": [0.5, 0.2], "offset": 30.0},
    "PSTH_absolute_number": {"intervals": [[0.0, 5.0], [8.0, 9.0]], "number_active_synapses": [12, 50]},
    "PSTH_poissontrain": {"intervals": [[0.0, 20.0], [30.0, 90.0]], "rates": [50.0, 10.0]},
    "PSTH_poissontrain_v2": {"bins": [0.0, 20.0, 90.0], "rates": [10.0, 50.0]},
    "poissontrain_modulated": {
        **{"rate_before_t_offset": 5.0, "mean_rate": 40.0, "max_modulation": 0.8, "modulation_frequency": 30.0},
        **{"bin_size": 1.0, "phase_distribution": "uniform", "offset": 20.0},
    },
}


def files() -> dict[str, str]:
    """SHA-256 of every file of the example."""
    return {f.name: f.sha256 for m in isfray.example() for f in (m.inputs.main, *m.inputs.references.values())}


def inputs() -> list[dict[str, Any]]:
    """Of each trial, how many spikes and releases are drawn, and which: to the last bit."""
    return _drawn(isfray.example()[1], 345.0, None)


def kinds() -> list[dict[str, Any]]:
    """The same of a network that has each kind of activity, and weights that are drawn: to a billionth.

    Some go through logarithms and sines, whose last bits are the C library's.
    """
    populations = {}
    for name, keys in KINDS.items():
        kind = {"spiketrain": keys} if name == "spiketrain" else {"pointcell": {"distribution": name, **keys}}
        receptor = {"threshold": 0.0, "delay": 0.0, "weight": 1.5, "weightDistribution": "lognormal"}
        files = {"distributionFile": "kinds.syn", "connectionFile": "kinds.con"}
        synapses = {"releaseProb": 0.6, "receptors": {"gaba_syn": receptor}, **files}
        populations[name] = {"cellNr": 40, "celltype": kind, "synapses": synapses}
    with tempfile.TemporaryDirectory() as folder:
        for suffix, row in (("syn", "{}\t0\t0.5"), ("con", "{}\t{}\t{}")):
            rows = [row.format(name, i, i) for name in populations for i in range(40)]
            (Path(folder) / f"kinds.{suffix}").write_text("\n".join(rows) + "\n")
        path = Path(folder) / "kinds.param"
        path.write_text(json.dumps({"network": populations}))
        return _drawn(isfray.load_network(path), 100.0, 9)


def without_neuron() -> dict[str, Any]:
    """Everything but the voltage."""
    return {"files": files(), "inputs": inputs(), "kinds": kinds()}


def _drawn(network: NetworkModel, t_stop: float, decimals: int | None) -> list[dict[str, Any]]:
    out = []
    for trial in range(DRAWN):
        of = isfray.draw_trial(network, seed=isfray.trial_seed(SEED, trial), t_stop=t_stop)
        spikes, releases = of.spikes, of.releases
        made = {
            "spikes": (spikes.population, spikes.cell_id, spikes.time, spikes.source),
            "releases": (releases.synapse, releases.offsets, releases.times),
            "weights": tuple(releases.weights[key] for key in sorted(releases.weights)),
        }
        out.append({"n": [len(spikes), len(releases.times)]} | {k: _digest(v, decimals) for k, v in made.items() if v})
    return out


def _digest(arrays: tuple[np.ndarray[Any, Any], ...], decimals: int | None) -> str:
    found = hashlib.sha256()
    for array in arrays:
        kept = array if decimals is None or array.dtype.kind != "f" else np.round(array, decimals) + 0.0
        found.update(kept.astype("<f8" if kept.dtype.kind == "f" else "<i8").tobytes())
    return found.hexdigest()


def voltages(engine: str) -> list[dict[str, Any]]:
    """Of each trial, with the touch early: when which place spikes, and voltage at the times that are kept, mV."""
    cell, network = isfray.example()
    simulator = isfray.Simulator(cell, edits.move_stimulus(network, STIMULUS), engine=engine)
    out = []
    for trial in range(SIMULATED):
        result = simulator.run(seed=isfray.trial_seed(SEED, trial), t_stop=T_STOP, trial=trial)
        spikes = result.tables["spike_times"].to_pylist()
        out.append(
            {
                "spikes": {site: [row["time"] for row in spikes if row["site"] == site] for site in result.voltage},
                "voltage": {site: v[::EVERY].round(9).tolist() for site, v in result.voltage.items()},
            }
        )
    return out


if __name__ == "__main__":
    FILE.write_text(json.dumps(without_neuron() | {"trials": voltages("neuron")}, indent=0) + "\n")
