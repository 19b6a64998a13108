"""Networks from measurements: the published network is rebuilt, other whiskers follow the rule, mistakes are told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from isfray.edits.barrels import PLACE, RECORDED_IN_C2, neighbourhood
from isfray.edits.from_measurements import build_network
from isfray.errors import InputError
from isfray.formats.isf.network import load_network, network_from_inputs
from isfray.model.activity import PSTH, SpikeTrain
from isfray.model.network import NetworkModel
from tests.edits import small_measurements as small


def published(reference: Path, whisker: str) -> NetworkModel:
    (ongoing,) = (reference / "templates").glob("ongoing_*.param")
    return build_network(
        ongoing,
        reference / "templates",
        reference / "model" / "NumberOfConnectedCells.csv",
        reference / "model" / "example_embedding_86_C2_center",
        whisker=whisker,
    )


def test_the_published_network_is_rebuilt_from_its_measurements(reference: Path):
    built = published(reference, "C2")
    expected = load_network(reference / "model" / "network.param")
    ours, theirs = ({p.name: p for p in n.populations} for n in (built, expected))
    assert ours == theirs  # names, cell numbers, activity, release probabilities, receptors: no difference
    for network, p in ((built, 0), (built, 100), (built, 277)):
        q = expected.names.index(network.names[p])
        a, b = network.synapses.offsets[p : p + 2]
        c, d = expected.synapses.offsets[q : q + 2]
        assert network.synapses.x[a:b].tolist() == expected.synapses.x[c:d].tolist()


def test_another_whisker_evokes_activity_in_its_own_neighbours(reference: Path):
    built = published(reference, "D1")
    expected = published(reference, "C2")
    evoked = {p.name for p in built.populations if any(isinstance(a, PSTH) for a in p.activity)}
    around = {"Gamma", "C1", "C2", "Delta", "D1", "D2", "E1", "E2"}
    assert evoked == {p.name for p in built.populations if p.column in around}
    assert {p.name: p.n_cells for p in built.populations} == {p.name: p.n_cells for p in expected.populations}
    d1, c2 = (n.populations[n.names.index(name)] for n, name in ((built, "VPM_D1"), (expected, "VPM_C2")))
    assert d1.activity == c2.activity


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return small.write(tmp_path_factory.mktemp("measurements"))


@pytest.mark.parametrize("whisker", PLACE)
def test_each_column_responds_as_c2_did_at_the_same_relative_position(whisker: str, files: dict[str, Path]):
    network = build_network(**files, whisker=whisker, offset=100.0)
    around = neighbourhood(whisker)
    assert set(network.names) == {f"{t}_{c}" for t in small.ONGOING["network"] for c in PLACE if small.counts(t, c)}
    for p in network.populations:
        assert p.n_cells == small.N_CELLS
        psths = [a for a in p.activity if isinstance(a, PSTH)]
        trains = [a for a in p.activity if isinstance(a, SpikeTrain)]
        assert trains == [
            {
                "VPM": SpikeTrain(interval=4761.9),
                "L4ss": SpikeTrain(interval=1886.8, noise=0.5),
                "L1": SpikeTrain(interval=142.9),
            }[p.celltype]
        ]
        if p.celltype in small.EVOKED and p.column in around:
            recorded = small.probability(p.celltype, RECORDED_IN_C2[around[p.column]])
            assert [(a.probabilities, a.offset) for a in psths] == [((recorded, -0.01), 100.0)]
        else:
            assert psths == []


def test_measurements_can_be_given_as_data_or_files(files: dict[str, Path]):
    expected = build_network(**files)
    numbers = {(column, t): small.counts(t, column) for column in PLACE for t in small.ONGOING["network"]}
    evoked = {t: files["evoked"] / f"{t}_3x3_PSTH.param" for t in small.EVOKED}
    folder = files["embedding"]
    for embedding in (folder, folder / "cell", (folder / "cell.syn", str(folder / "cell.con"))):
        assert build_network(small.ONGOING, evoked, numbers, embedding) == expected
    assert build_network(small.ONGOING, list(evoked.values()), numbers, folder) == expected
    quiet = build_network(small.ONGOING, [], numbers, folder)
    assert all(len(p.activity) == 1 for p in quiet.populations)


def test_a_built_network_is_an_ordinary_model(files: dict[str, Path], tmp_path: Path):
    network = build_network(**files)
    assert network_from_inputs(network.inputs) == network
    assert load_network(network.save(tmp_path / "saved" / "network.param")) == network
    assert sorted(p.name for p in (tmp_path / "saved").iterdir()) == ["cell.con", "cell.syn", "network.param"]


def test_a_template_with_a_convergence_needs_no_con(files: dict[str, Path]):
    template = json.loads(json.dumps(small.ONGOING))
    for entry in template["network"].values():
        entry["convergence"] = 0.5
    network = build_network(template, files["evoked"], files["counts"], files["embedding"] / "cell.syn")
    assert len(network.connections) == len(network.synapses)
    with pytest.raises(InputError, match="convergence > 0 in the entry"):
        build_network(small.ONGOING, files["evoked"], files["counts"], files["embedding"] / "cell.syn")


HEADER = "Presynaptic column\tPresynaptic cell type\tConnected presynaptic cells\n"
PSTH_ENTRY = {"distribution": "PSTH", "intervals": [(0, 1)], "probabilities": [0.5]}


def ongoing(**changed: Any) -> str:
    entry = small.ONGOING["network"]["VPM"] | changed
    return json.dumps({"network": small.ONGOING["network"] | {"VPM": entry}}, indent=1)


@pytest.mark.parametrize(
    ("argument", "name", "text", "message"),
    [
        ("ongoing", "o.param", ongoing(interval=-1.0), "o.param:5: network.VPM.interval = -1.0"),
        ("ongoing", "o.param", ongoing(intervall=1.0), "network.VPM.intervall = 1.0 is not a known key"),
        ("ongoing", "o.param", ongoing(synapses={"receptors": {}}), "network.VPM.synapses.receptors"),
        ("ongoing", "o.param", ongoing(celltype="pointcell"), "network.VPM"),
        (
            "ongoing",
            "o.param",
            ongoing().replace("VPM", "VMP"),
            "network.VMP has no counted cells; expected one of L1, L4ss, VPM",
        ),
        ("ongoing", "o.param", "{'network': {}}", "network is missing or empty"),
        ("ongoing", "o.param", "{'network': {'VPM': 3}}", "network.VPM = 3 is not a mapping"),
        ("evoked", "e.param", repr({"VPM_C2": PSTH_ENTRY}), "e.param: VPM_D3 is missing"),
        ("evoked", "e.param", repr({"VPM_A1": PSTH_ENTRY}), "e.param:1: VPM_A1 is no response"),
        ("evoked", "e.param", repr({"VPM_C2": PSTH_ENTRY | {"probabilities": []}}), "VPM_C2.probabilities = []"),
        ("evoked", "e.param", repr({"VPM_C2": PSTH_ENTRY | {"distribution": "PHST"}}), "VPM_C2.distribution"),
        ("counts", "c.csv", "a\tb\tc\n", "c.csv:1: is not a table of connected cells"),
        ("counts", "c.csv", HEADER + "C2\tVPM\n", "c.csv:2: 'C2 VPM' is not a row"),
        ("counts", "c.csv", HEADER + "C2\tVPM\t1.5\n", "c.csv:2: VPM in C2 = '1.5' is not a number of cells"),
        ("counts", "c.csv", HEADER + "C2\tVPM\t1\n\nC9\tVPM\t1\n", "c.csv:4: 'C9' is not a column"),
        ("counts", "c.csv", HEADER + "C2\tVPM\t1\nC2\tVPM\t1\n", "c.csv:3: VPM in C2 is counted twice"),
        ("embedding", "x.con", "VPM_C2\t9\t0\n", "x.con:1: cell 9 of VPM_C2 does not exist"),
    ],
)
def test_a_wrong_measurement_is_told_by_file_and_place(
    argument: str, name: str, text: str, message: str, files: dict[str, Path], tmp_path: Path
):
    path = tmp_path / name
    path.write_text(text)
    given: Any = {"evoked": [path], "embedding": (files["embedding"] / "cell.syn", path)}.get(argument, path)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        build_network(**files | {argument: given})
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"whisker": "C22"}, "whisker = 'C22' is not a whisker"),
        ({"offset": "soon"}, "offset = 'soon' is not a number"),
        ({"offset": float("nan")}, "offset = nan is not a finite number"),
        ({"counts": {("C2", "VPM"): -1}}, "VPM in C2 = -1 is not a number of cells"),
        ({"counts": {("Z2", "VPM"): 1}}, "'Z2' is not a column"),
        ({"ongoing": "nowhere.param"}, "cannot be read"),
        ({"evoked": "nowhere"}, "evoked = 'nowhere' is not a folder"),
        ({"embedding": "nowhere"}, "embedding = 'nowhere.syn' cannot be read"),
        ({"embedding": ("a.con", "a.syn")}, "embedding = 'a.con' has the wrong extension"),
    ],
)
def test_a_wrong_argument_is_told_by_its_name(arguments: dict[str, Any], message: str, files: dict[str, Path]):
    with pytest.raises(InputError, match=re.escape(message)):
        build_network(**files | arguments)


def test_folders_must_hold_what_is_looked_for(files: dict[str, Path], tmp_path: Path):
    with pytest.raises(InputError, match="holds no evoked template"):
        build_network(**files | {"evoked": tmp_path})
    with pytest.raises(InputError, match=r"holds not one \.syn file but none"):
        build_network(**files | {"embedding": tmp_path})
    vpm = files["evoked"] / "VPM_3x3_PSTH.param"
    with pytest.raises(InputError, match="has responses of VPM, as"):
        build_network(**files | {"evoked": [vpm, vpm]})
    with pytest.raises(InputError, match=r"evoked\.VMP is no cell type"):
        build_network(**files | {"evoked": {"VMP": vpm}})
