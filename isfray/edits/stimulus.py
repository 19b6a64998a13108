"""Edits of the stimulus: its time, strength and repetition."""

from __future__ import annotations

from collections.abc import Sequence

from isfray.check import items, nearest, number, whole
from isfray.edits.selection import (
    Entry,
    Populations,
    component,
    edit_activity,
    entries_of,
    network_of,
    rebuilt,
    select,
    with_component,
)
from isfray.errors import InputError
from isfray.model.activity import PSTH, PointCell, PSTHAbsoluteNumber
from isfray.model.network import NetworkModel
from isfray.model.ranges import TIME


def scale_evoked(network: NetworkModel, factor: float, populations: Populations = None) -> NetworkModel:
    """Multiply evoked activity (`pointcell`) by `factor`, >= 0: probabilities, active fractions, numbers or rates.

    Parameters
    ----------
    network : NetworkModel
    factor : float
        At least 0.
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If the factor is none, nothing is selected that responds, or a number of cells would not be whole.

    Examples
    --------
    >>> weaker = edits.scale_evoked(network, 0.5, "VPM")
    >>> [max(edits.select(n, "VPM_C2")[0].activity[1].probabilities) for n in (network, weaker)]
    [0.05935, 0.029675]
    """
    by = number("factor", factor, least=0.0)

    return edit_activity(network, populations, "pointcell", lambda a: a.scaled(by).written(*a.strength))


def scale_evoked_inhibition(network: NetworkModel, factor: float, populations: Populations = None) -> NetworkModel:
    """Multiply the evoked activity of inhibitory populations: those whose receptors all reverse below -40 mV.

    Parameters
    ----------
    network : NetworkModel
    factor : float
        At least 0.
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        As `scale_evoked`.

    Examples
    --------
    >>> less = edits.scale_evoked_inhibition(network, 0.8)
    >>> [p.name for p, q in zip(network.populations, less.populations) if p != q][:3]
    ['L1_C2', 'L23Trans_B1', 'L23Trans_B2']
    """
    meant = {p.name for p in select(network, populations)}
    return scale_evoked(network, factor, lambda p: p.name in meant and p.is_inhibitory)


def silence_evoked(network: NetworkModel, populations: Populations = None) -> NetworkModel:
    """Switch evoked activity off; ongoing activity stays, and is drawn as before.

    Parameters
    ----------
    network : NetworkModel
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If nothing is selected that responds.

    Examples
    --------
    >>> edits.silence_evoked(network, lambda population: population.column != "C2")
    <NetworkModel network: 198 populations, 10,592 cells, 16,727 synapses>
    """
    return scale_evoked(network, 0, populations)


def move_stimulus(network: NetworkModel, offset: float, populations: Populations = None) -> NetworkModel:
    """Set the time of the stimulus, in ms: the `offset` of evoked activity.

    Parameters
    ----------
    network : NetworkModel
    offset : float
        ms.
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If a selected distribution has absolute times, or none is evoked.

    Examples
    --------
    >>> later = edits.move_stimulus(network, 260.0)
    >>> edits.select(later, "VPM_C2")[0].activity[1].offset
    260.0
    """
    time = number("offset", offset, **TIME)

    return edit_activity(network, populations, "pointcell", lambda a: a.moved(time).written("offset"))


def repeat_stimulus(
    network: NetworkModel,
    stims: int,
    inter_stimulus_interval: float = 100.0,
    scale_factors: Sequence[float] | None = None,
    populations: Populations = None,
) -> NetworkModel:
    """Repeat the stimulus: each PSTH follows `stims` times.

    Parameters
    ----------
    network : NetworkModel
    stims : int
        Number of stimuli, the first one counted, >= 1.
    inter_stimulus_interval : float
        From one stimulus to the next, ms, > 0.
    scale_factors : sequence of float, optional
        Strength of the response to each stimulus, >= 0; by default 1. It multiplies the probabilities, so that
        adaptation can be described.
    populations
        Whose responses; see `isfray.edits`.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        For arguments out of range, or selected evoked activity that is no PSTH.

    Examples
    --------
    >>> train = edits.repeat_stimulus(network, stims=3, inter_stimulus_interval=100.0, scale_factors=[1.0, 0.6, 0.4])
    >>> [len(edits.select(n, "VPM_C2")[0].activity[1].intervals) for n in (network, train)]
    [18, 54]
    """
    n = whole("stims", stims, 1, 10_000)
    interval = number("inter_stimulus_interval", inter_stimulus_interval, above=0.0, unit="ms")
    given = [1.0] * n if scale_factors is None else items("scale_factors", scale_factors, f"a list of {n} numbers")
    if len(given) != n:
        raise InputError("has the wrong length", key="scale_factors", value=given, expected=f"{n} numbers")
    factors = [number("scale_factors", factor, least=0.0) for factor in given]

    def change(activity: PointCell) -> Entry:
        if not isinstance(activity, PSTH | PSTHAbsoluteNumber):
            problem = f"is {activity.distribution}, which cannot be repeated"
            raise InputError(problem, key="distribution", expected="a PSTH")
        return activity.repeated(interval, factors).written("intervals", *activity.strength)

    return edit_activity(network, populations, "pointcell", change)


def add_stimulus(network: NetworkModel, other: NetworkModel) -> NetworkModel:
    """Add the stimulus of another network, such as another whisker's, at that network's time.

    The PSTHs of both are kept: cells respond to either stimulus as if it came alone, ongoing activity stays once.

    Parameters
    ----------
    network : NetworkModel
    other : NetworkModel
        Whose stimulus is added.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If `other` responds with a population that this network does not have, or with something else than a PSTH.

    Examples
    --------
    >>> twice = edits.add_stimulus(network, edits.move_stimulus(network, 265.0))
    >>> len(edits.select(twice, "VPM_C2")[0].activity[1].intervals)
    36
    """
    entries = dict(entries_of(network))
    for p in network_of(other, "other").populations:
        added = component(entries_of(other)[p.name], "pointcell")
        if added is None:
            continue
        if p.name not in network.names:
            raise InputError("is no population of the network", key=p.name, expected=nearest(p.name, network.names))
        present = component(entries[p.name], "pointcell")
        for keys in (added, present):
            if keys is not None and keys.get("distribution", "normal") != "PSTH":
                raise InputError("is no PSTH", key=f"{p.name}.distribution", value=keys.get("distribution", "normal"))
        both = added if present is None else present | _both(present, added)
        entries[p.name] = with_component(entries[p.name], "pointcell", both)
    return rebuilt(network, entries)


def _both(keys: Entry, added: Entry) -> Entry:
    unsaid = PSTH.model_fields["offset"].default
    shift = added.get("offset", unsaid) - keys.get("offset", unsaid)  # as written: whole numbers stay whole
    return {
        "intervals": [*keys["intervals"], *([a + shift, b + shift] for a, b in added["intervals"])],
        "probabilities": [*keys["probabilities"], *added["probabilities"]],
    }
