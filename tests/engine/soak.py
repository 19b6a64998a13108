"""Trials in a process that has done anything before, held against the same trials in processes of their own."""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from isfray.engine import Simulator
from isfray.engine.neuron import mechanisms, process
from isfray.engine.simulator import TrialResult
from isfray.errors import InputError
from isfray.examples import example
from isfray.formats.isf import load_cell, load_network
from isfray.model.soundness import UnsoundTrialError
from tests.conftest import two_populations, write_network_files
from tests.model import small_cell

_UNTOLD = ["host", "wall_s", "finished_at"]
"""Columns of `trials` in which equal trials differ."""

CHANNELS = {
    "Ih": {"spatial": "uniform", "gIhbar": 5e-3},
    "Im": {"spatial": "uniform", "gImbar": 1e-4},
    "NaTs2_t": {"spatial": "uniform", "gNaTs2_tbar": 5e-3},
}
CALCIUM = {
    "Ca_HVA": {"spatial": "uniform", "gCa_HVAbar": 1e-4},
    "CaDynamics_E2": {"spatial": "uniform", "gamma": 0.005, "decay": 80.0},
    "SK_E2": {"spatial": "uniform", "gSK_E2bar": 0.01},
}


@dataclass(frozen=True)
class Setting:
    """What a Simulator is made of."""

    model: str
    engine: str = "coreneuron"
    dt: float = 0.025
    record: str | tuple[str, ...] = "sites"
    share: bool = True


@dataclass(frozen=True)
class Ask:
    """One trial: drawn from its seed, or (`replayed`) releases stored elsewhere than the network's synapses are."""

    setting: Setting
    seed: int
    t_stop: float
    replayed: bool = False


def digest(result: TrialResult) -> str:
    """Hash of everything a trial gives, but for when and where it was computed."""
    found = hashlib.sha256(result.time.tobytes())
    for name, table in sorted(result.tables.items()):
        kept = table.drop([column for column in _UNTOLD if name == "trials"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, kept.schema) as stream:
            stream.write_table(kept.combine_chunks())
        found.update(name.encode() + sink.getvalue().to_pybytes())
    for values in (*result.voltage.values(), *result.variables.values()):
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]


class Models:
    """Cells and networks that differ in what NEURON keeps for the whole process, and in what it keeps for none."""

    def __init__(self, folder: Path) -> None:
        def cell(name: str, edit: Callable[[dict[str, Any]], None]) -> Any:
            (folder / name).mkdir()
            return load_cell(small_cell.write(folder / name, edit))

        def channels(param: dict[str, Any]) -> None:
            for label in ("Soma", "ApicalDendrite"):
                param["neuron"][label]["mechanisms"]["range"] |= copy.deepcopy(CHANNELS)

        def wide(param: dict[str, Any]) -> None:  # the same channels in other numbers of segments
            channels(param)
            param["neuron"]["Dendrite"]["mechanisms"]["range"] |= copy.deepcopy(CHANNELS)

        def shifted(param: dict[str, Any]) -> None:
            channels(param)
            param["mech_globals"] = {"Ih": {"ehcn": -20.0}}

        def calcium(param: dict[str, Any]) -> None:
            param["neuron"]["Soma"]["mechanisms"]["range"] |= copy.deepcopy(CALCIUM)
            param["sim"]["T"] = 20.0

        def network(name: str, parameters: dict[str, float]) -> Any:
            (folder / name).mkdir()
            data = two_populations()
            receptors = data["network"]["VPM_C2"]["synapses"]["receptors"]
            receptors["glutamate_syn"]["parameter"] |= parameters
            data["network"]["VPM_C2"]["celltype"]["pointcell"]["offset"] = 0.0
            return load_network(write_network_files(folder / name, data))

        plain, other = cell("plain", channels), cell("calcium", calcium)
        touched, blocked = network("touched", {}), network("blocked", {"gama": 0.2, "n": 0.5})
        plastic = network("plastic", {"decayampa": 0.6, "facilnmda": 0.3, "taudampa": 60.0})
        self.of: dict[str, tuple[Any, Any, list[dict[str, Any]]]] = {
            "plain": (plain, None, [{"section": "Soma", "delay": 1, "dur": 3, "amp": 0.4}]),
            "wide": (cell("wide", wide), touched, []),
            "driven": (
                plain,
                None,
                [{"section": 4, "x": 1.0, "delay": 0.2, "dur": 3, "amp": 90.0}],
            ),  # beyond any membrane
            "shifted": (cell("shifted", shifted), None, []),
            "calcium": (other, touched, []),
            "touched": (plain, touched, []),
            "blocked": (plain, blocked, []),
            "plastic": (plain, plastic, []),
        }
        self.of["example"] = (*example(), [])

    def simulator(self, setting: Setting) -> Simulator:
        cell, network, clamp = self.of[setting.model]
        return Simulator(
            cell,
            network,
            engine=setting.engine,
            clamp=clamp,
            record=setting.record,
            share_synapses=setting.share,
            dt=setting.dt,
        )

    def elsewhere(self, setting: Setting) -> pa.Table | None:
        """Releases of synapses at places where the network has none, known ones and strange ones."""
        _, network, _ = self.of[setting.model]
        if network is None or setting.model == "example":
            return None
        places = [("INH", 3, 7, 1), ("INH", 900, 6, 1), ("VPM_C2", 0, 7, 0), ("VPM_C2", 5, 2, 1)]
        return pa.table(
            {
                "synapse_type": [name for name, *_ in places],
                "synapse_id": [i for _, i, _, _ in places],
                "section_id": [s for *_, s, _ in places],
                "section_pt_id": [p for *_, p in places],
                "soma_distance": [100.0] * len(places),
                "times": [[0.5, 2.0], [1.0], [0.7, 1.5, 3.0], [2.2]],
            }
        )


