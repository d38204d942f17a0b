"""Inputs of writers that are some 60 MB, or a part of that, in chunks of a box of 10 x 10 x 10."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines
from zarr_vectors.typing import FloatArray, IntArray

BOX: dict[str, Any] = {"chunk_shape": (10.0,) * 3, "bounds": ([0] * 3, [100] * 3)}
WRITERS: dict[str, Any] = {
    "points": write_points,
    "streamlines": write_polylines,
    "graph": write_graph,
    "skeleton": partial(write_graph, kind="skeleton"),
    "mesh": write_mesh,
}


def large(kind: str, part: float = 1.0) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a writer, without and with names, but for those of :data:`BOX`.

    Args:
        kind: One of :data:`WRITERS`.
        part: How much of the usual size.
    """
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


def write_large(kind: str, place: Path, version: str, part: float = 1.0) -> None:
    """Write what :func:`large` gives."""
    arrays, named = large(kind, part)
    WRITERS[kind](place, *arrays, format_version=version, **named, **BOX)


def walks(count: int, steps: int) -> FloatArray:
    """(count, steps, 3) float32: about ten vertices in every chunk a line passes."""
    rng = np.random.default_rng(5)
    lines = np.empty((count, steps, 3), np.float32)
    for line in lines:
        moves = rng.normal(0, 0.4, (steps, 3)).cumsum(axis=0)
        line[:] = np.clip(rng.random(3) * 100 + moves, 0, 100)
    return lines


def sheet(side: int) -> tuple[FloatArray, IntArray]:
    """(N, 3) float32 vertices and (M, 3) int64 triangles of a wavy sheet."""
    line = np.linspace(0, 100, side)
    x, y = (axis.reshape(-1) for axis in np.meshgrid(line, line, indexing="ij"))
    vertices = np.column_stack([x, y, 50 + 30 * np.sin(x / 9) * np.cos(y / 7)]).astype(np.float32)
    rows = np.arange(side * side).reshape(side, side)
    a, b, c, d = (
        part.reshape(-1) for part in (rows[:-1, :-1], rows[:-1, 1:], rows[1:, :-1], rows[1:, 1:])
    )
    return vertices, np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])])
