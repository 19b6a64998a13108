"""Compaction: the same rows in fewer files, safe at every step."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from tests.catalog.synthetic import TABLES, Faulty, Stopped, batch, spec
from tests.catalog.test_catalog import RUN, assert_holds, expected, rows


def filled(catalog: Catalog, batches: int = 4, size: int = 3) -> Catalog:
    catalog.open_run(spec())
    for i in reversed(range(batches)):
        catalog.commit(RUN, batch(range(i * size, (i + 1) * size)))
    return catalog


def test_compaction_leaves_few_files_with_the_same_rows(opened):
    catalog = filled(opened())
    report = catalog.compact(RUN)
    assert (report.files_before, report.files_after) == (20, 5)
    assert report.bytes_after < report.bytes_before
    assert_holds(opened(), range(12))
    assert catalog.verify(RUN).problems == ()
    assert catalog.compact(RUN).files_after == 5


def test_a_frame_scanned_before_compaction_still_collects(opened):
    catalog = filled(opened())
    frame = catalog.scan("voltage_traces", run=RUN)
    catalog.compact(RUN)
    assert frame.collect().height == 24


def test_replaced_files_go_when_they_are_old_enough(opened):
    catalog = filled(opened())
    catalog.compact(RUN)
    assert len(catalog.verify(RUN, repair=True).leftovers) == 20
    report = catalog.verify(RUN, repair=True, grace_s=0)
    assert (len(report.removed), report.leftovers) == (20, ())
    assert_holds(opened(), range(12))


def test_a_run_goes_on_after_compaction_and_can_be_compacted_again(opened):
    catalog = filled(opened())
    writer = opened()
    catalog.compact(RUN, grace_s=0)
    writer.commit(RUN, batch(range(10, 16)))
    catalog.compact(RUN, grace_s=0)
    writer.commit(RUN, batch(range(14, 18)))
    assert_holds(opened(), range(18))
    assert catalog.verify(RUN).problems == ()
    assert catalog.verify(RUN).files == 10


def test_a_commit_that_comes_first_during_compaction_is_kept(opened, monkeypatch):
    catalog, writer = filled(opened()), opened()
    create = catalog.storage.create

    def late(key, data):
        monkeypatch.setattr(catalog.storage, "create", create)
        writer.commit(RUN, batch([50, 51]))
        return create(key, data)

    monkeypatch.setattr(catalog.storage, "create", late)
    catalog.compact(RUN)
    assert_holds(opened(), [*range(12), 50, 51])
    assert catalog.verify(RUN).problems == ()


def test_of_two_compactions_at_once_one_counts(opened, monkeypatch):
    catalog, other = filled(opened()), opened()
    create = catalog.storage.create

    def late(key, data):
        monkeypatch.setattr(catalog.storage, "create", create)
        other.compact(RUN)
        return create(key, data)

    monkeypatch.setattr(catalog.storage, "create", late)
    catalog.compact(RUN)
    assert_holds(opened(), range(12))
    assert catalog.verify(RUN).problems == ()


def test_a_full_file_is_not_written_again(opened):
    catalog = filled(opened())
    catalog.compact(RUN, file_bytes=20_000)
    full = {f.path for c in catalog._log(RUN).live() for f in c.files if f.bytes >= 10_000}
    assert full
    catalog.commit(RUN, batch([20]))
    catalog.compact(RUN, file_bytes=20_000)
    assert full <= {f.path for c in catalog._log(RUN).live() for f in c.files}
    for table in TABLES:
        assert_frame_equal(rows(catalog, table), expected(table, [*range(12), 20]))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 15), min_size=1), min_size=1, max_size=6),
    st.sampled_from([1, 20_000, 10**9]),
    st.sampled_from([30_000, 10**9]),
)
def test_batches_that_overlap_in_any_way_are_merged_by_ascending_trial(batches, piece_bytes, file_bytes):
    catalog = Catalog(f"memory://{uuid.uuid4()}/r")
    catalog.open_run(spec())
    for numbers in batches:
        catalog.commit(RUN, batch(numbers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isfray.catalog.compact.PIECE_BYTES", piece_bytes)
        catalog.compact(RUN, file_bytes=file_bytes)
    assert_holds(catalog, set().union(*batches))
    assert catalog.verify(RUN).problems == ()  # every file sorted by trial


@pytest.mark.parametrize("after", [False, True])
def test_a_compaction_stopped_at_any_operation_changes_nothing_a_reader_sees(after):
    k, stopped = 0, True
    while stopped:
        catalog = filled(Catalog(f"memory://{uuid.uuid4()}/r"), batches=2, size=2)
        try:
            Catalog(Faulty(open_storage(catalog.uri), k, after=after)).compact(RUN, grace_s=0)
            stopped = False
        except Stopped:
            pass
        assert_holds(Catalog(catalog.uri), range(4))
        assert Catalog(catalog.uri).compact(RUN, grace_s=0).files_after == 5
        assert_holds(Catalog(catalog.uri), range(4))
        report = Catalog(catalog.uri).verify(RUN, repair=True, grace_s=0)
        assert (report.problems, report.leftovers) == ((), ())
        k += 1
    assert k > 20
