"""What is refused in network files, and what the message tells."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isfray.errors import InputError
from isfray.formats.isf.network import load_network

Write = Callable[..., Path]
REMOVED = ...  # no value that JSON has, and of one name in every process


def changed(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of `data` with the value at a dotted key replaced, added or REMOVED."""
    data = copy.deepcopy(data)
    *parents, last = key.split(".")
    place = data
    for step in parents:
        place = place[step]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return data


PSTH_AT = "network.VPM_C2.celltype.pointcell"
GLUTAMATE = "network.VPM_C2.synapses.receptors.glutamate_syn"
SILENCE = "network.network_modify_functions"
WRONG: list[tuple[str, Any, str, str]] = [
    # key changed, new value, key the message names, what it expects
    ("network.VPM_C2.cellNr", 0, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", -1, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", 2.5, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", "7", "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", REMOVED, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNR", 5, "", "expected cellNr"),
    ("network.INH.intervall", 5.0, "", "expected interval"),
    ("network.INH.interval", REMOVED, "", "mean interval > 0 ms"),
    ("network.INH.interval", -3.0, "", "mean interval > 0 ms"),
    ("network.INH.interval", 0, "", "mean interval > 0 ms"),
    ("network.INH.interval", "fast", "", "mean interval > 0 ms"),
    ("network.INH.interval", True, "", "mean interval > 0 ms"),
    ("network.INH.noise", 2, "", "0 (regular) to 1 (Poisson)"),
    ("network.INH.nspikes", 1.5, "", "whole number of spikes"),
    ("network.INH.celltype", "spiketrian", "", "'spiketrain', 'pointcell'"),
    ("network.INH.celltype", REMOVED, "", "'spiketrain', 'pointcell'"),
    ("network.VPM_C2.celltype", {}, "", "'spiketrain', 'pointcell'"),
    ("network.VPM_C2.celltype.spiketrains", {"interval": 3.0}, "", "expected spiketrain"),
    ("network.VPM_C2.interval", 4.0, "", "one of convergence, cellNr, celltype or 2 more"),
    (f"{PSTH_AT}.distribution", "PTSH", "", "expected PSTH"),
    (f"{PSTH_AT}.distribution", 7, "", "one of PSTH, PSTH_absolute_number, PSTH_poissontrain or 5 more"),
    (f"{PSTH_AT}.probabilitys", [0.1, 0.1], "", "expected probabilities"),
    (f"{PSTH_AT}.probabilities", [0.1], "", "one for each interval"),
    (f"{PSTH_AT}.probabilities", [0.1, "x"], f"{PSTH_AT}.probabilities[1]", "numbers"),
    (f"{PSTH_AT}.intervals", [(0.0, 1.0), (3.0, 3.0)], f"{PSTH_AT}.intervals[1]", "begin < end"),
    (f"{PSTH_AT}.intervals", [(0.0, 1.0), (3.0,)], f"{PSTH_AT}.intervals[1][1]", "(begin, end)"),
    (f"{PSTH_AT}.offset", "soon", "", "a time in ms"),
    (PSTH_AT, {"distribution": "normal", "activeFrac": 1.2}, f"{PSTH_AT}.activeFrac", "from 0 to 1"),
    (PSTH_AT, {"distribution": "uniform", "activeFrac": 1, "window": -1}, f"{PSTH_AT}.window", "duration >= 0"),
    (PSTH_AT, {"activeFrac": 1, "spikeT": 1, "spikeWidth": -1}, f"{PSTH_AT}.spikeWidth", "standard deviation"),
    (PSTH_AT, {"distribution": "lognormal", "activeFrac": 1, "mu": 1}, f"{PSTH_AT}.sigma", "standard deviation"),
    (
        PSTH_AT,
        {"distribution": "PSTH_poissontrain_v2", "bins": [0.0, 1.0], "rates": [1.0, 2.0]},
        f"{PSTH_AT}.rates",
        "one less than bins",
    ),
    (
        PSTH_AT,
        {"distribution": "PSTH_poissontrain_v2", "bins": [0.0, 1.0, 1.0], "rates": [1.0, 2.0]},
        f"{PSTH_AT}.bins",
        "increasing",
    ),
    (
        PSTH_AT,
        {"distribution": "PSTH_poissontrain", "intervals": [(0.0, 1.0)], "rates": [-1.0]},
        f"{PSTH_AT}.rates[0]",
        "rates >= 0 Hz",
    ),
    (
        PSTH_AT,
        {"distribution": "PSTH_absolute_number", "intervals": [(0.0, 1.0)], "number_active_synapses": [1.5]},
        f"{PSTH_AT}.number_active_synapses[0]",
        "whole numbers",
    ),
    (
        PSTH_AT,
        {
            "distribution": "poissontrain_modulated",
            **{"rate_before_t_offset": 5, "mean_rate": 10, "max_modulation": 0.5, "modulation_frequency": 8},
            **{"bin_size": 1, "phase_distribution": "normal", "mean_phase": 0},
        },
        f"{PSTH_AT}.std_phase",
        "phase_distribution 'normal'",
    ),
    ("network.INH.synapses", REMOVED, "", "receptors"),
    ("network.INH.synapses", 3, "", "receptors"),
    ("network.INH.synapses.releaseProb", 1.5, "", "from 0 to 1, 'dynamic'"),
    ("network.INH.synapses.releaseProb", "dinamic", "", "from 0 to 1, 'dynamic'"),
    ("network.INH.synapses.releaseprob", 0.5, "", "expected releaseProb"),
    ("network.INH.synapses.distributionFile", "missing.syn", "", "named missing.syn"),
    ("network.INH.synapses.distributionFile", "cell.con", "", ".syn"),
    ("network.INH.synapses.connectionFile", "cell.syn", "", ".con"),
    ("network.INH.synapses.connectionFile", REMOVED, "", ".con file"),
    ("network.INH.synapses.receptors", {}, "", "point process names"),
    (f"{GLUTAMATE}.weight", REMOVED, "", "number or a list"),
    (f"{GLUTAMATE}.weight", [], "", "number or a list"),
    (f"{GLUTAMATE}.weight", [1.0, None], f"{GLUTAMATE}.weight[1]", "number or a list"),
    (f"{GLUTAMATE}.weightDistribution", "normal", "", "'lognormal'"),
    (f"{GLUTAMATE}.delay", -0.1, "", "delay >= 0 ms"),
    (f"{GLUTAMATE}.delays", 0.1, "", "expected delay"),
    (f"{GLUTAMATE}.parameter", {"tau1": "long"}, f"{GLUTAMATE}.parameter.tau1", "numbers"),
    ("network", {}, "", "at least one population"),
    ("network", REMOVED, "", "mapping of population names"),
    ("network", [], "", "population names"),
    ("network.INH", 5, "", "cellNr, celltype and synapses"),
    (SILENCE, {"silence_synapses_by_somadst": {}}, f"{SILENCE}.silence_synapses_by_somadst", "by_somadist"),
    (SILENCE, {"hush": {}}, f"{SILENCE}.hush", "silence_synapses_by_somadist, silence_synapses_by_somadist_and_spike"),
    (
        SILENCE,
        {"silence_synapses_by_somadist": {"soma_dist_ranges": {"INH": [3, 1]}}},
        f"{SILENCE}.silence_synapses_by_somadist.soma_dist_ranges.INH",
        "min <= max",
    ),
    (
        SILENCE,
        {"silence_synapses_by_somadist": {"soma_dist_ranges": {"VPM_C3": [1, 3]}}},
        f"{SILENCE}.silence_synapses_by_somadist.soma_dist_ranges.VPM_C3",
        "expected VPM_C2",
    ),
    (
        SILENCE,
        {"silence_synapses_by_somadist_and_spike_source": {"soma_dist_ranges": {}, "spike_sources": ["PSTH"]}},
        f"{SILENCE}.silence_synapses_by_somadist_and_spike_source.spike_sources[0]",
        "one of PSTH_poissontrain_v2, pointcell_PSTH, pointcell_PSTH_absolute_number or 6 more",
    ),
]


