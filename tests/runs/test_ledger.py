from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from isfray.runs.dispatch.ledger import Ledger

ASKED = 12
RETRIES = 2


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens to trials, in any order, each stays accounted for exactly once."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger(range(3, ASKED), committed=3, max_retries=RETRIES)
        self.leased: list[int] = []
        self.held: list[int] = []
        self.committed: list[int] = [0, 1, 2]
        self.deaths: dict[int, int] = {}
        self.suspects: set[int] = set()

    def pick(self, data, pool: list[int]) -> int:
        return pool.pop(data.draw(st.integers(0, len(pool) - 1)))

    @rule()
    def lease(self):
        waiting = self.ledger.waiting
        trial = self.ledger.lease()
        assert (trial is None) == (waiting == 0)
        if trial is not None:
            self.leased.append(trial)

    @rule(most=st.integers(1, 4))
    def lease_a_group(self, most):
        waiting, suspects = self.ledger.waiting, set(self.suspects)
        group = self.ledger.lease_group(most)
        assert len(group) <= min(most, waiting)
        assert bool(group) == bool(waiting)
        assert len(group) == 1 or not suspects & set(group), "one under which an actor died, perhaps, goes alone"
        self.leased += group

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def may_have_been_the_one_of_its_group_that_killed_an_actor(self, data):
        trial = self.pick(data, self.leased)
        self.ledger.suspect(trial)
        self.suspects.add(trial)

    @precondition(lambda self: self.leased)
    @rule(data=st.data(), begun=st.booleans())
    def comes_back_blameless(self, data, begun):
        self.ledger.release(self.pick(data, self.leased), begun=begun)

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def actor_dies_under_it(self, data):
        trial = self.pick(data, self.leased)
        self.deaths[trial] = self.deaths.get(trial, 0) + 1
        self.suspects.add(trial)
        again = self.ledger.blame(trial, "died")
        assert again == (self.deaths[trial] <= RETRIES)
        assert again or self.ledger.failures[trial].tries == RETRIES + 1

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def fails_for_its_own_reasons(self, data):
        trial = self.pick(data, self.leased)
        self.ledger.fail(trial, "raised")
        assert self.ledger.failures[trial].error == "raised"

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def is_simulated(self, data):
        trial = self.pick(data, self.leased)
        self.ledger.hold(trial)
        self.held.append(trial)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def its_tables_are_lost(self, data):
        self.ledger.drop(self.pick(data, self.held))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def it_is_refused_by_the_catalog(self, data):
        trial = self.pick(data, self.held)
        self.ledger.fail(trial, "wrong")
        assert self.ledger.failures[trial].error == "wrong"

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def is_committed(self, data):
        trial = self.pick(data, self.held)
        self.ledger.commit([trial])
        self.committed.append(trial)

    @invariant()
    def every_trial_is_in_one_place(self):
        ledger = self.ledger
        assert ledger.total == ASKED
        assert (ledger.leased, ledger.held, ledger.committed) == (len(self.leased), len(self.held), len(self.committed))
        known = [*self.leased, *self.held, *self.committed, *ledger.failures]
        assert len(known) == len(set(known))
        assert ledger.waiting == ASKED - len(known)
        assert ledger.finished == (len(self.committed) + len(ledger.failures) == ASKED)

    def teardown(self):
        """From any state, committing what comes ends the run with every trial once."""
        for trial in self.leased:
            self.ledger.release(trial)
        self.ledger.commit(self.held)
        done = [*self.committed, *self.held]
        while (trial := self.ledger.lease()) is not None:
            self.ledger.hold(trial)
            self.ledger.commit([trial])
            done.append(trial)
        assert self.ledger.finished
        assert sorted([*done, *self.ledger.failures]) == list(range(ASKED))


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_trial_that_came_back_goes_out_before_new_ones():
    ledger = Ledger(range(5))
    assert [ledger.lease(), ledger.lease()] == [0, 1]
    ledger.blame(0, "died")
    assert ledger.lease() == 0


def test_a_trial_cannot_be_committed_twice_or_without_having_been_simulated():
    ledger = Ledger(range(2))
    trial = ledger.lease()
    with pytest.raises(KeyError):
        ledger.commit([trial])
    ledger.hold(trial)
    ledger.commit([trial])
    with pytest.raises(KeyError):
        ledger.commit([trial])
