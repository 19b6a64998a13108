"""Results on disk or object storage: layout, commits, and lazy tables."""

from isfray.catalog.batch import CommitInfo
from isfray.catalog.catalog import Catalog
from isfray.catalog.provenance import provenance
from isfray.catalog.runs import RunInfo, RunSpec, Session

__all__ = ["Catalog", "CommitInfo", "RunInfo", "RunSpec", "Session", "provenance"]