@pytest.mark.parametrize(("key", "value", "named", "expected"), WRONG, ids=[f"{w[0]}={w[1]!r:.30}" for w in WRONG])
def test_a_wrong_value_is_refused_with_its_file_line_key_and_what_was_expected(
    key: str, value: Any, named: str, expected: str, small_network: dict[str, Any], write_network: Write
):
    path = write_network(small_network)  # with the .syn and .con of the right network
    text = json.dumps(changed(small_network, key, value), indent=4)
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_network(path)
    message, named = str(caught.value), named or key
    assert "\n" not in message
    assert message.startswith(str(path))
    assert re.search(rf": {re.escape(named)}(?= )", message), message
    assert expected in message
    # The reader of the folder knows no lines, and an absent top-level key has none.
    if "does not exist" not in message and not (named == "network" and value is REMOVED):
        assert caught.value.line is not None
        line = text.splitlines()[caught.value.line - 1]
        steps = [f'"{step}"' for step in re.sub(r"\[\d+\]", "", named).split(".")]
        listed = "[" in named  # a list's items stand on the lines below its key
        assert listed or steps[-1] in line or (len(steps) > 1 and steps[-2] in line) or value is REMOVED
    if not isinstance(value, dict) and value is not REMOVED and caught.value.value is not None:
        assert repr(caught.value.value)[:70] in message


