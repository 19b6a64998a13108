"""What the cells of a population do, as a network file says it (docs/formats.md, Activity)."""

from __future__ import annotations

from typing import Any

from isfray.check import nearest
from isfray.formats.isf.param import ParamFile
from isfray.formats.isf.validation import given, known_keys, validate
from isfray.model.activity import DISTRIBUTIONS, Activity, SpikeTrain
from isfray.model.inputs import Key


def read_activity(
    entry: dict[str, Any], param: ParamFile, path: Key, entry_keys: tuple[str, ...]
) -> tuple[Activity, ...]:
    """Return the activity of one population, in key order; both forms of `celltype` (docs/formats.md, Network files).

    Parameters
    ----------
    entry : dict
        The population's entry.
    param, path
        The file, and where in it the entry stands.
    entry_keys : tuple of str
        Keys of the entry that are not activity.

    Raises
    ------
    InputError
        For an unknown celltype, distribution or key, and for values out of range.
    """
    entry = given(entry, param, path)
    if "celltype" not in entry:
        raise param.error((*path, "celltype"), "is missing", expected="'spiketrain', 'pointcell' or a mapping of both")
    celltype, at = entry["celltype"], (*path, "celltype")
    if isinstance(celltype, dict):
        celltype = given(celltype, param, at)
        known_keys(entry, entry_keys, param, path)
        known_keys(celltype, ("spiketrain", "pointcell"), param, at)
        if not celltype:
            raise param.error(at, "is empty", expected="'spiketrain', 'pointcell' or both")
        return tuple(_component(kind, keys, param, (*at, kind), ()) for kind, keys in celltype.items())
    if celltype not in ("spiketrain", "pointcell"):
        raise param.error(at, "is not a kind of activity", expected="'spiketrain', 'pointcell' or a mapping of both")
    keys = {key: value for key, value in entry.items() if key not in entry_keys}
    return (_component(celltype, keys, param, path, entry_keys),)


def read_pointcell(keys: Any, param: ParamFile, path: Key) -> Activity:
    """Return the pointcell activity written at `path`, as evoked templates have it.

    (docs/formats.md, Templates and counts)
    """
    return _component("pointcell", keys, param, path, ())


def _component(kind: str, keys: Any, param: ParamFile, path: Key, siblings: tuple[str, ...]) -> Activity:
    if kind == "spiketrain":
        return validate(SpikeTrain, keys, param, path, siblings=siblings)
    keys = given(keys, param, path)
    name = keys.get("distribution", "normal")
    if not isinstance(name, str) or name not in DISTRIBUTIONS:
        raise param.error(
            (*path, "distribution"), "is not a known distribution", expected=nearest(str(name), DISTRIBUTIONS)
        )
    rest = {key: value for key, value in keys.items() if key != "distribution"}
    return validate(DISTRIBUTIONS[name], rest, param, path, siblings=("distribution", *siblings))
