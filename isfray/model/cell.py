"""The cell model: morphology, membrane, discretization, recording sites, and what is done to it (FORMATS 2, 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from isfray.check import nearest
from isfray.check import path as checked_path
from isfray.errors import InputError
from isfray.model import ranges
from isfray.model.clamp import CurrentClamp, EpspCurrent
from isfray.model.display import Facts, Shown, listed, plural
from isfray.model.entry import Entry
from isfray.model.geometry import Discretization, Geometry, discretize
from isfray.model.hoc import read_hoc
from isfray.model.inputs import FolderSource, InputFile, ModelInputs, Source, StoredSource, files_of, read_file
from isfray.model.landmarks import RecordingSite, read_sites
from isfray.model.membrane import NEURON_CM, NEURON_RA, Membrane, densities, read_membrane
from isfray.model.modification import Modification, diameter_scale, read_modifications, stimuli
from isfray.model.morphology import AIS, APICAL, AXON, DENDRITE, FloatArray, Morphology, with_axon
from isfray.model.param import MOST_BYTES as PARAM_BYTES
from isfray.model.param import ParamFile, format_param, parse_param
from isfray.model.storing import write_inputs
from isfray.model.swc import read_swc
from isfray.model.thumbnail import side_view

_NOT_LABELS = ("filename", "cell_modify_functions", "discretization", "spatialgraph_modify_functions")
_MORPHOLOGIES = (".hoc", ".swc")


@dataclass(frozen=True)
class SimulationDefaults:
    """How the cell file asks to be simulated: initial voltage (mV), t_stop and dt (ms), temperature (degC)."""

    v_init: float
    t_stop: float
    dt: float
    temperature: float


@dataclass(frozen=True, eq=False, repr=False)
class CellModel(Shown):
    """A biophysically detailed neuron as plain data.

    Two models are equal if the same neuron is simulated and recorded, whatever files they were read from.

    Attributes
    ----------
    name : str
        Stem of the parameter file.
    geometry : Geometry
        Sections (artificial axon included), segments and distances; diameters unscaled.
    membranes : tuple of Membrane
        One per structure label, in file order.
    modifications : tuple of Modification
        Cell modify functions, in file order.
    sites : tuple of RecordingSite
        Recorded places beside the soma.
    defaults : SimulationDefaults
    mechanism_globals : mapping
        NEURON globals by their full name, `<param>_<mechanism>`.
    inputs : ModelInputs
        The files it was read from, byte for byte.
    """

    name: str
    geometry: Geometry
    membranes: tuple[Membrane, ...]
    modifications: tuple[Modification, ...]
    sites: tuple[RecordingSite, ...]
    defaults: SimulationDefaults
    mechanism_globals: Mapping[str, float]
    param: ParamFile = field(repr=False)
    inputs: ModelInputs = field(repr=False)

    @property
    def morphology(self) -> Morphology:
        """Sections and 3D points."""
        return self.geometry.morphology

    @cached_property
    def diameter_scale(self) -> FloatArray:
        """Factor on every section's 3D diameters by the modify functions; shape (sections,)."""
        return diameter_scale(self.modifications, self.geometry)

    @cached_property
    def stimuli(self) -> tuple[CurrentClamp | EpspCurrent, ...]:
        """Electrodes that the modify functions place."""
        return stimuli(self.modifications, self.geometry)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the cell as a `.param` file, and beside it the files it names; see `NetworkModel.save`.

        Parameters
        ----------
        path : path
            The `.param` file; its folder is made if need be.
        force : bool
            As in `NetworkModel.save`.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            As `NetworkModel.save`.

        Examples
        --------
        >>> cell.save("copy/cell.param").name
        'cell.param'
        >>> isfray.load_cell("copy/cell.param") == cell
        True
        """
        return write_inputs(self.inputs, self.param.data, path, _renamed, force=force)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CellModel):
            return NotImplemented
        names = ("geometry", "membranes", "modifications", "sites", "defaults", "mechanism_globals")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]

    def _facts(self) -> Facts:
        labels, g, start = self.morphology.labels, self.geometry, self.defaults
        dendrites = [i for i, label in enumerate(labels) if label in (DENDRITE, APICAL)]
        sections = ", ".join(f"{labels.count(label):,} {label}" for label in dict.fromkeys(labels))
        length, farthest = g.L[dendrites].sum() / 1000.0, g.end[dendrites].max(initial=0.0)
        sites = [f"{site.label} ({site.soma_distance:,.0f} um)" for site in self.sites]
        rows = [
            ("sections", sections),
            ("dendrite", f"{length:,.1f} mm, up to {farthest:,.0f} um from the soma"),
            ("mechanisms", listed(sorted({m.name for of in self.membranes for m in of.mechanisms}), 20)),
            ("recorded", listed(["soma", *sites])),
            (
                "simulation",
                f"{start.t_stop:g} ms from {start.v_init:g} mV, dt {start.dt:g} ms, {start.temperature:g} degC",
            ),
        ]
        if self.modifications:
            rows.insert(4, ("modified by", ", ".join(m.name for m in self.modifications)))
        gist = f"{plural(len(labels), 'section')}, {plural(g.n_segments, 'segment')}, {length:,.1f} mm of dendrite"
        return Facts("CellModel", self.name, gist, rows, drawing=side_view(g))


def load_cell(
    path: str | Path, search_paths: Iterable[str | Path] = (), *, biophysics: str | Path | None = None
) -> CellModel:
    """Read a cell parameter file and the files it names.

    Parameters
    ----------
    path : path
        The `.param` file (FORMATS 2); or, with `biophysics`, a morphology: `.swc` or `.hoc`.
    search_paths : iterable of path
        Where else to look for files it names; a stored absolute path that does not exist here is looked for by name.
    biophysics : path, optional
        A `.param` file whose membrane and simulation settings the morphology takes; the morphology and the recording
        sites it names belong to another cell and are not used.

    Returns
    -------
    CellModel

    Raises
    ------
    InputError
        Naming file, line or key, value and expectation.

    Examples
    --------
    >>> cell_file, network_file = isfray.write_example("my_model")
    >>> isfray.load_cell(cell_file)
    <CellModel synthetic_L5tt: 139 sections, 554 segments, 12.4 mm of dendrite>
    >>> isfray.load_cell("my_model/synthetic_L5tt.hoc", biophysics=cell_file).sites
    ()
    """
    if biophysics is not None:
        return _with_biophysics(read_file(path), biophysics)
    if checked_path("path", path).suffix.lower() in _MORPHOLOGIES:
        raise InputError(
            "is a morphology", key="path", value=str(path), expected="a .param file, or biophysics= as well"
        )
    main = read_file(path, most=PARAM_BYTES)
    return _build(main, FolderSource(Path(main.path).parent, search_paths))


def cell_from_inputs(inputs: ModelInputs) -> CellModel:
    """Build the cell model from stored files, on any machine."""
    return _build(files_of(inputs).main, StoredSource(inputs.references))


def _with_biophysics(morphology: InputFile, biophysics: str | Path) -> CellModel:
    given = read_file(biophysics, key="biophysics", most=PARAM_BYTES)
    param = parse_param(given.text, given.path)
    top = Entry(param)
    data = {
        **param.data,
        "neuron": {**top.child("neuron").data, "filename": morphology.name},
        "sim": {**top.child("sim").data, "recordingSites": []},
    }
    main = InputFile(f"{PurePath(morphology.name).stem}.param", format_param(data).encode())
    return _build(main, StoredSource({morphology.name: morphology}), ParamFile(data, param.file, param.text))


def _build(main: InputFile, source: Source, param: ParamFile | None = None) -> CellModel:
    param = param or parse_param(main.text, main.path or main.name)
    top = Entry(param)
    top.only(("info", "NMODL_mechanisms", "mech_globals", "neuron", "sim"))
    neuron, sim = top.child("neuron"), top.child("sim")
    sim.only(("Vinit", "tStart", "tStop", "dt", "T", "recordingSites"))
    references: dict[str, InputFile] = {}

    def fetch(entry: Entry, key: str, reference: str) -> InputFile:
        place = ".".join((*map(str, entry.path), key))
        references[reference] = source.read(reference, file=param.file, key=place)
        return references[reference]

    morphology = _morphology(fetch(neuron, "filename", neuron.text("filename")), axon=AXON in neuron)
    if AIS in neuron:
        morphology = with_axon(morphology)
    membranes = _membranes(neuron, morphology)
    geometry = _geometry(neuron, morphology, membranes)
    modify = neuron.optional("cell_modify_functions")
    sites: list[RecordingSite] = []
    for reference in _site_files(sim):
        sites += read_sites(fetch(sim, "recordingSites", reference), geometry)
    cell = CellModel(
        PurePath(main.name).stem,
        geometry,
        membranes,
        () if modify is None else read_modifications(modify),
        tuple(sites),
        SimulationDefaults(
            sim.number("Vinit", **ranges.INITIAL_VOLTAGE),
            sim.number("tStop", **ranges.STOP),
            sim.number("dt", **ranges.TIME_STEP),
            sim.number("T", **ranges.TEMPERATURE),
        ),
        _globals(top),
        param,
        ModelInputs(main, references),
    )
    try:
        _ = cell.diameter_scale, cell.stimuli  # a place that is not on this cell is told now
    except InputError as error:
        raise InputError(
            error.problem, file=param.file, key=f"neuron.{error.key}", value=error.value, expected=error.expected
        ) from None
    return cell


def _morphology(file: InputFile, axon: bool) -> Morphology:
    suffix = PurePath(file.name).suffix.lower()
    if suffix not in _MORPHOLOGIES:
        raise InputError("is not a morphology", file=file.path or file.name, expected="a .hoc or .swc file")
    return read_hoc(file) if suffix == ".hoc" else read_swc(file, axon=axon)


def _renamed(data: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The content of a cell file with its references renamed."""
    neuron = {**data["neuron"], "filename": names[data["neuron"]["filename"]]}
    files = data["sim"].get("recordingSites") or []
    sites = [names[reference] for reference in ([files] if isinstance(files, str) else files)]
    return {**data, "neuron": neuron, "sim": {**data["sim"], "recordingSites": sites}}


