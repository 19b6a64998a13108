"""Names and defaults read from the NMODL sources."""

from __future__ import annotations

import json
import pickle
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.nmodl import mechanisms_from_inputs, mod_folder, own_mechanisms, read_mechanisms


def test_every_mechanism_of_the_field_is_known():
    known = own_mechanisms()
    densities = {name for name, mechanism in known.items() if mechanism.kind == "density"}
    assert densities == {
        *("pas", "hh", "NaTa_t", "NaTs2_t", "NaTg", "Nap_Et2", "K_Tst", "K_Pst", "SKv3_1", "SKv3_1_copy", "Im", "Ih"),
        *("Ca_HVA", "Ca_LVAst", "SK_E2", "CaDynamics_E2", "CaDynamics_E2_v2"),
    }
    points = known.keys() - densities
    assert points == {"glutamate_syn", "gaba_syn", "glutamate_syn_old", "gaba_syn_old", "epsp"}


def test_a_channel_shows_its_conductance_and_current():
    known = own_mechanisms()
    assert known["Ca_HVA"].variables == {"gCa_HVA", "ica", "m", "h"}
    assert known["Ih"].variables == {"gIh", "ihcn", "m"}
    assert known["SK_E2"].variables == {"gSK_E2", "ik", "z"}
    assert {"gampa", "gnmda", "iampa", "inmda", "gampamax", "gnmdamax"} < known["glutamate_syn"].variables


def test_weights_are_the_peak_conductances_only():
    known = own_mechanisms()
    assert known["glutamate_syn"].weights == ("wampa", "wnmda")
    assert known["gaba_syn_old"].weights == ("w",)
    assert known["epsp"].weights == known["Im"].weights == ()


def test_comments_and_includes_are_read_as_neuron_reads_them(tmp_path):
    (tmp_path / "shared.inc").write_text("NEURON { RANGE g } : RANGE not_this\nPARAMETER { g = 2e-3 (S/cm2) }\n")
    (tmp_path / "a.mod").write_text(
        "COMMENT\nSUFFIX wrong\nENDCOMMENT\nNEURON { : SUFFIX worse\n SUFFIX right\n RANGE a , b\n GLOBAL c }\n"
        'INCLUDE "shared.inc"\nPARAMETER {\n a = -1.5 (mV)\n c = 4\n d = 5 }\nASSIGNED { b (mA/cm2) }\n'
        "STATE { n (mM) m }\n"
    )
    read = read_mechanisms(tmp_path)["right"]
    assert (read.name, read.kind) == ("right", "density")
    assert read.parameters == {"a": -1.5, "g": 2e-3}
    assert read.global_parameters == {"c": 4}
    assert read.variables == {"b", "m", "n"}


def test_names_cannot_be_changed_by_who_reads_them():
    with pytest.raises(TypeError):
        own_mechanisms()["Ih"].parameters["gIhbar"] = 1.0


def test_isfrays_own_set_is_the_folder_mod_and_knows_which_file_defines_what():
    own = own_mechanisms()
    assert {file.name: file.data for file in own.files} == {p.name: p.read_bytes() for p in mod_folder().iterdir()}
    assert {m.file for m in own.values()} == {"", *(file.name for file in own.files if file.name.endswith(".mod"))}
    assert [m.name for m in own.values() if not m.file] == ["pas", "hh"]  # NEURON's own
    assert all(m.file in ("", f"{m.name}.mod") for m in own.values())


def test_a_set_comes_back_from_its_stored_files_and_from_another_process():
    own = own_mechanisms()
    for again in (mechanisms_from_inputs(own.inputs), pickle.loads(pickle.dumps(own))):
        assert again == own
        assert dict(again) == dict(own)
        assert again.files == own.files
    assert json.loads(own.inputs.main.text)["files"] == {file.name: file.sha256 for file in own.files}


def test_the_hash_knows_neither_folder_nor_order(tmp_path):
    own, names = own_mechanisms(), [path.name for path in mod_folder().iterdir()]
    random.Random(1).shuffle(names)
    for name in names:
        (tmp_path / name).write_bytes((mod_folder() / name).read_bytes())
    (tmp_path / "notes.txt").write_text("not a source")
    assert read_mechanisms(tmp_path) == own
    assert read_mechanisms(tmp_path).sha256 == replace(own, files=own.files[::-1]).sha256 == own.sha256


@given(st.data())
def test_one_byte_or_one_letter_of_a_name_makes_another_set(data):
    own = own_mechanisms()
    at = data.draw(st.integers(0, len(own.files) - 1))
    file = own.files[at]
    if data.draw(st.booleans()):
        i, other = data.draw(st.integers(0, len(file.data) - 1)), data.draw(st.integers(1, 255))
        changed = replace(file, data=file.data[:i] + bytes([file.data[i] ^ other]) + file.data[i + 1 :])
    else:
        changed = replace(file, name=f"x{file.name}")
    other_set = replace(own, files=(*own.files[:at], changed, *own.files[at + 1 :]))
    assert other_set.sha256 != own.sha256
    assert other_set != own


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TITLE nothing", "a.mod: is no mechanism; expected SUFFIX or POINT_PROCESS in NEURON"),
        ('INCLUDE "gone.inc"', "a.mod: INCLUDE = 'gone.inc' includes what is not there"),
        ('INCLUDE "a.mod"', "a.mod: INCLUDE = 'a.mod' includes itself"),
    ],
)
def test_what_is_no_mechanism_is_told_in_one_line(tmp_path: Path, text: str, message: str):
    (tmp_path / "a.mod").write_text(text)
    with pytest.raises(InputError) as told:
        read_mechanisms(tmp_path)
    assert message in str(told.value)
    assert "\n" not in str(told.value)
