"""Files that someone may have changed are kept, and it is said; only `force` writes over them."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import isfray
from isfray.cli import main
from isfray.errors import InputError
from tests.finished_run import finished_run

NAMES = [
    "network.param",
    "synthetic_L5tt.con",
    "synthetic_L5tt.hoc",
    "synthetic_L5tt.param",
    "synthetic_L5tt.syn",
    "synthetic_L5tt_distal_apical.landmarkAscii",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return isfray.write_example(tmp_path_factory.mktemp("example") / "model")[0].parent


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_the_example_is_completed_and_what_was_changed_is_kept(folder: Path, changed: set[str], gone: set[str]):
    original = {name: (folder / name).read_bytes() for name in NAMES}
    for name in changed:
        (folder / name).write_bytes(original[name] + b"# mine\n")
    for name in gone - changed:
        (folder / name).unlink()
    told = io.StringIO()
    with redirect_stderr(told):
        assert main(["example", str(folder)]) == 0
    assert {name for name in NAMES if (folder / name).read_bytes() != original[name]} == changed
    assert told.getvalue().count("\n") == bool(changed)
    assert all(name in told.getvalue() for name in changed)
    assert ("--force" in told.getvalue()) == bool(changed)
    assert main(["example", str(folder), "--force"]) == 0
    assert {name: (folder / name).read_bytes() for name in NAMES} == original


def test_force_is_there_in_python_too(folder: Path, capsys: pytest.CaptureFixture[str]):
    cell = folder / "synthetic_L5tt.param"
    original = cell.read_bytes()
    cell.write_text("mine")
    isfray.write_example(folder)
    assert cell.read_text() == "mine"
    assert "kept as changed: synthetic_L5tt.param;" in capsys.readouterr().err
    isfray.write_example(folder, force=True)
    assert cell.read_bytes() == original
    assert capsys.readouterr().err == ""


def test_a_saved_model_that_was_changed_is_not_saved_over(tmp_path: Path):
    made = finished_run(tmp_path)
    cell, network = isfray.load_cell(made.cell), isfray.load_network(made.network)
    for model, name in ((cell, "cell.param"), (network, "network.param")):
        path = model.save(tmp_path / "saved" / name)
        model.save(path)  # the same again is no change
        content = path.read_text()
        path.write_text(content.replace("{", "{ ", 1))
        with pytest.raises(InputError, match=rf"{name}: exists already and differs; expected .* force=True"):
            model.save(path)
        assert path.read_text().startswith("{ ")
        model.save(path, force=True)
        assert path.read_text() == content


def test_a_folder_in_the_way_is_told(tmp_path: Path):
    (tmp_path / "network.param").mkdir()
    with pytest.raises(InputError, match=r"network\.param: cannot be read"):
        isfray.write_example(tmp_path)
