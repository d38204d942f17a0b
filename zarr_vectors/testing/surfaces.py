"""Meshes most of whose faces lie inside one chunk, as those of surfaces do."""

from __future__ import annotations

import numpy as np

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.typing import AnyArray, IntArray


def write_sheets(
    place: StoreLike,
    *,
    side: int = 24,
    sheets: int = 2,
    chunk: float = 8.0,
    levels: int = 2,
    format_version: str = "0.7.0",
) -> None:
    """Write squares of triangles one above the other, each an object, with a pyramid.

    Vertices lie at whole numbers and have the attributes ``age``, their number, and ``kind``, a
    category; edges are ``side - 1`` long, and sheets 4 apart.

    Args:
        place: Where.
        side: Vertices along an edge.
        sheets: How many.
        chunk: Edge of a chunk.
        levels: Coarser levels.
        format_version: ``0.7.0`` or ``0.9.2``.
    """
    of_one = side * side
    points, faces = sheet(side)
    lifted = [points + np.array([0, 0, 4 * number]) for number in range(sheets)]
    write_mesh(
        place,
        np.concatenate(lifted),
        np.concatenate([faces + number * of_one for number in range(sheets)]),
        chunk_shape=(chunk,) * 3,
        bin_shape=(1.0,) * 3,
        object_ids=np.repeat(np.arange(sheets), of_one),
        object_attributes={"size": np.arange(sheets) * 1.5},
        vertex_attributes={
            "age": np.arange(sheets * of_one),
            "kind": np.array(["a", "b"])[np.arange(sheets * of_one) % 2],
        },
        format_version=format_version,
    )
    if levels:
        build_pyramid(place, factors=[(2.0, 1.0)] * levels)


def sheet(side: int) -> tuple[AnyArray, IntArray]:
    """(side**2, 3) float positions and (2 * (side - 1)**2, 3) int64 triangles of one sheet."""
    y, x = np.divmod(np.arange(side * side), side)
    points = np.stack([x, y, np.zeros(side * side)], axis=1).astype(float)
    corner = np.flatnonzero((x < side - 1) & (y < side - 1))
    low = np.stack([corner, corner + 1, corner + side], axis=1)
    high = np.stack([corner + 1, corner + side + 1, corner + side], axis=1)
    return points, np.stack([low, high], axis=1).reshape(-1, 3)
