"""Activity and silencing made in Python are checked as those of a file are, by the names of either."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from isfray.errors import InputError
from isfray.model.activity import PSTH, LogNormal, ModulatedPoisson, Normal, PSTHPoissonTrainV2, SpikeTrain
from isfray.model.checked import Checked
from isfray.model.silencing import SilenceBySomaDistance, SilenceBySomaDistanceAndSource

MODULATED = {"rate_before_t_offset": 5, "mean_rate": 10, "max_modulation": 0.5, "modulation_frequency": 8}
WRONG: list[tuple[type[Checked], dict[str, Any], str]] = [
    (SpikeTrain, {}, "interval is missing; expected a mean interval > 0 ms"),
    (SpikeTrain, {"interval": -3.0}, "interval = -3.0 is out of range; expected a mean interval > 0 ms"),
    (SpikeTrain, {"interval": "x"}, "interval = 'x' is not of the right type; expected a mean interval > 0 ms"),
    (SpikeTrain, {"interval": 3.0, "nois": 1}, "nois is not a known key; expected noise"),
    (LogNormal, {"active_frac": 2.0, "mu": 1.0, "sigma": 1.0}, "active_frac = 2.0 is out of range; expected the"),
    (PSTH, {"intervals": [(0, 1)], "probabilities": [1, 1]}, "probabilities = [1, 1] has 2 entries for 1 intervals"),
    (PSTH, {"intervals": [(0, 1), (3, 3)], "probabilities": []}, "intervals[1] = (3, 3) does not end after it begins"),
    (
        PSTHPoissonTrainV2,
        {"bins": [1, 0], "rates": [1]},
        "bins = [1, 0] do not increase; expected a list of increasing",
    ),
    (
        ModulatedPoisson,
        {**MODULATED, "bin_size": 1, "phase_distribution": "normal", "mean_phase": 0},
        "std_phase is missing; expected a number in rad, for phase_distribution 'normal'",
    ),
    (SilenceBySomaDistance, {"soma_dist_ranges": {"INH": (3, 1)}}, "soma_dist_ranges.INH = (3, 1) ends before it"),
    (
        SilenceBySomaDistanceAndSource,
        {"soma_dist_ranges": {}, "spike_sources": ["poissontrian"]},
        "spike_sources[0] = 'poissontrian' is not a spike source; expected poissontrain",
    ),
]


@pytest.mark.parametrize(("kind", "values", "said"), WRONG, ids=lambda x: x.__name__ if isinstance(x, type) else "")
def test_a_wrong_value_is_told_in_one_line(kind: type[Checked], values: dict[str, Any], said: str):
    with pytest.raises(InputError) as caught:
        kind(**values)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_names_of_python_and_of_files_make_the_same():
    made = Normal(active_frac=0.5, spike_t=10.0, spike_width=2.0)
    assert made == Normal(activeFrac=0.5, spikeT=10.0, spikeWidth=2.0)
    assert pickle.loads(pickle.dumps(made)) == made
    assert {"activeFrac", "spikeT", "spikeWidth", "offset"} == set(Normal.keys())
