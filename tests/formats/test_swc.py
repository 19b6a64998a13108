"""SWC morphologies: what becomes a section, how somata are read, and that NEURON's own import agrees."""

from __future__ import annotations

import copy
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.isf.cell import cell_from_inputs, load_cell
from isfray.formats.swc import read_swc
from isfray.model.geometry import neuron_length
from isfray.model.inputs import InputFile
from isfray.model.morphology import Morphology
from tests.engine.child import in_child
from tests.model import small_cell

SOMA = "1 1 0 0 0 8 -1\n"
NEURITES = """
# a basal tree that branches twice, an apical trunk with a tuft, an axon on the basal dendrite
2 3 0 9 0 1.0 1
3 3 5 20 0 0.9 2
4 3 9 33 1 0.8 3
5 3 20 50 1 0.5 4
6 3 -5 50 3 0.6 4
7 3 -9 70 3 0.5 6
8 3 -20 80 3 0.4 7
9 3 -9 90 9 0.3 7
10 4 0 0 10 2.0 1
11 4 0 3 110 1.5 10
12 4 40 3 190 0.7 11
13 4 -40 3 180 0.6 11
14 4 -60 9 260 0.5 13
15 2 9 40 -9 0.4 4
16 2 9 60 -30 0.3 15
"""
THREE_POINT_SOMA = "1 1 0 0 0 8 -1\n101 1 0 -8 0 8 1\n102 1 0 8 0 8 1\n"
ONE_POINT_DENDRITES = "20 3 9 0 0 1 1\n21 3 30 0 9 1 20\n22 3 30 0 -9 1 20\n23 3 40 0 -9 1 22\n24 3 0 0 -12 1 1\n"


def swc(text: str, **options: Any) -> Morphology:
    return read_swc(InputFile("cell.swc", text.encode(), "cell.swc"), **options)


def test_unbranched_stretches_become_sections_and_type_codes_labels():
    m = swc(SOMA + NEURITES)
    shape = [(s.name, s.label, s.parent, s.parent_x, len(s.points)) for s in m]
    assert shape == [
        ("soma", "Soma", -1, 0.0, 3),
        ("dend_0", "Dendrite", 0, 0.5, 3),
        ("dend_1", "Dendrite", 1, 1.0, 2),
        ("dend_2", "Dendrite", 1, 1.0, 3),
        ("dend_3", "Dendrite", 3, 1.0, 2),
        ("dend_4", "Dendrite", 3, 1.0, 2),
        ("axon_0", "Axon", 1, 1.0, 3),
        ("apic_0", "ApicalDendrite", 0, 0.5, 2),
        ("apic_1", "ApicalDendrite", 7, 1.0, 2),
        ("apic_2", "ApicalDendrite", 7, 1.0, 3),
    ]
    assert m.sections[1].points[0].tolist() == [0, 9, 0, 2.0]  # a soma child starts with its own first point
    assert m.sections[2].points[0].tolist() == m.sections[1].points[-1].tolist()  # others with their parent's last


def test_without_the_axon_a_dendrite_is_not_cut_where_it_left():
    text = SOMA + NEURITES.replace("6 3 -5 50 3 0.6 4\n", "6 3 -5 50 3 0.6 1\n")
    with_axon, without = swc(text), swc(text, axon=False)
    assert sum(s.label == "Axon" for s in with_axon) == 1
    assert "Axon" not in without.labels
    assert len(without) == len(with_axon) - 2
    assert len(without.sections[1].points) == 4


def total(m: Morphology) -> float:
    return sum(neuron_length(s.points) for s in m.sections[1:])


@given(st.permutations(NEURITES.strip().splitlines()[1:]), st.integers(0, 1000))
def test_neither_the_order_of_lines_nor_the_numbering_changes_the_cell(lines: list[str], shift: int):
    words = [line.split() for line in [SOMA.strip(), *lines]]
    moved = [[str(int(w[0]) + shift), *w[1:6], str(int(w[6]) + shift) if int(w[6]) > 0 else "-1"] for w in words]
    m, expected = swc("\n".join(" ".join(w) for w in moved)), swc(SOMA + NEURITES)
    assert sorted(m.labels) == sorted(expected.labels)
    assert total(m) == pytest.approx(total(expected), rel=1e-12)
    assert {s.points.tobytes() for s in m} == {s.points.tobytes() for s in expected}


def area(points: np.ndarray) -> float:
    step = np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)
    r = points[:, 3] / 2
    return float((math.pi * (r[1:] + r[:-1]) * np.sqrt(step**2 + np.diff(r) ** 2)).sum())


