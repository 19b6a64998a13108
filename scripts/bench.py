"""What a trial costs: CPU seconds by phase, default against reference path; memory; what Ray and the catalog add."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import isfray

PHASES = ("activity", "binding", "integration", "rest")
PATHS: dict[str, dict[str, Any]] = {
    "default": {},
    "neuron, shared": {"engine": "neuron"},
    "reference": {"engine": "neuron", "share_synapses": False},
    "reference, -O2": {"engine": "neuron", "share_synapses": False},
    "as ISF": {"engine": "neuron", "share_synapses": False, "record": "all"},
}
"""What is compared: isfray's default; NEURON; NEURON with one point process per active synapse; that with mechanisms
compiled with the flags that NEURON uses by itself; and also with every segment recorded, as ISF does it."""
PLAIN = ("reference, -O2", "as ISF")
TURNS = 3


def main() -> None:
    """Measure what the arguments ask for; print a table, write a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", metavar="FILE", help="cell .param (default: the built-in example)")
    parser.add_argument("--network", metavar="FILE", help="network .param")
    parser.add_argument("--t-stop", type=float, default=300.0, metavar="MS")
    parser.add_argument("--trials", type=int, default=5, metavar="N", help="trials per path, alternating (5)")
    parser.add_argument("--memory-trials", type=int, default=0, metavar="N", help="trials of the memory slope (none)")
    parser.add_argument(
        "--ray-trials", type=int, default=0, metavar="N", help="trials per actor through simulate, three times (none)"
    )
    parser.add_argument("--json", default="bench.json", metavar="FILE")
    parser.add_argument("--child", metavar="PATH", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        serve(options)
        return
    result: dict[str, Any] = {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "t_stop": options.t_stop,
        "paths": alternating(options),
    }
    if options.memory_trials:
        result["memory"] = memory(options)
    if options.ray_trials:
        result["ray"] = through_ray(options)
    Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    show(result)
    print(f"\n{options.json}")


def models(options: argparse.Namespace) -> tuple[Any, Any]:
    """The cell and network that are measured."""
    if options.cell:
        return isfray.load_cell(options.cell), isfray.load_network(options.network)
    return isfray.example()


def serve(options: argparse.Namespace) -> None:
    """One simulator in a process of its own: a trial number in, what the trial cost out."""
    from isfray.activity import trial
    from isfray.engine.neuron import engine as module

    spent = dict.fromkeys(PHASES, 0.0)

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **keywords: Any) -> Any:
            began = time.process_time()
            try:
                return function(*arguments, **keywords)
            finally:
                spent[phase] += time.process_time() - began

        return run

    trial.draw_trial = timed("activity", trial.draw_trial)
    module.Synapses.bind = timed("binding", module.Synapses.bind)
    module.advance = timed("integration", module.advance)
    began = time.perf_counter()
    simulator = isfray.Simulator(*models(options), **PATHS[options.child])
    tell({"start": time.perf_counter() - began})
    for line in sys.stdin:
        spent.update(dict.fromkeys(PHASES, 0.0))
        cpu, wall = time.process_time(), time.perf_counter()
        simulator.run(seed=isfray.trial_seed(7, int(line)), t_stop=options.t_stop)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        spent["rest"] = cpu - sum(spent[p] for p in PHASES if p != "rest")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        tell({"cpu": cpu, "wall": wall, "peak_mb": peak, "rss_mb": rss_mb(), **spent})


def rss_mb() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def tell(value: dict[str, float]) -> None:
    """Answer the parent."""
    print(json.dumps(value), flush=True)


class Child:
    """A simulator in a child process."""

    def __init__(self, path: str, options: argparse.Namespace) -> None:
        command = [sys.executable, __file__, "--child", path, "--t-stop", str(options.t_stop)]
        if options.cell:
            command += ["--cell", options.cell, "--network", options.network]
        flags = {"ISFRAY_CXXFLAGS": ""} if path in PLAIN else {}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **flags}
        )
        self.start = self.answer()["start"]

    def answer(self) -> dict[str, float]:
        """What the child says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a simulator ended early; see above")
        return dict(json.loads(line))

    def trial(self, number: int) -> dict[str, float]:
        """Run one trial."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def alternating(options: argparse.Namespace) -> dict[str, Any]:
    """The same trials on every path, one after the other, trial by trial."""
    children = {path: Child(path, options) for path in PATHS}
    for child in children.values():
        child.trial(10_000)  # the first one makes connections
    found: dict[str, list[dict[str, float]]] = {path: [] for path in PATHS}
    for number in range(options.trials):
        for path, child in children.items():
            found[path].append(child.trial(number))
    out = {}
    for path, child in children.items():
        child.end()
        median = {key: statistics.median(t[key] for t in found[path]) for key in found[path][0]}
        out[path] = {"start_s": child.start, **median, "all": found[path]}
    return out


