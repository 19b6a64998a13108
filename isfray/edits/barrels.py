"""The grid of whiskers and their barrel columns, and who is whose neighbour (docs/formats.md, Templates and counts)."""

from __future__ import annotations

from isfray.check import nearest
from isfray.errors import InputError

_ROWS = "ABCDE"
_GREEK = {"Alpha": 0, "Beta": 1, "Gamma": 2, "Delta": 3}
"""The columns of arc 0, by row."""

PLACE: dict[str, tuple[int, int]] = {
    **{name: (row, 0) for name, row in _GREEK.items()},
    **{f"{letter}{arc}": (row, arc) for row, letter in enumerate(_ROWS) for arc in range(1, 5)},
}
"""Row (A is 0) and arc of every whisker, which is also the name of its column."""

RECORDED_IN_C2 = {1: "D3", 2: "D2", 3: "D1", 4: "C3", 5: "C2", 6: "C1", 7: "B3", 8: "B2", 9: "B1"}
"""Whisker whose deflection, recorded in column C2, stands for a column at each position around the deflected one."""


def neighbourhood(whisker: str) -> dict[str, int]:
    """Return the columns around a deflected whisker's, itself included, and the position of each.

    Positions count 1 to 9 by rows, 5 is the deflected whisker's column; places beyond the grid are left out. Because
    the arc-0 columns lie between two rows, a whisker of arc 1 has no position 7 and one of arc 0 no position 3.

    Raises
    ------
    InputError
        If there is no such whisker.

    Examples
    --------
    >>> neighbourhood("A4")
    {'A3': 4, 'A4': 5, 'B3': 7, 'B4': 8}
    """
    if not isinstance(whisker, str) or whisker not in PLACE:
        expected = nearest(whisker, PLACE) if isinstance(whisker, str) else "a name such as C2"
        raise InputError("is not a whisker", key="whisker", value=whisker, expected=expected)
    row, arc = PLACE[whisker]
    missing = {0: 3, 1: 7}.get(arc)
    around = {
        3 * (r - row + 1) + (a - arc + 2): column
        for column, (r, a) in PLACE.items()
        if abs(r - row) <= 1 and abs(a - arc) <= 1
    }
    return {around[position]: position for position in sorted(around) if position != missing}
