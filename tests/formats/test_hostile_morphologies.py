"""Whatever stands in a `.hoc` or `.swc`, it is a morphology, or one short line says why not."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.hoc import read_hoc
from isfray.formats.swc import read_swc
from isfray.model.geometry import Geometry, neuron_length
from isfray.model.inputs import InputFile
from isfray.model.morphology import Morphology
from tests.formats.hoc_in_neuron import ODD
from tests.formats.test_swc import LOOSE, NEURITES, SOMA, THREE_POINT_SOMA
from tests.model.small_cell import hoc

HOC = [hoc().encode(), hoc().replace("{", "").replace("}", "").encode(), f"/* {hoc()} */ {hoc()}".encode()]
SWC = [f"{soma}{NEURITES}{axon}".encode() for soma in (SOMA, THREE_POINT_SOMA) for axon in ("", LOOSE)]
INTO = [
    *(b"nan inf -inf 1e400 -1e400 1e39 1e-400 1e-50 9e999999999 0 -0 -1 .5 -.5e1 1e 0x1 1_0 +1 1d3 - .").split(),
    *(b"1.2.3", b"e5", b"--1"),
    *"٣ ½ ² \u2028 \x85 \ufeff \U000e0001 é \ud7ff".encode().split(),
    *(b"\0", b"\xff", b"\xc3", b"\r", b"\x0b", b"\x0c", b"\x1b[2J", b"//", b"/*", b"*/", b"{", b"}", b"(", b")", b'"'),
    *(b"\\", b"#", b"\n", b"\n\n", b" ", b"\t", b",", b"=", b"", b"9" * 400, b"9" * 5000, b"a" * 5000, b"soma"),
    *(b"dend" * 50, b"-1"),
]  # fmt: skip
TOKEN = re.compile(rb"[-+.\w]+|[^\s\w]")


@st.composite
def hostile(draw: st.DrawFn, sound: list[bytes], lines: list[bytes]) -> bytes:
    """A sound text, changed in up to five places."""
    text = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(1, 5))):
        how = draw(st.sampled_from(("byte", "cut", "token", "swap", "line", "into", "end", "twice")))
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        rows, tokens = text.split(b"\n"), list(TOKEN.finditer(text))
        row = draw(st.integers(0, len(rows) - 1))
        if how == "byte":
            text = text[:at] + bytes([draw(st.integers(0, 255))]) + text[at + 1 :]
        elif how == "cut":
            text = b"\n".join(rows[:row] + rows[row + draw(st.integers(1, 3)) :])
        elif how == "line":
            text = b"\n".join([*rows[:row], draw(st.sampled_from(lines)), *rows[row:]])
        elif how == "twice":
            text = b"\n".join([*rows[: row + 1], *rows[row:]])
        elif how == "into":
            text = text[:at] + draw(st.sampled_from(INTO)) + text[at:]
        elif how == "end":
            text = text[:at]
        elif tokens:
            one, other = (draw(st.sampled_from(tokens)) for _ in range(2))
            new = draw(st.sampled_from(INTO)) if how == "token" else other[0]
            text = text[: one.start()] + new + text[one.end() :]
    return text


def told_or_read(read: Callable[[InputFile], Morphology], name: str, text: bytes) -> None:
    """Hold the promise for one text."""
    said = None
    try:
        morphology = read(InputFile(name, text))
    except InputError as error:
        said = str(error)
    if said is not None:
        assert said.startswith(name)
        assert len(said) <= 400, said
        assert len(said.splitlines()) == 1, said
        return
    geometry = Geometry(morphology, np.ones(len(morphology), np.int32))
    assert np.isfinite(geometry.segment_distance).all()
    for section in morphology:
        assert neuron_length(section.points) > 0
        assert (section.points[:, 3].astype(np.float32) > 0).all()


def holds(
    read: Callable[[InputFile], Morphology], name: str, texts: st.SearchStrategy[bytes], examples: int = 300
) -> None:
    """Hold the promise for many texts."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(texts)
    def outcome(text: bytes) -> None:
        told_or_read(read, name, text)

    outcome()