def _membranes(neuron: Entry, morphology: Morphology) -> tuple[Membrane, ...]:
    at_soma = {morphology.labels[i] for i in (0, *morphology.children[0])}
    out = []
    for label in neuron:
        if label in _NOT_LABELS:
            continue
        if label not in morphology.labels:
            raise neuron.error(label, "is no label of the morphology", expected=nearest(label, morphology.labels))
        out.append(read_membrane(neuron.child(label), label, label in at_soma))
    return tuple(out)


def _geometry(neuron: Entry, morphology: Morphology, membranes: tuple[Membrane, ...]) -> Geometry:
    rule = Discretization()
    given = neuron.optional("discretization")
    if given is not None:
        given.only(("f", "max_seg_length"))
        if "max_seg_length" not in given.data:
            raise given.missing("max_seg_length", "a length in um, or null for no limit")
        rule = Discretization(
            given.number("f", above=0, unit="Hz"), given.number("max_seg_length", None, **ranges.LENGTH)
        )
    ra = {m.label: m.ra for m in membranes}
    cm = {m.label: m.cm for m in membranes}
    try:
        geometry = discretize(morphology, rule, lambda s: ra.get(s, NEURON_RA), lambda s: cm.get(s, NEURON_CM))
    except InputError as error:
        raise neuron.error("discretization", error.problem, expected=error.expected) from None
    for m in membranes:
        for mechanism in m.mechanisms:
            listed = mechanism.steering.get("outsidescale_sections", ())
            if any(not 0 <= i < len(morphology) for i in listed):
                where = neuron.child(m.label).child("mechanisms").child("range").child(mechanism.name)
                raise where.error(
                    "outsidescale_sections",
                    "names a section that does not exist",
                    expected=f"ids below {len(morphology)}",
                )
    return geometry


