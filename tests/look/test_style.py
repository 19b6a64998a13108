"""One colour for one thing, in every picture."""

from __future__ import annotations

from isfray.look.style import CELLTYPES, colour_of


def test_a_type_has_one_colour_everywhere_also_one_never_seen_before():
    assert colour_of("VPM", CELLTYPES) == CELLTYPES["VPM"]
    assert colour_of("L9new", CELLTYPES) == colour_of("L9new", {})