def memory(options: argparse.Namespace) -> dict[str, float]:
    """Resident memory of one simulator over many trials: its peak, and its slope after the tenth."""
    child = Child("default", options)
    found = [child.trial(k) for k in range(options.memory_trials)]
    child.end()
    late = [t["rss_mb"] for t in found[10:]]
    slope = statistics.linear_regression(range(len(late)), late).slope if len(late) > 1 else 0.0
    return {"trials": len(found), "peak_mb": found[-1]["peak_mb"], "mb_per_trial": slope}


def through_ray(options: argparse.Namespace) -> dict[str, Any]:
    """Trials per second in 1 and 2 plain loops, and through `simulate` with 1 and 2 actors.

    In turns, for the speed of a shared machine drifts by more than what Ray costs.
    """
    ways = {
        "loops_1": lambda: loops(1, options),
        "loops_2": lambda: loops(2, options),
        "actors_1": lambda: actors(1, options),
        "actors_2": lambda: actors(2, options),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, measure in ways.items():
            found[name].append(measure())
    return {name: statistics.median(rates) for name, rates in found.items()} | {"all": found}


def actors(n: int, options: argparse.Namespace) -> float:
    """Trials per second through `simulate` with `n` actors, while every one of them has a trial."""
    cell, network = models(options)
    trials = options.ray_trials * n
    with tempfile.TemporaryDirectory() as folder:
        catalog = isfray.Catalog(folder)
        isfray.simulate(cell, network, catalog, run="bench", trials=trials, seed=7, t_stop=options.t_stop, workers=n)
        ended = catalog.scan("trials", run="bench").collect()["finished_at"].sort().to_list()
    # the first to end, and the last, are nobody's throughput
    return (trials - 2 * n + 1) / (ended[trials - n] - ended[n - 1]).total_seconds()


def loops(n: int, options: argparse.Namespace) -> float:
    """Trials per second of `n` plain loops side by side: what the cores give when they share caches and memory."""

    def loop(child: Child) -> float:
        return 1 / statistics.mean(child.trial(k)["wall"] for k in range(options.ray_trials))

    children = [Child("default", options) for _ in range(n)]
    for child in children:
        child.trial(10_000)
    with ThreadPoolExecutor(n) as pool:
        rates = list(pool.map(loop, children))
    for child in children:
        child.end()
    return sum(rates)


def processor() -> str:
    """Name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def show(result: dict[str, Any]) -> None:
    """Print what was measured."""
    machine = result["machine"]
    print(f"{machine['processor']}, {machine['cores']} cores; trials of {result['t_stop']:g} ms; medians, CPU seconds")
    print(f"{'path':16}{'trial':>8}" + "".join(f"{phase:>13}" for phase in PHASES) + f"{'start s':>10}{'peak MB':>10}")
    for path, found in result["paths"].items():
        phases = "".join(f"{found[phase]:13.3f}" for phase in PHASES)
        print(f"{path:16}{found['cpu']:8.3f}{phases}{found['start_s']:10.1f}{found['peak_mb']:10.0f}")
    default = result["paths"]["default"]
    aside = 1 - default["integration"] / default["cpu"]
    times = ", ".join(f"{found['cpu'] / default['cpu']:.1f} than {path}" for path, found in result["paths"].items())
    print(f"default is times cheaper: {times}; not integration: {aside:.1%}")
    if "memory" in result:
        m = result["memory"]
        print(f"{m['trials']} trials in one process: peak {m['peak_mb']:.0f} MB, {m['mb_per_trial']:+.3f} MB per trial")
    if "ray" in result:
        r = result["ray"]
        print(
            f"trials per second: 1 loop {r['loops_1']:.3f}, 2 loops {r['loops_2']:.3f}, 1 actor {r['actors_1']:.3f},"
            f" 2 actors {r['actors_2']:.3f}; Ray and catalog cost {r['loops_1'] / r['actors_1'] - 1:+.1%} of a trial on"
            f" one actor, {r['loops_2'] / r['actors_2'] - 1:+.1%} on two;"
            f" 2 actors give {r['actors_2'] / r['actors_1']:.2f} times one, 2 loops {r['loops_2'] / r['loops_1']:.2f}"
        )


if __name__ == "__main__":
    main()
