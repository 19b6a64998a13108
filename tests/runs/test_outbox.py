from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isfray.runs.dispatch.outbox import GATHER, Outbox, TrialTables

arrivals = st.lists(st.tuples(st.integers(1, 100), st.floats(0, 3)), max_size=40)


def outbox(**bounds) -> Outbox:
    return Outbox(**{"batch_trials": 5, "batch_bytes": 200, "batch_seconds": 4.0, **bounds})


@given(arrivals)
def test_every_trial_leaves_once_in_batches_within_bounds(sizes):
    box, now, left = outbox(), 0.0, []
    for trial, (nbytes, pause) in enumerate(sizes):
        now += pause
        box.add(TrialTables(trial, object(), nbytes, now))
        while (batch := box.take(now)) is not None:
            left.append(batch)
            late = any(now - one.arrived >= box.batch_seconds for one in batch)
            assert len(batch) == 5 or sum(p.nbytes for p in batch) >= 200 or late
    while (batch := box.take(now, flush=True)) is not None:
        left.append(batch)
    for batch in left:
        assert len(batch) <= 5
        assert sum(p.nbytes for p in batch[:-1]) < 200 + 100
        assert [p.trial for p in batch] == sorted(p.trial for p in batch)
    assert sorted(p.trial for batch in left for p in batch) == list(range(len(sizes)))


@given(arrivals)
def test_trials_and_bytes_count_as_unwritten_until_they_are_settled(sizes):
    box = outbox()
    for trial, (nbytes, _) in enumerate(sizes):
        box.add(TrialTables(trial, object(), nbytes, 0.0))
    total = sum(nbytes for nbytes, _ in sizes)
    assert box.unwritten_bytes == total
    assert box.unwritten_trials == len(sizes)
    while (batch := box.take(0.0, flush=True)) is not None:
        assert box.unwritten_bytes == total
        for one in batch:
            box.settle(one)
            total -= one.nbytes
    assert box.unwritten_bytes == box.unwritten_trials == total == 0


def test_a_batch_that_comes_back_goes_out_again_unchanged():
    box = outbox()
    for trial in range(5):
        box.add(TrialTables(trial, object(), 1, 0.0))
    batch = box.take(0.0)
    for trial in (5, 6):
        box.add(TrialTables(trial, object(), 1, 0.0))
    box.put_back(batch)
    assert box.due(0.0) == 0.0
    assert box.take(0.0) == batch
    assert [one.trial for one in box.take(0.0, flush=True)] == [5, 6]


def test_what_has_gathered_while_others_were_written_goes_in_few_large_batches():
    box = outbox(batch_bytes=1000)
    for trial in range(100):
        box.add(TrialTables(trial, object(), 1, 0.0))
    assert [len(box.take(0.0) or ()) for _ in range(4)] == [GATHER * 5, GATHER * 5, 100 - 2 * GATHER * 5, 0]
    for trial in range(100):
        box.add(TrialTables(trial, object(), 100, 0.0))
    assert len(box.take(0.0)) == 1000 / 100, "not more bytes than agreed"


def test_a_trial_waits_for_its_batch_no_longer_than_agreed():
    box = outbox()
    box.add(TrialTables(0, object(), 1, 10.0))
    assert box.take(13.9) is None
    assert box.due(13.0) == 1.0
    assert [one.trial for one in box.take(14.0)] == [0]
    assert box.due(14.0) is None
