"""Catalogs that earlier versions wrote, which stand in `tests/data`, and versions to come, which have more columns."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isfray import tables
from isfray.catalog import Catalog
from isfray.tables import since

OLD = sorted(path.name for path in (Path(__file__).parent / "data").glob("*.zip"))
OF_TODAY = dict(tables.SCHEMAS)
KINDS = (pa.float64(), pa.dictionary(pa.int32(), pa.string()), pa.list_(pa.field("element", pa.float64())), pa.int32())
"""What columns are made of."""

Added = Mapping[str, Mapping[str, tuple[int, pa.DataType]]]
"""By table, columns to come: in how many versions, and their type."""
ONE_OF_EACH_KIND: Added = {table: {f"new_{i}": (1, kind) for i, kind in enumerate(KINDS)} for table in OF_TODAY}


def unpacked(name: str, folder: Path) -> tuple[Catalog, str]:
    """A catalog of `tests/data`, and the name of its run."""
    shutil.unpack_archive(Path(__file__).parent / "data" / name, folder / "old")
    catalog = Catalog(folder / "old")
    (run,) = catalog.runs()
    return catalog, run


def become(patch: pytest.MonkeyPatch, ahead: int, added: Added = ONE_OF_EACH_KIND) -> None:
    """Make this process one of a version so many ahead: its tables have the columns that were added until then."""
    version = tables.SCHEMA_VERSION + ahead
    for name, schema in OF_TODAY.items():
        fields = [
            since(tables.SCHEMA_VERSION + after, kind).with_name(column)
            for column, (after, kind) in added.get(name, {}).items()
            if after <= ahead
        ]
        metadata = {**schema.metadata, b"isfray.schema_version": str(version).encode()}
        grown = pa.schema([*schema][:2] + fields + [*schema][2:], metadata=metadata)
        patch.setitem(tables.SCHEMAS, name, grown)
    patch.setattr(tables, "SCHEMA_VERSION", version)


def files_of(catalog: Catalog, run: str, table: str) -> list[Path]:
    """The files that exist, by the description of the catalog alone."""
    root = Path(catalog.uri)
    commits = [json.loads(p.read_bytes()) for p in sorted((root / "runs" / run / "commits").glob("*.json"))]
    replaced = {n for c in commits for first, last in c["replaces"] for n in range(first, last + 1)}
    live = [c for c in commits if c["sequence"] not in replaced]
    return [root / f["path"] for c in live for f in c["files"] if f["table"] == table]


def plainly(catalog: Catalog, run: str, table: str) -> pl.DataFrame:
    """Rows of a table, read with PyArrow alone, by trial."""
    parts = [pq.read_table(path, partitioning=None) for path in files_of(catalog, run, table)]
    frame = pl.DataFrame(pa.concat_tables(parts, promote_options="default").unify_dictionaries())
    return frame.sort("trial", maintain_order=True)


def read(catalog: Catalog, run: str, table: str) -> pl.DataFrame:
    """Rows of a table as the catalog gives them, by trial."""
    return Catalog(catalog.uri).scan(table, run).drop("run").collect().sort("trial", maintain_order=True)


def everything(catalog: Catalog, run: str) -> dict[str, pl.DataFrame]:
    """Rows of every table that has some."""
    return {table: read(catalog, run, table) for table in Catalog(catalog.uri).tables()}


def to_come() -> None:
    """Make this process, for good, one of the next version, whose trials say something in a new column."""
    become(pytest.MonkeyPatch(), 1)
    made = tables.trial_row

    def trial_row(trial: int, **known: Any) -> pa.Table:
        row = made(trial, **known)
        at = row.column_names.index("new_0")
        return row.set_column(at, row.schema.field(at), pa.array([trial / 2]))

    tables.trial_row = trial_row


def _drive(arguments: list[str]) -> int:
    """Call the command line as a process, and actors, of the next version."""
    import ray

    from isfray.cli import main

    to_come()
    ray.init(
        "local",
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"worker_process_setup_hook": "tests.old_catalogs.to_come"},
    )
    return main(arguments)


if __name__ == "__main__":
    sys.exit(_drive(sys.argv[1:]))
