"""Whatever stands in a `.param` file, loading it gives a model, or one line that says what is wrong."""

from __future__ import annotations

import copy
import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isfray.engine.fit import fit
from isfray.errors import InputError
from isfray.examples import example
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.model.cell import CellModel, conductances
from isfray.model.network import NetworkModel
from tests.conftest import two_populations, write_network_files
from tests.model import small_cell

# ISFRAY_FUZZ=5000 tries that many of each kind.
fuzzed = settings(
    max_examples=int(os.environ.get("ISFRAY_FUZZ", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HOSTILE = [
    *("nan", "NaN", "inf", "-Infinity", "1e400", "-1e400", "1e308", "-1e-320", "9" * 500, "9" * 30, "-1", "0", "-0.0"),
    *("0x1f", "1_0", "1j", "2**9", "--1", "+1", "007", ".5", "1.", "1e", "true", "None", "null", "Ellipsis", "x", ""),
    *('"x"', "''", "'\\ud800'", "'\\x00'", "'\\N{DASH}'", "b''", "u'x'", 'f"{1}"', "'''a\nb'''", "'a' 'b'"),
    *("[]", "{}", "()", "(1,)", "(1)", "[[1, 2], [3]]", "[1, 'x']", "{'a': 1}", "{1: 2}", "[" * 200, "{" * 200),
    *(",", ":", "}", "]", ")", "#", "\\", "\0", "\n", "\r\n", "\u2028", "\ufeff", "'", '"', '"""', "\x1b[31m", "é"),
    *("'" + "n" * 300 + ".syn'", "'/dev/null'", "'/'", "'.'", "'uniform_range'", "'exponential'", "'lognormal'"),
    *("'dynamic'", "'../../x'", "{**{}}", "*"),
]  # fmt: skip
ODD = [
    *(None, True, 0, -0.0, -1, 1, 2, 0.5, 1e-320, 1e-300, 1e-9, 1e9, 1e30, 1e300, -1e300, 2**31, -(2**31), 2**53),
    *(2**64, 10**300, "", "x", "uniform", "linear_capped", "relative", "Soma", "Axon", "pas", "../x", "a/b.syn"),
    "b" * 300,
    *("\0", "é", "\x1b[2J", "x\ny", "/dev/null", "cell.syn", "cell.con", "small.hoc", "dynamic", "lognormal"),
    *([], {}, [0], [[0, 1]], [1, 2, 3], [None], ["x"], [[]], {"a": 1}, {"pas": {}}, {"spatial": "uniform"}),
    [1e300] * 9,
]  # fmt: skip
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+\w.]+|\s+|.', re.DOTALL)
ACTIVITIES: list[dict[str, Any]] = [
    {"activeFrac": 0.5, "spikeT": 10.0, "spikeWidth": 1.0},
    {"distribution": "uniform", "activeFrac": 0.5, "window": 10.0},
    {"distribution": "lognormal", "activeFrac": 0.5, "mu": 1.0, "sigma": 1.0},
    {"distribution": "PSTH_absolute_number", "intervals": [[0, 5], [5, 9]], "number_active_synapses": [3, 1]},
    {"distribution": "PSTH_poissontrain", "intervals": [[0, 5], [5, 9]], "rates": [3.0, 1.0]},
    {"distribution": "PSTH_poissontrain_v2", "bins": [0, 5, 9], "rates": [3.0, 1.0], "intervals": None},
    {
        **{"distribution": "poissontrain_modulated", "rate_before_t_offset": 1, "mean_rate": 2, "max_modulation": 1},
        **{"modulation_frequency": 8, "bin_size": 1, "phase_distribution": "normal", "mean_phase": 0, "std_phase": 1},
    },
]


def network_of_every_kind() -> dict[str, Any]:
    data = two_populations()
    for i, keys in enumerate(ACTIVITIES):
        entry = json.loads(json.dumps(data["network"]["INH"]))
        del entry["interval"]
        del entry["synapses"]["connectionFile"]
        data["network"][f"L{i}_C2"] = entry | {"celltype": {"pointcell": keys}, "convergence": 0.5}
    ranges = {"soma_dist_ranges": {"INH": [0, 100]}}
    data["network"]["network_modify_functions"] = {
        "silence_synapses_by_somadist": ranges,
        "silence_synapses_by_somadist_and_spike_source": ranges | {"spike_sources": ["poissontrain"]},
    }
    return data


def a_cell_of_every_kind() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(small_cell.PARAM))
    spatial = {"distance": "relative", "offset": 0.5, "linScale": 2.0, "_lambda": 1.0, "xOffset": 0.0}
    data["neuron"]["ApicalDendrite"]["mechanisms"]["range"] |= {
        "Ih": {"spatial": "exponential", **spatial, "gIhbar": 1e-4},
        "Im": {"spatial": "capped_exponential", **spatial, "max_g": 1e-3, "gImbar": 1e-4},
        "SKv3_1": {"spatial": "linear", "distance": "relative", "slope": -0.5, "offset": 0.1, "gSKv3_1bar": 1e-3},
        "NaTg": {"spatial": "sigmoid", "distance": "absolute", "offset": 0, "linScale": 1, "xOffset": 9, "width": 5,
                 "gNaTgbar": 1e-3},
        "Ca_HVA": {"spatial": "uniform_range", "begin": 10, "end": 900, "outsidescale": 0.1,
                   "outsidescale_sections": [5], "gCa_HVAbar": 1e-4},
        "CaDynamics_E2": {"spatial": "uniform", "decay": 80, "gamma": 0.05, "depth": 0.1, "minCai": 1e-4},
    }  # fmt: skip
    data["neuron"]["ApicalDendrite"]["properties"]["spines"] = {"density": 1.0, "area": 1.5}
    data["neuron"]["discretization"] = {"f": 100.0, "max_seg_length": 40}
    data["neuron"]["cell_modify_functions"] = {
        "scale_apical": {"scale": 2.0, "compartment": "ApicalDendrite"},
        "soma_current_injection": {"amplitude": 0.5, "delay": 1.0, "duration": 5.0},
        "apical_epsp_injection": {"dist": 620, "amplitude": 0.5, "delay": 1.0, "rise": 1.0, "decay": 5.0},
    }
    data["mech_globals"] = {"Ih": {"ehcn": -45.0}, "SK_E2": {"zTau": 1.0}}
    return data


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree but its top."""
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [below for key, item in keys for below in ((*path, key), *places(item, (*path, key)))]


class Raw:
    """Text that stands in a file as it is."""

    def __init__(self, text: str) -> None:
        self.text = text


def written(value: Any) -> str:
    match value:
        case Raw():
            return value.text
        case dict():
            pairs = ((key[0] if isinstance(key, tuple) else key, item) for key, item in value.items())
            return "{" + ",\n".join(f"{json.dumps(key)}: {written(item)}" for key, item in pairs) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case _:
            return json.dumps(value)


@st.composite
def trees(draw: st.DrawFn, data: dict[str, Any]) -> str:
    """The text of `data` with some values replaced, removed, renamed, doubled or moved."""
    data = json.loads(json.dumps(data))
    for _ in range(draw(st.integers(1, 3))):
        everywhere = places(data)
        *parents, last = draw(st.sampled_from(everywhere))
        place: Any = data
        for step in parents:
            place = place[step]
        match draw(
            st.sampled_from(["odd", "odd", "odd", "number", "raw", "remove", "rename", "double", "move", "move"])
        ):
            case "odd":
                place[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "number":
                place[last] = draw(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
            case "raw":
                place[last] = Raw(draw(st.sampled_from(HOSTILE)))
            case "remove":
                del place[last]
            case "rename" if isinstance(place, dict):
                place[draw(st.text(max_size=5) | st.sampled_from(["x" * 1000, "\x1b[2J", "e", "cao", "Axon"]))] = (
                    place.pop(last)
                )
            case "double" if isinstance(place, dict) and isinstance(last, str):
                place[last, "again"] = place[last]
            case _:
                other: Any = data
                for step in draw(st.sampled_from(everywhere)):
                    if not isinstance(other, dict | list) or (isinstance(other, dict) and step not in other):
                        break
                    if isinstance(other, list) and step >= len(other):
                        break
                    other = other[step]
                place[last] = Raw(written(other))
    return written(data)


@st.composite
def texts(draw: st.DrawFn, text: str) -> str:
    """A text with some tokens or characters replaced, removed, doubled or exchanged."""
    for _ in range(draw(st.integers(1, 4))):
        parts = TOKEN.findall(text) if draw(st.booleans()) else list(text)
        at, length = draw(st.integers(0, len(parts))), draw(st.integers(0, 3) | st.integers(0, len(parts)))
        cut = parts[at : at + length]
        new = draw(
            st.sampled_from([[], cut + cut, cut[::-1]])
            | st.lists(st.sampled_from(HOSTILE) | st.text(max_size=3), max_size=3)
        )
        text = "".join(parts[:at] + new + parts[at + length :])
    return text


CELL, NETWORK = a_cell_of_every_kind(), network_of_every_kind()
(EXAMPLE,) = [example()[0].inputs]


def both(data: dict[str, Any]) -> st.SearchStrategy[str]:
    return trees(data) | trees(data) | trees(data) | texts(json.dumps(data, indent=1)) | texts(repr(data))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fuzzed")
    small_cell.write(out)
    write_network_files(out, NETWORK)
    for name, file in EXAMPLE.references.items():
        (out / name).write_bytes(file.data)
    return out


def loaded_or_told(load: Callable[[Path], Any], folder: Path, text: str) -> Any:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".param") as file:
        Path(file.name).write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            return load(Path(file.name))
        except InputError as error:
            said = str(error).removeprefix(file.name)
            assert said.isprintable()
            assert len(said) <= 600
            return None


def load_and_fit(path: Path) -> CellModel:
    cell = load_cell(path)
    fit(cell)
    assert all(len(values) == cell.geometry.n_segments for values in conductances(cell).values())
    assert cell.stimuli is not None
    return cell


def test_what_is_fuzzed_is_right_before(folder: Path):
    assert isinstance(loaded_or_told(load_and_fit, folder, json.dumps(CELL)), CellModel)
    assert isinstance(loaded_or_told(load_network, folder, json.dumps(NETWORK)), NetworkModel)
    assert isinstance(loaded_or_told(load_and_fit, folder, EXAMPLE.main.text), CellModel)


@fuzzed
@given(text=both(CELL))
def test_a_cell_file_of_any_content_is_a_cell_or_told_in_one_line(text: str, folder: Path):
    loaded_or_told(load_and_fit, folder, text)


@fuzzed
@given(text=both(NETWORK))
def test_a_network_file_of_any_content_is_a_network_or_told_in_one_line(text: str, folder: Path):
    loaded_or_told(load_network, folder, text)


@settings(fuzzed, max_examples=fuzzed.max_examples // 4)
@given(text=texts(EXAMPLE.main.text))
def test_the_examples_cell_file_of_any_content_is_a_cell_or_told_in_one_line(text: str, folder: Path):
    loaded_or_told(load_and_fit, folder, text)
