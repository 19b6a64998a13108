"""Morphologies in `.hoc` files: the few statements such files are made of, read as NEURON runs them.

(docs/formats.md, Morphologies)

A statement, or a `{ block }` of them, has a line of its own; comments may stand between statements. What else NEURON
would run is refused by its line: a statement that is passed over is another neuron.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from isfray.errors import InputError
from isfray.model.geometry import neuron_length
from isfray.model.inputs import InputFile
from isfray.model.morphology import APICAL, AXON, DENDRITE, SHORTEST, SOMA, Morphology, Section, point_fault

_LABELS = ((SOMA, ("soma",)), (DENDRITE, ("dend", "BasalDendrite")), (APICAL, ("apical",)), (AXON, ("axon",)))
_LONGEST_NAME = 255  # of a symbol in NEURON
_MOST_SEGMENTS = 32767  # of a section in NEURON

# Nothing here gives back what it took (`*+`): a line of a million characters costs no more than as many short ones.
_GAP, _BLANK = r"[ \t]*+", r"[ \t]++"
_NAME = r"[A-Za-z_]\w*+"
_NUMBER = r"-?(?:\d{1,40}+(?:\.\d{0,40}+)?|\.\d{1,40}+)(?:[eE][-+]?\d{1,9}+)?"
_STRING = r'"[^"\\\n]*+"'
_FORMS = {
    "pt3dadd": ("pt3dadd(x, y, z, diameter)", rf"{_GAP}\({_GAP}{_NUMBER}(?:{_GAP},{_GAP}{_NUMBER}){{3}}{_GAP}\)"),
    "pt3dclear": ("pt3dclear()", rf"{_GAP}\({_GAP}\)"),
    "nseg": ("nseg = a whole number", rf"{_GAP}={_GAP}\d{{1,9}}+"),
    "create": ("create NAME", rf"{_BLANK}{_NAME}(?:{_GAP},{_GAP}{_NAME})*+"),
    "access": ("access NAME", rf"{_BLANK}{_NAME}"),
    "connect": (
        "connect child(0), parent(x), x in [0, 1]",
        rf"{_BLANK}(?P<child>{_NAME}){_GAP}\({_GAP}(?P<child_x>{_NUMBER}){_GAP}\){_GAP},"
        rf"{_GAP}(?P<parent>{_NAME}){_GAP}\({_GAP}(?P<parent_x>{_NUMBER}){_GAP}\)",
    ),
    "strdef": ('strdef NAME NAME = "text"', rf"{_BLANK}(?P<text>{_NAME})(?:{_BLANK}(?P=text){_GAP}={_GAP}{_STRING})?+"),
}
_STATEMENT = re.compile(
    "(?:"
    + "|".join(rf"(?P<{kind}>{kind}{form})" for kind, (_, form) in _FORMS.items())
    + rf"|(?P<string>{_NAME}{_GAP}={_GAP}{_STRING})|(?P<value>_\w*+{_GAP}={_GAP}{_NUMBER})"
    + r")(?=[ \t\n}]|//|/\*|\Z)",
    re.ASCII,
)
_BETWEEN = re.compile(r"(?:[ \t]++|//[^\n]*+|/\*.*?\*/)*+", re.DOTALL)
_WORD = re.compile(_NAME, re.ASCII)


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}..."


@dataclass
class _Open:
    """A section while its file is read; without a label it is no part of a neuron."""

    name: str
    label: str | None
    line: int
    points: list[tuple[float, ...]] = field(default_factory=list)
    parent: str | None = None
    parent_x: float = 0.0


def read_hoc(file: InputFile) -> Morphology:
    """Read a morphology.

    Parameters
    ----------
    file : InputFile
        A `.hoc` file of `create`, `access`, `connect`, `pt3dclear` and `pt3dadd`; `nseg`, strings and variables whose
        name begins with an underscore say nothing about the shape.

    Returns
    -------
    Morphology

    Raises
    ------
    InputError
        Naming file and line: a statement of another kind, a section without points or parent, two sections of one name.
    """
    path = file.path or file.name
    if not file.name.lower().endswith(".hoc"):
        raise InputError("is not a morphology", file=path, expected="a .hoc file")
    text = file.text.replace("\r\n", "\n").replace("\r", "\n")
    if odd := re.search(r"[\0-\x08\x0b-\x1f\x7f]", text):
        line = text.count("\n", 0, odd.start()) + 1
        raise InputError("is no text", file=path, line=line, value=odd[0], expected="statements of hoc")
    reader = _Reader(path)
    for line, statement in _statements(text, path):
        reader.take(line, statement)
    return reader.morphology()


def _statements(text: str, path: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Every statement with the line it begins in."""
    at, line, opened, fresh = 0, 1, 0, True  # `opened`: line of the block's brace; `fresh`: a statement may begin here
    while True:
        start, at = at, _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        line += text.count("\n", start, at)
        here = text[at : at + 1]
        if not here:
            break
        if here == "\n":
            line, fresh = line + 1, True
        elif here == "{" and fresh and not opened:
            opened = line
        elif here == "}" and opened:
            opened, fresh = 0, False
        elif fresh and (statement := _STATEMENT.match(text, at)):
            yield line, statement
            # points may follow each other in a line of a block, where NEURON wants nothing between them
            fresh = bool(opened) and (statement["pt3dadd"] or statement["pt3dclear"]) is not None
            at = statement.end() - 1
        else:
            raise _not_read(text, at, path, line, fresh)
        at += 1
    if opened:
        raise InputError("is not closed", file=path, line=opened, value="{", expected="}")


