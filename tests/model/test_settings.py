"""Settings of runs: whatever version wrote them, the same run stays the same run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.model import settings as module
from isfray.model.clamp import CurrentClamp
from isfray.model.settings import FROM_NETWORK, Settings

numbers = st.floats(1e-3, 1e6)
clamps = st.builds(CurrentClamp, st.integers(0, 5), st.floats(0, 1), numbers, numbers, numbers)
settings = st.builds(
    Settings,
    t_stop=numbers | st.none(),
    dt=numbers | st.none(),
    engine=st.sampled_from(["neuron", "coreneuron", None]),
    record=st.sampled_from(["sites", ("soma", "cai"), None]),
    clamp=st.tuples(clamps) | st.just(()) | st.none(),
    source=st.sampled_from([FROM_NETWORK, {"from": "elsewhere", "run": "r"}]),
    others=st.sampled_from([{}, {"note": {"x": 1}}]),
)


@given(settings)
def test_what_is_stored_reads_back_as_the_same_settings(one: Settings):
    there = Settings.read(json.loads(json.dumps(dict(one))))
    assert there == one
    assert dict(there) == dict(one)
    assert (there.clamp, there.record, there.source) == (one.clamp, one.record, one.source)


def test_settings_of_the_first_version_are_those_of_a_run_that_does_without_later_ones():
    old = {"t_stop": 300.0, "dt": 0.025, "engine": "coreneuron", "record": "sites", "clamp": []}
    new = Settings(t_stop=300.0, dt=0.025, engine="coreneuron", record="sites", clamp=())
    assert dict(new) == old, "an older isfray reads it"
    assert new.version == 1
    assert Settings.read(old).complete == new.complete
    assert Settings.read(old).source == FROM_NETWORK


def test_a_setting_that_differs_from_what_older_versions_did_makes_the_run_one_that_they_refuse():
    new = Settings(t_stop=300.0, source={"from": "elsewhere"})
    assert new["source"] == {"from": "elsewhere"}
    assert new.version == module.VERSION == 2


def test_what_this_version_does_not_know_is_kept_and_told():
    one = Settings.read({"t_stop": 1.0, "gap_junctions": True})
    assert one.others == {"gap_junctions": True}
    assert one["gap_junctions"] is True


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"t_stop": "long"}, r"settings\.t_stop = 'long' is not a number"),
        ({"record": {"x": 1}}, r"settings\.record .* is not a list"),
        ({"clamp": [{"volume": 1}]}, r"settings\.clamp .* is no current clamp"),
        ({"clamp": 5}, r"settings\.clamp = 5 is not a list"),
        (7, "settings = 7 are no settings"),
    ],
)
def test_what_no_version_wrote_is_refused_in_one_line(said: Any, told: str):
    with pytest.raises(InputError, match=told):
        Settings.read(said)
