"""Trials on Ray: actors, dispatch, progress."""
