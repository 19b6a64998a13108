"""A stored file that has been altered is never copied on as if it were what was committed."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from isfray.analysis import to_nwb
from isfray.catalog import Catalog
from isfray.catalog.compact import _pieces
from isfray.catalog.isf_export import export_isf
from isfray.catalog.log import by_table
from isfray.catalog.parquet import read_tables
from isfray.errors import InputError
from tests.catalog.synthetic import TABLES, batch, spec
from tests.catalog.test_catalog import RUN


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """A run of two commits, so that compaction would merge each of its files with another."""
    catalog = Catalog(f"memory://{uuid.uuid4()}/r")
    catalog.open_run(spec())
    for trial in range(2):
        catalog.commit(RUN, batch([trial], synapses=5, cells=5, samples=20))
    return catalog


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TABLES), st.integers(0, 1), st.integers(0))
def test_any_bit_that_flips_in_any_stored_file_is_noticed_by_verify_and_stops_compaction(catalog, table, which, bit):
    storage = catalog.storage
    path = by_table(catalog.snapshot(RUN).commits[RUN])[table][which].path
    whole, before = storage.read(path), catalog.snapshot(RUN).commits
    storage.put(path, flipped(whole, bit % (8 * len(whole))))
    try:
        assert any(path in problem and "other content" in problem for problem in catalog.verify(RUN).problems)
        with pytest.raises(InputError, match=r"has other content than was committed.*; .*isfray verify") as caught:
            Catalog(catalog.uri).compact(RUN)
        assert path in str(caught.value)
        assert "\n" not in str(caught.value)
    finally:
        storage.put(path, whole)
    assert Catalog(catalog.uri).snapshot(RUN).commits == before
    assert catalog.verify(RUN).ok


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 3), st.integers(0))
def test_any_bit_that_flips_in_what_tells_of_the_run_is_told_in_one_line_or_changes_no_row(catalog, which, bit):
    storage, now = catalog.storage, catalog.snapshot()
    held = {table: now.scan(table).sort("trial", maintain_order=True).collect() for table in TABLES}
    key = sorted(storage.listing("runs/"))[which]
    whole = storage.read(key)
    storage.put(key, flipped(whole, bit % (8 * len(whole))))
    try:
        with contextlib.suppress(InputError):
            Catalog(catalog.uri).infos()
        with contextlib.suppress(InputError):
            if Catalog(catalog.uri).verify(RUN).ok:
                now = Catalog(catalog.uri).snapshot()
                for table, rows in held.items():
                    assert_frame_equal(now.scan(table).sort("trial", maintain_order=True).collect(), rows)
    finally:
        storage.put(key, whole)


def test_an_input_with_a_flipped_bit_is_noticed_by_verify(catalog):
    for key in catalog.storage.listing("inputs/"):
        whole = catalog.storage.read(key)
        catalog.storage.put(key, flipped(whole, 3))
        assert any(key in problem for problem in catalog.verify(RUN).problems)
        catalog.storage.put(key, whole)
    assert catalog.verify(RUN).ok


@pytest.mark.parametrize(
    "act",
    [
        lambda catalog, file, folder: list(read_tables(catalog.storage, file)),
        lambda catalog, file, folder: list(_pieces(catalog.storage, [file])),
        lambda catalog, file, folder: export_isf(catalog, RUN, folder),
        lambda catalog, file, folder: to_nwb(catalog, RUN, folder / "out.nwb"),
        lambda catalog, file, folder: catalog.snapshot().check_files(RUN, trials=[0]),
    ],
    ids=["read_tables", "pieces", "isf", "nwb", "check_files"],
)
@pytest.mark.parametrize("change", [lambda data: flipped(data, 400), lambda data: data[:-1], None])
def test_whatever_copies_or_exports_rows_refuses_an_altered_file_by_name(
    catalog, tmp_path, act: Callable[..., Any], change: Callable[[bytes], bytes] | None
):
    file = by_table(catalog.snapshot(RUN).commits[RUN])["voltage_traces"][0]
    whole = catalog.storage.read(file.path)
    if change is None:
        catalog.storage.delete([file.path])
    else:
        catalog.storage.put(file.path, change(whole))
    try:
        with pytest.raises(InputError, match=r"voltage_traces/.*: (has other content|is missing)"):
            act(catalog, file, tmp_path)
        assert list(tmp_path.iterdir()) == []
        catalog.snapshot().check_files(RUN, trials=[1])
    finally:
        catalog.storage.put(file.path, whole)


def test_pages_carry_checksums_for_readers_that_look_at_them(catalog):
    file = by_table(catalog.snapshot(RUN).commits[RUN])["voltage_traces"][0]
    whole = catalog.storage.read(file.path)
    sound = pq.read_table(pa.BufferReader(whole), page_checksum_verification=True)

    def same(bit: int, **how: Any) -> bool:
        """Whether the rows are the stored ones; True too where the reader has noticed."""
        try:
            return bool(pq.read_table(pa.BufferReader(flipped(whole, bit)), **how).equals(sound))
        except (OSError, pa.ArrowException):
            return True

    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")  # of the pages; what follows has no checksum
    bits = range(800, 8 * end, 88)
    assert not all(map(same, bits)), "what a checksum is for"
    assert all(same(bit, page_checksum_verification=True) for bit in bits)
