"""The cell as NEURON holds it: sections, membrane, electrodes, built in the order of FORMATS 8."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from isfray.model.cell import CellModel
from isfray.model.clamp import CurrentClamp, EpspCurrent
from isfray.model.errors import InputError
from isfray.model.membrane import Membrane, RangeMechanism, densities
from isfray.model.morphology import FloatArray


class LiveCell:
    """A cell model built in this process's NEURON; it lives as long as this object.

    Parameters
    ----------
    model : CellModel
    h : neuron.h
        With the mechanisms loaded.

    Attributes
    ----------
    sections : list of nrn.Section
        By section id.
    segments : list of nrn.Segment
        In the flat order of `Geometry`.
    """

    def __init__(self, model: CellModel, h: Any) -> None:
        self.model, self.h = model, h
        self._electrodes: list[Any] = []
        self._check_mechanisms()
        self._build_sections()
        for membrane in model.membranes:
            self._insert(membrane)
        self._scale_diameters()
        self.segments = [segment for section in self.sections for segment in section]
        self.add_electrodes(model.stimuli)

    def _check_mechanisms(self) -> None:
        for membrane in self.model.membranes:
            for mechanism in membrane.mechanisms:
                if not hasattr(self.h, mechanism.name):
                    key = f"neuron.{membrane.label}.mechanisms.range.{mechanism.name}"
                    raise InputError("is no mechanism", file=self.model.param.file, key=key, expected="a file in mod/")

    def _build_sections(self) -> None:
        g, h = self.model.geometry, self.h
        self.sections: list[Any] = []
        passive = {m.label: m for m in self.model.membranes}
        for i, section in enumerate(g.morphology):
            live = h.Section(name=section.name)
            columns = [h.Vector(column) for column in section.points.T]
            h.pt3dadd(*columns, sec=live)
            if section.parent >= 0:
                live.connect(self.sections[section.parent](section.parent_x), 0)
            if membrane := passive.get(section.label):
                live.Ra, live.cm = membrane.ra, membrane.cm
            live.nseg = int(g.nseg[i])
            self.sections.append(live)

    def _insert(self, membrane: Membrane) -> None:
        ids = self.model.morphology.with_label(membrane.label)
        sections = [self.sections[i] for i in ids]
        segments = [segment for section in sections for segment in section]
        for mechanism in membrane.mechanisms:
            for section in sections:
                section.insert(mechanism.name)
            for name, values in densities(mechanism, membrane.label, self.model.geometry).items():
                self._set(segments, f"{name}_{mechanism.name}", values, membrane, mechanism)
        for name, value in membrane.ions.items():
            key = f"neuron.{membrane.label}.properties.ions.{name}"
            for section in sections:
                try:
                    setattr(section, name, value)
                except (AttributeError, LookupError, TypeError):
                    problem = "is no property of an ion that a mechanism here uses"
                    raise InputError(problem, file=self.model.param.file, key=key, expected="ek, ena, eca") from None
        if membrane.spines is not None:
            self._add_spines(membrane, sections)

    def _set(
        self, segments: list[Any], name: str, values: FloatArray, membrane: Membrane, mechanism: RangeMechanism
    ) -> None:
        try:
            for segment, value in zip(segments, values.tolist(), strict=True):
                setattr(segment, name, value)
        except (AttributeError, LookupError):
            key = f"neuron.{membrane.label}.mechanisms.range.{mechanism.name}"
            problem = f"has no parameter {name.removesuffix('_' + mechanism.name)}"
            expected = f"a RANGE parameter of {mechanism.name}"
            raise InputError(problem, file=self.model.param.file, key=key, expected=expected) from None

    def _add_spines(self, membrane: Membrane, sections: list[Any]) -> None:
        # FORMATS 8.5: the area of spines is folded into capacitance and leak.
        spines = membrane.spines
        assert spines is not None
        names = {m.name for m in membrane.mechanisms}
        leaks = [leak for mechanism, leak in (("pas", "g_pas"), ("ar", "g0_ar")) if mechanism in names]
        for section in sections:
            area = sum(segment.area() for segment in section)
            factor = 1 + spines.area * spines.density * section.L / area
            section.cm *= factor
            for segment in section:
                for leak in leaks:
                    setattr(segment, leak, getattr(segment, leak) * factor)

    def _scale_diameters(self) -> None:
        for i in np.flatnonzero(self.model.diameter_scale != 1.0):
            diameters = self.model.morphology.sections[i].points[:, 3] * self.model.diameter_scale[i]
            for point, diameter in enumerate(diameters.tolist()):
                self.h.pt3dchange(point, diameter, sec=self.sections[i])

    def add_electrodes(self, electrodes: Iterable[CurrentClamp | EpspCurrent]) -> None:
        """Place current clamps and EPSP-shaped currents, by section id."""
        for electrode in electrodes:
            segment = self.sections[int(electrode.section)](electrode.x)
            if isinstance(electrode, CurrentClamp):
                live = self.h.IClamp(segment)
                live.delay, live.dur, live.amp = electrode.delay, electrode.dur, electrode.amp
            else:
                live = self.h.epsp(segment)
                live.onset, live.imax = electrode.onset, electrode.imax
                live.tau0, live.tau1 = electrode.tau0, electrode.tau1
            self._electrodes.append(live)
