"""Which levels of a local store were written to lately, by the dates of their files."""

from __future__ import annotations

import os
from pathlib import Path

from zarr_vectors.constants import FACE_ATTRIBUTES, NODE, VERTEX_ATTRIBUTES
from zv_viewer.sources.face_values import face_title

ROWS = ""
"""Files of a level that are of no attribute of vertices or faces."""


def dated(path: str | Path) -> int:
    """When a file became what it is, in nanoseconds by the clock of its disk."""
    found = os.stat(path)
    return max(found.st_ctime_ns, found.st_mtime_ns)


def newest(level: Path) -> dict[str, int]:
    """Date of the newest file of each attribute of vertices or faces, and of others (``ROWS``).

    Documents do not count: values and rows are in other files.

    Args:
        level: Folder of the level.
    """
    found: dict[str, int] = {}
    for where, _, names in os.walk(level):
        parts = Path(where).relative_to(level).parts
        of = ROWS
        if len(parts) > 1 and parts[0] == VERTEX_ATTRIBUTES:
            of = parts[1]
        elif len(parts) > 1 and parts[0] == FACE_ATTRIBUTES:
            of = face_title(parts[1])
        dates = [dated(f"{where}/{name}") for name in names if name != NODE]
        if dates:
            found[of] = max(found.get(of, 0), *dates)
    return found
