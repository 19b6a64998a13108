"""The modify functions of a network file (docs/formats.md, Network modify functions)."""

from __future__ import annotations

from collections.abc import Collection

from isfray.formats.isf.entry import Entry
from isfray.model.silencing import MODIFY_FUNCTIONS, SilenceBySomaDistance


def read_modify_functions(entry: Entry, populations: Collection[str]) -> tuple[SilenceBySomaDistance, ...]:
    """Return the modify functions of a network file, in key order.

    Raises
    ------
    InputError
        For a function, population or spike source that is not known, or a range that is none.
    """
    entry.only(MODIFY_FUNCTIONS)
    functions = []
    for name in entry.said:
        functions.append(entry.child(name).read(MODIFY_FUNCTIONS[name]))
        entry.child(name).child("soma_dist_ranges").only(populations)
    return tuple(functions)
