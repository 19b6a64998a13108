"""What is simulated, as plain validated data: files, morphology, cell, network, embedding."""

from isfray.errors import InputError
from isfray.model import edits
from isfray.model.build_network import build_network
from isfray.model.cell import CellModel, cell_from_inputs, load_cell
from isfray.model.clamp import CurrentClamp
from isfray.model.example import example, write_example
from isfray.model.inputs import ModelInputs
from isfray.model.network import NetworkModel, Population, Receptor, load_network, network_from_inputs
from isfray.model.soundness import UnsoundTrialError

__all__ = [
    "CellModel",
    "CurrentClamp",
    "InputError",
    "ModelInputs",
    "NetworkModel",
    "Population",
    "Receptor",
    "UnsoundTrialError",
    "build_network",
    "cell_from_inputs",
    "edits",
    "example",
    "load_cell",
    "load_network",
    "network_from_inputs",
    "write_example",
]
