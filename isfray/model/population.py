"""A population of presynaptic cells, and the receptors of its synapses (docs/formats.md, Network files)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from isfray.model.activity import Activity

ReleaseProbability = float | Literal["dynamic"] | None
_COLUMN = re.compile(r"(?P<celltype>.+)_(?P<column>[A-Z]\d|Alpha|Beta|Gamma|Delta)")
_SPIKE_THRESHOLD = -40.0


@dataclass(frozen=True)
class Receptor:
    """One point process that each synapse of a population has.

    Attributes
    ----------
    mechanism : str
        Point process, such as `glutamate_syn`.
    threshold : float
        Threshold of the connection.
    delay : float
        From presynaptic spike to postsynaptic event, ms.
    weight : tuple of float
        Weights of one event, nS; with `weight_distribution` their means.
    weight_distribution : None or "lognormal"
        How each synapse's weights are drawn, once a trial.
    parameters : dict
        Parameters of the point process.
    """

    mechanism: str
    threshold: float
    delay: float
    weight: tuple[float, ...]
    weight_distribution: Literal["lognormal"] | None = None
    parameters: dict[str, float] = field(default_factory=dict)

    @property
    def reversal(self) -> float:
        """Reversal potential in mV: parameter `e`, else the mechanism's (-60 for GABA, 0 for any other)."""
        return self.parameters.get("e", -60.0 if "gaba" in self.mechanism.lower() else 0.0)


@dataclass(frozen=True)
class Population:
    """Presynaptic cells of one type in one column.

    Attributes
    ----------
    name : str
        What it is called.
    celltype, column : str
        The two halves of the name, split at its last `_` if what follows is a barrel column (a capital letter and a
        digit, or Alpha, Beta, Gamma, Delta); otherwise the whole name and the empty string.
    n_cells : int
        Number of cells; ids count from 0.
    activity : tuple of Activity
        What the cells do; the spikes of all entries add up.
    release_probability : float, None or "dynamic"
        Probability that one spike releases at one synapse. None: it always does. "dynamic": it is always delivered and
        the point process decides, which takes a mechanism that can (none of isfray's own).
    receptors : tuple of Receptor
        Point processes of each synapse.
    """

    name: str
    celltype: str
    column: str
    n_cells: int
    activity: tuple[Activity, ...]
    release_probability: ReleaseProbability
    receptors: tuple[Receptor, ...]

    @property
    def is_inhibitory(self) -> bool:
        """Whether all receptors reverse below -40 mV, about where spikes start: told by receptor, not by name."""
        return all(receptor.reversal < _SPIKE_THRESHOLD for receptor in self.receptors)


def split_name(name: str) -> tuple[str, str]:
    """Return (celltype, column) of a population's name; the rule is told at `Population`.

    Examples
    --------
    >>> split_name("L4ss_C2"), split_name("L6cc_Delta"), split_name("INH")
    (('L4ss', 'C2'), ('L6cc', 'Delta'), ('INH', ''))
    """
    match = _COLUMN.fullmatch(name)
    return (match["celltype"], match["column"]) if match else (name, "")
