"""The commit log: numbered, without a gap, decided by conditional creation."""

from __future__ import annotations

import json
import uuid
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.catalog.location import open_storage
from isfray.catalog.log import Commit, CommitLog, DataFile, numbers, ranges, union
from isfray.errors import InputError


@given(st.sets(st.integers(0, 200)))
def test_ranges_are_the_shortest_way_to_say_a_set(values):
    found = ranges(values)
    assert numbers(found).tolist() == sorted(values)
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(found))


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_the_union_of_ranges_is_that_of_their_numbers(one, other):
    assert union(ranges(one), ranges(other)) == ranges(one | other)


@given(st.lists(st.tuples(st.sampled_from(["mine", "other", "compaction"]), st.sets(st.integers(0, 30), max_size=5))))
def test_absent_are_the_trials_that_no_commit_has_whoever_wrote_them(steps):
    storage = open_storage(f"memory://{uuid.uuid4().hex}")
    log, other, there = CommitLog(storage, "r"), CommitLog(storage, "r"), set()
    for kind, trials in steps:
        if kind == "compaction":
            before = ranges(c.sequence for c in log.live())
            held = ranges(there)
            log.append(lambda n, held=held, of=before: Commit(n, "compaction", held, replaces=of))
        else:
            writer = log if kind == "mine" else other
            writer.append(lambda n, new=trials: Commit(n, "batch", ranges(new)))
            there |= trials
        log.live()
        asked = np.arange(35, dtype=np.int32)
        assert log.absent(asked).tolist() == sorted(set(range(35)) - there)


def test_a_commit_reads_back_as_it_was_written():
    file = DataFile("trials/run=a/batch=0.parquet", "trials", ((0, 3), (7, 7)), 5, 100, "ab" * 32)
    commit = Commit(3, "compaction", ((0, 3), (7, 7)), (file,), ((0, 2),))
    assert Commit.from_json(commit.to_json(), "x") == commit
    assert commit.to_json() == commit.to_json()


def adding(trial: int):
    return lambda sequence: Commit(sequence, "batch", ((trial, trial),))


def test_the_second_of_two_writers_sees_the_commit_of_the_first_before_its_own(place):
    storage = open_storage(place)
    first, second = CommitLog(storage, "r"), CommitLog(storage, "r")
    second.live()
    seen = []

    def make(sequence):
        if not seen:
            first.append(adding(1))  # the other writer is quicker
        seen.append([c.sequence for c in second.known()])
        return Commit(sequence, "batch", ((2, 2),))

    assert second.append(make).sequence == 1
    assert seen == [[], [0]]
    assert [c.trials for c in first.live()] == [((1, 1),), ((2, 2),)]


def test_what_a_commit_replaces_is_neither_counted_nor_read(place):
    storage = open_storage(place)
    log = CommitLog(storage, "r")
    for trial in range(100):
        log.append(adding(trial))
    log.append(lambda n: Commit(n, "compaction", ((0, 99),), replaces=((0, 99),)))
    log.append(adding(100))
    assert [c.sequence for c in log.live()] == [100, 101]
    reads = []
    original = storage.read

    def read(key):
        reads.append(key)
        return original(key)

    fresh = CommitLog(storage, "r")
    storage.read = read
    storage.read_many = lambda keys: {k: read(k) for k in keys}
    assert [c.sequence for c in fresh.live()] == [100, 101]
    assert len(reads) <= 32
    reads.clear()
    assert len(fresh.live()) == 2
    assert not reads  # commits never change: each is read once


def test_a_lost_or_garbled_commit_is_reported_not_passed_over(place):
    storage = open_storage(place)
    log = CommitLog(storage, "r")
    for trial in range(3):
        log.append(adding(trial))
    storage.delete([log.key(1)])
    with pytest.raises(InputError, match=r"00000001.json: is missing"):
        CommitLog(storage, "r").live()
    storage.put(log.key(1), log.key(0).encode())
    with pytest.raises(InputError, match="isfray-commit"):
        CommitLog(storage, "r").live()
    storage.put(log.key(1), json.dumps({"format": "isfray-commit", "version": 1, "sequence": 1}).encode())
    with pytest.raises(InputError, match="not a whole commit"):
        CommitLog(storage, "r").live()
    storage.put(log.key(1), json.dumps({"format": "isfray-commit", "version": 99}).encode())
    with pytest.raises(InputError, match="newer isfray"):
        CommitLog(storage, "r").live()


def test_ranges_of_nothing_are_nothing():
    assert ranges([]) == ()
    assert numbers(()).dtype == np.int32
