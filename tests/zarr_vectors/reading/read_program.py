"""Reads a store in a process of its own; prints the peak over the result's bytes.

Arguments: the kind, a small store and a large one.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.points import read_points
from zarr_vectors.types.polylines import read_polylines

READERS: dict[str, Any] = {
    "points": partial(read_points, attribute_names=["a"]),
    "streamlines": read_polylines,
    "graph": read_graph,
    "skeleton": read_graph,
    "mesh": read_mesh,
}


def resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def size(found: Any) -> int:
    if isinstance(found, np.ndarray):
        return found.nbytes
    if isinstance(found, dict):
        return sum(map(size, found.values()))
    return 0


if __name__ == "__main__":
    kind, small, large = sys.argv[1:]
    READERS[kind](small)  # what is loaded once is loaded
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    result = READERS[kind](large)
    peak = resident("VmHWM") - before
    print(peak / sum(size(getattr(result, name)) for name in result.__dataclass_fields__))