def circle(n: int, radius: float) -> str:
    angles = np.linspace(0, 2 * math.pi, n, endpoint=False)
    return "".join(
        f"{i + 1} 1 {3 + radius * math.cos(a)} {radius * math.sin(a)} 5 0.2 {i or -1}\n" for i, a in enumerate(angles)
    )


@pytest.mark.parametrize("text", [SOMA, THREE_POINT_SOMA])
def test_a_one_point_and_a_three_point_soma_have_the_area_of_the_sphere(text: str):
    (soma,) = swc(text)
    assert neuron_length(soma.points) == pytest.approx(16)
    assert area(soma.points) == pytest.approx(4 * math.pi * 8**2)


def test_a_traced_soma_is_kept_as_it_was_traced():
    stack = "1 1 0 0 -6 2 -1\n2 1 0 0 0 7 1\n3 1 0 0 5 6 2\n4 1 0 0 9 2 3\n"
    (soma,) = swc(stack)
    assert soma.points.tolist() == [[0, 0, -6, 4], [0, 0, 0, 14], [0, 0, 5, 12], [0, 0, 9, 4]]
    two_arms = "1 1 0 0 0 7 -1\n2 1 0 0 5 6 1\n3 1 0 0 9 2 2\n4 1 0 0 -6 2 1\n"
    (soma,) = swc(two_arms)
    assert soma.points[:, 2].tolist() == [9, 5, 0, -6]


def test_a_thin_closed_outline_of_the_soma_becomes_a_sphere():
    (soma,) = swc(circle(24, 9.0))
    assert soma.points[1, :3] == pytest.approx([3, 0, 5])
    assert area(soma.points) == pytest.approx(4 * math.pi * 9.0**2, rel=1e-6)


def test_a_neurite_at_an_end_of_a_traced_soma_begins_there_as_thick_as_its_first_point():
    stack = "1 1 0 0 -9 4 -1\n2 1 0 0 0 8 1\n3 1 0 0 9 4 2\n"
    first, middle, last = swc(
        stack + "4 3 0 9 -9 1 1\n5 3 0 50 0 1 4\n6 3 0 9 0 1 2\n7 3 0 50 0 1 6\n8 4 0 0 30 2 3\n"
    ).sections[1:]
    assert first.points.tolist() == [[0, 0, -9, 2], [0, 9, -9, 2], [0, 50, 0, 2]]
    assert middle.points.tolist() == [[0, 9, 0, 2], [0, 50, 0, 2]]  # within the soma until then
    assert last.points.tolist() == [[0, 0, 9, 4], [0, 0, 30, 4]]


BRANCHING = "1 1 0 0 0 8 -1\n2 1 200 0 0 1 1\n3 1 300 90 0 1 2\n4 1 300 -90 0 1 2\n5 3 400 90 0 1 3\n6 3 500 90 0 1 5\n"
STAR = "1 1 3 0 5 1 -1\n2 1 12 0 5 1 1\n3 1 -6 0 5 1 1\n4 1 3 9 5 1 1\n5 1 3 -9 5 1 1\n"
WRONG_SOMATA = [
    (BRANCHING, "cell.swc:4: id = 4 branches off the soma"),
    (STAR, "cell.swc:4: id = 4 branches off the soma"),
    (
        SOMA + "2 3 0 9 0 1 1\n3 3 0 30 0 1 2\n4 1 0 -8 0 8 1\n",
        "cell.swc:4: id = 4 is apart from the soma's other points",
    ),
    (SOMA + "2 3 0 9 0 1 1\n3 1 0 9 9 1 2\n", "cell.swc:3: id = 3 is apart from the soma; expected one soma"),
    (circle(24, 9.0).replace(" 0.2 ", " 9.0 "), "cell.swc:24: id = 24 ends where the soma begins, and is thick"),
    (SOMA + "2 1 0 0 0 8 1\n", "cell.swc:2: id = 2 is where the soma's first point is"),
]


@pytest.mark.parametrize(("text", "message"), WRONG_SOMATA)
def test_a_soma_that_neuron_would_build_otherwise_is_refused_by_its_line(text: str, message: str):
    with pytest.raises(InputError, match=re.escape(message)):
        swc(text)


def test_neurons_own_import_has_the_same_lengths_and_areas_whatever_the_soma_is():
    in_child("tests.formats.import3d_check", "hold_against_import3d", 150)


def test_neurites_of_one_point_at_the_soma_cost_no_section():
    m = swc(SOMA + ONE_POINT_DENDRITES)
    assert [(s.parent, s.points[:, 0].tolist()) for s in m.sections[1:]] == [
        (0, [9, 30]),  # from the point where both leave, attached to the soma
        (0, [9, 30, 40]),
        (0, [0, 0]),  # a lone point: from the soma's centre
    ]


