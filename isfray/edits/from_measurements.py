"""A network model from measurements: ongoing and touch-evoked activity, cell counts and an embedding.

(docs/formats.md, Templates and counts)
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isfray.check import nearest, number
from isfray.edits.barrels import neighbourhood
from isfray.edits.measurements import (
    Counts,
    Embedding,
    Evoked,
    PathLike,
    read_counts,
    read_embedding,
    read_responses,
    read_template,
)
from isfray.edits.selection import with_component
from isfray.formats.isf.network import network_from_data
from isfray.model.network import NetworkModel
from isfray.model.ranges import TIME


def build_network(
    ongoing: PathLike | Mapping[str, Any],
    evoked: Evoked,
    counts: Counts,
    embedding: Embedding,
    whisker: str = "C2",
    offset: float = 245.0,
) -> NetworkModel:
    """Build the network of one cell in which one whisker is deflected.

    Every cell type of the ongoing template, in every column that has such cells, becomes a population. Those in the 3x3
    columns around the deflected whisker that have a measured response spike to the touch as well, by the PSTH that was
    recorded at the same relative position (docs/formats.md, Templates and counts).

    Parameters
    ----------
    ongoing : path or mapping
        Ongoing template: a network file keyed by cell type, without cell numbers and files; or such a file's content.
    evoked : path, iterable of paths, or mapping
        Evoked templates, each keyed `<type>_<column>` with the nine columns around C2: a folder of them (files that are
        ongoing templates are passed over), a list of them, or {cell type: file whose PSTHs it takes}.
    counts : path or mapping
        Table of connected cells (tab separated: column, cell type, number), or {(column, cell type): number}.
    embedding : path or (path, path)
        The `.syn` and the `.con`; or the folder that holds one of each; or their path without the extension. A `.syn`
        alone will do if the template's entries have a `convergence`.
    whisker : str
        The deflected whisker: A1 to E4, Alpha, Beta, Gamma or Delta.
    offset : float
        Time of the deflection, ms.

    Returns
    -------
    NetworkModel
        Its `.inputs` hold the network file that was made, and the embedding's files.

    Raises
    ------
    InputError
        Naming file, line or key, value and what was expected.

    Examples
    --------
    >>> _ = isfray.write_example("my_model")  # for its .syn and .con
    >>> glutamate = {"threshold": 0.0, "delay": 0.0, "weight": 1.78}
    >>> synapses = {"releaseProb": 0.6, "receptors": {"glutamate_syn": glutamate}}
    >>> ongoing = {"network": {"VPM": {"celltype": "spiketrain", "interval": 4761.9, "synapses": synapses}}}
    >>> counts = {("C2", "VPM"): 128, ("D2", "VPM"): 0}
    >>> isfray.build_network(ongoing, [], counts, "my_model", whisker="C2")
    <NetworkModel network_C2: 1 population, 128 cells, 256 synapses>
    """
    around = neighbourhood(whisker)
    time = number("offset", offset, **TIME)
    template = read_template(ongoing)
    psths = read_responses(evoked, template)
    cells = read_counts(counts)
    files = read_embedding(embedding)
    references = {key: file.name for key, file in zip(("distributionFile", "connectionFile"), files, strict=False)}
    network: dict[str, Any] = {}
    for celltype, entry in template.data["network"].items():
        columns = [column for column, counted in cells if counted == celltype]
        if not columns:
            known = nearest(celltype, {counted for _, counted in cells})
            raise template.error(("network", celltype), "has no counted cells", expected=known)
        for column in columns:
            if cells[column, celltype] > 0:
                made = copy.deepcopy(entry)
                made["cellNr"] = cells[column, celltype]
                made["synapses"] |= references
                if column in around and celltype in psths:
                    psth = psths[celltype].at(around[column])
                    made = with_component(made, "pointcell", psth | {"offset": time})
                network[f"{celltype}_{column}"] = made
    content = {
        "info": {"made by": "isfray.build_network", "whisker": whisker, "ongoing": Path(template.file).name},
        "NMODL_mechanisms": {"synapses": "/", "VecStim": "/"},
        "network": network,
    }
    return network_from_data(content, f"network_{whisker}.param", {file.name: file for file in files}, made="built")