def outcome(models: Models, simulator: Simulator, ask: Ask) -> str:
    """Hash of the trial, or what it was refused with."""
    rows = models.elsewhere(ask.setting) if ask.replayed else None
    try:
        if rows is not None:
            return digest(simulator.replay(rows, t_stop=ask.t_stop, seed=ask.seed))
        return digest(simulator.run(seed=ask.seed, t_stop=ask.t_stop))
    except (InputError, UnsoundTrialError) as error:
        return str(error)


class Fresh:
    """Answers from processes of their own: a process that has run nothing forks one for each trial."""

    def __init__(self, models: Models) -> None:
        self._known: dict[Ask, str] = {}
        ours, theirs = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(ours[1])
            os.close(theirs[0])
            with os.fdopen(ours[0], "rb") as asked:
                while size := asked.read(8):
                    ask = pickle.loads(asked.read(struct.unpack("q", size)[0]))
                    if os.fork() == 0:
                        found = outcome(models, models.simulator(ask.setting), ask).encode()
                        os.write(theirs[1], struct.pack("q", len(found)) + found)
                        os._exit(0)
                    os.wait()
            os._exit(0)
        os.close(ours[0])
        os.close(theirs[1])
        self._ask, self._answer = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb")

    def __call__(self, ask: Ask) -> str:
        if ask not in self._known:
            job = pickle.dumps(ask)
            self._ask.write(struct.pack("q", len(job)) + job)
            self._ask.flush()
            size = self._answer.read(8)
            self._known[ask] = self._answer.read(struct.unpack("q", size)[0]).decode()
        return self._known[ask]

    def __len__(self) -> int:
        return len(self._known)


def disturb(what: str) -> None:
    """Leave NEURON as somebody else might."""
    from neuron import coreneuron, h

    match what:
        case "globals":
            h.ehcn_Ih, h.gama_glutamate_syn, h.zTau_SK_E2 = -10.0, 0.3, 7.0
            h.cao0_ca_ion, h.cai0_ca_ion, h.nai0_na_ion = 9.0, 1e-3, 50.0
        case "integrator":
            h.celsius, h.dt, h.secondorder = 6.3, 0.1, 2
            h.CVode().use_fast_imem(True)
            with suppress(RuntimeError):  # where a mechanism takes the fixed step only
                h.CVode().active(True)
        case "threads":
            h.ParallelContext().nthread(2)
            h.ParallelContext().set_maxstep(0.3)
        case "coreneuron":
            coreneuron.enable, coreneuron.cell_permute, coreneuron.file_mode = True, 1, False


SETTINGS = st.builds(
    Setting,
    model=st.sampled_from(["plain", "wide", "driven", "shifted", "calcium", "touched", "blocked", "plastic"]),
    engine=st.sampled_from(["coreneuron", "coreneuron", "neuron"]),
    dt=st.sampled_from([0.025, 0.025, 0.05, 1 / 3]),
    record=st.sampled_from(["sites", "all", ("soma", "ina")]),
    share=st.booleans(),
) | st.sampled_from([Setting("example"), Setting("example", engine="neuron"), Setting("example", dt=0.05)])


@dataclass
class Seen:
    """How many trials were tried, and what was wrong."""

    trials: int = 0
    wrong: list[str] = field(default_factory=list)


