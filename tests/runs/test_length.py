"""Runs that are long for their actors: what is stored does not depend on how many trials an actor has had."""

import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT

SOAK = [sys.executable, str(ROOT / "scripts" / "soak.py")]


@pytest.fixture(scope="module")
def soaked(tmp_path_factory):
    """What the soak of an actor says whose trials have more than 100 000 events together."""
    options = ["--trials=40", "--actors=1", "--alone=2", "--neuron=1", "--t-stop=50", "--rates=12", "--block=10"]
    done = subprocess.run(
        [*SOAK, *options], cwd=tmp_path_factory.mktemp("soak"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_trial_of_an_old_actor_is_whole(soaked):
    assert "40 trials with 2001 samples at most, 0 with fewer" in soaked


def test_trials_of_an_old_actor_are_those_of_fresh_processes(soaked):
    assert "2 trials held against fresh processes, 1 against engine neuron" in soaked
    assert ": 0 differ" in soaked


def test_blocks_of_trials_are_of_one_distribution_and_a_drift_would_be_seen(soaked, monkeypatch):
    assert "are of different distributions" not in soaked
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from soak import share_of_shuffles

    spikes = np.random.default_rng(1).poisson(3.7, 600).astype(float)
    assert share_of_shuffles(spikes, 20, seed=1) > 0.05
    older = np.where(np.arange(600) < 300, spikes, spikes - (np.arange(600) % 3 == 0) * spikes)
    assert share_of_shuffles(older, 20, seed=1) < 1e-3
