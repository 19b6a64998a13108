"""What the cells of a population do, as a network file says it (docs/formats.md, Activity)."""

from __future__ import annotations

from collections.abc import Collection

from isfray.check import nearest
from isfray.formats.isf.entry import Entry
from isfray.model.activity import DISTRIBUTIONS, Activity, SpikeTrain

_KINDS = "'spiketrain', 'pointcell' or a mapping of both"


def read_activity(entry: Entry, others: Collection[str]) -> tuple[Activity, ...]:
    """Return the activity of one population, in key order; both forms of `celltype` (docs/formats.md, Network files).

    Parameters
    ----------
    entry : Entry
        The population's.
    others : collection of str
        Keys of the entry that are not activity.

    Raises
    ------
    InputError
        For an unknown celltype, distribution or key, and for values out of range.
    """
    if "celltype" not in entry:
        raise entry.missing("celltype", _KINDS)
    kind = entry.data["celltype"]
    if isinstance(kind, dict):
        both = entry.child("celltype")
        entry.only(others)
        both.only(("spiketrain", "pointcell"))
        if not both.said:
            raise entry.error("celltype", "is empty", expected="'spiketrain', 'pointcell' or both")
        return tuple(_read(kind, both.child(kind)) for kind in both.said)
    if kind not in ("spiketrain", "pointcell"):
        raise entry.error("celltype", "is not a kind of activity", expected=_KINDS)
    return (_read(kind, entry, others),)


def read_pointcell(entry: Entry, others: Collection[str] = ()) -> Activity:
    """Return the pointcell activity of an entry, or of an evoked template (docs/formats.md, Templates and counts)."""
    name = entry.said.get("distribution", "normal")
    if not isinstance(name, str) or name not in DISTRIBUTIONS:
        raise entry.error("distribution", "is not a known distribution", expected=nearest(str(name), DISTRIBUTIONS))
    return entry.read(DISTRIBUTIONS[name], ("distribution", *others))


def _read(kind: str, entry: Entry, others: Collection[str] = ()) -> Activity:
    return entry.read(SpikeTrain, others) if kind == "spiketrain" else read_pointcell(entry, others)
