"""The mechanism build: once per machine, safe against races and crashes, clear when it cannot be."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from isfray.engine.neuron.build import FLAGS, build_key, cache_folder
from isfray.engine.neuron.coreneuron import FOLDER
from isfray.formats.nmodl import read_mechanisms

ROOT = Path(__file__).resolve().parents[2]
TINY = "NEURON { SUFFIX tiny RANGE x }\nPARAMETER { x = 1 }\n"
BUILD = (
    "import sys; from pathlib import Path; from isfray.engine.neuron.build import build\n"
    "from isfray.formats.nmodl import read_mechanisms\n"
    "print(build(read_mechanisms(Path(sys.argv[1])), coreneuron=len(sys.argv) > 2))"
)


def environment(cache: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"ISFRAY_CXXFLAGS", "CXX"}}
    return kept | {"PYTHONPATH": str(ROOT), "ISFRAY_CACHE": str(cache), **more}


def builder(folder: Path, cache: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(folder), *arguments],
        env=environment(cache, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.mod").write_text(TINY)
    return tmp_path / "tiny"


LATER = """
import sys
from pathlib import Path
from isfray.engine.neuron.build import build
from isfray.engine.neuron.mechanisms import load
from isfray.formats.nmodl import read_mechanisms
tiny = read_mechanisms(Path(sys.argv[1]))
load(tiny)
print(build(tiny, coreneuron=True))
"""


def test_a_process_that_has_loaded_neuron_still_builds_for_coreneuron(tiny, tmp_path):
    environment = {**os.environ, "ISFRAY_CACHE": str(tmp_path / "cache"), "ISFRAY_CXXFLAGS": "-O0"}
    done = subprocess.run(
        [sys.executable, "-c", LATER, str(tiny)], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_file()


def test_two_processes_at_once_give_one_build(tiny, tmp_path):
    both = [builder(tiny, tmp_path / "cache", ISFRAY_CXXFLAGS="-O0") for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0][0] == said[1][0]
    assert Path(said[0][0].strip()).is_file()
    assert sorted(err.count("\n") for _, err in said) == [0, 2]  # one built, and told it; the other was quiet
    third, err = builder(tiny, tmp_path / "cache", ISFRAY_CXXFLAGS="-O0").communicate()
    assert (third, err) == (said[0][0], "")


def test_a_killed_build_is_not_taken_for_finished(tiny, tmp_path):
    cache = tmp_path / "cache"
    killed = builder(tiny, cache, ISFRAY_CXXFLAGS="-O0")
    while not list(cache.glob("mechanisms/*.building/*/*")):
        assert killed.poll() is None
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    (remains,) = cache.glob("mechanisms/*.building")
    assert not remains.with_suffix("").exists()
    out, err = builder(tiny, cache, ISFRAY_CXXFLAGS="-O0").communicate()
    assert "building mechanisms" in err
    assert Path(out.strip()).is_file()
    assert sorted(path.suffix for path in (cache / "mechanisms").iterdir()) == ["", ".lock"]


def test_the_key_follows_sources_flags_compiler_and_engine(tiny):
    compiler = "g++" if shutil.which("g++") else "c++"

    def key(flags: str = FLAGS, **engine: bool) -> str:
        return build_key(read_mechanisms(tiny), flags, compiler, **engine)

    first = key()
    assert key() == first
    os.utime(tiny / "tiny.mod", (0, 0))
    (tiny / "notes.txt").write_text("not a source")
    assert key() == first
    others = {key("-O1"), key(coreneuron=True)}
    (tiny / "tiny.mod").write_text(TINY.replace("x = 1", "x = 2"))
    others.add(key())
    (tiny / "more.inc").write_text("")
    others.add(key())
    assert len(others | {first}) == 5


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("ISFRAY_CACHE", raising=False)
    assert cache_folder() == tmp_path / "xdg" / "isfray"
    monkeypatch.setenv("ISFRAY_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def last_line(folder: Path, cache: Path, **more: str) -> str:
    process = builder(folder, cache, **more)
    err = process.communicate()[1]
    assert process.returncode == 1
    return err.splitlines()[-1]


def test_without_a_compiler_the_error_says_what_to_install(tiny, tmp_path):
    said = last_line(tiny, tmp_path / "cache", PATH="")
    assert "C++ compiler = 'g++' cannot be run" in said
    assert "apt install g++ make" in said
    assert "'/no/such/c++'" in last_line(tiny, tmp_path / "cache", CXX="/no/such/c++")


def test_without_make_the_error_says_what_to_install(tiny, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "g++").symlink_to(shutil.which("g++") or shutil.which("c++") or "")
    said = last_line(tiny, tmp_path / "cache", PATH=str(tmp_path / "bin"), CXX="g++")
    assert "make = 'make' cannot be run" in said


def test_a_failing_build_names_a_log_that_holds_the_compilers_words(tiny, tmp_path):
    (tiny / "tiny.mod").write_text(TINY + "PROCEDURE p() { x = undeclared_thing }\n")
    said = last_line(tiny, tmp_path / "cache")
    assert "InputError" in said
    log = Path(said.rpartition(" is in ")[2])
    assert "undeclared_thing" in log.read_text()
    assert not list((tmp_path / "cache" / "mechanisms").glob("*.building"))


def test_a_cache_that_cannot_be_written_is_an_input_error(tiny, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder has to be")
    assert "ISFRAY_CACHE" in last_line(tiny, tmp_path / "cache")


def test_the_exponential_of_the_vector_loops_is_exact_to_the_last_digits(tmp_path):
    source, library = tmp_path / "loop.cpp", tmp_path / "loop.so"
    source.write_text(
        'extern "C" void loop(const double* x, double* y, int n)'
        " { for (int i = 0; i < n; i++) y[i] = coreneuron::exp(x[i]); }"
    )
    command = ["g++", *shlex.split(FLAGS), "-shared", "-fPIC", "-include", FOLDER / "exp.hpp", source, "-o", library]
    subprocess.run(command, check=True)
    x = np.concatenate([np.linspace(-600, 600, 400_001), np.linspace(-1, 1, 100_001), [0.0]])
    y = np.empty_like(x)
    loop = ctypes.CDLL(str(library)).loop
    loop(x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p), len(x))
    np.testing.assert_allclose(y, np.exp(x), rtol=5e-16, atol=0)
    assert y[-1] == 1.0
    x = np.array([-1e4, 1e4, -np.inf, np.inf, np.nan, 0, 0, 0])
    loop(x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p), len(x))
    assert (y[[0, 2]] < 1e-260).all()
    assert (y[[1, 3]] > 1e260).all()
    assert np.isnan(y[4])
