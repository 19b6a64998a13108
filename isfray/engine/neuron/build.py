"""Compile the mechanisms once per machine, into a cache that processes share and a crash cannot spoil."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from isfray.engine.engine import Progress
from isfray.engine.neuron.coreneuron import Patch, neuron_version, patch, say_if_unknown
from isfray.errors import InputError
from isfray.formats.nmodl import own_mechanisms
from isfray.model.mechanisms import MechanismSet

# IEEE arithmetic but for division by constants: -ffast-math would make the linker switch the whole process to flushing
# denormals. __FAST_MATH__ alone lets glibc offer its vector log (4 ulp), and exp to engine="neuron". NRNGPU makes
# nocmodl's code call exp and not NEURON's hoc_Exp, and without interposition the FUNCTIONs are inlined: 21 % of
# engine="neuron". Full vectors are a fifth of engine="coreneuron" where there is AVX-512.
_OWN_PROCESSOR = "" if sys.platform == "darwin" else "-march=native "
_FULL_VECTORS = "-mprefer-vector-width=512 " if platform.machine() == "x86_64" else ""
FLAGS = (
    f"-O3 {_OWN_PROCESSOR}{_FULL_VECTORS}-fno-math-errno -fno-trapping-math -freciprocal-math "
    "-fno-semantic-interposition -D__FAST_MATH__ -DNRNGPU=1"
)
_SECONDS = {False: 15, True: 20}  # a cold build on two cores, for NEURON and for CoreNEURON


def cache_folder() -> Path:
    """``$ISFRAY_CACHE``, else ``isfray`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("ISFRAY_CACHE"):
        return Path(own).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().resolve() / "isfray"


def compiler_flags() -> str:
    """``$ISFRAY_CXXFLAGS``, else `FLAGS`."""
    return os.environ.get("ISFRAY_CXXFLAGS", FLAGS)


def build_key(mechanisms: MechanismSet, flags: str, compiler: str, *, coreneuron: bool = False) -> str:
    """Hash of everything a compiled library depends on; a library is used only where its key is met again.

    Parameters
    ----------
    mechanisms : MechanismSet
        The sources.
    flags, compiler : str
        Compiler flags, and the compiler's command.
    coreneuron : bool
        Whether the library is for CoreNEURON.

    Raises
    ------
    InputError
        If the compiler cannot be run.
    """
    python = f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"
    with_patch = patch() if coreneuron else Patch()
    library = f"CoreNEURON {with_patch}" if coreneuron else "NEURON"
    parts = (flags, _compiler_version(compiler), neuron_version(), python, _processor(), library)
    digest = hashlib.sha256("\0".join(parts).encode())
    for file in mechanisms.files:
        digest.update(f"\0{file.name}\0".encode() + file.data)
    for path in with_patch.headers:
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def _compiler() -> str:
    if chosen := os.environ.get("CXX"):
        return chosen
    # what Python was built with may be missing on this machine
    commands = (str(sysconfig.get_config_var("CXX") or "g++"), "g++", "c++", "clang++")
    return next((command for command in commands if shutil.which(shlex.split(command)[0])), "g++")


@cache
def _compiler_version(compiler: str) -> str:
    try:
        return subprocess.run([*shlex.split(compiler), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise _not_installed("C++ compiler", compiler) from error


def _not_installed(what: str, command: str) -> InputError:
    return InputError(
        "cannot be run, but the ion channels have to be compiled",
        key=what,
        value=command,
        expected="a C++ compiler and make on the PATH (Debian: apt install g++ make; macOS: xcode-select --install)",
    )


def _processor() -> str:
    # native code must not reach another kind of processor through a shared cache
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(x for x in lines if x.startswith(("vendor_id", "cpu family", "model", "flags", "CPU", "Features")))


def build_facts(engine: str, mechanisms: MechanismSet) -> dict[str, Any]:
    """What compiled code a run has on this machine, for its provenance; nothing is compiled, and no compiler needed.

    Parameters
    ----------
    engine : str
        "neuron" or "coreneuron".
    mechanisms : MechanismSet
        Of the cell.

    Returns
    -------
    dict
        Ready for JSON, as docs/schemas/provenance.json describes `engine`.
    """
    flags, compiler = compiler_flags(), _compiler()
    libraries = {"neuron": False} | ({"coreneuron": True} if engine == "coreneuron" else {})
    version, keys = None, dict[str, str | None]()
    try:
        version = _compiler_version(compiler).partition("\n")[0]
        keys = {name: build_key(mechanisms, flags, compiler, coreneuron=core) for name, core in libraries.items()}
    except InputError:  # a machine that only asks others for the run
        keys = dict.fromkeys(libraries)
    return {
        "name": engine,
        **coreneuron_facts(engine),
        "compiler": version,
        "flags": flags,
        "processor": _processor_name(),
        "mechanisms": mechanisms.sha256,
        "build_keys": keys,
    }


def _processor_name() -> str:
    found = dict(line.partition(":")[::2] for line in _processor().splitlines())
    name = next((value for key, value in found.items() if key.strip() == "model name"), "")
    return name.strip() or f"{platform.machine()} {platform.processor()}".strip()


def build(
    mechanisms: MechanismSet | None = None, progress: Progress | None = None, *, coreneuron: bool = False
) -> Path:
    """Compile mechanisms, unless this machine's cache has them; their files need not be on this machine.

    Parameters
    ----------
    mechanisms : MechanismSet, optional
        By default isfray's own.
    progress : callable, optional
        Takes one line when a build begins and one when it ends; by default they go to stderr.
    coreneuron : bool
        Build the library that CoreNEURON loads instead of the one NEURON loads.

    Returns
    -------
    Path
        The shared library.

    Raises
    ------
    InputError
        Without compiler or make, with a cache that cannot be written, or if compiling fails (names the kept log).
    """
    if coreneuron:
        say_if_unknown()
    mechanisms = own_mechanisms() if mechanisms is None else mechanisms
    flags, compiler = compiler_flags(), _compiler()
    home = cache_folder() / "mechanisms" / build_key(mechanisms, flags, compiler, coreneuron=coreneuron)
    library = home / f"lib{'core' if coreneuron else ''}nrnmech.{'dylib' if sys.platform == 'darwin' else 'so'}"
    if library.is_file():  # `home` comes to be by one rename, complete
        return library
    if not shutil.which("make"):
        raise _not_installed("make", "make")
    lock = home.with_suffix(".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", key="ISFRAY_CACHE", value=str(lock)) from error
    with FileLock(lock):
        if not library.is_file():
            tell = progress or _to_stderr
            what = "building mechanisms for CoreNEURON" if coreneuron else "building mechanisms"
            tell(f"{what} (once per machine, about {_SECONDS[coreneuron]} s)…")
            began = time.monotonic()
            _compile(mechanisms, home, library.name, flags, compiler, coreneuron)
            tell(f"{what}: done in {time.monotonic() - began:.0f} s")
    return library


def _untouched() -> dict[str, str]:
    """The environment without what a NEURON that is loaded leaves in it, where its translator would look for units."""
    return {name: value for name, value in os.environ.items() if name not in {"NEURONHOME", "NMODLHOME", "NMODL_PYLIB"}}


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _compile(mechanisms: MechanismSet, home: Path, library: str, flags: str, compiler: str, coreneuron: bool) -> None:
    work, done, log = (home.with_suffix(end) for end in (".building", ".done", ".log"))
    for remains in (work, done):  # of a build that was killed; the lock says that no other is under way
        shutil.rmtree(remains, ignore_errors=True)
    (work / "mod").mkdir(parents=True)
    for file in mechanisms.files:
        (work / "mod" / file.name).write_bytes(file.data)
    if coreneuron:
        # NEURON's wrapper of nrnivmodl-core fails at the end unless there is a `special` it can rename
        (work / platform.machine()).mkdir()
        (work / platform.machine() / "special").touch()
        with_patch = patch()
        (work / "patch").mkdir()
        for path in with_patch.headers:
            shutil.copyfile(path, work / "patch" / path.name)
        included = f"-include patch/{with_patch.included}" if with_patch.included else ""
        wrapped = " ".join(f"-Wl,--wrap={function}" for function in with_patch.functions)
        command = [_neuron_script("nrnivmodl-core"), "-p", str(os.cpu_count() or 1), "-i", f"{flags} {included}"]
        command += ["-l", wrapped, "mod"]
    else:
        command = [_neuron_script("nrnivmodl"), "-incflags", flags, "mod"]
    with log.open("wb") as output:
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=work,
            env={**_untouched(), "CXX": compiler},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    built = next(work.glob(f"*/{library}"), None)
    if ended.returncode or built is None:
        shutil.rmtree(work)
        raise InputError(f"cannot be compiled; what the compiler said is in {log}", file=mechanisms.place)
    done.mkdir()
    os.replace(built, done / library)
    os.replace(done, home)
    shutil.rmtree(work)
    log.unlink()


def has_coreneuron() -> bool:
    """Whether this NEURON comes with CoreNEURON."""
    return _neuron_scripts("nrnivmodl-core") != []


def coreneuron_facts(engine: str) -> dict[str, str]:
    """Which NEURON a run by an engine has here, and which CoreNEURON, if it has one; importing neither.

    Returns
    -------
    dict of str to str
        `neuron`: its version; for the engine "coreneuron", `coreneuron`: "replaced functions", "as it comes" or
        "absent".
    """
    facts = {"neuron": neuron_version()}
    if engine == "coreneuron":
        built = "replaced functions" if patch().functions else "as it comes"
        facts["coreneuron"] = built if has_coreneuron() else "absent"
    return facts


def _neuron_scripts(name: str) -> list[str]:
    # beside this very NEURON, whether its environment is activated or not
    files = metadata.files("neuron") or ()
    return [str(Path(str(f.locate())).resolve()) for f in files if f.name == name and ".data" not in f.parts]


def _neuron_script(name: str) -> str:
    if found := _neuron_scripts(name):
        return found[0]
    raise InputError(f"was installed without {name}", key="neuron", expected="the neuron wheel from PyPI")
