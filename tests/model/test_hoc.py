"""`.hoc` morphologies are read line by line, as FORMATS 5.1 says, and wrong ones are refused with their line."""

from __future__ import annotations

import numpy as np
import pytest

from isfray.errors import InputError
from isfray.model.hoc import read_hoc
from isfray.model.inputs import InputFile
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
    text = hoc().replace("create dend_1_1}", "create apical_x}").replace("connect dend_1_1(0)", "connect apical_x(0)")
    morphology = read(text)
    assert morphology.labels[3] == "ApicalDendrite"
    assert morphology.branch_label[3] == "Dendrite"


def test_commented_lines_and_spines_are_skipped_and_unlabelled_sections_ignored():
    text = hoc().replace("{access dend_1}", "{access dend_1}\n/* {pt3dadd(0,0,0,1)} */\n{pt3dadd(0,0,0,1)} // Spine")
    text += "{create pipette}\n{connect pipette(0), soma(0.5)}\n{pt3dadd(0,0,0,1)}\n{pt3dadd(0,0,9,1)}\n"
    assert [len(s.points) for s in read(text)] == [len(points) for _, points in SECTIONS.values()]


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
        (hoc().replace("{connect dend_1_0(0), dend_1(1.0)}", ""), ["dend_1_0 is connected to nothing"]),
        (hoc().replace("create dend_1_1}", "create dend_1_0}"), ["dend_1_0 is created twice"]),
        (hoc().replace("create dend_1_1}", "create dend_apical}"), ["Dendrite or ApicalDendrite"]),
        (hoc() + "{create dend_9}\n{connect dend_9(0), soma(0.5)}\n{pt3dadd(0,0,0,1)}\n", ["dend_9 has 1 3D points"]),
        (hoc().replace("create soma", "create dend_0").replace("soma(", "dend_0("), ["dend_0 is connected to nothing"]),
        ("{create soma2}\n" + "{pt3dadd(0,0,0,1)}\n{pt3dadd(0,0,9,1)}\n" + hoc(), ["exactly one, the soma"]),
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
