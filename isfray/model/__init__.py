"""What is simulated, as typed, validated data, without files."""

from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.clamp import CurrentClamp
from isfray.model.inputs import ModelInputs
from isfray.model.network import NetworkModel
from isfray.model.population import Population, Receptor
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
]
