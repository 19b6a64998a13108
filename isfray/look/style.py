"""How every figure looks: sizes, themes, and one colour per structure, cell type and channel everywhere.

Colours follow Okabe and Ito's palette, which those with any common colour blindness can tell apart; where there are
more things than that, relatives share a hue, and the figure names them too.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from isfray.check import one_of
from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.model.sites import segment_label, segment_named

PathLike: TypeAlias = str | os.PathLike[str]

HALF_PAGE, FULL_PAGE = 85.0, 170.0
"""Widths of a column and a page of a journal, mm."""
FORMATS = ("png", "svg", "pdf", "jpg")
_MM = 1 / 25.4
_DPI, _SCREEN_DPI = 300, 130
_LABEL, _TICK = 8.0, 7.0  # pt


@dataclass(frozen=True)
class Theme:
    """Colours that depend on the paper: ink, `muted` for what stands back, `shade` for areas, `series` for runs."""

    name: str
    paper: str
    ink: str
    muted: str
    shade: str
    series: tuple[str, ...]


BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY)
"""Colours of things without one of their own."""
THEMES = {
    "light": Theme("light", "#ffffff", "#1a1a1a", "#767676", "#ececec", SERIES),
    "dark": Theme("dark", "#14171c", "#e8e8e8", "#9a9a9a", "#2a2f37", (SKY, ORANGE, GREEN, PURPLE, AMBER, BLUE)),
}

_CSS = {
    name: f"--paper:{t.paper};--ink:{t.ink};--muted:{t.muted};--shade:{t.shade};--accent:{t.series[0]}"
    for name, t in THEMES.items()
}
THEME_STYLE = f"""
:root {{ color-scheme: light dark; {_CSS["light"]} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_CSS["dark"]} }} }}
"""
"""The theme that a browser prefers, as variables of a page's style."""

STRUCTURES = {"Dendrite": BLUE, "ApicalDendrite": ORANGE, "AIS": AMBER, "Myelin": "#C2A83E", "Axon": "#C2A83E"}
STRUCTURE_NAMES = {
    "Soma": "soma",
    "Dendrite": "basal dendrite",
    "ApicalDendrite": "apical dendrite",
    "AIS": "initial segment",
    "Myelin": "myelin",
}
SIGNS = {"excitatory": GREEN, "inhibitory": PURPLE}
CELLTYPES = {
    "VPM": "#CC79A7",
    "POm": "#E3A6C8",
    "L2": "#56B4E9",
    "L3": "#2B93D6",
    "L34": "#0072B2",
    "L4py": "#66C7A5",
    "L4sp": "#009E73",
    "L4ss": "#00744F",
    "L5st": "#E69F00",
    "L5tt": "#D55E00",
    "L6cc": "#A6923A",
    "L6ccinv": "#C9B84F",
    "L6ct": "#7A6A1F",
    "L1": "#8C7AA9",
    "L23Trans": "#A79ABF",
    "L45Sym": "#6F5E94",
    "L45Peak": "#83779E",
    "L56Trans": "#5A4A7D",
    "SymLocal1": "#8E8E99",
    "SymLocal2": "#9C9CA6",
    "SymLocal3": "#7F7F8B",
    "SymLocal4": "#71717D",
    "SymLocal5": "#AAAAB3",
    "SymLocal6": "#B8B8C0",
}
CHANNELS = {
    "NaTa_t": "#D55E00",
    "NaTs2_t": "#D55E00",
    "NaTg": "#D55E00",
    "Nap_Et2": "#F08A4B",
    "Ca_HVA": "#009E73",
    "Ca_LVAst": "#66C7A5",
    "SKv3_1": "#0072B2",
    "SK_E2": "#56B4E9",
    "K_Tst": "#2F4B9B",
    "K_Pst": "#8DA0D6",
    "Im": "#A3D4F0",
    "Ih": "#CC79A7",
    "pas": "#9A9A9A",
}


def colour_of(name: str, table: dict[str, str], theme: Theme | None = None) -> str:
    """Return a thing's colour; one that `table` does not know gets one of `SERIES` by its name, everywhere the same."""
    if name == "Soma" and theme is not None:
        return theme.ink
    return table.get(name) or SERIES[zlib.crc32(name.encode()) % len(SERIES)]


def ordered(names: set[str], table: dict[str, str]) -> list[str]:
    """Return things in the order of `table`, then those that it does not know by name."""
    return [name for name in table if name in names] + sorted(names - set(table))


def density_map(theme: Theme, colour: str) -> Colormap:
    """Return a colormap from the paper to a colour and on, for densities."""
    end = "#08263b" if theme.name == "light" else "#dff1ff"
    return LinearSegmentedColormap.from_list("density", [theme.paper, colour, end])


@dataclass
class Sheet:
    """Axes to draw on: someone's own, left in their style, or a new figure in ours, without pyplot's global state."""

    ax: Axes
    theme: Theme
    own: bool
    panels: list[Axes] = field(default_factory=list)

    def done(self, path: PathLike | None) -> Axes:
        """Bring a figure of ours into style, save if asked to, and return the axes."""
        if self.own:
            for ax in self.ax.figure.axes:
                _dress(ax, self.theme)
            # a notebook shows what a cell ends with, and finds this method on the axes
            self.ax._repr_mimebundle_ = partial(_in_a_notebook, self.ax)  # type: ignore[attr-defined]
        if path is not None:
            save(self.ax, path)
        return self.ax


