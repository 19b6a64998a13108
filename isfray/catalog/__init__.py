"""Results on disk or object storage: layout, commits, and lazy tables."""
