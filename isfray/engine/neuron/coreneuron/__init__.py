"""Functions of CoreNEURON that faster ones stand in for, in C++: which they are, where, and whether.

The headers beside this file are included in what is compiled for CoreNEURON, where they replace and nowhere else
(patch.hpp). The linker (``--wrap``) calls theirs in place of the functions of `REPLACED`. A process compares its first
step with CoreNEURON's own (comparison.hpp).
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from isfray.errors import InputError

FOLDER = Path(__file__).resolve().parent
"""The headers."""
TESTED = (9, 0, 2)
"""The last version of NEURON whose functions they were held against; the first is 9.0."""
REPLACED = (
    "_ZN10coreneuron13register_mechEPPKcPFvPdPiiEPFvPNS_9NrnThreadEPNS_9Memb_listEiESC_SC_SC_SC_SC_ii",
    "_ZN10coreneuron16nrn_get_mechnameEi",
    "_ZN10coreneuron16hoc_register_varEPNS_8DoubScalEPNS_7DoubVecEPNS_8VoidFuncE",
    "_ZN10coreneuron11set_globalsEPKcbi",
    "_ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE",
    "_ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE",
)
"""By the linker's names."""
_SWITCH = "ISFRAY_COREPATCH"


@dataclass(frozen=True)
class Patch:
    """What a build for CoreNEURON is made with besides the mechanisms.

    Attributes
    ----------
    included : str
        The header that comes before everything else; "" for none.
    functions : tuple of str
        Replaced by the linker.
    """

    included: str = ""
    functions: tuple[str, ...] = ()

    @property
    def headers(self) -> list[Path]:
        """The header and those it includes."""
        return sorted(FOLDER.glob("*.hpp")) if self.included else []


def is_known(version: str) -> bool:
    """Whether the functions of this version of NEURON are those that the headers were tested with."""
    numbers = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return numbers is not None and (9, 0, 0) <= tuple(int(x or 0) for x in numbers.groups()) <= TESTED


def patch_for(platform: str, version: str, switch: str) -> Patch:
    """What replaces what, by `sys.platform`, version of NEURON, and ``$ISFRAY_COREPATCH``: 0 for no function.

    Raises
    ------
    InputError
        If the switch is neither 0 nor 1 (nor empty).
    """
    if switch not in {"", "0", "1"}:
        raise InputError("is no switch", key=_SWITCH, value=switch, expected="0 or 1")
    if not is_known(version):
        return Patch()
    if switch == "0" or platform != "linux":  # other linkers cannot do that
        return Patch("exp.hpp")  # the mechanisms' own: no function of CoreNEURON
    return Patch("patch.hpp", REPLACED)


def patch() -> Patch:
    """Return what replaces what in this process."""
    return patch_for(sys.platform, neuron_version(), os.environ.get(_SWITCH, ""))


@cache
def neuron_version() -> str:
    """Version of the NEURON that is installed."""
    return metadata.version("neuron")


@cache
def say_if_unknown() -> None:
    """Tell, once a process, that this version of NEURON was not tested."""
    if not is_known(version := neuron_version()):
        first_to_last = f"9.0 to {'.'.join(map(str, TESTED))}"
        print(
            f"CoreNEURON of NEURON {version} as it comes, slower: isfray has functions for those of {first_to_last}",
            file=sys.stderr,
        )
