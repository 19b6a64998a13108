"""Tables that grow: whichever columns older files lack, the rows are there; what is newer is refused in one line."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from isfray import tables
from isfray.catalog import Catalog
from isfray.catalog.parquet import tables_in, to_parquet
from isfray.catalog.runs import RUN_VERSION
from isfray.cli import main
from isfray.errors import InputError
from tests.catalog.synthetic import TABLES, batch, spec
from tests.catalog.test_catalog import RUN
from tests.old_catalogs import KINDS, OF_TODAY, Added, become, files_of

VALUES: dict[pa.DataType, Any] = dict(zip(KINDS, ([0.5, -1.0], ["b", "a"], [[1.0], []], [3, 4]), strict=True))
SHAPE = {"synapses": 3, "cells": 3, "samples": 20}


def with_values(trial: int, of_today: dict[str, pa.Table], ahead: int, added: Added) -> dict[str, pa.Table]:
    """Tables of a trial by a version so many ahead, which has values in two of three rows of its columns."""
    made = {}
    for name, table in of_today.items():
        table = tables.conform(name, table)
        for column, (after, kind) in added.get(name, {}).items():
            if after <= ahead:
                values = [[*VALUES[kind], None][(i + trial) % 3] for i in range(len(table))]
                at = tables.SCHEMAS[name].get_field_index(column)
                table = table.set_column(at, tables.SCHEMAS[name].field(column), pa.array(values).cast(kind))
        made[name] = table
    return made


def additions() -> st.SearchStrategy[Added]:
    columns = st.dictionaries(
        st.sampled_from(["a", "b", "zz"]), st.tuples(st.integers(1, 2), st.sampled_from(KINDS)), max_size=3
    )
    return st.dictionaries(st.sampled_from(TABLES), columns, max_size=3)


@settings(max_examples=25, deadline=None)
@given(additions(), st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_which_columns_older_files_lack_does_not_matter(added, written_by):
    """Trials by several versions, in one run: the rows of each, null where its version did not know the column."""
    catalog = Catalog(f"memory://{uuid.uuid4()}/r")
    parts: dict[str, list[pl.DataFrame]] = {}
    for trial, ahead in enumerate(written_by):
        of_today = batch([trial], **SHAPE)
        with pytest.MonkeyPatch.context() as patch:
            become(patch, ahead, added)
            if not trial:
                catalog.open_run(spec())
            content = with_values(trial, of_today, ahead, added)
            catalog.commit(RUN, content)
        for table, rows in content.items():
            parts.setdefault(table, []).append(pl.DataFrame(rows))
    with pytest.MonkeyPatch.context() as patch:
        become(patch, 2, added)
        for step in ("as written", "compacted"):
            if step == "compacted":
                Catalog(catalog.uri).compact(RUN)
            now = Catalog(catalog.uri)
            assert now.verify(RUN).problems == ()
            for table, frames in parts.items():
                expected = pl.concat(frames, how="diagonal")
                found = now.scan(table, RUN).drop("run").collect().sort("trial", maintain_order=True)
                assert found.columns == tables.SCHEMAS[table].names
                assert_frame_equal(found.select(expected.columns), expected, categorical_as_str=True)
                nobody_s = found.drop(expected.columns)
                assert all(column.null_count() == len(found) for column in nobody_s)


@given(st.lists(st.sampled_from(["x", "y", None]), max_size=8), st.randoms())
def test_a_name_may_be_missing_only_in_a_column_that_was_added_and_equal_rows_are_equal_bytes(names, random):
    kind = KINDS[1]
    with pytest.MonkeyPatch.context() as patch:
        become(patch, 1, {"spike_times": {"note": (1, kind)}})
        schema = tables.SCHEMAS["spike_times"]
        shuffled = ["x", "y", "unused"]
        random.shuffle(shuffled)
        columns: dict[str, Any] = {name: [0] * len(names) for name in schema.names} | {"site": ["soma"] * len(names)}
        plain = pa.table(columns | {"note": pa.array(names, pa.string())}).cast(schema)
        codes = pa.array([None if name is None else shuffled.index(name) for name in names], pa.int32())
        other = plain.set_column(2, schema.field("note"), pa.DictionaryArray.from_arrays(codes, shuffled))
        one, two = (tables.canonical("spike_times", table) for table in (plain, other))
        assert one.column("note").to_pylist() == names
        assert to_parquet(schema, [one]) == to_parquet(schema, [two])
        nameless = plain.set_column(1, schema.field("site"), pa.array([None] * len(names), kind))
        if names:
            with pytest.raises(ValueError, match=r"a name is missing \(null\)"):
                tables.canonical("spike_times", nameless)


@pytest.fixture
def both(tmp_path, monkeypatch) -> Catalog:
    """A run of which this version wrote trial 0, and the next, which has a column more, trial 1."""
    added: Added = {"voltage_traces": {"level": (1, KINDS[0])}}
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    catalog.commit(RUN, batch([0], **SHAPE))
    of_today = batch([1], **SHAPE)
    with monkeypatch.context() as patch:
        become(patch, 1, added)
        catalog.commit(RUN, with_values(1, of_today, 1, added))
    return catalog


def test_old_and_new_files_are_read_without_isfray_as_the_documentation_says(both):
    paths = [str(path) for path in files_of(both, RUN, "voltage_traces")]
    query = "SELECT trial, level FROM read_parquet($paths, union_by_name = true) ORDER BY ALL"
    by_duckdb = [tuple(row) for row in duckdb.execute(query, {"paths": paths}).fetchall()]
    frames = [pl.scan_parquet(path).select("trial", pl.col("^level$")) for path in paths]
    by_polars = pl.concat(frames, how="diagonal").collect().rows()
    rows = pd.concat(pd.read_parquet(path) for path in paths)
    by_pandas = [
        (trial, None if pd.isna(level) else level) for trial, level in zip(rows.trial, rows.level, strict=True)
    ]
    assert set(by_duckdb) == {(0, None), (1, -1.0), (1, None)}
    assert set(by_polars) == set(by_pandas) == set(by_duckdb)


@pytest.mark.parametrize(
    "door",
    [
        lambda catalog: catalog.scan("trials", RUN),
        lambda catalog: catalog["spike_times"],
        lambda catalog: catalog.snapshot(),
        lambda catalog: catalog.committed_trials(RUN),
        lambda catalog: catalog.infos(),
        lambda catalog: catalog.verify(RUN, repair=True, grace_s=-1),
        lambda catalog: catalog.compact(RUN, grace_s=-1),
        lambda catalog: catalog.mend(RUN),
        lambda catalog: catalog.commit(RUN, batch([2], **SHAPE)),
    ],
)
def test_a_run_with_files_of_a_newer_version_is_refused_at_every_door_and_stays_as_it_is(both, door):
    before = {path: path.read_bytes() for path in Path(both.uri).rglob("*") if path.is_file()}
    with pytest.raises(InputError) as refused:
        door(Catalog(both.uri))
    newest = tables.SCHEMA_VERSION
    told = f"schema_version = {newest + 1} was written by a newer isfray; expected at most {newest}; upgrade isfray"
    assert str(refused.value) == f"{both.uri}/runs/{RUN}/commits/00000001.json: {told}"
    files = [path for path in Path(both.uri).rglob("*") if path.is_file() and "commits" not in path.parts]
    assert {path: path.read_bytes() for path in files}.items() <= before.items()


@pytest.mark.parametrize("name", ["catalog.json", f"runs/{RUN}/run.json", f"runs/{RUN}/commits/00000000.json"])
def test_an_object_that_is_newer_is_refused_in_a_line_that_names_it_and_both_versions(tmp_path, name, capsys):
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    catalog.commit(RUN, batch([0], **SHAPE))
    path = tmp_path / "r" / name
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"version": 9}))
    for command in ("info", "verify", "compact", "resume"):
        assert main([command, catalog.uri, RUN]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        newest = RUN_VERSION if path.name == "run.json" else 1
        assert f"{path}: version = 9 was written by a newer isfray; expected at most {newest}" in line


def test_a_file_is_of_the_version_that_it_says():
    def stored(schema: pa.Schema, version: int) -> bytes:
        sink = pa.BufferOutputStream()
        pq.write_table(schema.with_metadata({"isfray.schema_version": str(version)}).empty_table(), sink)
        return sink.getvalue().to_pybytes()

    today, newest = OF_TODAY["trials"], tables.SCHEMA_VERSION
    assert [table.schema for table in tables_in(stored(today, newest), "trials", "a.parquet")] == [today]
    lacking = pa.schema([field for field in today if field.name != "t_stop"])
    with pytest.raises(InputError, match=r"a\.parquet: does not have the schema of trials"):
        list(tables_in(stored(lacking, newest), "trials", "a.parquet"))
    with pytest.raises(InputError, match=rf"a\.parquet: schema_version = {newest + 1} was written by a newer isfray"):
        list(tables_in(stored(today, newest + 1), "trials", "a.parquet"))
    with pytest.MonkeyPatch.context() as patch:
        become(patch, 1, {"trials": {"level": (1, KINDS[0])}})
        assert [table.schema for table in tables_in(stored(today, newest), "trials", "a")] == [tables.SCHEMAS["trials"]]
        with pytest.raises(InputError, match="does not have the schema of trials; expected that of version"):
            list(tables_in(stored(today, newest + 1), "trials", "a"))


def test_the_version_of_the_schemas_is_that_of_the_last_column_that_was_added():
    fields = [field for schema in OF_TODAY.values() for field in schema]
    assert max(map(tables.first_version, fields)) <= tables.SCHEMA_VERSION
    assert {tables.written_by(schema) for schema in OF_TODAY.values()} == {tables.SCHEMA_VERSION}
