"""Films and stills of one trial: simulated again from its stored releases, drawn on Ray."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from isfray.catalog import Catalog
from isfray.check import number
from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.films.explore import explore
from isfray.films.film import Film, check_writable, kind_of, write_still, write_whole
from isfray.films.shot import extremes, shot
from isfray.films.style import Style
from isfray.look.interactive import Page
from isfray.look.stimulus import Stimulus
from isfray.look.style import PathLike
from isfray.runs.frames import Scene
from isfray.runs.replay import TOLERANCE, Replayed

Catalogs = Catalog | str | os.PathLike[str]
FPS = 20.0
STILL = (2000, 1600)
"""Size of a still, pixels: a page wide in print."""


class Style2D(TypedDict, total=False):
    """Keyword arguments of every film and still; `Style` has their defaults and checks them."""

    by: str
    variable: str
    stimulus: Stimulus
    limits: tuple[float, float] | None
    colours: Mapping[str, str] | None
    flash: float
    trace: bool
    axon: bool
    preset: str
    size: tuple[int, int] | None
    theme: str | None
    tolerance: float
    workers: int | None
    progress: bool


class Style3D(Style2D, total=False):
    """And of those in space."""

    cmap: str | None
    azimuth: float
    elevation: float
    thickness: float


def animate_2d(
    catalog: Catalogs,
    run: str,
    *,
    trial: int = 0,
    path: PathLike,
    t_start: float | None = None,
    t_stop: float | None = None,
    t_step: float = 0.2,
    fps: float = FPS,
    **style: Unpack[Style2D],
) -> Film:
    """Make a film of a variable against soma distance, a line per branch, with the releases below.

    Parameters
    ----------
    catalog, run, trial, path, t_start, t_stop, t_step, fps
        As in `animate_3d`.
    limits : tuple of float, optional
        Least and greatest value on the axis; by default all that the window holds.
    by : str
        Releases are sorted by "sign" (default: excitatory or inhibitory), "celltype", "column" or "synapse_type".
    variable, stimulus, colours, flash, trace, axon, preset, size, theme, tolerance, workers, progress
        As in `animate_3d`.

    Returns
    -------
    Film

    Raises
    ------
    InputError, ReplayError
        As `animate_3d`.

    Examples
    --------
    >>> isfray.animate_2d(catalog, "stim_C2", path="vm.gif", t_start=250, t_stop=251, size=(480, 384)).path.name
    'vm.gif'
    """
    out = a_path("path", path)
    kind = kind_of(out, fps)
    one = shot(catalog, run, trial, _style({"by": "sign", **style}), t_start=t_start, t_stop=t_stop, t_step=t_step)
    return one.film(one.scene_2d, out, kind, float(fps))


def animate_3d(
    catalog: Catalogs,
    run: str,
    *,
    trial: int = 0,
    path: PathLike,
    t_start: float | None = None,
    t_stop: float | None = None,
    t_step: float = 0.2,
    fps: float = FPS,
    turn: float = 0.5,
    **style: Unpack[Style3D],
) -> Film:
    """Make a film of the neuron in space, coloured by its voltage, with its releasing synapses.

    The trial is simulated again from its stored releases, with every segment recorded, and compared with the stored
    soma voltage. Frames are drawn on all CPUs of the Ray cluster.

    Parameters
    ----------
    catalog, run : Catalog or its URI, str
        Where the trial is.
    trial : int
        Its number.
    path : path
        What to write: `.mp4`, `.gif` or `.html` (a player that needs no other file); a name without an ending is a
        folder of numbered pictures.
    t_start, t_stop : float, optional
        Time shown, ms, the end excluded; by default 25 ms before the stimulus to 25 ms after it, or the whole trial.
    t_step : float
        From frame to frame, ms. Each shows the nearest sample.
    fps : float
        Frames a second.
    turn : float
        How far the camera moves round the cell from frame to frame, degrees. If it stands still (0), frames take a
        fraction of the time.
    variable : str
        "v", or a range variable such as "Ca_HVA.ica" or "cai"; segments without it are pale.
    stimulus : float, "network" or None
        Time of the stimulus, ms; by default where the network's evoked activity is aligned to.
    limits : tuple of float, optional
        Values of the first and last colour; by default the least and greatest of all segments and samples in the
        window.
    cmap : str, optional
        A colour map of matplotlib; by default plasma, without the end that the paper would swallow.
    azimuth, elevation : float
        Where the camera stands at first, degrees; 0 and 0 show the dendrites' greatest width from the side.
    thickness : float
        Dendrites are drawn this many times as thick as they are (2.5), so that one sees their colour; the soma is not.
    by : str
        Colour of a releasing synapse: "celltype" (default), "sign", "column" or "synapse_type".
    colours : mapping, optional
        Colours of these groups instead of the usual ones; others are not shown. An empty one shows no synapse.
    flash : float
        How long a synapse is shown, from its release on, ms; at least the time between frames.
    trace : bool
        Show the soma's voltage in a strip of its own.
    axon : bool
        Draw the artificial axon's myelin too (1 mm).
    preset : str
        "paper" (1000 x 800, light), "talk" (1920 x 1080, dark) or "square" (1080 x 1080, dark).
    size, theme
        Instead of the preset's: (width, height) in pixels, even; "light" or "dark".
    tolerance : float
        How far the soma's voltage may be from the stored one, mV.
    workers : int, optional
        CPUs of a Ray that is started for this; by default all of the machine.
    progress : bool
        Show a bar on a terminal or in a notebook.

    Returns
    -------
    Film
        A notebook shows it; printed, it tells its duration and its pace.

    Raises
    ------
    InputError
        If anything asked for is wrong: before Ray is started.
    ReplayError
        If the trial simulated again is not the stored one. Nothing is written then.

    Examples
    --------
    >>> isfray.animate_3d(catalog, "stim_C2", path="cell.mp4", t_start=250, t_stop=251, size=(480, 384)).path.name
    'cell.mp4'
    """
    out = a_path("path", path)
    kind = kind_of(out, fps)
    turn = number("turn", turn)
    one = shot(catalog, run, trial, _style(style), t_start=t_start, t_stop=t_stop, t_step=t_step)

    def scene(replayed: Replayed) -> Scene:
        return one.scene_3d(replayed, extremes(replayed), turn)

    return one.film(scene, out, kind, float(fps))


def plot_cell(
    catalog: Catalogs, run: str, *, trial: int = 0, t: float, path: PathLike, **style: Unpack[Style3D]
) -> Film:
    """Draw the neuron in space at one time of a trial.

    Parameters
    ----------
    catalog, run, trial
        As in `animate_3d`, and so is all that is not said here.
    t : float
        ms.
    path : path
        `.png` file to write; by default 2000 x 1600 pixels.
    limits : tuple of float, optional
        Values of the first and last colour; by default the least and greatest at this time.

    Returns
    -------
    Film
        Of one frame.

    Raises
    ------
    InputError, ReplayError
        As `animate_3d`.

    Examples
    --------
    >>> picture = isfray.plot_cell(catalog, "stim_C2", trial=0, t=255.9, path="cell.png", size=(500, 400))
    >>> picture.path.name
    'cell.png'
    """
    if str(style.get("preset", "paper")) == "paper":
        style.setdefault("size", STILL)
    out = _named(path, ".png", "picture")
    one = shot(catalog, run, trial, _style(style), at=t)
    replayed = one.again()
    write_still(out, one.scene_3d(replayed).frame(0, replayed.traces))
    return Film(out, (float(t),), 1.0, one.style.look.size, replayed.compared)


def explore_3d(
    catalog: Catalogs,
    run: str,
    *,
    trial: int = 0,
    path: PathLike,
    t_start: float | None = None,
    t_stop: float | None = None,
    t_step: float = 0.2,
    variable: str = "v",
    stimulus: Stimulus = "network",
    tolerance: float = TOLERANCE,
    workers: int | None = None,
) -> Page:
    """Write a page on which one turns the neuron, moves in time and asks any section for its trace.

    Parameters
    ----------
    path : path
        `.html` file to write; it needs no other file.
    catalog, run, trial, t_start, t_stop, t_step, variable, stimulus, tolerance, workers
        As in `animate_3d`.

    Returns
    -------
    Page
        Its path; a notebook shows it.

    Raises
    ------
    InputError, ReplayError
        As `animate_3d`.

    Examples
    --------
    >>> isfray.explore_3d(catalog, "stim_C2", trial=0, path="cell.html", t_start=250, t_stop=254).path.name
    'cell.html'
    """
    out = _named(path, ".html", "page")
    style = Style(variable=variable, stimulus=stimulus, tolerance=tolerance, workers=workers)
    one = shot(catalog, run, trial, style, t_start=t_start, t_stop=t_stop, t_step=t_step)
    replayed = one.again()

    def write(part: Path) -> None:
        explore(
            one.cell,
            replayed.traces,
            one.releases,
            path=part,
            title=f"{run}, trial {trial}",
            stimulus=one.stimulus,
            limits=extremes(replayed),
        )

    write_whole(out, write)
    return Page(out)


def _style(given: Style2D | Style3D) -> Style:
    if unknown := sorted(given.keys() - Style.__dataclass_fields__.keys()):
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}")
    return Style(**given)


def _named(path: PathLike, ending: str, what: str) -> Path:
    out = a_path("path", path)
    if out.suffix.lower() != ending:
        raise InputError(f"is no {what}", key="path", value=str(path), expected=f"a name that ends with {ending}")
    check_writable(out)
    return out