SYN = "# Synapses\n\nVPM_C2\t1\t0.5\nINH\t2\t0.25\nVPM_C2\t3\t1\n"
CON = "# Connections\n# cell.syn\n\nVPM_C2\t3\t1\nINH\t0\t0\n"
WRONG_ROWS = [
    (SYN + "INH\t2\t1.2\n", CON, "cell.syn:6: x = 1.2", "from 0 to 1"),
    (SYN + "INH\t2\t-0.1\n", CON, "cell.syn:6: x = -0.1", "from 0 to 1"),
    (SYN + "INH\t2\tnan\n", CON, "cell.syn:6: x = nan", "from 0 to 1"),
    (SYN + "INH\t2\tmiddle\n", CON, "cell.syn:6: x = 'middle'", "a number"),
    (SYN + "INH\t2.5\t0.1\n", CON, "cell.syn:6: section id = '2.5'", "an integer"),
    (SYN + "INH\t-2\t0.1\n", CON, "cell.syn:6: section id = -2", "an integer >= 0"),
    (SYN + "\nINH\t2\n", CON, "cell.syn:7: 'INH 2'", "type, section id, x"),
    (SYN + "INH 2 0.1 0 9\n", CON, "cell.syn:6: 'INH 2 0.1 0 9'", "type, section id, x"),
    (SYN, CON + "INH\t0\t1\n", "cell.con:6: synapse 1 of INH does not exist", "below 1"),
    (SYN, CON + "INH\t30\t0\n", "cell.con:6: cell 30 of INH does not exist", "cellNr, 30"),
    (SYN, CON + "VPM_C2\t5\t1\n", "cell.con:6: synapse 1 of VPM_C2 has a presynaptic cell already", "one row"),
    (SYN, CON + "INH\t0\t0.0\n", "cell.con:6: synapse id = '0.0'", "an integer"),
    (SYN, CON + "INH\t0\t-1\n", "cell.con:6: synapse id = -1", "an integer >= 0"),
    (SYN, CON + "INH\t-1\t0\n", "cell.con:6: cell id = -1", "an integer >= 0"),
    (SYN, CON + "INH\t99999999999999999999\t0\n", "cell.con:6: cell id = '9999", "an integer"),
    (SYN, CON + "INH\t0\t0\t7\n", "cell.con:6: 'INH 0 0 7'", "type, cell id, synapse id"),
]


@pytest.mark.parametrize(("syn", "con", "where", "expected"), WRONG_ROWS, ids=[w[2] for w in WRONG_ROWS])
def test_a_wrong_row_is_refused_with_its_file_and_line(
    syn: str, con: str, where: str, expected: str, small_network: dict[str, Any], write_network: Write
):
    path = write_network(small_network, syn=syn, con=con)
    with pytest.raises(InputError) as caught:
        load_network(path)
    assert str(caught.value).startswith(str(path.parent / where))
    assert expected in str(caught.value)


def test_a_file_that_is_not_text_is_refused(small_network: dict[str, Any], write_network: Write):
    path = write_network(small_network)
    (path.parent / "cell.syn").write_bytes(b"\xff\xfe\x00INH")
    with pytest.raises(InputError, match=r"cell\.syn: is not a text file"):
        load_network(path)