def _globals(top: Entry) -> dict[str, float]:
    mechanisms = top.optional("mech_globals")
    if mechanisms is None:
        return {}
    return {
        f"{name}_{mechanism}": entry.number(name)
        for mechanism in mechanisms
        for entry in [mechanisms.child(mechanism)]
        for name in entry
    }


def _site_files(sim: Entry) -> list[str]:
    files = sim.data.get("recordingSites")
    if files is None:
        return []
    if isinstance(files, str):
        files = [files]
    if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
        raise sim.error("recordingSites", "is not a list of landmark files", expected="[file, ...]")
    return files


def soma_site() -> RecordingSite:
    """Return the site every trial records: the first segment of the soma."""
    return RecordingSite("soma", 0, 0, 0.5, 0.0)


def segment_label(section: int, segment: int) -> str:
    """Return the site label of any segment: `sec_038_seg_032`."""
    return f"sec_{section:03d}_seg_{segment:03d}"


def conductances(cell: CellModel) -> dict[str, FloatArray]:
    """Return every density parameter in every segment, NaN where its mechanism is not inserted (FORMATS 2.2).

    Returns
    -------
    dict of ndarray, shape (segments,)
        `<param>_<mechanism>` -> values; `g_pas` without the spine factor, which needs NEURON's areas.
    """
    g = cell.geometry
    out: dict[str, FloatArray] = {}
    labels = np.array(cell.morphology.labels)[g.section_of_segment]
    for membrane in cell.membranes:
        for mechanism in membrane.mechanisms:
            for name, values in densities(mechanism, membrane.label, g).items():
                column = out.setdefault(f"{name}_{mechanism.name}", np.full(g.n_segments, np.nan))
                column[labels == membrane.label] = values
    return out
