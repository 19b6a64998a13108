"""One trial: which it is, where its input comes from, and the input itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from isfray.activity.release import Releases, draw_releases
from isfray.activity.seeds import check_seed
from isfray.activity.spikes import Spikes, draw_spikes
from isfray.activity.stored import read_releases
from isfray.check import number
from isfray.errors import InputError
from isfray.model.embedding import Embedding
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement


@dataclass(frozen=True)
class TrialInput:
    """What drives the cell in one trial.

    Attributes
    ----------
    spikes : Spikes or None
        Of the presynaptic cells; None where they are not known, or there is no network.
    releases : Releases or None
        At the synapses; None for a cell without a network.
    parameters : mapping of str to float
        What is particular to this trial.
    """

    spikes: Spikes | None = None
    releases: Releases | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class InputSource(Protocol):
    """Where the input of trials comes from. It travels with every trial, so it is small and pickles."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What it is, ready for JSON: two runs of one name have the same."""
        ...

    def input(self, trial: TrialSpec, embedding: Embedding, t_stop: float) -> TrialInput:
        """Return the input of a trial, for a network on a cell, until `t_stop` (ms)."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Input drawn from the trial's seed, as the network's populations say."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """See `InputSource.identity`."""
        return {"from": "network"}

    def input(self, trial: TrialSpec, embedding: Embedding, t_stop: float) -> TrialInput:
        """See `InputSource.input`; without a network there is none."""
        if embedding.network is None:
            return TrialInput(parameters=trial.parameters)
        drawn = draw_trial(embedding.network, trial.seed, t_stop, embedding.placement)
        return TrialInput(drawn.spikes, drawn.releases, trial.parameters)


@dataclass(frozen=True)
class Stored:
    """Input as it is stored: rows of `synapse_activation` of one trial, or an ISF synapse CSV.

    Attributes
    ----------
    rows : table or path
        What `isfray.activity.stored.read_releases` reads. Presynaptic spikes are not among them.
    """

    rows: Any = field(repr=False)

    @property
    def identity(self) -> Mapping[str, Any]:
        """See `InputSource.identity`."""
        return {"from": "rows"}

    def input(self, trial: TrialSpec, embedding: Embedding, t_stop: float) -> TrialInput:
        """See `InputSource.input`; releases after `t_stop` do no harm."""
        if embedding.network is None:
            raise InputError("is missing", key="network", expected="the network that gives weights and receptors")
        releases = read_releases(self.rows, embedding.network, embedding.cell.geometry, trial.seed)
        return TrialInput(None, releases, trial.parameters)


@dataclass(frozen=True)
class TrialSpec:
    """A trial as it is asked for.

    Attributes
    ----------
    number : int
        Of the trial within its run.
    seed : int
        All that is drawn for it follows from this; see `trial_seed`.
    source : InputSource
        Where its input comes from.
    parameters : mapping of str to float
        What is particular to this trial.
    """

    number: int
    seed: int
    source: InputSource = field(default_factory=Drawn)
    parameters: Mapping[str, float] = field(default_factory=dict)


def draw_trial(network: NetworkModel, seed: int, t_stop: float, placement: Placement | None = None) -> TrialInput:
    """Draw the input of one trial.

    Parameters
    ----------
    network : NetworkModel
        The network.
    seed : int
        Seed of the trial, as `trial_seed` gives it: 0 <= seed < 2**64.
    t_stop : float
        End of the trial, ms, > 0.
    placement : Placement, optional
        Where the synapses lie on the cell; needed only if the network has modify functions.

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
