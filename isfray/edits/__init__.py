"""Edits of a network: pure functions from a network model to another one.

Each edits the content of the network file and reads it again, so that the model's `.inputs` describe exactly the edited
model, and a catalog keeps it as it was run. The embedding's files stay as they are, and an edit that changes nothing
returns the model itself.

`populations` says what is edited: None for all, a population's name, a cell type or a column, several of them, or a
function that takes a `Population` and tells whether it is meant.
"""

from isfray.edits.network import (
    redraw_connections,
    scale_ongoing_rates,
    silence_by_soma_distance,
    silence_populations,
)
from isfray.edits.selection import Populations, select
from isfray.edits.stimulus import (
    add_stimulus,
    move_stimulus,
    repeat_stimulus,
    scale_evoked,
    scale_evoked_inhibition,
    silence_evoked,
)
from isfray.edits.weights import scale_weights, set_weights, with_weights_from

__all__ = [
    "Populations",
    "add_stimulus",
    "move_stimulus",
    "redraw_connections",
    "repeat_stimulus",
    "scale_evoked",
    "scale_evoked_inhibition",
    "scale_ongoing_rates",
    "scale_weights",
    "select",
    "set_weights",
    "silence_by_soma_distance",
    "silence_evoked",
    "silence_populations",
    "with_weights_from",
]
