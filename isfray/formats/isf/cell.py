"""Cell parameter files, and the morphology and recording sites they name (docs/formats.md, Cell files)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from isfray.check import nearest
from isfray.check import path as checked_path
from isfray.errors import InputError
from isfray.formats.files import FolderSource, Source, StoredSource, read_file
from isfray.formats.isf.entry import Entry
from isfray.formats.isf.landmarks import read_sites
from isfray.formats.isf.membrane import read_membrane
from isfray.formats.isf.modification import read_modifications
from isfray.formats.isf.origin import ParamOrigin
from isfray.formats.isf.param import MOST_BYTES as PARAM_BYTES
from isfray.formats.isf.param import ParamFile, format_param, parse_param
from isfray.formats.morphology import is_morphology, read_morphology
from isfray.formats.nmodl import own_mechanisms
from isfray.model import ranges
from isfray.model.cell import CellModel, SimulationDefaults
from isfray.model.geometry import Discretization, Geometry, discretize
from isfray.model.inputs import InputFile, ModelInputs, files_of
from isfray.model.mechanisms import MechanismSet, set_of_mechanisms
from isfray.model.membrane import NEURON_CM, NEURON_RA, Membrane
from isfray.model.morphology import AIS, AXON, Morphology, with_axon
from isfray.model.sites import RecordingSite

_NOT_LABELS = ("filename", "cell_modify_functions", "discretization", "spatialgraph_modify_functions")


def load_cell(
    path: str | Path, search_paths: Iterable[str | Path] = (), *, biophysics: str | Path | None = None
) -> CellModel:
    """Read a cell parameter file and the files it names.

    Parameters
    ----------
    path : path
        The `.param` file (docs/formats.md, Cell files); or, with `biophysics`, a morphology: `.swc` or `.hoc`.
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
    if is_morphology(checked_path("path", path)):
        raise InputError(
            "is a morphology", key="path", value=str(path), expected="a .param file, or biophysics= as well"
        )
    main = read_file(path, most=PARAM_BYTES)
    return _build(main, FolderSource(Path(main.path).parent, search_paths))


def cell_from_inputs(inputs: ModelInputs, mechanisms: MechanismSet | None = None) -> CellModel:
    """Build the cell model from stored files, on any machine; with isfray's own mechanisms, or those that are given."""
    given = None if mechanisms is None else set_of_mechanisms(mechanisms)
    return _build(files_of(inputs).main, StoredSource(inputs.references), mechanisms=given)


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


def _build(
    main: InputFile, source: Source, param: ParamFile | None = None, *, mechanisms: MechanismSet | None = None
) -> CellModel:
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

    morphology = read_morphology(fetch(neuron, "filename", neuron.text("filename")), axon=AXON in neuron)
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
        ParamOrigin(param, ModelInputs(main, references), _renamed),
        mechanisms=own_mechanisms() if mechanisms is None else mechanisms,
    )
    try:
        _ = cell.diameter_scale, cell.stimuli  # a place that is not on this cell is told now
    except InputError as error:
        raise param.placed(error, ("neuron",)) from None
    return cell


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
        raise neuron.placed(error, "discretization") from None
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
