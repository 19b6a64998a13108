"""A trial is the same whatever its process has done before; scripts/soak does the same for longer."""

import pytest

from tests.engine.child import in_child
from tests.engine.soak import FAULTS

SOAK = "tests.engine.soak"


def test_a_trial_is_bit_for_bit_the_same_in_a_process_of_its_own_and_after_any_life():
    found = in_child(SOAK, "soak", 16, 20, 100.0)
    assert found["wrong"] == []
    assert found["trials"] > 100
    assert found["alone"] > 30


@pytest.mark.parametrize("fault", list(FAULTS))
def test_the_soak_finds_what_was_wrong_once(fault):
    found = in_child(SOAK, "soak", 16, 20, 100.0, fault)
    assert found["wrong"]
