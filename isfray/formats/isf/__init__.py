"""The files of the In Silico Framework: parameter files of cells and networks, and the files they name."""

from isfray.formats.isf.cell import cell_from_inputs, load_cell
from isfray.formats.isf.network import load_network, network_from_inputs

__all__ = ["cell_from_inputs", "load_cell", "load_network", "network_from_inputs"]
