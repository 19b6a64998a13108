"""Run a piece of Python in a process of its own, so that NEURON's state cannot leak between tests."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
_BOOTSTRAP = """
import importlib, pickle, sys
module, function, arguments, out = pickle.loads(sys.stdin.buffer.read())
value = getattr(importlib.import_module(module), function)(*arguments)
with open(out, "wb") as file:
    pickle.dump(value, file)
"""


def in_child(module: str, function: str, *arguments: Any) -> Any:
    """Call `module.function(*arguments)` in a fresh interpreter and return what it returns."""
    return heard(module, function, *arguments)[0]


def heard(module: str, function: str, *arguments: Any) -> tuple[Any, str]:
    """As `in_child`, with what was said on stderr."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "value.pickle"
        job = pickle.dumps((module, function, arguments, str(out)))
        done = subprocess.run([sys.executable, "-c", _BOOTSTRAP], input=job, cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return pickle.loads(out.read_bytes()), done.stderr.decode()
