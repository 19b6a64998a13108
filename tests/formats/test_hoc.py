"""`.hoc` morphologies are read as NEURON would run them; the rest is refused by its line.

(docs/formats.md, Morphologies)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isfray.errors import InputError
from isfray.formats.hoc import read_hoc
from isfray.model.inputs import InputFile
from tests.engine.child import in_child
from tests.formats.hoc_in_neuron import OUTSIDE, described
from tests.model.small_cell import SECTIONS, hoc


def read(text: str):
    return read_hoc(InputFile("small.hoc", text.encode()))


def test_sections_keep_file_order_points_and_parents():
    morphology = read(hoc())
    assert [s.name for s in morphology] == list(SECTIONS)
    assert morphology.labels == ("Soma", "Dendrite", "Dendrite", "Dendrite", *["ApicalDendrite"] * 4)
    assert morphology.parent.tolist() == [-1, 0, 1, 1, 0, 4, 4, 4]
    np.testing.assert_allclose(morphology.sections[4].points, SECTIONS["apical_1"][1])


def test_children_of_the_soma_attach_at_its_middle_whatever_the_file_says():
    assert read(hoc()).parent_x.tolist() == [0, 0.5, 1, 1, 0.5, 1, 1, 0.5]


def test_a_branch_is_filed_under_the_label_it_starts_with():
    morphology = read(hoc().replace("dend_1_1", "apical_x"))
    assert morphology.labels[3] == "ApicalDendrite"
    assert morphology.branch_label[3] == "Dendrite"


def test_what_isfray_reads_neuron_builds_with_the_same_points_lengths_and_connections():
    assert in_child("tests.formats.hoc_in_neuron", "hold_against_neuron", 200) > 20


def test_the_reference_cells_are_read_as_neuron_builds_them(reference: Path):
    texts = [(reference / name).read_text() for name in ("model/86_C2_center.hoc", "study/WR64_Cell8.hoc")]
    assert [described(read(text)) for text in texts] == in_child("tests.formats.hoc_in_neuron", "all_in_neuron", texts)


APICAL = [*SECTIONS["apical_1_2"][1]]
FAR = (0.0, -9000.0, 0.0, 1.0)

# lines after the last point of the small cell, which is one of apical_1_2 -> its points as NEURON has them
READ = {
    "a line's comment": ("//{pt3dadd(0,-9000,0,1)}", APICAL),
    "a comment of lines": ("/*\n{pt3dadd(0,-9000,0,1)}\n*/", APICAL),
    "comments in comments": ("/* // */ {pt3dadd(0,-9000,0,1)} // */ /*", [*APICAL, FAR]),
    "two statements in a block": ("{pt3dadd(0,-9000,0,1) pt3dadd(0,-9100,0,1)}", [*APICAL, FAR, (0, -9100, 0, 1)]),
    "a block of lines": ("{pt3dadd(0,-9000,0,1)\n\n pt3dadd(0,-9100,0,1)\n}", [*APICAL, FAR, (0, -9100, 0, 1)]),
    "cleared again": ("{pt3dclear()}\n{pt3dadd(0,0,0,1)}\n{pt3dadd(0,-50,0,1)}", [(0, 0, 0, 1), (0, -50, 0, 1)]),
    "no braces": ("pt3dadd ( 0 , -9e3 , .0, 1. )", [*APICAL, FAR]),
    "numbers": ("{pt3dadd(1e3,.5,-.5,1E+1)}", [*APICAL, (1000, 0.5, -0.5, 10)]),
    "a carriage return ends a comment": ("// a\r{pt3dadd(0,-9000,0,1)}\r\n", [*APICAL, FAR]),
    "a comment behind": ("{pt3dadd(0,-9000,0,1)} /* Spine */", [*APICAL, FAR]),
    "strings and variables": ('{strdef color color = "/* // {"}\n{color = "Red"}\n{_x = -1.5}\n{nseg = 3}', APICAL),
    "another section is accessed": ("{access dend_1}\n{pt3dadd(0,-9000,0,1)}", APICAL),
    "what stands apart": ("{create pia}\n{access pia}\n{pt3dadd(0,0,0,0)}", APICAL),
}


@pytest.mark.parametrize("case", READ)
def test_statements_are_run_as_neuron_runs_them(case: str):
    lines, points = READ[case]
    morphology = read(hoc() + lines + "\n")
    assert [s.name for s in morphology] == list(SECTIONS)
    assert morphology.sections[-1].points.tolist() == [list(map(float, p)) for p in points]


def test_points_go_to_the_section_that_was_accessed():
    morphology = read(hoc() + "{access dend_1}\n{pt3dadd(0,-9000,0,1)}\n")
    assert morphology.sections[1].points.tolist()[-1] == [0, -9000, 0, 1]
    together = hoc().replace("{create dend_1}", "").replace("{create soma}", "{create soma, dend_1}")
    assert read(together) == read(hoc())


@pytest.mark.parametrize("lines", OUTSIDE)
def test_what_neuron_would_run_and_isfray_does_not_know_is_refused_by_its_line(lines: str):
    text = hoc() + lines + "\n"
    last = text.count("\n") - lines.count("\n") * ("{create" not in lines and "_x" not in lines)
    with pytest.raises(InputError, match=rf"^small\.hoc:{last}: ") as error:
        read(text)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            hoc().replace("pt3dadd(0.000000,5.000000,0.000000,14", "pt3dadd(zero,5.000000,0.000000,14"),
            ["small.hoc:5", "pt3dadd"],
        ),
        (hoc().replace("0.000000,14.000000)", "0.000000,-14.000000)"), ["small.hoc:5", "-14.0", "> 0 um"]),
        (hoc().replace("dend_1_0(0), dend_1(1.0)", "dend_1_0(0), dend_7(1.0)"), ["small.hoc:15", "dend_7"]),
        (hoc().replace("dend_1_0(0), dend_1(1.0)", "dend_1_0(0), dend_1(1.7)"), ["small.hoc:15", "x in [0, 1]"]),
        (hoc().replace("{connect dend_1_0(0), dend_1(1.0)}", ""), ["small.hoc:14", "dend_1_0 is connected to nothing"]),
        (hoc().replace("create dend_1_1}", "create dend_1_0}"), ["small.hoc:20", "dend_1_0 is created twice"]),
        (hoc().replace("create dend_1_1}", "create dend_apical}"), ["small.hoc:20", "Dendrite or ApicalDendrite"]),
        (hoc() + "{create dend_9}\n{connect dend_9(0), soma(0.5)}\n", ["dend_9 has 0 3D points"]),
        (hoc().replace("{pt3dadd(160.000000,20.000000,5.000000,1.000000)}\n", ""), ["dend_1_0 has 1 3D points"]),
        (hoc().replace("160.000000,20.000000", "80.000000,5.000000"), ["dend_1_0 has no length"]),
        ("{create soma}\n{pt3dadd(0,6e-38,0,1)}\n{pt3dadd(0,0,0,1)}\n", ["soma has no length"]),
        (hoc().replace("soma", "dend_0"), ["dend_0 is connected to nothing"]),
        ("{create soma2}\n" + "{pt3dadd(0,0,0,1)}\n{pt3dadd(0,0,9,1)}\n" + hoc(), ["exactly one, the soma"]),
        ("{pt3dadd(0,0,0,1)}\n" + hoc(), ["small.hoc:1", "belongs to no section"]),
        ("", ["holds no section"]),
    ],
)
def test_a_broken_morphology_is_refused_with_its_line(text, told):
    with pytest.raises(InputError) as error:
        read(text)
    for part in told:
        assert part in str(error.value)


def test_another_kind_of_file_is_refused():
    with pytest.raises(InputError, match=r"small\.txt.*a \.hoc file"):
        read_hoc(InputFile("small.txt", hoc().encode()))
    with pytest.raises(InputError, match="not a text file"):
        read_hoc(InputFile("small.hoc", b"\xff\xfe\x00"))
