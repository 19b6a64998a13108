"""What a frame costs: on one core, against drawing it anew with matplotlib, and on one renderer against two.

The trial is one of the built-in example, or of a run that a catalog holds; frames are 1000 x 800.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from io import BytesIO
from statistics import median
from typing import Any

import ray
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import isfray
from isfray.films.flashes import flashes
from isfray.films.scene2d import scene_2d
from isfray.films.scene3d import scene_3d
from isfray.films.shot import Shot, shot
from isfray.look.canvas import look
from isfray.look.segments import SegmentTraces
from isfray.runs import frames, session
from isfray.runs.dispatch.actors import private_memory

LOOK = look("paper")
TURNS, FILMS = 3, 2


def main() -> None:
    """Simulate a trial, draw it in every way, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", nargs=2, metavar=("URI", "NAME"), help="a run of your own")
    parser.add_argument("--frames", type=int, default=250, metavar="N", help="frames of the film (250)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        uri, name = options.run or (folder, "example")
        if not options.run:
            cell, network = isfray.example()
            isfray.simulate(cell, network, uri, run=name, trials=1, seed=7, t_stop=300.0, progress=False)
        asked = shot(uri, name, 0, t_start=220.0, t_stop=220.0 + 0.2 * options.frames, t_step=0.2)
        session.join(1)
        _, again = frames.simulate_again(asked.replay)
        session.leave()
        print(f"{again.traces.values.shape[1]} segments, {len(asked.times)} frames of 1000 x 800\n")
        orbit = report(asked, again)
        print()
        # in turns, for the speed of a shared machine drifts by more than what is asked here
        rates: dict[int, list[float]] = {1: [], 2: []}
        for n in (1, 2) * TURNS:
            rates[n] += renderers(orbit, asked, n)
        one, two = (median(rates[n]) for n in (1, 2))
        print(f"\nmedians: {one:.1f} and {two:.1f} frames/s, two against one: {two / one:.2f} times")


def report(asked: Shot, again: Any) -> Any:
    """Print what a frame costs in this process, and return the scene of an orbiting camera."""
    releases = releases_of(asked)
    given: dict[str, Any] = {"soma": again.soma, "stimulus": asked.stimulus}
    scenes = {
        "2D": scene_2d(asked.cell, again.traces, releases("sign"), LOOK, **given),
        "3D, fixed camera": scene_3d(asked.cell, again.traces, releases("celltype"), LOOK, **given),
        "3D, turning camera": scene_3d(asked.cell, again.traces, releases("celltype"), LOOK, turn=0.5, **given),
    }
    print(f"\n{'one core':44} {'ms/frame':>8}")
    for name, scene in scenes.items():
        numbers = range(0, len(asked.times), 5)
        print(f"{name:44} {milliseconds(lambda n, s=scene: s.frame(n, again.traces), numbers):8.1f}")
    redrawn = {
        "2D, matplotlib: new figure, plot() a branch": lambda n: branches(asked, again.traces, n),
        "3D, matplotlib: new figure, LineCollection": lambda n: pieces(scenes["3D, fixed camera"], again.traces, n),
    }
    for name, draw in redrawn.items():
        print(f"{name:44} {milliseconds(draw, range(0, len(asked.times), 25)):8.1f}")
    return scenes["3D, turning camera"]


def releases_of(asked: Shot) -> Any:
    """The trial's releases by a grouping."""
    import polars as pl

    rows, window = pl.DataFrame(asked.replay.releases), (float(asked.times[0]), float(asked.times[-1]))
    return lambda by: flashes(rows, asked.cell.geometry, asked.network, window, by=by, theme=LOOK.theme)


def milliseconds(draw: Any, numbers: range) -> float:
    """Mean time of a frame; the best of three rounds, for others may use the machine too."""
    draw(0)
    rounds = []
    for _ in range(3):
        began = time.perf_counter()
        for number in numbers:
            draw(number)
        rounds.append(1000 * (time.perf_counter() - began) / len(numbers))
    return min(rounds)


def branches(asked: Shot, traces: SegmentTraces, number: int) -> None:
    """Draw a 2D frame without strip and releases, as scripts usually do, into a PNG."""
    g, values = asked.cell.geometry, traces.values[number]
    figure = Figure(figsize=(10, 8), dpi=100)
    ax = figure.add_axes((0.1, 0.1, 0.85, 0.8))
    for i in range(1, len(g.nseg)):
        own = slice(g.offsets[i], g.offsets[i + 1])
        ax.plot(g.surface_start[i] + g.segment_x[own] * g.L[i], values[own])
    ax.set(xlim=(0, 1600), ylim=(-80, 30), title=f"{traces.times[number]:.3f}")
    figure.savefig(BytesIO(), format="png")


def pieces(scene: Any, traces: SegmentTraces, number: int) -> None:
    """Draw a 3D frame's cell, as scripts usually do, into a PNG."""
    figure = Figure(figsize=(10, 8), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 1000), ylim=(800, 0))
    seen, _ = scene.camera.see(scene.shape.ends)
    colours = scene.scale(traces.values[number])[scene.shape.segment] / 255
    ax.add_collection(LineCollection(seen, colors=colours, linewidths=scene.shape.radius[:, 0] * scene.camera.scale))
    figure.savefig(BytesIO(), format="png")


def renderers(scene: Any, asked: Shot, n: int) -> list[float]:
    """Draw films on so many renderers; return frames a second and print them, with the memory each has to itself."""
    session.join(n)
    began = time.perf_counter()
    ref, _ = frames.simulate_again(asked.replay)
    seconds = time.perf_counter() - began
    for _ in frames.render(scene, ref, 2 * n * frames.CHUNK):
        pass  # the processes start
    rates = []
    for _ in range(FILMS):
        began = time.perf_counter()
        for _ in frames.render(scene, ref, len(asked.times)):
            pass
        rates.append(len(asked.times) / (time.perf_counter() - began))
    memory = ray.get(ray.remote(num_cpus=1)(draw_and_weigh).remote(scene, ref)) / 2**20
    session.leave()
    print(f"Ray with {n} CPU{'s' * (n > 1)}, turning camera:", ", ".join(f"{r:.1f}" for r in rates), end=" frames/s, ")
    print(f"a renderer has {memory:.0f} MiB to itself; simulated again in {seconds:.1f} s")
    return rates


def draw_and_weigh(scene: Any, again: Any) -> int:
    """Draw a chunk and return the bytes this process has to itself."""
    frames.draw(scene, again, 0, frames.CHUNK, None)
    return private_memory()


if __name__ == "__main__":
    main()
