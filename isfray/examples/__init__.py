"""The built-in example: a synthetic layer 5 pyramidal neuron in a synthetic network, for trying isfray without data.

Nothing in it was measured or reconstructed. It is rendered as files of the In Silico Framework's formats, and read
through the ordinary readers.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from isfray.check import path as a_path
from isfray.examples.cell import NAME, example_cell
from isfray.examples.innervation import PRINCIPAL as WHISKER
from isfray.examples.innervation import STIMULUS
from isfray.examples.network import example_network
from isfray.formats.isf.storing import differing, write_file
from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel

__all__ = ["STIMULUS", "WHISKER", "example", "write_example"]


def example() -> tuple[CellModel, NetworkModel]:
    """Return the built-in synthetic cell and network.

    A layer 5 thick-tufted pyramidal neuron grown by code, with synapses from 22 cell types in 9 barrel columns; whisker
    C2 is touched at 245 ms. The same models every time, on every machine.

    Returns
    -------
    CellModel, NetworkModel

    Examples
    --------
    >>> cell, network = isfray.example()
    >>> cell
    <CellModel synthetic_L5tt: 139 sections, 554 segments, 12.4 mm of dendrite>
    >>> network
    <NetworkModel network: 198 populations, 10,592 cells, 16,727 synapses>
    """
    cell = example_cell()
    return cell, example_network(cell.geometry, NAME)


def write_example(folder: str | os.PathLike[str], *, force: bool = False) -> tuple[Path, Path]:
    """Write the built-in example as files that `load_cell` and `load_network` read.

    Parameters
    ----------
    folder : path
        Made if need be.
    force : bool
        Replace files of the example's names that differ from the example's, which someone may have changed. Without
        it they are kept, and a line on stderr says so.

    Returns
    -------
    Path, Path
        The cell's and the network's parameter file.

    Raises
    ------
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> cell_file, network_file = isfray.write_example("my_model")
    >>> cell_file.name, network_file.name
    ('synthetic_L5tt.param', 'network.param')
    """
    folder = a_path("folder", folder)
    models = [model.inputs for model in example()]
    every = (file for inputs in models for file in (inputs.main, *inputs.references.values()))
    files = {folder / file.name: file.data for file in every}
    kept = [] if force else differing(files)
    for path, content in files.items():
        if path not in kept:
            write_file(path, content)
    if kept:
        names = ", ".join(path.name for path in kept)
        print(f"{folder}: kept as changed: {names}; --force, or force=True, replaces them", file=sys.stderr)
    cell, network = (folder / inputs.main.name for inputs in models)
    return cell, network
