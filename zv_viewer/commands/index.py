"""``zv-view index``: what lets a store be read without listing, added to it."""

from __future__ import annotations

from zarr_vectors.indexing import index_store

MISSING = 1
"""Exit code of ``--check`` where something would be added."""


def index(path: str, *, check: bool = False) -> int:
    """Add the records to a store and say which; the exit code."""
    found = index_store(path, check=check)
    added, notes = found["added"], found["notes"]
    if not added:
        print(f"{found['url']}: nothing to add")
    else:
        print(f"{found['url']}: {'to add' if check else 'added'}")
    for line in added:
        print(f"  {line}")
    for line in notes:
        print(f"  note: {line}")
    return MISSING if added and check else 0
