"""The built-in example as data: a neuron of the right shape, innervated by depth, and said to be synthetic."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isfray.errors import InputError
from isfray.examples import STIMULUS, WHISKER, example, write_example
from isfray.examples.innervation import TYPES
from isfray.examples.morphology import SOMA_DEPTH, grow
from isfray.formats.isf import load_cell, load_network
from isfray.model.geometry import FAR_APICAL

ROOT = Path(__file__).resolve().parents[2]
DIGEST = """
import hashlib
from isfray.examples import example
files = [f for m in example() for f in (m.inputs.main, *m.inputs.references.values())]
print(hashlib.sha256(b"".join(f.data for f in files)).hexdigest())
"""


@pytest.fixture(scope="module")
def models():
    return example()


@pytest.fixture(scope="module")
def cell(models):
    return models[0]


@pytest.fixture(scope="module")
def network(models):
    return models[1]


@pytest.fixture(scope="module")
def depth(cell, network):
    """Depth of every synapse below the pia, um."""
    geometry, synapses = cell.geometry, network.synapses
    points = [s.points[:, 2] for s in cell.morphology]
    placed = zip(synapses.section_id, synapses.x, strict=True)
    return np.array([-np.interp(x, geometry.relpts[i], points[i]) for i, x in placed])


def of_type(network, celltype):
    chosen = [i for i, p in enumerate(network.populations) if p.celltype == celltype]
    return np.isin(network.synapses.population, chosen)


def files(models):
    return [f for m in models for f in (m.inputs.main, *m.inputs.references.values())]


def test_the_neuron_has_the_size_and_the_parts_of_a_thick_tufted_pyramid(cell):
    m, g = cell.morphology, cell.geometry
    assert 120 <= len(m) <= 200
    dendrites = [*m.with_label("Dendrite"), *m.with_label("ApicalDendrite")]
    assert 10_000 <= g.L[dendrites].sum() <= 18_000
    assert 6 <= sum(m.labels[i] == "Dendrite" for i in m.children[0]) <= 10
    assert sum(m.labels[i] == "ApicalDendrite" for i in m.children[0]) == 1
    assert m.labels.count("Soma") == 1
    assert m.labels[-3:] == ("AIS", "AIS", "Myelin")


def test_there_is_exactly_one_main_bifurcation_and_the_tuft_reaches_layer_1(cell):
    m, g = cell.morphology, cell.geometry
    trunk = g.main_bifurcation
    assert trunk is not None
    assert m.sections[trunk].name.startswith("apical_trunk")
    assert 700 <= g.end[trunk] <= 900
    apical = m.with_label("ApicalDendrite")
    assert 1200 <= g.end[apical].max() <= 1400
    assert all(g.end[i] < FAR_APICAL for i in apical if "oblique" in m.sections[i].name)
    top = max(s.points[:, 2].max() for s in m)
    assert -150 < top < 0


def test_dendrites_taper_and_join_where_their_parents_end(cell):
    m = cell.morphology
    for i, s in enumerate(m):
        if s.label not in ("Dendrite", "ApicalDendrite"):
            continue
        assert (np.diff(s.points[:, 3]) <= 0).all()
        assert s.points[:, 3].min() >= 0.5
        if s.parent > 0:
            parent = m.sections[s.parent]
            assert (s.points[0, :3] == parent.points[-1, :3]).all()
            assert s.points[0, 3] <= parent.points[-1, 3] + 1e-9, i
        assert np.linalg.norm(np.diff(s.points[:, :3], axis=0), axis=1).max() < 6  # synapses land smoothly


def test_another_seed_grows_another_neuron_of_the_same_class():
    one, other = grow(1), grow(2)
    assert [s.label for s in one].count("ApicalDendrite") > 30
    assert len(one) != len(other) or any(len(a.points) != len(b.points) for a, b in zip(one, other, strict=True))


def test_another_process_makes_the_same_bytes(models):
    told = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert told == hashlib.sha256(b"".join(f.data for f in files(models))).hexdigest()


def test_every_file_says_that_it_is_synthetic(models):
    names = [f.name for f in files(models)]
    assert {Path(name).suffix for name in names} == {".param", ".hoc", ".syn", ".con", ".landmarkAscii"}
    assert all("Synthetic: made by isfray's built-in example" in f.text for f in files(models))


def test_the_written_files_read_back_as_the_same_models(models, tmp_path):
    cell, network = write_example(tmp_path / "new" / "folder")
    read_cell, read_network = load_cell(cell), load_network(network)
    assert read_network == models[1]
    assert read_cell.membranes == models[0].membranes
    assert read_cell.sites == models[0].sites
    assert (read_cell.geometry.nseg == models[0].geometry.nseg).all()
    for read, made in ((read_cell, models[0]), (read_network, models[1])):
        assert read.inputs.main.data == made.inputs.main.data
        assert {k: f.data for k, f in read.inputs.references.items()} == {
            k: f.data for k, f in made.inputs.references.items()
        }


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_example(tmp_path / "file")


def test_22_cell_types_in_9_columns_make_10000_to_20000_synapses(network):
    assert len({p.celltype for p in network.populations}) == 22
    assert {p.column for p in network.populations} == {f"{row}{arc}" for row in "BCD" for arc in "123"}
    assert len(network.populations) == 22 * 9
    assert 10_000 <= len(network.synapses) <= 20_000
    assert len(network.connections) == len(network.synapses)  # every synapse has a cell
    for p, first, last in zip(
        network.populations, network.connections.offsets[:-1], network.connections.offsets[1:], strict=True
    ):
        assert set(network.connections.cell_id[first:last]) == set(range(p.n_cells)), p.name  # every cell a synapse


def test_synapses_lie_at_the_depths_their_types_innervate(cell, network, depth):
    median = {t: np.median(depth[of_type(network, t)]) for t in TYPES}
    assert median["L1"] < 150
    assert median["SymLocal1"] < 300
    assert median["L2"] < median["L4ss"] < median["L5tt"] < median["SymLocal6"]
    thalamus = depth[of_type(network, "VPM")]
    assert (abs(thalamus - 760) < 200).mean() > 0.25
    assert (abs(thalamus - 1330) < 200).mean() > 0.25
    on_soma = network.synapses.section_id == 0
    assert on_soma.any()
    assert {network.populations[p].celltype for p in network.synapses.population[on_soma]} <= {
        t for t, i in TYPES.items() if i.inhibitory
    }
    assert depth.min() > 0
    assert abs(np.median(depth[of_type(network, "SymLocal4")]) - SOMA_DEPTH) < 50


def test_the_touched_whiskers_column_answers_most(network):
    def added(population):
        return sum(sum(a.probabilities) for a in population.activity if hasattr(a, "probabilities"))

    by_name = {p.name: added(p) for p in network.populations}
    for celltype in TYPES:
        own = by_name[f"{celltype}_{WHISKER}"]
        assert own > 0
        assert all(own >= v for name, v in by_name.items() if name.startswith(f"{celltype}_")), celltype
    offsets = {a.offset for p in network.populations for a in p.activity if hasattr(a, "probabilities")}
    assert offsets == {STIMULUS}
