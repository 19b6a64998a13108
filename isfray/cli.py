"""The command line. Exit status 0 on success, 2 on wrong input with one clear line, 1 if trials or a check failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from inspect import signature
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn, get_args, get_type_hints

import isfray
from isfray.errors import InputError
from isfray.model.display import megabytes

if TYPE_CHECKING:
    from isfray.catalog import Catalog

_FIGURES = ("psth", "raster", "voltage", "activations", "currents", "morphology", "dendrogram")
_DRAWN = {"command", "kind", "uri", "name", "out"}  # what plot and animate are told beside options of the picture
_MESSAGE = 300  # letters of what argparse says, which repeats what it was given


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        told = message if len(message) <= _MESSAGE else message[:_MESSAGE] + "..."
        raise InputError(f"{self.prog}: {told}", expected=f"see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be text
    try:
        options = _parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except InputError as error:
        print(f"isfray: {error}", file=sys.stderr)
        return 2
    except (isfray.TrialError, isfray.RunError, isfray.ReplayError) as error:
        print(f"isfray: {error}", file=sys.stderr)
        return 1
    except SystemExit as done:  # --help, --version
        return int(done.code or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="isfray", description="Simulate network-embedded detailed neurons, trial by trial, on Ray.")
    parser.add_argument("--version", action="version", version=f"isfray {isfray.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    demo = commands.add_parser("demo", help="the whole story on the built-in synthetic example")
    demo.add_argument("--out", default="demo", metavar="DIR", help="folder for models and results (demo)")
    demo.add_argument("--trials", type=int, default=16, metavar="N", help="trials the run shall have in all (16)")
    demo.add_argument("--force", action="store_true", help="write the models' files anew where they were changed")
    demo.set_defaults(command=_demo)

    example = commands.add_parser("example", help="write the built-in synthetic example as ISF files")
    example.add_argument("folder", metavar="DIR")
    example.add_argument("--force", action="store_true", help="replace files there that were changed")
    example.set_defaults(command=_example)

    run = commands.add_parser("run", help="simulate the trials of a run into a catalog, or resume it")
    run.add_argument("--cell", required=True, metavar="FILE", help="cell .param file")
    run.add_argument("--network", required=True, metavar="FILE", help="network .param file")
    run.add_argument("--catalog", required=True, metavar="URI", help="folder or s3://bucket/prefix")
    run.add_argument("--run", required=True, metavar="NAME", help="name of the run; the same name resumes it")
    run.add_argument("--trials", required=True, type=int, metavar="N", help="trials the run shall have in all")
    run.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the run (0)")
    run.add_argument("--t-stop", type=float, metavar="MS", help="simulated time (the cell file's tStop)")
    run.add_argument("--workers", type=int, metavar="N", help="simulation actors, one CPU each (all CPUs)")
    run.add_argument("--engine", metavar="E", help="coreneuron (default) or neuron, the same but several times slower")
    run.add_argument("--record", action="append", metavar="PLACE", help="sites (default), all, or a place; repeatable")
    run.add_argument("--search-path", action="append", default=[], metavar="DIR", help="where else named files may be")
    run.set_defaults(command=_run)

    config = commands.add_parser("run-config", help="simulate the runs that a TOML file describes, or resume them")
    config.add_argument("file", metavar="FILE", help="see docs/cluster.md; paths in it are relative to it")
    config.add_argument("--catalog", metavar="URI", help="instead of the file's")
    config.add_argument("--trials", type=int, metavar="N", help="instead of the file's")
    _add_how(config)
    config.set_defaults(command=_run_config)

    resume = commands.add_parser("resume", help="simulate what is missing of a run, from its catalog alone")
    resume.add_argument("uri", metavar="URI", help="the catalog: folder or s3://bucket/prefix")
    resume.add_argument("name", metavar="NAME", help="name of the run")
    resume.add_argument("--trials", type=int, metavar="N", help="trials in all (the most that were asked for)")
    _add_how(resume)
    resume.set_defaults(command=_resume)

    info = commands.add_parser("info", help="what a catalog, or one run of it, holds")
    info.add_argument("uri", metavar="URI")
    info.add_argument("name", nargs="?", metavar="NAME")
    info.set_defaults(command=_info)

    verify = commands.add_parser("verify", help="check everything the catalog promises")
    verify.add_argument("uri", metavar="URI")
    verify.add_argument("name", nargs="?", metavar="NAME")
    verify.add_argument("--repair", action="store_true", help="withdraw wrong trials, remove what no reader sees")
    verify.set_defaults(command=_verify)

    compact = commands.add_parser("compact", help="turn a run's many small files into few large ones")
    compact.add_argument("uri", metavar="URI")
    compact.add_argument("name", metavar="NAME")
    compact.set_defaults(command=_compact)

    delete = commands.add_parser("delete", help="remove a run and all its results")
    delete.add_argument("uri", metavar="URI")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(command=_delete)

    # a picture's options are keyword arguments of what draws it: those not given are left to its defaults
    plot = commands.add_parser("plot", help="draw a figure of a run", argument_default=argparse.SUPPRESS)
    plot.add_argument("kind", metavar="KIND", help=", ".join(_FIGURES))
    plot.add_argument("uri", metavar="URI")
    plot.add_argument("name", metavar="NAME", nargs="+", help="the run; psth and raster draw several")
    plot.add_argument("--out", required=True, metavar="F", help=".png, .svg, .pdf or .jpg")
    plot.add_argument("--theme", metavar="T", help="light (default) or dark")
    plot.add_argument("--site", metavar="PLACE", help="recorded place (soma)")
    plot.add_argument("--trial", type=int, metavar="N", help="one trial (raster of cells, morphology, currents)")
    plot.add_argument("--of", metavar="WHAT", help="raster: spikes (default) or cells")
    plot.add_argument("--celltype", metavar="TYPE", help="activations: only synapses of this presynaptic type")
    plot.add_argument("--t-min", type=float, metavar="MS", help="time shown from")
    plot.add_argument("--t-max", type=float, metavar="MS", help="time shown to")
    plot.add_argument("--bin-size", type=float, metavar="MS", help="psth, activations: width of a bin")
    plot.set_defaults(command=_plot)

    animate = commands.add_parser("animate", help="make a film of one trial", argument_default=argparse.SUPPRESS)
    animate.add_argument(
        "kind", metavar="2d|3d|page", help="voltage against soma distance; in space; the interactive page"
    )
    animate.add_argument("uri", metavar="URI")
    animate.add_argument("name", metavar="NAME", help="the run")
    animate.add_argument("--out", required=True, metavar="F", help=".mp4, .gif, .html (page: only this), or a folder")
    animate.add_argument("--trial", type=int, metavar="N", help="the trial (0)")
    animate.add_argument("--t-start", type=float, metavar="MS", help="time shown from (25 ms before the stimulus)")
    animate.add_argument("--t-stop", type=float, metavar="MS", help="time shown to (25 ms after the stimulus)")
    animate.add_argument("--t-step", type=float, metavar="MS", help="from frame to frame (0.2)")
    animate.add_argument("--fps", type=float, metavar="F", help="frames a second (20)")
    animate.add_argument("--preset", metavar="P", help="paper (default), talk or square")
    animate.add_argument("--theme", metavar="T", help="light or dark, instead of the preset's")
    animate.add_argument("--variable", metavar="V", help="v (default), or a range variable such as Ca_HVA.ica")
    animate.add_argument("--by", metavar="G", help="synapses by celltype, sign, column or synapse_type")
    animate.add_argument("--turn", type=float, metavar="DEG", help="3d: of the camera from frame to frame (0.5)")
    animate.add_argument("--workers", type=int, metavar="N", help="CPUs to draw on (all)")
    animate.set_defaults(command=_animate)

    report = commands.add_parser("report", help="a run on one self-contained HTML page")
    report.add_argument("uri", metavar="URI")
    report.add_argument("name", metavar="NAME")
    report.add_argument("--out", required=True, metavar="F", help=".html file")
    report.add_argument("--film", action="append", default=[], metavar="F", help="an animation to include; repeatable")
    report.set_defaults(command=_report)

    export = commands.add_parser("export", help="write a run in the raw layout of ISF, or as NWB")
    export.add_argument("uri", metavar="URI")
    export.add_argument("name", metavar="NAME")
    export.add_argument("folder", metavar="DIR")
    export.add_argument("--to", choices=["isf", "nwb"], default="isf", help="isf (default), or nwb: NAME.nwb in DIR")
    export.set_defaults(command=_export)

    imported = commands.add_parser("import", help="read ISF's raw result folders into a run")
    imported.add_argument("folder", metavar="DIR", help="a result folder, or any folder above some")
    imported.add_argument("--catalog", required=True, metavar="URI", help="folder or s3://bucket/prefix")
    imported.add_argument("--run", required=True, metavar="NAME", help="name of the run")
    imported.add_argument(
        "--search-path", action="append", default=[], metavar="DIR", help="where else named files may be"
    )
    imported.set_defaults(command=_import)

    mechanisms = commands.add_parser("mechanisms", help="the compiled ion channels and synapses")
    mechanisms_commands = mechanisms.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    build = mechanisms_commands.add_parser("build", help="compile them ahead of the first simulation")
    build.set_defaults(command=_build)
    return parser


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, metavar="N", help="simulation actors, one CPU each (all CPUs)")
    parser.add_argument("--log", choices=("text", "json"), default="text", help="progress on stderr (text)")


def _demo(options: argparse.Namespace) -> int:
    from isfray.runs.demo import demo

    demo(options.out, options.trials, force=options.force)
    return 0


def _example(options: argparse.Namespace) -> int:
    from isfray.examples import write_example

    cell, network = write_example(options.folder, force=options.force)
    print(f"synthetic cell     {cell}\nsynthetic network  {network}")
    return 0


def _run(options: argparse.Namespace) -> int:
    cell = isfray.load_cell(options.cell, options.search_path)
    network = isfray.load_network(options.network, options.search_path)
    record = options.record or ["sites"]
    handle = isfray.simulate(
        cell,
        network,
        options.catalog,
        run=options.run,
        trials=options.trials,
        seed=options.seed,
        t_stop=options.t_stop,
        workers=options.workers,
        engine=options.engine,
        record=record[0] if len(record) == 1 else record,
    )
    _print_run(handle.catalog, handle.name)
    return 0


def _run_config(options: argparse.Namespace) -> int:
    from isfray.runs.config import run_config

    log = "json" if options.log == "json" else None
    instead = {"catalog": options.catalog, "trials": options.trials, "workers": options.workers, "progress": log}
    for done in run_config(options.file, **instead):
        for handle in [done] if isinstance(done, isfray.RunHandle) else done.values():
            _print_run(handle.catalog, handle.name)
    return 0


def _resume(options: argparse.Namespace) -> int:
    from isfray.runs.resume import resume

    log = "json" if options.log == "json" else True
    handle = resume(options.uri, options.name, trials=options.trials, workers=options.workers, progress=log)
    _print_run(handle.catalog, handle.name)
    return 0


def _info(options: argparse.Namespace) -> int:
    catalog = _existing(options.uri)
    if options.name is not None:
        _print_run(catalog, options.name)
        return 0
    from isfray.catalog.watch import states

    runs = catalog.infos()
    going = states(catalog, runs)
    print(f"{catalog.uri}: {len(runs)} run{'s' * (len(runs) != 1)}")
    for about in runs:
        print(
            f"  {about.name}  {about.trials_committed}/{about.trials_asked} trials  seed {about.seed}  {about.created}"
        )
        if about.name in going:
            print(f"    {going[about.name]}")
    return 0


def _print_run(catalog: Catalog, name: str) -> None:
    from isfray.catalog.provenance import made_with
    from isfray.catalog.watch import in_progress

    about = catalog.info(name)
    print(f"{name} in {catalog.uri}: {about.trials_committed} of {about.trials_asked} trials, seed {about.seed}")
    settings = about.settings
    said = [f"{key} {settings[key]:g} ms" for key in ("t_stop", "dt") if key in settings]
    said += [f"engine {settings.engine}"] if settings.engine is not None else []
    print(f"  {', '.join([*said, about.created])}")
    if (state := in_progress(catalog, name)) is not None:
        print(f"  {state}")
    for role, files in about.inputs.items():
        print(f"  {role:10} {files['main']['name']}  sha256 {files['main']['sha256'][:12]}")
    made = dict.fromkeys(line for session in about.sessions for line in made_with(session.provenance))
    for line in made:
        print(f"  {'made with':10} {line}")
    for table, rows in about.rows.items():
        print(f"  {table:20} {rows:>12,} rows {megabytes(about.bytes[table]):>10}")


def _verify(options: argparse.Namespace) -> int:
    from isfray.catalog.inspection import IMPORTED
    from isfray.catalog.mending import now_and_then

    catalog = _existing(options.uri)
    names = catalog.runs() if options.name is None else [options.name]
    fine = True
    for name in names:
        tell = now_and_then(lambda percent, name=name: print(f"{name}: {percent}% read", file=sys.stderr))  # type: ignore[misc]
        report = catalog.verify(name, repair=options.repair, tell=tell)
        fine &= report.ok
        found = "sound" if report.ok else f"{len(report.problems)} problems"
        print(f"{name}: {found}; {report.trials} trials, {report.files} files, {megabytes(report.bytes)}")
        for problem in report.problems:
            print(f"  {problem}")
        if report.withdrawn:
            print(f"  {len(report.withdrawn)} wrong trials are withdrawn; isfray resume simulates them again")
        elif report.wrong_trials and catalog.info(name).settings.engine != IMPORTED:
            print("  isfray resume simulates wrong trials again (--repair withdraws them)")
        if report.leftovers or report.removed:
            print(
                f"  {len(report.leftovers)} files that no reader sees, {len(report.removed)} removed (--repair removes)"
            )
    if options.repair and options.name is None:
        print(f"{len(catalog.sweep())} files that belonged to no run were removed")
    return 0 if fine else 1


def _compact(options: argparse.Namespace) -> int:
    report = _existing(options.uri).compact(options.name)
    print(
        f"{options.name}: {report.files_before} files, {megabytes(report.bytes_before)}"
        f" -> {report.files_after} files, {megabytes(report.bytes_after)}"
    )
    return 0


def _delete(options: argparse.Namespace) -> int:
    _existing(options.uri).delete(options.name)
    print(f"{options.name} is removed")
    return 0


def _export(options: argparse.Namespace) -> int:
    if options.to == "nwb":
        from isfray.analysis.nwb import export_nwb

        print(export_nwb(_existing(options.uri), options.name, options.folder))
        return 0
    from isfray.catalog.isf_export import export_isf

    done = export_isf(_existing(options.uri), options.name, options.folder)
    print(f"{done.trials} trials of {options.name} in {', '.join(map(str, done.folders))}")
    return 0


def _import(options: argparse.Namespace) -> int:
    from isfray.catalog.isf_import import import_isf
    from isfray.model.soundness import told

    done = import_isf(isfray.Catalog(options.catalog), options.run, options.folder, options.search_path)
    print(f"{done.trials} trials in run {done.run}, {done.already_there} of them there before")
    if done.wrong:
        print(f"isfray: {len(done.wrong)} others are wrong and were left out: {told(done.wrong)}", file=sys.stderr)
    return 1 if done.wrong else 0


def _plot(options: argparse.Namespace) -> int:
    from isfray import figures

    if options.kind not in _FIGURES:
        raise InputError("is no figure", key="KIND", value=options.kind, expected="one of " + ", ".join(_FIGURES))
    draw: Callable[..., object] = getattr(figures, f"plot_{options.kind}")
    names = options.name if len(options.name) > 1 else options.name[0]
    if len(options.name) > 1 and options.kind not in ("psth", "raster"):
        raise InputError("shows one run", key="KIND", value=options.kind, expected="one NAME")
    _draw(draw, names, options)
    return 0


def _animate(options: argparse.Namespace) -> int:
    kinds: dict[str, Callable[..., object]] = {
        "2d": isfray.animate_2d,
        "3d": isfray.animate_3d,
        "page": isfray.explore_3d,
    }
    if options.kind not in kinds:
        raise InputError("is no kind of film", key="KIND", value=options.kind, expected="2d, 3d or page")
    print(_draw(kinds[options.kind], options.name, options))
    return 0


def _draw(draw: Callable[..., object], names: str | list[str], options: argparse.Namespace) -> object:
    """Draw a picture of runs with the options given, which must be keyword arguments of the function that draws it."""
    given = {key: value for key, value in vars(options).items() if key not in _DRAWN}
    taken = {*signature(draw).parameters, *_keywords(draw)}
    for key in given:
        if key not in taken:
            raise InputError(f"is no option of {options.kind}", key="--" + key.replace("_", "-"))
    return draw(_existing(options.uri), names, path=options.out, **given)


def _keywords(function: Callable[..., object]) -> list[str]:
    """Return the names that `**style: Unpack[...]` stands for, if a function has it."""
    return [name for style in get_args(get_type_hints(function).get("style")) for name in get_type_hints(style)]


def _report(options: argparse.Namespace) -> int:
    from isfray.figures import write_report

    write_report(_existing(options.uri), options.name, options.out, films=options.film)
    return 0


def _existing(uri: str) -> Catalog:
    catalog = isfray.Catalog(uri)
    if not catalog.exists:
        raise InputError("is no catalog", file=uri, expected="a folder or URI that `isfray run` wrote to")
    return catalog


def _build(options: argparse.Namespace) -> int:
    from isfray.engine.kinds import engine_kind
    from isfray.engine.neuron.build import build

    print(build())
    if engine_kind(None).name == "coreneuron":
        print(build(coreneuron=True))
    return 0
