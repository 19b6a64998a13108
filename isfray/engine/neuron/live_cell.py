"""The cell as NEURON holds it: sections, membrane, electrodes, built in order (docs/formats.md, Order of building)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from isfray.model.cell import CellModel
from isfray.model.clamp import CurrentClamp, EpspCurrent
from isfray.model.membrane import Membrane, densities


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
        self._build_sections()
        for membrane in model.membranes:
            self._insert(membrane)
        self._scale_diameters()
        self.segments = [segment for section in self.sections for segment in section]
        self.add_electrodes(model.stimuli)

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
                full = f"{name}_{mechanism.name}"
                for segment, value in zip(segments, values.tolist(), strict=True):
                    setattr(segment, full, value)
        for name, value in membrane.ions.items():
            for section in sections:
                self._set_ion(section, name, value, membrane)
        if membrane.spines is not None:
            self._add_spines(membrane, sections)

    def _set_ion(self, section: Any, name: str, value: float, membrane: Membrane) -> None:
        try:
            setattr(section, name, value)
        except (AttributeError, LookupError, TypeError):
            at = ("neuron", membrane.label, "properties", "ions", name)
            raise self.model.origin.error(at, "is of an ion that no mechanism here uses") from None

    def _add_spines(self, membrane: Membrane, sections: list[Any]) -> None:
        # The area of spines is folded into capacitance and leak (docs/formats.md, Spines).
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
