"""Compile the mechanisms, once per machine, into a cache that processes and crashes can share."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from isfray.model.errors import InputError

FLAGS = "-O3 -march=native -fno-math-errno"
SECONDS = {False: 15, True: 60}  # what a cold build takes on two cores, without and with CoreNEURON
Progress = Callable[[str], None]


def mod_folder() -> Path:
    """Folder of the ``.mod`` files: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "mod", package.parent / "mod"):
        if folder.is_dir():
            return folder
    raise InputError("has no folder of mechanisms beside it", file=str(package), expected="mod/*.mod")


def cache_folder() -> Path:
    """``$ISFRAY_CACHE``, else ``isfray`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("ISFRAY_CACHE"):
        return Path(own).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser().resolve() / "isfray"


def flags() -> str:
    """Compiler flags: ``$ISFRAY_CXXFLAGS``, else `FLAGS`."""
    return os.environ.get("ISFRAY_CXXFLAGS", FLAGS)


def sources(folder: Path) -> list[Path]:
    """The files that a build of `folder` is made from, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in {".mod", ".inc"})


def build_key(folder: Path, compiler_flags: str, coreneuron: bool = False) -> str:
    """Hash of all that the compiled library depends on: a library is only ever used where its key is the same.

    Parameters
    ----------
    folder : Path
        Folder of ``.mod`` and ``.inc`` files.
    compiler_flags : str
        As given to the compiler.
    coreneuron : bool
        Whether the CoreNEURON library is part of the build.
    """
    digest = hashlib.sha256()
    told = (compiler_flags, coreneuron, _compiler_version(), version("neuron"), sys.version_info[:2], sysconfig.get_platform(), _processor())  # fmt: skip
    digest.update(repr(told).encode())
    for path in sources(folder):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CXX", "")) or ["g++" if shutil.which("g++") else "c++"]


def _compiler_version() -> str:
    try:
        done = subprocess.run([*_compiler(), "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(
            "cannot be run, and is needed to compile the ion channels",
            key="C++ compiler",
            value=shlex.join(_compiler()),
            expected="g++ or clang++ (Debian, Ubuntu: apt install g++ make; macOS: xcode-select --install)",
        ) from error
    return done.stdout


def _processor() -> str:
    # -march=native code must not reach another kind of processor that shares the cache
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(
        line for line in lines if line.startswith(("vendor_id", "cpu family", "model", "flags", "Features"))
    )


def build(
    progress: Progress | None = None, *, coreneuron: bool = False, folder: Path | None = None, cache: Path | None = None
) -> Path:
    """Compile the mechanisms unless that was done before on this machine.

    Parameters
    ----------
    progress : callable, optional
        Takes one line when a build starts and one when it is done; by default they go to stderr.
    coreneuron : bool
        Also build what ``engine="coreneuron"`` needs.
    folder, cache : Path, optional
        Other ``.mod`` files and another cache than `mod_folder` and `cache_folder`.

    Returns
    -------
    Path
        The shared library to load into NEURON.

    Raises
    ------
    InputError
        Without compiler or make, or when compilation fails (the log is kept, and named).
    """
    folder, cache = folder or mod_folder(), cache or cache_folder()
    chosen = flags()
    home = cache / "mechanisms" / build_key(folder, chosen, coreneuron)
    library = home / platform.machine() / ("libnrnmech.dylib" if sys.platform == "darwin" else "libnrnmech.so")
    if library.is_file():  # `home` appears by one rename, complete
        return library
    if not shutil.which("make"):
        raise InputError("is not installed", key="make", expected="make on the PATH (Debian, Ubuntu: apt install make)")
    tell = progress or _to_stderr
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", key="ISFRAY_CACHE", value=str(cache)) from error
    with FileLock(f"{home}.lock"):
        if library.is_file():
            return library
        began = time.monotonic()
        tell(f"building mechanisms (once per machine, about {SECONDS[coreneuron]} s)…")
        with tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=home.parent) as scratch:
            work = Path(scratch) / "build"
            _compile(folder, work, chosen, coreneuron, log=Path(f"{home}.log"))
            os.replace(work, home)
        tell(f"built mechanisms in {time.monotonic() - began:.0f} s")
    return library


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _compile(folder: Path, work: Path, chosen: str, coreneuron: bool, log: Path) -> None:
    (work / "mod").mkdir(parents=True)
    for path in sources(folder):
        shutil.copyfile(path, work / "mod" / path.name)
    command = [sys.executable, str(_nrnivmodl()), "-incflags", chosen, *(["-coreneuron"] if coreneuron else []), "mod"]
    with log.open("wb") as output:
        code = subprocess.run(command, cwd=work, stdout=output, stderr=output, stdin=subprocess.DEVNULL).returncode
    if code:
        raise InputError(f"could not be compiled; see {log}", file=str(folder))
    log.unlink()


def _nrnivmodl() -> Path:
    # next to this interpreter, whether its environment is activated or not
    spec = find_spec("neuron")
    places = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    if spec and spec.origin:
        places.append(Path(spec.origin).parent / ".data" / "bin")
    for place in places:
        if (place / "nrnivmodl").is_file():
            return place / "nrnivmodl"
    raise InputError("has no nrnivmodl", key="neuron", expected=f"nrnivmodl in {places[0]}")
