"""Texts of hoc as NEURON's own interpreter runs them, and as isfray reads them; run in a child process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.hoc import read_hoc
from isfray.model.geometry import neuron_length
from isfray.model.inputs import InputFile
from isfray.model.morphology import Morphology

Built = dict[str, tuple[list[tuple[float, ...]], float, tuple[str, float, float] | None]]
"""Section -> its points, its length, what it is attached to, where, and by which end."""

NAMES = ("soma", "dend_1", "dend_1_0", "apical_1", "apical_1_0", "axon_1", "pipette")

# What NEURON would run, run otherwise, or not run, and isfray refuses.
OUTSIDE = (
    *("{pt3dchange(0,1,2,3,4)}", "{pt3dinsert(0,1,2,3,4)}", "{pt3dremove(0)}", "{pt3dstyle(1,0,0,0)}"),
    *("{pt3dclear(9)}", "{pt3dadd(1+1,2,3,4)}", "{pt3dadd(x,2,3,4)}", "{pt3dadd(1,2,3)}", "{pt3dadd(1,2,3,4,5)}"),
    *("{pt3dadd(1,2,\\\n3,4)}", "{pt3dadd(0,0,0,1)} {pt3dadd(0,9,0,1)}", "pt3dadd(0,0,0,1) pt3dadd(0,9,0,1)"),
    *("{pt3dadd(0,0,0,1); access soma}", "{create dend_9[3]}", "{create soma}"),
    *("{create a_very_long_name" + "_" * 240 + "}", "{access nobody}", "{{access soma}}"),
    *("{connect dend_1(0), apical_1(1)}", "{connect soma(0), soma(1)}", "{connect soma(1), dend_1(0)}"),
    *("{connect soma(0), x(1)}", "soma connect dend_1(0), 1", "{connect soma(0.5), dend_1(0)}"),
    *("{connect soma(0), dend_1(1.5)}", "{connect soma(0), 1}", 'forsec "dend" pt3dadd(0,0,0,1)', "forall nseg = 3"),
    *("for i = 0, 9 pt3dadd(0, i, 0, 1)", "soma { pt3dadd(0,0,0,1) }", "proc more() { pt3dadd(0,0,0,1) }", "more()"),
    *('load_file("more.hoc")', "if (1) pt3dclear()", "objref list", "quit()", "{L = 50}", "{diam = 2}"),
    *("{diam(0:1) = 1:2}", "{Ra = 90}", "{insert pas}", "{soma.L = 9}", "{nseg = 0}", "{nseg = 1.5}"),
    *("{pt3dadd(0,0,0,1)", "{pt3dadd(0,0,0", "/* never closed", "}", '{strdef s s = "open}', '{unknown = "text"}'),
    *("{x = 1}", "{create pipette}\n{pt3dadd(0,0,0,1)}", "{pt3dadd(1e400,0,0,1)}", "{pt3dadd(0,0,0,1e-9)}"),
    *("{pt3dadd(0,0,0,1)}\0", "{create pipette}\n{connect pipette(0), soma(0.5)}", "{strdef soma}"),
    *("{_x = 1}\n{create _x}", "\x0c", "\ufeff"),
)  # fmt: skip

# What files in the wild hold besides points; `NAME` and `OTHER` are sections. Some of it is read, some refused.
ODD = (
    *OUTSIDE,
    *("// {pt3dadd(0,-9000,0,1)}", "/*\n{pt3dadd(0,-9000,0,1)}\n*/", "/* {pt3dadd(0,1,0,1)} */ {pt3dadd(0,-90,0,1)}"),
    *("{pt3dadd(0,-90,0,1) pt3dadd(0,-91,0,1)}", "{pt3dadd(0,-90,0,1)} {pt3dadd(0,-91,0,1)}"),
    *("{pt3dadd(0,-90,0,1)\npt3dadd(0,-91,0,1)\n}", "{pt3dclear()\npt3dadd(0,0,0,1)}", "{pt3dclear() pt3dclear()}"),
    *("pt3dadd(0,-90,0,1) pt3dadd(0,-91,0,1)", "pt3dclear()\npt3dadd(0,0,0,1)\npt3dadd(0,3,0,1)"),
    *("{pt3dadd(1+1,2*2,3,sqrt(4))}", "{pt3dadd(1, 2, 3)}", "{pt3dadd(+1,2,3,4)}", "{pt3dadd", "{pt3dadd(1,2,3,0)}"),
    *("{pt3dadd(1,2,3,-4)}", "{pt3dadd(1e400,2,3,4)}", "{pt3dadd(nan,2,3,4)}", "{pt3dconst(1)}", "{access NAME}"),
    *("access NAME", "{access NAME pt3dadd(0,-92,0,1)}", "{access NAME\npt3dadd(0,-92,0,1)}", "access nobody"),
    *("{create NAME}", "{create extra_dend}", "{create dend_8, dend_9}", "{create dend_7[3]}", "{create pipette_2}"),
    *("{connect NAME(0), OTHER(1)}", "{connect NAME(1), OTHER(0)}", "{connect NAME(0.5), OTHER(0)}"),
    *("{connect NAME(0), OTHER(2)}", "NAME connect OTHER(0), 1", "NAME { connect OTHER(0), 0.5 }"),
    *("{connect NAME[0](0), OTHER(1)}", "{disconnect()}", "NAME { pt3dadd(0,-93,0,1) }", "NAME pt3dadd(0,-93,0,1)"),
    *("{NAME.nseg = 3}", "forall { pt3dadd(0,-93,0,1) }", 'forsec "dend" pt3dadd(0,-93,0,1)'),
    *("for i=0,2 pt3dadd(0,-93-i,0,1)", "{diam = 3}", "{nseg = 5}", "{nseg = 3 pt3dadd(0,-94,0,1)}", "{nseg = 2.5}"),
    *("nseg=7", "proc f() { pt3dclear() }\nf()", "{proc f() { pt3dclear() }}", "func g() { return 1 }"),
    *('{strdef color color = "Red"}', "{strdef color}", '{color = "// {"}', '{strdef color color = "/*"}'),
    *('{strdef a_b a_b = "\\"}"}', '{strdef color color = "*/ }"} // {', "{_x = 1.5}", "_y = -.5e1"),
    *("{_x = 1 _y = 2}", "{soma = 1}", "{strdef NAME}", "{delete_section()}", "{}", "{ }", "{{pt3dclear()}}", "{"),
    *("/*", "*/", "//", "/**/", "/*/ {pt3dclear()} /**/", "/* // */ // /*", "{pt3dadd(0,-95,0,1) // }\n}", ";", "\0"),
    *("{pt3dadd(0,-96,0,1); pt3dadd(0,-97,0,1)}", 'load_file("x")', "objref o", "if (0) {pt3dclear()}"),
    *("{pt3dclear ( )}", "{pt3dadd(0,-90,0,1) /* a\n b */ pt3dadd(0,-91,0,1)}", "{pt3dadd(0,-90,0,1)} /* a\n b */"),
    *("/* a\n b */ {pt3dclear()}", "{pt3dadd(0,-90,0,1)} /* \n */ {pt3dadd(0,-91,0,1)}"),
    *("{create dend_6 access dend_6}", "{create dend_5\naccess dend_5\n}", "// é µ \u2028 {pt3dclear()}"),
    *("// a\x0b{pt3dclear()}", "// a\r{pt3dadd(0,-98,0,1)}", "// \\\n{pt3dadd(0,-99,0,1)}"),
    *("{create " + "p" * 255 + "}", "{create " + "p" * 256 + "}", '{strdef s s = "' + "x" * 2000 + '"}'),
    " " * 3000 + "{}",
)  # fmt: skip


@st.composite
def numbers(draw: st.DrawFn, least: float = -500.0) -> str:
    """One number, in one of the ways a number is written."""
    value = draw(st.floats(least, 500.0, width=32))
    ways = (
        f"{value:.4f}",
        f"{value:g}",
        f"{value:.3e}",
        f"{value:.2E}",
        f"{value:.1f}".replace("0.", "."),
        f"{value:.0f}.",
    )
    return draw(st.sampled_from(ways))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A neuron as files describe it, written in one of many ways, with odd lines here and there."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    lines = [f"{{create {', '.join(names)}}}"] if draw(st.booleans()) else []
    created = bool(lines)
    for i, name in enumerate(names):
        start = draw(st.permutations(("access", "connect")))
        lines += [] if created else [f"create {name}"]
        for what in start:
            if what == "access" and draw(st.integers(0, 29)):
                lines.append(f"{{access {name}}}")
            if what == "connect" and i > 0 and name != "pipette":
                x = draw(st.sampled_from(("0", "1", "1.0", "0.5", ".25", "1e0", "-0")))
                end = draw(st.sampled_from(("0", "0.0", "-0", ".0", "0", "0", "1")))
                lines.append(f"{{connect {name}({end}), {names[i // 2]}({x})}}")
        points = st.tuples(numbers(), numbers(), numbers(), numbers(2.0)).map(lambda p: f"pt3dadd({', '.join(p)})")
        added = ["pt3dclear()", *draw(st.lists(points, min_size=2, max_size=4))]
        block = ["{", f"access {name}", *added, "}"]
        lines += draw(st.sampled_from((added, [f"{{{x}}}" for x in added], [f"{{{' '.join(added)}}}"], block)))
    if draw(st.booleans()):
        odd = draw(st.sampled_from(ODD)).replace("NAME", draw(st.sampled_from(names)))
        lines.insert(draw(st.integers(0, len(lines))), odd.replace("OTHER", draw(st.sampled_from(names))))
    if not draw(st.integers(0, 3)):  # among the characters of a line
        i = draw(st.integers(0, len(lines) - 1))
        at = draw(st.integers(0, len(lines[i])))
        lines[i] = (
            lines[i][:at]
            + draw(st.sampled_from((" ", "\t", "/**/", "// ", "\n", ",", ".", "-", "0", "{}")))
            + lines[i][at:]
        )
    if draw(st.booleans()):  # two lines become one
        i = draw(st.integers(1, len(lines)))
        lines[i - 1 : i + 1] = [" ".join(lines[i - 1 : i + 1])]
    return draw(st.sampled_from(("\n", "\r\n", "\r", "\n\n", " \n\t"))).join(lines) + draw(st.sampled_from(("", "\n")))


def in_isfray(text: str) -> Morphology | InputError:
    """What isfray reads, or why it does not."""
    try:
        return read_hoc(InputFile("cell.hoc", text.encode()))
    except InputError as error:
        return error


def described(morphology: Morphology) -> Built:
    """The sections of a morphology, with points as NEURON keeps them."""
    return {
        s.name: (
            [tuple(map(float, point)) for point in s.points.astype(np.float32)],
            neuron_length(s.points),
            (morphology.sections[s.parent].name, s.parent_x, 0.0) if s.parent >= 0 else None,
        )
        for s in morphology
    }


def in_neuron(text: str) -> Built:
    """What NEURON builds of a text: the sections that hang together with the soma."""
    from neuron import h

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.hoc"
        path.write_bytes(text.encode())
        h.xopen(str(path))
    (soma,) = (s for s in h.allsec() if s.name() == "soma")
    built = {s.name(): _of(s) for s in soma.wholetree()}
    for s in list(h.allsec()):
        h.delete_section(sec=s)
    return built


def all_in_neuron(texts: list[str]) -> list[Built]:
    """What NEURON builds of each text."""
    return [in_neuron(text) for text in texts]


def _of(s: Any) -> tuple[list[tuple[float, ...]], float, tuple[str, float, float] | None]:
    points = [(s.x3d(i), s.y3d(i), s.z3d(i), s.diam3d(i)) for i in range(s.n3d())]
    parent = s.parentseg()
    if parent is None:
        return points, s.L, None
    at = 0.5 if parent.sec.name() == "soma" else parent.x  # (docs/formats.md, Morphologies)
    return points, s.L, (parent.sec.name(), at, s.orientation())


def hold_against_neuron(examples: int, derandomize: bool = True) -> int:
    """Try texts; return how many of them isfray read, all of which NEURON built alike."""
    read = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
    )
    @given(texts())
    def alike(text: str) -> None:
        nonlocal read
        found = in_isfray(text)
        if isinstance(found, InputError):
            assert len(str(found)) < 300
            return
        read += 1
        assert described(found) == in_neuron(text)

    alike()
    return read
