"""Small made-up measurements, written as the files that networks are built from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from isfray.edits.barrels import PLACE, RECORDED_IN_C2

GLUTAMATE = {"glutamate_syn": {"threshold": 0.0, "delay": 0.0, "weight": [1.5, 1.5], "parameter": {"tau1": 26.0}}}
GABA = {"gaba_syn": {"threshold": 0.0, "delay": 0.0, "weight": 1.0, "parameter": {"e": -80.0}}}
ONGOING: dict[str, Any] = {
    "network": {
        "VPM": {
            "celltype": "spiketrain",
            "interval": 4761.9,
            "synapses": {"releaseProb": 0.6, "receptors": GLUTAMATE},
        },
        "L4ss": {
            "celltype": "spiketrain",
            "interval": 1886.8,
            "noise": 0.5,
            "synapses": {"releaseProb": 0.6, "receptors": GLUTAMATE},
        },
        "L1": {
            "celltype": {"spiketrain": {"interval": 142.9}},
            "synapses": {"releaseProb": 0.25, "receptors": GABA},
        },
    }
}
EVOKED = ("VPM", "L1")
N_CELLS = 2


def probability(celltype: str, whisker: str) -> float:
    """Tells from which entry of which template a PSTH was taken."""
    row, arc = PLACE[whisker]
    return EVOKED.index(celltype) * 0.5 + row * 0.1 + arc * 0.01


def evoked(celltype: str) -> dict[str, Any]:
    return {
        f"{celltype}_{w}": {
            "distribution": "PSTH",
            "intervals": [(8.0, 10.0), (10.0, 14.9)],
            "probabilities": [probability(celltype, w), -0.01],
        }
        for w in RECORDED_IN_C2.values()
    }


def counts(celltype: str, column: str) -> int:
    return 0 if (celltype, column) in (("L4ss", "A1"), ("VPM", "D2")) else N_CELLS


def write(folder: Path) -> dict[str, Path]:
    """Write templates, counts and embedding; return the arguments of `build_network`."""
    templates, embedding = folder / "templates", folder / "embedding"
    templates.mkdir()
    embedding.mkdir()
    (templates / "ongoing.param").write_text(json.dumps(ONGOING, indent=1))
    for celltype in EVOKED:
        (templates / f"{celltype}_3x3_PSTH.param").write_text(repr(evoked(celltype)))
    both = [(celltype, column) for column in PLACE for celltype in ONGOING["network"]]
    table = [f"{column}\t{celltype}\t{counts(celltype, column)}\n" for celltype, column in both]
    header = "Presynaptic column\tPresynaptic cell type\tConnected presynaptic cells\n"
    (folder / "NumberOfConnectedCells.csv").write_text(header + "".join(table))
    cells = [(celltype, column, i) for celltype, column in both for i in range(N_CELLS)]
    syn = [f"{celltype}_{column}\t{1 + i % 3}\t{0.25 * i}\n" for celltype, column, i in cells]
    con = [f"{celltype}_{column}\t{i}\t{i}\n" for celltype, column, i in cells if counts(celltype, column)]
    (embedding / "cell.syn").write_text("".join(syn))
    (embedding / "cell.con").write_text("# Connections\n# cell.syn\n" + "".join(con))
    return {
        "ongoing": templates / "ongoing.param",
        "evoked": templates,
        "counts": folder / "NumberOfConnectedCells.csv",
        "embedding": embedding,
    }