def machine(models: Models, fresh: Fresh, seen: Seen, longest: float) -> type[RuleBasedStateMachine]:
    """One process's life: trials, models that come, stay and go, errors, and others who leave NEURON as they like."""

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.alive: dict[Setting, Simulator] = {}

        @rule(setting=SETTINGS, seed=st.integers(0, 1), share=st.sampled_from([0.06, 0.2, 1.0]), replayed=st.booleans())
        def trial(self, setting: Setting, seed: int, share: float, replayed: bool) -> None:
            ask = Ask(setting, seed, longest * share, replayed)
            if setting not in self.alive:
                self.alive[setting] = models.simulator(setting)
            seen.trials += 1
            if (found := outcome(models, self.alive[setting], ask)) != fresh(ask):
                seen.wrong.append(f"{ask}: {found}, alone {fresh(ask)}")

        @rule(order=st.permutations(["plain", "wide"]))
        def same_channels_in_other_segments(self, order: list[str]) -> None:
            for model in order:
                self.trial(Setting(model), 0, 1.0, False)

        @precondition(lambda self: self.alive)
        @rule(data=st.data(), seed=st.integers(0, 1))
        def again(self, data: st.DataObject, seed: int) -> None:
            self.trial(data.draw(st.sampled_from(list(self.alive))), seed, 1.0, False)

        @precondition(lambda self: self.alive)
        @rule(data=st.data())
        def forget(self, data: st.DataObject) -> None:
            del self.alive[data.draw(st.sampled_from(list(self.alive)))]

        @precondition(lambda self: self.alive)
        @rule(data=st.data())
        def refuse(self, data: st.DataObject) -> None:
            simulator = self.alive[data.draw(st.sampled_from(list(self.alive)))]
            try:
                simulator.replay(pa.table({"synapse_type": ["nobody"]}), t_stop=1.0)
            except InputError:
                return
            raise AssertionError("a table without its columns was replayed")

        @rule(what=st.sampled_from(["globals", "integrator", "threads", "coreneuron"]))
        def disturb(self, what: str) -> None:
            disturb(what)

        @invariant()
        def every_trial_is_what_it_is_alone(self) -> None:
            assert not seen.wrong, seen.wrong[0]

    return Life


# What was wrong once, put back: the soak must find each
def _freed_before_it_is_read(stack: ExitStack) -> None:
    from isfray.engine.neuron import engine

    advance = engine.advance

    def and_free(h: Any, name: str, t_stop: float) -> None:
        advance(h, name, t_stop)
        if process.Place.events > process.EVENTS_KEPT:
            process._free_event_queue(h)

    stack.enter_context(mock.patch.object(engine, "advance", and_free))


def _globals_stay(stack: ExitStack) -> None:
    from isfray.engine.neuron import engine

    def only_its_own(h: Any, *, dt: float, celsius: float, mechanism_globals: dict[str, float]) -> None:
        for name, value in mechanism_globals.items():
            setattr(h, name, value)
        h.CVode().active(False)
        h.celsius, h.dt = celsius, dt

    stack.enter_context(mock.patch.object(engine, "set_state", only_its_own))


def _cells_live_together(stack: ExitStack) -> None:
    def rig(place: Any, build: Callable[[], Any]) -> Any:
        if place._rig is None:
            place._rig = build()
        return place._rig

    stack.enter_context(mock.patch.object(process.Place, "rig", rig))


def _nobody_looks(stack: ExitStack) -> None:
    stack.enter_context(mock.patch("isfray.engine.simulator.fault", return_value=None))


FAULTS: dict[str, Callable[[ExitStack], None]] = {
    "the queue is freed before a trial is read": _freed_before_it_is_read,
    "globals of one model stay for the next": _globals_stay,
    "a trial that has diverged counts as finished": _nobody_looks,
    "cells of other simulators are integrated along": _cells_live_together,
}


@contextmanager
def events_kept(n: int) -> Iterator[None]:
    """Free NEURON's queue after so many events."""
    with mock.patch.object(process, "EVENTS_KEPT", n):
        yield


def soak(lives: int, steps: int, longest: float, fault: str | None = None, events: int = 300) -> dict[str, Any]:
    """Live some lives of some steps; return how many trials were tried, how many of them differ, what was wrong."""
    mechanisms.load(coreneuron=True)
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, events_kept(events), ExitStack() as stack:
        models = Models(Path(folder))
        fresh = Fresh(models)
        if fault is not None:
            FAULTS[fault](stack)
        try:
            run_state_machine_as_test(
                machine(models, fresh, seen, longest),
                settings=settings(
                    max_examples=lives,
                    stateful_step_count=steps,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    phases=[Phase.generate],  # what depends on the life before cannot be made smaller
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception:  # of many kinds, for the same life may go well when it is tried again
            if not seen.wrong:
                raise
    return {"trials": seen.trials, "alone": len(fresh), "wrong": seen.wrong[:1]}
