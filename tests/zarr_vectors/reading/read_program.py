"""Reads a store in a process of its own; prints the peak over the result's bytes.

Arguments: the kind, a small store and a large one.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from zarr_vectors.testing.memory import bytes_of, peak_of
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

if __name__ == "__main__":
    kind, small, large = sys.argv[1:]
    READERS[kind](small)  # what is loaded once is loaded
    result, peak = peak_of(partial(READERS[kind], large))
    print(peak / bytes_of(result))