def sheet(
    ax: Axes | None,
    theme: str,
    *,
    width: float = HALF_PAGE,
    height: float = 60.0,
    rows: Sequence[float] = (1.0,),
) -> Sheet:
    """Return axes to draw on: `ax`, or those of a new figure of this size (mm).

    With several `rows` (relative heights) a new figure has that many panels of one time axis, all in `panels`; the last
    is `ax`.
    """
    look = THEMES[one_of("theme", theme, THEMES, "is no theme")]
    if ax is not None and not isinstance(ax, Axes):
        raise InputError("are no axes", key="ax", value=ax, expected="axes of matplotlib, or None")
    if ax is not None:
        return Sheet(ax, look, False, [ax])
    figure = Figure(figsize=(width * _MM, height * _MM), layout="constrained", facecolor=look.paper)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)  # type: ignore[union-attr,call-arg]
    grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=list(rows))
    panels = [row[0] for row in grid]
    return Sheet(panels[-1], look, True, panels)


def save(ax: Axes, path: PathLike) -> None:
    """Write the figure of `ax` in the format its name ends with; the same figure gives the same bytes."""
    out = a_path("path", path)
    kind = out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise InputError(
            "names no figure format", key="path", value=str(path), expected=f"one of .{', .'.join(FORMATS)}"
        )
    dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure = ax.get_figure(root=True)
    assert figure is not None
    with mpl.rc_context({"pdf.fonttype": 42, "svg.hashsalt": "isfray"}):
        try:
            figure.savefig(out, dpi=_DPI, facecolor=figure.get_facecolor(), metadata=dated.get(kind))
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", key="path", value=str(path)) from None


def _in_a_notebook(ax: Axes, **_: Any) -> tuple[dict[str, bytes], dict[str, dict[str, int]]]:
    """The figure of the axes as PNG, sharp on any screen, and the width it is shown at, px."""
    figure, data = ax.get_figure(root=True), BytesIO()
    assert isinstance(figure, Figure)
    figure.savefig(data, format="png", dpi=2 * _SCREEN_DPI, facecolor=figure.get_facecolor())
    width = round(figure.get_figwidth() * _SCREEN_DPI)
    return {"image/png": data.getvalue()}, {"image/png": {"width": width}}


def legend(ax: Axes, theme: Theme, **options: Any) -> None:
    """Add a legend without a frame, if anything is labelled or given as `handles`."""
    if options.get("handles") or ax.get_legend_handles_labels()[0]:
        given = {"frameon": False, "fontsize": _TICK, "handlelength": 1.4, "borderaxespad": 0.2, "labelspacing": 0.3}
        ax.legend(**{**given, "labelcolor": theme.ink, **options})


def colour_bar(ax: Axes, image: ScalarMappable, label: str, **options: Any) -> None:
    """Add a colour bar beside the axes."""
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=25, **options)
    bar.set_label(label)
    bar.outline.set_linewidth(0)


def note(ax: Axes, x: float, text: str, theme: Theme, *, line: int = 0, ha: Any = "left") -> None:
    """Write a remark above the axes at x (data), on the first or a higher `line`."""
    ax.annotate(
        text,
        (x, 1.0),
        xycoords=ax.get_xaxis_transform(),
        xytext=(0, 1.5 + 9.0 * line),
        textcoords="offset points",
        fontsize=_TICK - 0.5,
        color=theme.ink if line else theme.muted,
        ha=ha,
        va="bottom",
        annotation_clip=False,
    )


def trials(n: int) -> str:
    """Return "1 trial" or "12 trials"."""
    return f"{n:,} trial{'s' * (n != 1)}"


def place(site: str) -> str:
    """Return a site's name, or in words where it is if the name was made from a landmark or a segment."""
    if distance := re.fullmatch(r".*_somaDist_(\d+(?:\.\d+)?)", site):
        return f"{float(distance[1]):.0f} µm from the soma"
    segment = segment_named(site)
    return f"section {segment[0]}, segment {segment[1]}" if segment and segment_label(*segment) == site else site


def _dress(ax: Axes, theme: Theme) -> None:
    for text in ax.findobj(Text):
        text.set_parse_math(False)  # names may hold dollar signs
    ax.set_facecolor(theme.paper)
    for side, spine in ax.spines.items():
        spine.set_linewidth(0.6)
        spine.set_color(theme.ink)
        if side in ("top", "right") and not str(ax.get_label()).startswith("<colorbar"):
            spine.set_visible(False)
    ax.tick_params(colors=theme.ink, labelsize=_TICK, width=0.6, length=2.5, which="major")
    ax.tick_params(color=theme.ink, width=0.4, length=1.5, which="minor")
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(_LABEL)
        axis.label.set_color(theme.ink)
        locator = axis.get_major_locator()
        if isinstance(locator, MaxNLocator):
            locator.set_params(nbins=6)
    ax.title.set_fontsize(_LABEL)
    ax.title.set_color(theme.ink)