def test_fork_and_end_points_are_of_what_they_are_on():
    plain = swc(SOMA + NEURITES)
    marked = swc(SOMA + NEURITES.replace("4 3 9 33", "4 5 9 33").replace("9 3 -9 90", "9 6 -9 90"))
    assert [(s.label, s.points.tolist()) for s in marked] == [(s.label, s.points.tolist()) for s in plain]


def renumbered(text: str) -> str:
    """The same cell, numbered in the order of its lines, as Import3d wants it."""
    rows = [line.split() for line in text.splitlines() if line and line[0] != "#"]
    new = {row[0]: str(i) for i, row in enumerate(rows, start=1)} | {"-1": "-1"}
    return "".join(" ".join([new[row[0]], *row[1:6], new[row[6]]]) + "\n" for row in rows)


@pytest.mark.parametrize(
    "text",
    [SOMA + NEURITES, THREE_POINT_SOMA + NEURITES, SOMA + NEURITES + ONE_POINT_DENDRITES],
    ids=["one-point soma", "three-point soma", "one-point dendrites"],
)
def test_neurons_own_import_has_the_same_sections_lengths_and_areas(text: str, tmp_path: Path):
    path = tmp_path / "cell.swc"
    path.write_text(renumbered(text))
    theirs, ours = in_child("tests.formats.import3d_check", "both", str(path))
    assert ours.keys() == theirs.keys() == {"soma", "dend", "apic", "axon"}
    for structure, (n, length, surface) in theirs.items():
        assert ours[structure] == (n, pytest.approx(length, rel=1e-6), pytest.approx(surface, rel=1e-6)), structure


