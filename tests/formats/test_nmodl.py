"""Names and defaults read from the NMODL sources."""

from __future__ import annotations

import pytest

from isfray.formats.nmodl import known_mechanisms, read_mechanism


def test_every_mechanism_of_the_field_is_known():
    known = known_mechanisms()
    densities = {name for name, mechanism in known.items() if mechanism.kind == "density"}
    assert densities == {
        *("pas", "hh", "NaTa_t", "NaTs2_t", "NaTg", "Nap_Et2", "K_Tst", "K_Pst", "SKv3_1", "SKv3_1_copy", "Im", "Ih"),
        *("Ca_HVA", "Ca_LVAst", "SK_E2", "CaDynamics_E2", "CaDynamics_E2_v2"),
    }
    points = known.keys() - densities
    assert points == {"glutamate_syn", "gaba_syn", "glutamate_syn_old", "gaba_syn_old", "epsp"}


def test_a_channel_shows_its_conductance_and_current():
    known = known_mechanisms()
    assert known["Ca_HVA"].variables == {"gCa_HVA", "ica", "m", "h"}
    assert known["Ih"].variables == {"gIh", "ihcn", "m"}
    assert known["SK_E2"].variables == {"gSK_E2", "ik", "z"}
    assert {"gampa", "gnmda", "iampa", "inmda", "gampamax", "gnmdamax"} < known["glutamate_syn"].variables


def test_weights_are_the_peak_conductances_only():
    known = known_mechanisms()
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
    read = read_mechanism(tmp_path / "a.mod")
    assert (read.name, read.kind) == ("right", "density")
    assert read.parameters == {"a": -1.5, "g": 2e-3}
    assert read.global_parameters == {"c": 4}
    assert read.variables == {"b", "m", "n"}


def test_names_cannot_be_changed_by_who_reads_them():
    with pytest.raises(TypeError):
        known_mechanisms()["Ih"].parameters["gIhbar"] = 1.0
