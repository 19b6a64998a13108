"""NEURON and CoreNEURON as engines: one cell, built once in this process, that runs trial after trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.activity import TrialInput
from isfray.engine.engine import Engine, Progress, Recorded, Task
from isfray.engine.neuron.build import build, build_facts
from isfray.engine.neuron.integration import advance, engine_for
from isfray.engine.neuron.live_cell import LiveCell
from isfray.engine.neuron.mechanisms import load
from isfray.engine.neuron.process import Place, set_state
from isfray.engine.neuron.synapses import Synapses
from isfray.model.mechanisms import MechanismSet
from isfray.model.sites import RecordingSite


@dataclass(eq=False)
class Rig:
    """What an engine has in NEURON: the cell, its synapses, and the vectors that record time and traces."""

    live: LiveCell
    synapses: Synapses | None
    time: Any
    traces: list[tuple[RecordingSite, str, Any]]


class Neuron(Engine):
    """NEURON's fixed steps: the reference."""

    name = "neuron"

    def __init__(self, task: Task) -> None:
        self._task = task
        self._h = load(task.embedding.cell.mechanisms, coreneuron=self.name == "coreneuron")
        self._place = Place()  # without this engine in it: what nobody uses any more goes at once
        self._rig()

    @classmethod
    def prepare(cls, mechanisms: MechanismSet, progress: Progress | None = None) -> None:
        """Compile the mechanisms."""
        build(mechanisms, progress)

    @classmethod
    def facts(cls, mechanisms: MechanismSet) -> Mapping[str, Any]:
        """See `Engine.facts`: compiler, flags, processor, and the keys of what was compiled."""
        return build_facts(cls.name, mechanisms)

    def run(self, trials: Sequence[TrialInput], t_stop: float) -> Iterator[Recorded]:
        """See `Engine.run`."""
        for trial in trials:
            yield self._integrate(trial, t_stop)

    def _rig(self) -> Rig:
        rig: Rig = self._place.rig(self._build)
        return rig

    def _build(self) -> Rig:
        task, h = self._task, self._h
        self._set_state()  # which ions start from
        live = LiveCell(task.embedding.cell, h)
        live.add_electrodes(task.electrodes)
        synapses, network, placement = None, task.embedding.network, task.embedding.placement
        if network is not None and placement is not None:
            synapses = Synapses(live, network, placement, share=task.share_synapses)
        traces = [(site, "v", h.Vector()) for site in task.recording.sites]
        traces += [(site, v.attribute, h.Vector()) for v in task.recording.variables for site in v.sites]
        return Rig(live, synapses, h.Vector(), traces)

    def _set_state(self) -> None:
        task = self._task
        temperature = task.embedding.cell.defaults.temperature
        set_state(self._h, dt=task.dt, celsius=temperature, mechanism_globals=task.mechanism_globals)

    def _integrate(self, trial: TrialInput, t_stop: float) -> Recorded:
        """Integrate one trial; what is returned are copies, made before NEURON is touched again."""
        h, rig = self._h, self._rig()
        self._set_state()
        rig.time.record(h._ref_t)
        for site, attribute, trace in rig.traces:
            trace.record(getattr(rig.live.sections[site.section](site.x), f"_ref_{attribute}"))
        releases = trial.releases
        post = rig.synapses.bind(releases) if rig.synapses is not None and releases is not None else None
        h.finitialize(self._task.embedding.cell.defaults.v_init)
        if post is not None:
            Place.events += post()
        engine = engine_for(self.name, self._task.mechanism_globals)
        advance(h, engine, t_stop)
        return Recorded(np.array(rig.time), [np.array(trace) for _, _, trace in rig.traces], engine)


class CoreNeuron(Neuron):
    """The same steps, computed by CoreNEURON several times faster."""

    name = "coreneuron"

    @classmethod
    def prepare(cls, mechanisms: MechanismSet, progress: Progress | None = None) -> None:
        """Compile the mechanisms for NEURON and for CoreNEURON."""
        build(mechanisms, progress)
        build(mechanisms, progress, coreneuron=True)