def test_a_damaged_hoc_file_is_read_or_refused_in_one_short_line():
    lines = [line.replace("NAME", "dend_1").replace("OTHER", "soma").encode() for line in ODD]
    holds(read_hoc, "small.hoc", hostile(HOC, lines))


def test_a_damaged_swc_file_is_read_or_refused_in_one_short_line():
    lines = (
        b"30 5 9 9 9 1 4|31 6 9 9 9 1 31|16 3 9 9 9 1 4|-3 3 1 1 1 1 1|30 1 9 9 9 1 1|30 2 9 9 9 -1 99|# \xff".split(
            b"|"
        )
    )
    holds(read_swc, "small.swc", hostile(SWC, lines))
    holds(lambda file: read_swc(file, axon=False), "small.swc", hostile(SWC, lines))


MANY = 200_000
HUGE_HOC = {
    "digits": b"{pt3dadd(" + b"9" * MANY,
    "numbers": b"{pt3dadd(" + b"1," * MANY,
    "blanks": b"{create soma" + b" " * MANY + b"(",
    "a name": b"{create soma_" + b"a" * MANY + b"}",
    "a section for a point": hoc().encode() + b"{access " + b"a" * MANY + b"}",
    "braces": b"{" * MANY,
    "comments": b"/*" * MANY,
    "comments in lines": b"//\n/**/" * MANY + hoc().encode(),
    "quotes": b'{strdef s s = "' + b"s" * MANY,
    "names": b"create " + b"soma, " * MANY,
    "sections": hoc().encode() + b"".join(b"create s_%d\n" % i for i in range(MANY // 10)),
    "signs": b"{pt3dadd(" + b"-" * MANY + b"1,0,0,1)}",
    "one point": hoc().encode() + b"{" + b"pt3dadd(0,0,0,1) " * (MANY // 10) + b"}",
    "empty lines": b"\r\n" * MANY + hoc().encode(),
}
HUGE_SWC = {
    "end points": SOMA.encode() + b"".join(b"%d 6 0 %d 0 1 %d\n" % (i, i, i - 1) for i in range(2, MANY // 10)),
    "end points in a ring": SOMA.encode() + b"".join(b"%d 6 0 0 0 1 %d\n" % (i, i + 1) for i in range(2, MANY // 10)),
    "end points, the last first": b"".join(b"%d 6 0 %d 0 1 %d\n" % (i, i, i - 1) for i in range(MANY // 10, 1, -1))
    + SOMA.encode(),
    "a comb": SOMA.encode() + b"".join(b"%d 3 0 %d 0 1 1\n" % (i, i) for i in range(2, MANY // 10)),
    "a soma": b"".join(b"%d 1 0 %d 0 1 %d\n" % (i, i, i - 1 or -1) for i in range(1, MANY // 10)),
    "somata": SOMA.encode() + b"".join(b"%d 1 0 %d 0 1 1\n" % (i, i) for i in range(2, MANY // 10)),
    "roots": b"".join(b"%d 2 0 0 0 1 -1\n" % i for i in range(MANY // 10)) + SOMA.encode(),
    "columns": b"1 " * MANY,
    "an id": b"9" * MANY + b" 1 0 0 0 8 -1\n",
    "a number": b"1 1 0 0 " + b"9" * MANY + b" 8 -1\n",
}


@pytest.mark.parametrize("case", HUGE_HOC)
def test_a_huge_hoc_file_costs_no_more_than_its_size(case: str):
    told_or_read(read_hoc, "huge.hoc", HUGE_HOC[case])


@pytest.mark.parametrize("case", HUGE_SWC)
@pytest.mark.parametrize("axon", [True, False])
def test_a_huge_swc_file_costs_no_more_than_its_size(case: str, axon: bool):
    told_or_read(lambda file: read_swc(file, axon=axon), "huge.swc", HUGE_SWC[case])
