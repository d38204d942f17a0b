"""Which levels of a local store were written to lately, by the dates of their files."""

from __future__ import annotations

import os
from pathlib import Path

from zarr_vectors.constants import NODE, VERTEX_ATTRIBUTES

ROWS = ""
"""Files of a level that are of no attribute of vertices."""


def dated(path: str | Path) -> int:
    """When a file became what it is, in nanoseconds by the clock of its disk."""
    found = os.stat(path)
    return max(found.st_ctime_ns, found.st_mtime_ns)


def newest(level: Path) -> dict[str, int]:
    """Date of the newest file of each attribute of vertices, and of the others (``ROWS``).

    Documents do not count: values and rows are in other files.

    Args:
        level: Folder of the level.
    """
    found: dict[str, int] = {}
    for where, _, names in os.walk(level):
        parts = Path(where).relative_to(level).parts
        of = parts[1] if len(parts) > 1 and parts[0] == VERTEX_ATTRIBUTES else ROWS
        dates = [dated(f"{where}/{name}") for name in names if name != NODE]
        if dates:
            found[of] = max(found.get(of, 0), *dates)
    return found