def _not_read(text: str, at: int, path: str, line: int, fresh: bool) -> InputError:
    end = text.find("\n", at)
    shown = text[at : min(at + 40, len(text) if end < 0 else end)].strip()
    word = _WORD.match(text, at)
    if text.startswith("/*", at):
        expected = "*/ at the end of the comment"
    elif not fresh:
        expected = "a statement, or { statements }, in a line of its own"
    elif word and word[0] in _FORMS:
        expected = _FORMS[word[0]][0]
    else:
        expected = "create, access, connect, pt3dclear, pt3dadd or nseg"
    return InputError("is no statement that isfray reads", file=path, line=line, value=shown, expected=expected)


class _Reader:
    """What the statements have made so far."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sections: dict[str, _Open] = {}
        self.strings: set[str] = set()
        self.variables: set[str] = set()
        self.current: _Open | None = None  # what NEURON's points go to
        self.created: _Open | None = None  # what a reader might take them to go to

    def take(self, line: int, statement: re.Match[str]) -> None:
        """Run one statement."""
        kind = next(kind for kind in (*_FORMS, "string", "value") if statement[kind] is not None)
        getattr(self, f"_{kind}")(line, statement)

    def error(self, problem: str, line: int, expected: str | None = None) -> InputError:
        return InputError(problem, file=self.path, line=line, expected=expected)

    def known(self, name: str, line: int) -> _Open:
        if name not in self.sections:
            raise self.error(f"{_short(name)} is no section", line, "one that was created in a line before")
        return self.sections[name]

    def here(self, line: int) -> _Open:
        """The section that points and nseg belong to."""
        if self.current is None:
            raise self.error("this belongs to no section", line, "create and access before it")
        if self.created is not None and self.created is not self.current:
            problem = f"this belongs to {_short(self.current.name)}; {_short(self.created.name)} was created since"
            raise self.error(problem, line, "access NAME before it")
        return self.current

    def name(self, name: str, kind: set[str] | dict[str, _Open], line: int) -> str:
        """A name that is, or may become, one of a kind."""
        if len(name) > _LONGEST_NAME:
            raise self.error(f"{_short(name)} is too long", line, f"a name of at most {_LONGEST_NAME} characters")
        if name in _FORMS or any(name in other for other in self.kinds() if other is not kind):
            raise self.error(f"{_short(name)} is something else already", line, "another name")
        return name

    def kinds(self) -> tuple[set[str] | dict[str, _Open], ...]:
        return self.sections, self.strings, self.variables

    def _create(self, line: int, statement: re.Match[str]) -> None:
        for name in _WORD.findall(statement["create"])[1:]:
            self.name(name, self.sections, line)
            if name in self.sections:
                raise self.error(f"section {_short(name)} is created twice", line)
            labels = [label for label, marks in _LABELS if any(mark in name for mark in marks)]
            if len(labels) > 1:
                problem = f"section {_short(name)} could be {' or '.join(labels)}"
                raise self.error(problem, line, "a name that says one structure")
            self.created = self.sections[name] = _Open(name, labels[0] if labels else None, line)
            self.current = self.current or self.created  # as NEURON: the first, until one is accessed

    def _access(self, line: int, statement: re.Match[str]) -> None:
        self.current = self.created = self.known(_WORD.findall(statement["access"])[1], line)

    def _connect(self, line: int, statement: re.Match[str]) -> None:
        child, parent = self.known(statement["child"], line), self.known(statement["parent"], line)
        form = _FORMS["connect"][0]
        if float(statement["child_x"]) != 0:
            raise self.error(f"section {_short(child.name)} is connected by another end than its 0-end", line, form)
        if not 0.0 <= float(statement["parent_x"]) <= 1.0:
            raise self.error(f"section {_short(child.name)} is connected beside {_short(parent.name)}", line, form)
        if child.parent is not None:
            raise self.error(f"section {_short(child.name)} is connected twice", line)
        if child is parent:
            raise self.error(f"section {_short(child.name)} is connected to itself", line)
        if (child.label is None) != (parent.label is None):
            unknown = child if child.label is None else parent
            expected = "a name with soma, dend, apical or axon in it"
            raise self.error(
                f"section {_short(unknown.name)} is part of the neuron, but of no known structure", line, expected
            )
        child.parent, child.parent_x = parent.name, float(statement["parent_x"])

    def _pt3dclear(self, line: int, statement: re.Match[str]) -> None:
        self.here(line).points.clear()

    def _pt3dadd(self, line: int, statement: re.Match[str]) -> None:
        section = self.here(line)
        point = tuple(map(float, statement["pt3dadd"].partition("(")[2][:-1].split(",")))
        if section.label is not None and (fault := point_fault(point)):
            problem, value, expected = fault
            raise InputError(problem, file=self.path, line=line, value=value, expected=expected)
        section.points.append(point)

    def _nseg(self, line: int, statement: re.Match[str]) -> None:
        self.here(line)
        if not 1 <= (n := int(statement["nseg"].partition("=")[2])) <= _MOST_SEGMENTS:
            expected = f"a whole number from 1 to {_MOST_SEGMENTS}"
            raise InputError("is not valid", file=self.path, line=line, key="nseg", value=n, expected=expected)

    def _strdef(self, line: int, statement: re.Match[str]) -> None:
        self.strings.add(self.name(statement["text"], self.strings, line))

    def _string(self, line: int, statement: re.Match[str]) -> None:
        name = statement["string"].partition("=")[0].strip()
        if name not in self.strings:
            raise self.error(f"{_short(name)} is no string", line, "strdef before it")

    def _value(self, line: int, statement: re.Match[str]) -> None:
        self.variables.add(self.name(statement["value"].partition("=")[0].strip(), self.variables, line))

    def morphology(self) -> Morphology:
        """The neuron; sections without a label, which stand apart from it, are left out."""
        opened = [section for section in self.sections.values() if section.label is not None]
        ids = {section.name: i for i, section in enumerate(opened)}
        sections = []
        for section in opened:
            if len(section.points) < 2:
                problem = f"section {_short(section.name)} has {len(section.points)} 3D points"
                raise self.error(problem, section.line, "at least 2")
            if section.parent is None and section.label != SOMA:
                raise self.error(f"section {_short(section.name)} is connected to nothing", section.line)
            points = np.array(section.points, np.float64)
            if neuron_length(points) < SHORTEST:
                raise self.error(f"section {_short(section.name)} has no length", section.line, "3D points apart")
            parent = -1 if section.parent is None else ids[section.parent]
            sections.append(Section(section.name, section.label or "", points, parent, section.parent_x))
        if not sections:
            raise InputError("holds no section", file=self.path, expected="create, connect and pt3dadd lines")
        try:
            return Morphology(tuple(sections))
        except InputError as error:
            raise error.at(file=self.path) from None
