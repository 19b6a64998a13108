"""What the documentation shows runs as it stands, and what it links to is there."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import isfray
from isfray import cli
from isfray.catalog import Catalog
from isfray.catalog.isf_import import import_isf
from isfray.examples import write_example
from isfray.formats.files import read_file
from isfray.formats.isf import load_cell, load_network
from isfray.formats.isf.csv import read_synapse_csv
from isfray.formats.isf.modification import KNOWN
from isfray.model import activity
from isfray.model.activity import PSTH, SPIKE_SOURCES
from isfray.model.membrane import DISTRIBUTIONS
from isfray.model.placement import place
from isfray.model.silencing import MODIFY_FUNCTIONS
from isfray.tables import SCHEMAS
from tests.catalog.synthetic import batch, spec
from tests.conftest import ROOT, ReadmeRun
from tests.edits import small_measurements
from tests.formats.test_swc import NEURITES, SOMA
from tests.model import small_cell

DOCS = ROOT / "docs"
PAGES = (*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
RUN_HERE = {"engine.md", "networks.md", "analysis.md", "catalog.md", "models.md", "start.md", "README.md"}
"""Pages whose Python a test of this file runs."""


def blocks(page: str, language: str) -> list[Any]:
    """Code blocks of a page, and what groups of `language` are."""
    text = (ROOT if page in ("README.md", "CONTRIBUTING.md") else DOCS).joinpath(page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run_here(page: str) -> dict[str, Any]:
    """Run the Python of a page in this process; its names."""
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(block, names)
    return names


def test_no_block_of_code_is_left_unchecked():
    for page in PAGES:
        for language in re.findall(r"^ *```(\S+)$", page.read_text(), re.MULTILINE):
            checked = {
                "python": page.name in RUN_HERE | {"animations.md"},
                "json": page.name == "models.md",
                "toml": page.name == "cluster.md",
            }
            assert language.startswith("{") or checked.get(language), f"{page.name}: {language}"


def test_the_readme_s_program_tells_where_synapses_lie_and_is_that_of_the_first_page(readme_run: ReadmeRun):
    assert "shape: (22, 2)" in readme_run.stdout
    assert "8/8 trials" in readme_run.stderr
    assert (readme_run.folder / "psth.png").is_file()
    assert blocks("start.md", "python") == [readme_run.program]
    assert len(readme_run.program.splitlines()) <= 14


def test_the_code_of_models_runs(tmp_path: Path):
    program = "\n".join(blocks("models.md", "python"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    (tmp_path / "shared" / "morphologies").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "139 sections" in done.stdout
    assert {path.name for path in tmp_path.glob("*.png")} == {"cell.png", "synapses.png"}


def test_the_files_that_models_shows_are_a_cell_and_a_network(tmp_path: Path):
    write_example(tmp_path)
    cell, network = blocks("models.md", "json")
    (tmp_path / "cell.param").write_text(cell)
    (tmp_path / "network.param").write_text(network)
    assert {m.label for m in load_cell(tmp_path / "cell.param").membranes} == {"Soma", "Dendrite", "ApicalDendrite"}
    assert load_network(tmp_path / "network.param").names == ("VPM_C2",)


def files_of(page: str) -> dict[str, str]:
    """Files that a page shows, by the name above them."""
    return dict(blocks(page, r"\{code-block\} none\n:caption: (\S+)"))


@pytest.fixture
def small_files(tmp_path: Path) -> Path:
    """Folder of the files that the page of formats shows: one small model, and results of it."""
    for name, text in files_of("formats.md").items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_cell_that_formats_shows_is_read_with_the_site_it_tells(small_files: Path):
    cell = load_cell(small_files / "small.param")
    assert cell.morphology.labels == ("Soma", "Dendrite", *["ApicalDendrite"] * 3)
    assert cell.morphology.parent_x.tolist()[1:] == [0.5, 0.5, 1.0, 1.0]
    text = (DOCS / "formats.md").read_text()
    assert f"`{cell.sites[0].label}`" in text
    traced = load_cell(small_files / "small.swc", biophysics=small_files / "small.param")
    assert traced.morphology.labels == cell.morphology.labels
    assert traced.geometry.L[1:].tolist() == cell.geometry.L[1:].tolist()


def test_the_network_that_formats_shows_lies_on_its_cell_where_the_results_have_it(small_files: Path):
    geometry = load_cell(small_files / "small.param").geometry
    network = load_network(small_files / "network.param")
    assert network.synapse_weights[0, 0].tolist() == [[1.2, 1.2], [1.9, 1.9], [0.7, 0.7]]
    placed = place(network.synapses.section_id, network.synapses.x, geometry)
    stored = read_synapse_csv(read_file(small_files / "simulation_run0000_synapses.csv"))
    assert stored.columns["section_pt_id"].tolist() == placed.section_pt_id[stored.columns["synapse_id"]].tolist()
    assert stored.columns["soma_distance"].tolist() == placed.soma_distance[stored.columns["synapse_id"]].tolist()
    low, high = network.modify_functions[0].soma_dist_ranges["VPM_C2"]
    assert ((low <= placed.soma_distance) & (placed.soma_distance < high)).tolist() == [False, False, True]


def test_the_templates_that_formats_shows_make_a_network(small_files: Path):
    measured = small_files / "ongoing.param", [small_files / "evoked_VPM.param"]
    built = isfray.build_network(*measured, small_files / "NumberOfConnectedCells.csv", small_files / "small")
    probabilities = {p.name: a.probabilities for p in built.populations for a in p.activity if isinstance(a, PSTH)}
    assert probabilities == {"VPM_C2": (0.05, 0.12), "VPM_B2": (-0.01,)}


def test_the_result_folder_that_formats_shows_is_imported(small_files: Path, tmp_path: Path):
    for kind, model in (("neuron", "small"), ("network", "network")):
        shutil.copy(small_files / f"{model}.param", small_files / f"seed7_pid1_{kind}_model.param")
    site = load_cell(small_files / "small.param").sites[0].label
    traces = small_files / "seed7_pid1_vm_all_traces.csv"
    shutil.copy(traces, small_files / f"seed7_pid1_{site}_vm_dend_traces.csv")
    catalog = Catalog(tmp_path / "results")
    assert import_isf(catalog, "of_isf", small_files).trials == 1
    assert catalog.scan("cell_activation", "of_isf").collect()["times"].to_list() == [[0.01, 0.03], [0.02]]
    assert catalog.scan("synapse_activation", "of_isf").collect()["times"].to_list() == [[0.01, 0.03], [0.02]]


def test_formats_tells_of_everything_the_readers_know():
    text = (DOCS / "formats.md").read_text()
    known = (*activity.DISTRIBUTIONS, *SPIKE_SOURCES, *KNOWN, *MODIFY_FUNCTIONS)
    for name in (*known, *(path.stem for path in (ROOT / "mod").glob("*.mod"))):
        assert f"`{name}`" in text, name


def test_sections_of_formats_can_be_linked_by_their_titles():
    text = re.sub(r"^```.*?^```", "", (DOCS / "formats.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^##+ (.+)$", text, re.MULTILINE)
    named = re.findall(r"^\(formats-([\w-]+)\)=\n##+ ", text, re.MULTILINE)
    assert named == [slug(title) for title in titles]


CITED = re.compile(r"\bdocs/(formats|networks)\.md,\s([^()`]+)\)")


def test_every_section_that_is_cited_is_a_heading_of_its_page():
    cited = []
    sources = [path for room in ("isfray", "tests", "scripts", "mod") for path in sorted((ROOT / room).rglob("*.*"))]
    for path in [path for path in sources if path.suffix in (".py", ".mod", ".inc", ".hpp")]:
        text = path.read_text()
        found = CITED.findall(text)
        assert len(found) == len(re.findall(r"docs/(?:formats|networks)\.md,", text)), f"{path}: (docs/PAGE.md, TITLE)"
        assert not re.search(r"FORMATS \d", text), f"{path}: cite a section of docs/formats.md"
        cited += [(path, page, " ".join(title.split())) for page, titles in found for title in titles.split(",")]
    assert len(cited) > 50
    for path, page, title in cited:
        assert slug(title) in anchors(DOCS / f"{page}.md"), f"{path}: {title}"


def test_models_tells_of_everything_the_readers_know():
    text = (DOCS / "models.md").read_text()
    mechanisms = {path.stem for path in (ROOT / "mod").glob("*.mod")} - {"epsp", "SKv3_1_copy"}
    for name in (*DISTRIBUTIONS, *KNOWN, *(m for m in mechanisms if not m.endswith("_old"))):
        assert f"`{name}`" in text, name


def test_the_engine_of_the_page_on_engines_runs_through_simulate(tmp_path: Path):
    (program,) = blocks("engine.md", "python")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    catalog = Catalog(tmp_path / "leaky")
    assert catalog.verify("C2").ok
    assert catalog.scan("trials").select("engine", "n_releases").filter(pl.col("n_releases") > 0).collect().height == 16


def test_the_code_of_animations_calls_what_is_there_with_arguments_it_takes():
    """Its films take minutes; the examples in the docstrings of the same functions are run."""
    calls = [
        node
        for block in blocks("animations.md", "python")
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    assert len(calls) > 3
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        function = getattr(isfray, call.func.attr)
        inspect.signature(function).bind(*call.args, **{str(k.arg): k.value for k in call.keywords})


def test_the_code_of_networks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small_measurements.write(tmp_path)
    small_cell.write(tmp_path).rename(tmp_path / "cell.param")
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "cell.swc").write_text(SOMA + NEURITES)
    monkeypatch.chdir(tmp_path)
    names = run_here("networks.md")
    assert len(blocks("networks.md", "python")) == 6
    evoked = {p.column for p in names["both"].populations if len(p.activity) > 1}
    assert {"E1", "B3"} < evoked
    assert "VPM" not in {p.celltype for p in names["no_thalamus"].populations}
    assert (tmp_path / "my_cell" / "cell.swc").is_file()


def test_the_code_of_analysis_runs_on_the_readme_s_run(
    readme_run: ReadmeRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(readme_run.folder)
    names = run_here("analysis.md")
    assert len(blocks("analysis.md", "python")) == 8
    shown = capsys.readouterr().out
    assert "8 of 8 trials: 100%" in shown
    assert "PROJECT 2/11 COLUMNS" in shown
    late = (pl.col("site") == "soma") & (pl.col("time") >= 200.0)
    assert (
        names["rate"]["spikes"].sum() == names["catalog"].scan("spike_times", "stim_C2").filter(late).collect().height
    )
    figures = {"psth.png", "inputs.pdf", "voltage.svg", "excitation.png", "dendrogram.png"}
    assert figures <= {path.name for path in readme_run.folder.glob("*.*")}


def test_the_code_of_the_catalog_reads_tables_without_isfray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    catalog = Catalog(tmp_path / "results")
    catalog.open_run(spec())
    for trial in range(4):
        catalog.commit("stim_C2", batch([trial]))
    catalog.compact("stim_C2")
    catalog.commit("stim_C2", batch([4]))
    monkeypatch.chdir(tmp_path)
    names = run_here("catalog.md")
    assert len(blocks("catalog.md", "python")) == 3
    frame = names["frame"].collect()
    assert set(frame["trial"]) == set(range(5)) == set(names["rows"]["trial"])
    counted = dict(frame.group_by(pl.col("celltype").cast(pl.String)).len().iter_rows())
    printed = ast.literal_eval(capsys.readouterr().out)
    assert {celltype: n for celltype, n, _ in printed} == counted


def test_the_catalog_s_page_tells_every_column_of_every_table():
    text = (DOCS / "catalog.md").read_text()
    for table, schema in SCHEMAS.items():
        section = text[text.index(f"### `{table}`") :].split("\n### ")[0].split("\n## ")[0]
        told = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)))
        assert set(schema.names) - {"trial"} == set(told), table


def commands() -> list[tuple[str, str]]:
    """Every call of `isfray` and of a script in blocks without a language, by page; a line that ends in \\ goes on."""
    found = []
    for page in PAGES:
        fenced = re.findall(r"^```(.*?)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for block in [text for language, text in fenced if not language]:
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                for call in re.findall(r"(?:^|-- )((?:python )?(?:isfray|scripts/[\w-]+)(?: [^#]*)?)(?:#.*)?$", line):
                    found.append((page.name, call.removeprefix("python ").strip()))
    return found


def test_every_command_that_is_shown_is_one():
    shown = commands()
    assert len(shown) > 9
    for page, call in shown:
        program, *arguments = shlex.split(call)
        if program == "isfray":
            cli._parser().parse_args(arguments)
        else:
            script = ROOT / program
            assert os.access(script, os.X_OK) or script.suffix == ".sbatch", f"{page}: {call}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_is_one(page: Path):
    (choices,) = (action.choices for action in cli._parser()._actions if action.choices)
    for name in re.findall(r"`isfray ([a-z][\w-]*)", page.read_text()):
        assert name in choices, name


def anchors(page: Path) -> set[str]:
    """What a link can lead to on a page: its headings, as GitHub and the site name them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = [re.sub(r"[`*]", "", title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {slug(title) for title in titles}


def slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_file_of_the_project_that_is_named_is_there(page: Path):
    for name in re.findall(r"`((?:docs|scripts|tests|isfray|mod)/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_the_first_page_tells_of_every_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    section = (DOCS / "start.md").read_text().split("## Extras")[1].split("\n## ")[0]
    told = re.findall(r"`([\w-]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)))
    assert set(told) == set(extras)


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == isfray.__version__
    assert {"title", "message", "authors", "license", "type"} <= set(cited)


def test_the_tutorial_is_kept_without_outputs():
    cells = json.loads((DOCS / "tutorial.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
