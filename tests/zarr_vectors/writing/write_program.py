"""Writes a store in a process of its own; prints the peak it adds over the input's bytes.

Arguments: the kind, the format version, a folder that is empty, and the part of the usual size.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines

BOX: dict[str, Any] = {"chunk_shape": (10.0,) * 3, "bounds": ([0] * 3, [100] * 3)}
WRITERS: dict[str, Any] = {
    "points": write_points,
    "streamlines": write_polylines,
    "graph": write_graph,
    "skeleton": partial(write_graph, kind="skeleton"),
    "mesh": write_mesh,
}


def walks(count: int, steps: int) -> np.ndarray:
    """(count, steps, 3) float32: about ten vertices in every chunk a line passes."""
    rng = np.random.default_rng(5)
    lines = np.empty((count, steps, 3), np.float32)
    for line in lines:
        moves = rng.normal(0, 0.4, (steps, 3)).cumsum(axis=0)
        line[:] = np.clip(rng.random(3) * 100 + moves, 0, 100)
    return lines


def sheet(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a wavy sheet."""
    line = np.linspace(0, 100, side)
    x, y = (axis.reshape(-1) for axis in np.meshgrid(line, line, indexing="ij"))
    vertices = np.column_stack([x, y, 50 + 30 * np.sin(x / 9) * np.cos(y / 7)]).astype(np.float32)
    rows = np.arange(side * side).reshape(side, side)
    a, b, c, d = (
        part.reshape(-1) for part in (rows[:-1, :-1], rows[:-1, 1:], rows[1:, :-1], rows[1:, 1:])
    )
    return vertices, np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])])


def given(kind: str, part: float) -> tuple[list[Any], dict[str, Any]]:
    """What is written: some 60 MB where the part is 1."""
    if kind == "points":
        count = int(3_000_000 * part)
        positions = np.random.default_rng(5).random((count, 3), np.float32) * 100
        return [positions], {"vertex_attributes": {"a": np.arange(count, dtype=np.float32)}}
    if kind == "streamlines":
        return [list(walks(int(9000 * part), 500))], {}
    if kind == "mesh":
        vertices, faces = sheet(int(1000 * part**0.5))
        return [vertices, faces], {"object_ids": (vertices[:, 0] // 25).astype(np.int64)}
    lines = walks(int(2000 * part), 1000)
    rows = np.arange(lines[..., 0].size).reshape(lines.shape[:2])
    edges = np.stack([rows[:, 1:], rows[:, :-1]], axis=-1).reshape(-1, 2)
    ids = np.repeat(np.arange(len(lines)), lines.shape[1])
    return [lines.reshape(-1, 3), edges], {"object_ids": ids}


def resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def size(found: Any) -> int:
    if isinstance(found, np.ndarray):
        return found.nbytes
    return sum(map(size, found.values() if isinstance(found, dict) else found))


if __name__ == "__main__":
    kind, version, folder, part = sys.argv[1:]
    few, named = given(kind, 0.01)
    WRITERS[kind](Path(folder) / "small", *few, format_version=version, **named, **BOX)
    arrays, named = given(kind, float(part))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    WRITERS[kind](Path(folder) / "large", *arrays, format_version=version, **named, **BOX)
    peak = resident("VmHWM") - before
    print(peak / (size(arrays) + size(named)))