WRONG = [
    ("1 1 0 0 0 8\n", "cell.swc:1: '1 1 0 0 0 8' is not a point"),
    ("1 1 0 0 0 8 -1\nx 3 0 0 0 1 1\n", "cell.swc:2: 'x 3 0 0 0 1 1' is not a point"),
    (SOMA + "\n2 9 0 9 0 1 1\n", "cell.swc:3: type = 9 is not a known type"),
    (SOMA + "2 3 0 9 0 0 1\n", "cell.swc:2: '2 3 0 9 0 0 1' is not a radius"),
    (SOMA + "2 3 0 nan 0 1 1\n", "cell.swc:2: '2 3 0 nan 0 1 1' is not a radius or place"),
    (SOMA + "2 3 0 9 0 1 7\n", "cell.swc:2: parent = 7 is no point"),
    (SOMA + "1 3 0 9 0 1 1\n", "cell.swc:2: id = 1 is used twice"),
    (SOMA + "2 3 0 9 0 1 -1\n", "cell.swc:2: has 2 roots"),
    (SOMA + "2 3 0 9 0 1 3\n3 3 0 9 9 1 2\n", "cell.swc:2: id = 2 is in a loop"),
    ("1 3 0 0 0 8 -1\n", "cell.swc:1: is the root"),
    (SOMA + "2 3 0 9 0 1 1\n3 1 0 9 9 1 2\n", "cell.swc:3: id = 3 is apart from the soma"),
    ("# nothing\n", "cell.swc: holds no point"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_broken_file_is_told_by_line(text: str, message: str):
    with pytest.raises(InputError, match=re.escape(message)):
        swc(text)


LOOSE = "20 2 0 -10 0 1 1\n21 2 0 -60 0 -0.14 20\n22 2 500 0 0 1 -1\n23 2 560 0 0 1 22\n"
AXON_FAULTS = {
    "a negative radius, and a piece apart": LOOSE,
    "no place": "20 2 0 nan 0 1 1\n21 2 0 1e400 0 1 20\n",
    "numbers that are none": "20 2 a b c d 1\n",
    "columns that are missing": "20 2 0 0\n",
    "no id": "x 2 0 9 0 1 1\n",
    "a parent that is none": "20 2 0 9 0 1 77\n21 2 0 9 9 1 20\n",
    "a loop": "20 2 0 9 0 1 21\n21 2 0 9 9 1 20\n",
    "an id twice": "20 2 0 9 0 1 1\n20 2 0 9 9 1 1\n",
    "fork and end points": "20 2 0 9 0 1 -1\n21 5 0 9 9 -1 20\n22 6 0 9 19 0 21\n",
    "a piece between the soma's points": "",
}


@pytest.mark.parametrize("fault", AXON_FAULTS)
def test_what_is_wrong_with_an_axon_that_is_not_kept_does_not_matter(fault: str):
    text = SOMA + NEURITES + AXON_FAULTS[fault]
    soma = SOMA
    if not AXON_FAULTS[fault]:
        text, soma = THREE_POINT_SOMA.replace("102 1", "20 2 0 9 0 1 -1\n102 1") + NEURITES, THREE_POINT_SOMA
    assert swc(text, axon=False) == swc(soma + NEURITES, axon=False)
    with pytest.raises(InputError, match=r"^cell\.swc:\d+: "):
        swc(text)


@pytest.mark.parametrize("fault", [fault for fault in AXON_FAULTS if AXON_FAULTS[fault]])
def test_what_is_wrong_with_a_dendrite_does(fault: str):
    with pytest.raises(InputError, match=r"^cell\.swc:\d+: "):
        swc(SOMA + NEURITES + AXON_FAULTS[fault].replace(" 2 ", " 3 "), axon=False)


@pytest.mark.parametrize(
    "lines",
    [
        "20 2 0 9 0 -1 1\n21 3 0 9 9 1 20\n",  # a dendrite on an unsound axon
        "20 2 0 9 0 1 -1\n21 2 0 9 9 1 20\n22 3 0 9 19 1 21\n",  # a dendrite on a loose one
        "20 2 0 9 0 1 1\n20 2 0 -9 0 1 1\n21 3 0 9 9 1 20\n",  # on which of the two?
        "16 3 0 9 9 1 4\n",  # an id that an axon has
        "20 7 0 9 0 1 -1\n",  # who knows what
        "2O 3 0 9 0 1 1\n",
    ],
)
def test_nor_may_what_is_kept_depend_on_an_unsound_axon(lines: str):
    with pytest.raises(InputError, match=r"^cell\.swc:\d+: "):
        swc(SOMA + NEURITES + lines, axon=False)


def test_a_cell_file_without_an_axon_loads_an_archives_loose_one(tmp_path: Path):
    path = write_cell(tmp_path, axon=False, lines=LOOSE)
    assert "Axon" not in load_cell(path).morphology.labels
    with pytest.raises(InputError, match=r"small\.swc:\d+: '21 2 0 -60 0 -0\.14 20' is not a radius or place"):
        load_cell(write_cell(tmp_path, axon=True, lines=LOOSE))


def write_cell(folder: Path, axon: bool, lines: str = "") -> Path:
    def edit(param: dict[str, Any]) -> None:
        param["neuron"]["filename"] = "small.swc"
        param["sim"]["recordingSites"] = []
        if axon:
            param["neuron"]["Axon"] = copy.deepcopy(param["neuron"]["Dendrite"])

    (folder / "small.swc").write_text(SOMA + NEURITES + lines)
    return small_cell.write(folder, edit)


@pytest.mark.parametrize("axon", [True, False])
def test_a_parameter_file_may_name_an_swc_whose_axon_counts_if_it_is_described(axon: bool, tmp_path: Path):
    cell = load_cell(write_cell(tmp_path, axon))
    assert ("Axon" in cell.morphology.labels) == axon
    assert cell_from_inputs(cell.inputs) == cell
    assert load_cell(cell.save(tmp_path / "saved" / "cell.param")) == cell


def test_a_morphology_takes_another_cells_biophysics(tmp_path: Path):
    param = small_cell.write(tmp_path)
    (tmp_path / "archive").mkdir()
    morphology = tmp_path / "archive" / "other.swc"
    morphology.write_text(SOMA + NEURITES)
    cell = load_cell(morphology, biophysics=param)
    assert cell.name == "other"
    assert cell.membranes == load_cell(param).membranes
    assert cell.sites == ()
    assert cell_from_inputs(cell.inputs) == cell
    assert load_cell(cell.save(tmp_path / "saved" / "other.param")) == cell
    assert sorted(p.name for p in (tmp_path / "saved").iterdir()) == ["other.param", "other.swc"]
    hoc = load_cell(tmp_path / "small.hoc", biophysics=param)
    assert hoc.geometry == load_cell(param).geometry


def test_a_morphology_without_biophysics_is_refused(tmp_path: Path):
    (tmp_path / "a.swc").write_text(SOMA)
    with pytest.raises(InputError, match=r"is a morphology; expected a \.param file, or biophysics= as well"):
        load_cell(tmp_path / "a.swc")
    with pytest.raises(InputError, match="ApicalDendrite is no label of the morphology") as caught:
        load_cell(tmp_path / "a.swc", biophysics=small_cell.write(tmp_path, lambda p: p["neuron"].pop("Dendrite")))
    assert caught.value.line is not None
