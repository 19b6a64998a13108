"""The built-in example behaves as thick-tufted pyramidal neurons of layer 5 do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.child import in_child


@pytest.fixture(scope="module")
def physiology():
    return in_child("tests.engine.example_runs", "physiology")


def test_it_rests_between_minus_80_and_minus_60_mv(physiology):
    assert -80 < physiology["step"]["rest"] < -60


def test_a_step_of_1_na_gives_regular_spikes_that_adapt_a_little(physiology):
    spikes = physiology["step"]["spikes"]
    assert ((spikes > 150) & (spikes < 300)).all()  # none before, none after
    intervals = np.diff(spikes)
    assert 5 <= len(spikes) <= 15
    assert intervals.std() / intervals.mean() < 0.35
    assert (np.diff(intervals) > 0).all()


def test_a_somatic_pulse_alone_gives_one_spike_and_no_dendritic_calcium_spike(physiology):
    alone = physiology["spike alone"]
    assert len(alone["spikes"]) == 1
    assert alone["dendrite peak"] < -30


def test_a_distal_epsp_alone_gives_neither(physiology):
    alone = physiology["epsp alone"]
    assert len(alone["spikes"]) == 0
    assert alone["dendrite peak"] < -30


def test_both_together_give_a_calcium_spike_and_a_burst(physiology):
    """Larkum et al. 1999, Nature 398:338; Hay et al. 2011, PLoS Comput Biol 7:e1002107."""
    both = physiology["both"]
    assert both["dendrite peak"] > 0
    assert 10 < both["plateau"] < 60
    assert len(both["spikes"]) >= 3
    assert both["spikes"][2] - both["spikes"][0] < 40
