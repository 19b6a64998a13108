"""Command lines that nobody means: refused in one line, with nothing stored, or done; never a traceback."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from isfray.cli import _parser, main
from tests.finished_run import RUN, FinishedRun, finished_run

NUMBERS = ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e-9", "1e308", "1e400", "9" * 400, "9" * 5000, str(2**31)]
NUMBERS += [str(2**63), str(10**12), "", " ", "x", "½", "\u0662", "0_2", "0x10", "1,5", "\0"]
TEXTS = ["", " ", "\0", "a\0b", "x" * 300, "x/" * 3000, "ü" * 200, "\ud800", "\udcff", "~nobody-of-this-name/x", "a\nb"]
TEXTS += ["%s%n", "folder/../x", "/", "/proc/x", "{}", "[", "\x1b[31m", "'", "-", "s", "nan", "1e400"]
PLACES = ["file.txt/x.png", "file.txt/x.mp4", "file.txt/x.html", "folder", "folder.png", "none/x.png", "none/x.html"]
PLACES += ["none/x.mp4", "file.txt", "x.txt", "x.PNG", "binary.param", "binary.toml"]
FEW = {"nan", "-1", "1e308", "1e-9", "9" * 400, "x", "", "\0", "a\0b", "x" * 300, "\ud800", "/", "x/" * 3000}
IN_FULL = {"run", "resume", "info", "plot psth", "animate 3d", "import"}
# What a request that is right but for one option would do at the end: simulate. Each has something else wrong, which is
# looked at last, so that whatever the odd option is, nothing has to be simulated.
LINES: dict[str, list[str]] = {
    "demo": ["--out=file.txt/x", "--trials=0"],
    "example": ["made"],
    "run": ["--cell=CELL", "--network=NETWORK", "--catalog=URI", "--run=r", "--trials=4", "--seed=7", "--t-stop=20"],
    "run-config": ["run.toml"],
    "resume": ["URI", "r"],
    "info": ["URI", "r"],
    "verify": ["URI", "r"],
    "compact": ["URI", "nothing"],
    "delete": ["URI", "nothing"],
    "animate 2d": ["2d", "URI", "r", "--out=x.mp4", "--variable=nothing"],
    "animate 3d": ["3d", "URI", "r", "--out=x.gif", "--variable=nothing"],
    "animate page": ["page", "URI", "r", "--out=x.html", "--variable=nothing"],
    "report": ["URI", "r", "--out=x.html", "--film=none.mp4"],
    "export": ["URI", "r", "exported"],
    "export nwb": ["URI", "r", "exported", "--to=nwb"],
    "import": ["folder", "--catalog=URI", "--run=i"],
    "mechanisms": ["none"],
}
LINES |= {
    f"plot {kind}": [kind, "URI", "r", "--out=x.png"]
    for kind in ("psth", "raster", "voltage", "activations", "currents", "morphology", "dendrogram")
}
NEW_PLACES = {
    "folder/../x",
    "%s%n",
    "{}",
    "[",
    "\x1b[31m",
    "'",
    "-",
    "s",
    "nan",
    "1e400",
    "a\nb",
    "\udcff",
    "none/x.png",
}
NEW_PLACES |= {"none/x.html", "none/x.mp4", "x.txt", "x.PNG", "folder", "folder.png"}  # a run would begin there


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    folder = tmp_path_factory.mktemp("odd") / "work"
    folder.mkdir()
    run = finished_run(folder)
    (folder / "file.txt").write_text("a file")
    for name in ("folder", "folder.png"):
        (folder / name).mkdir()
    for name in ("binary.param", "binary.toml"):
        (folder / name).write_bytes(bytes(range(256)))
    (folder / "run.toml").write_text(
        'catalog = "results"\ncell = "small.param"\nnetwork = "network.param"\nrun = "r"\ntrials = 4\nseed = 7\n'
        "t_stop = 20.0\n"
    )
    return run


@pytest.fixture
def here(made: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> FinishedRun:
    monkeypatch.chdir(made.folder)
    return made


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = [a.choices for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(choices)


def slots() -> Iterator[tuple[str, str]]:
    """Every command with every option and place of it that takes a value."""
    for line in LINES:
        parser = commands()[line.split()[0]]
        for action in parser._actions:
            if action.nargs != 0:
                yield line, action.option_strings[0] if action.option_strings else action.dest


def values(line: str, slot: str) -> list[str]:
    """What is put there."""
    if slot in ("--out", "--cell", "--network", "--catalog", "--film", "--search-path", "folder", "file", "uri"):
        found = [*TEXTS, *PLACES]
    else:
        found = [*NUMBERS, *TEXTS]
    if line == "import":
        found = [value for value in found if value != "/"]  # would be searched
    if slot == "--catalog" and line != "import":
        found = [value for value in found if value not in NEW_PLACES]
    if slot == "--run" and line == "run":
        found = [value for value in found if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", value)]
    return [value for value in dict.fromkeys(found) if line in IN_FULL or value in FEW or value in PLACES]


def odd_line(line: str, slot: str, value: str, run: FinishedRun) -> list[str]:
    """The command line with this value at this place."""
    positional = [a.dest for a in commands()[line.split()[0]]._actions if not a.option_strings and a.nargs != 0]
    words, free = [], iter(positional)
    for word in LINES[line]:
        if word.startswith("--"):
            if not word.startswith(f"{slot}=") and not (slot == "--by" and word.startswith("--variable")):
                words.append(word)
        else:
            words.append(value if next(free) == slot else word)
    if slot.startswith("--"):
        words.append(f"{slot}={value}")
    if (line, slot) in {("report", "uri"), ("report", "name"), ("report", "--film")}:
        words = [word for word in words if word != "--film=none.mp4"]
    names = {"URI": run.catalog.uri, "CELL": str(run.cell), "NETWORK": str(run.network)}
    for name, path in names.items():
        words = [word.replace(name, path) for word in words]
    return [line.split()[0], *words]


@pytest.mark.parametrize(("line", "slot"), list(slots()), ids=lambda part: part.replace(" ", "-"))
def test_an_odd_value_is_refused_in_one_line_or_taken(
    line: str, slot: str, here: FinishedRun, capsys: pytest.CaptureFixture[str]
):
    before = here.contents()
    for value in values(line, slot):
        arguments = odd_line(line, slot, value, here)
        status = main(arguments)
        told = capsys.readouterr()
        about = ascii(f"{arguments} ended with {status}: {told.err[:900]}")[:2000]
        assert status in (0, 2), about
        if status == 2:
            assert len(told.err) <= 600, about
            assert told.err.count("\n") == 1, about
            assert told.err.startswith("isfray: "), about
            assert here.contents() == before, about
        _tidy(here.folder, before)
        before = here.contents()


def _tidy(folder: Path, before: dict[str, int]) -> None:
    """Remove what was written outside the catalog."""
    for path in sorted(folder.rglob("*"), reverse=True):
        name = str(path.relative_to(folder))
        if path.is_file() and name not in before and not name.startswith("results/"):
            path.unlink()
    for path in folder.iterdir():
        if path.is_dir() and path.name not in ("results", "folder", "folder.png"):
            shutil.rmtree(path)


def test_the_run_is_sound_after_all_of_this(here: FinishedRun):
    assert here.catalog.verify(RUN).ok
    assert here.catalog.runs() == [RUN]
