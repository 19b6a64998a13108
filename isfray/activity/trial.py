"""One trial's input, drawn from its seed."""

from __future__ import annotations

from dataclasses import dataclass

from isfray.activity.release import Placed, Releases, draw_releases
from isfray.activity.seeds import check_seed
from isfray.activity.spikes import Spikes, draw_spikes
from isfray.check import number
from isfray.model.network import NetworkModel


@dataclass(frozen=True)
class TrialInput:
    """What the presynaptic network does in one trial: spikes of its cells, and releases at its synapses."""

    spikes: Spikes
    releases: Releases


def draw_trial(network: NetworkModel, seed: int, t_stop: float, placement: Placed | None = None) -> TrialInput:
    """Draw the input of one trial.

    Parameters
    ----------
    network : NetworkModel
        The network.
    seed : int
        Seed of the trial, as `trial_seed` gives it: 0 <= seed < 2**64.
    t_stop : float
        End of the trial, ms, > 0.
    placement : optional
        Where the synapses lie on the cell (`soma_distance` is used); needed only if the network has modify functions.

    Returns
    -------
    TrialInput

    Raises
    ------
    InputError
        For a seed or t_stop that is none, or a network that silences by soma distance without a placement.

    Examples
    --------
    >>> drawn = isfray.draw_trial(network, seed=isfray.trial_seed(7, trial=0), t_stop=300.0)
    >>> len(drawn.spikes), len(drawn.releases.times)
    (4414, 3503)
    """
    check_seed(seed)
    spikes = draw_spikes(network, int(seed), number("t_stop", t_stop, above=0.0, unit="ms"))
    return TrialInput(spikes, draw_releases(network, spikes, int(seed), placement))
