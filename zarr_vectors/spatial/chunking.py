"""Positions to chunks, boxes to chunks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.spatial.bins import (
    bin_numbers,
    bin_to_chunk,
    bins_per_chunk,
    cell_of,
    cells_along,
    grid_coords,
)
from zarr_vectors.typing import BoundingBox, ChunkCoords, IntArray

__all__ = [
    "assign_chunks",
    "bin_numbers",
    "bin_to_chunk",
    "bins_per_chunk",
    "cell_of",
    "cells_along",
    "check_chunk_shape",
    "chunk_box",
    "chunk_coords_of",
    "chunks_in_box",
    "chunks_intersecting_bbox",
    "compute_bounds",
    "grid_coords",
    "positions_in_box",
]


def check_chunk_shape(chunk_shape: Sequence[float], ndim: int) -> tuple[float, ...]:
    """The chunk shape as floats.

    Raises:
        ChunkingError: Wrong number of axes, or an edge that is not finite and positive.
    """
    shape = tuple(float(edge) for edge in chunk_shape)
    if len(shape) != ndim:
        raise ChunkingError(f"chunk shape {shape} has {len(shape)} axes, positions have {ndim}")
    if not all(np.isfinite(edge) and edge > 0 for edge in shape):
        raise ChunkingError(f"chunk shape {shape} must be finite and greater than 0")
    return shape


def chunk_coords_of(positions: npt.NDArray[np.floating], chunk_shape: Sequence[float]) -> IntArray:
    """(N, D) int64 chunk of every position: ``floor(position / chunk_shape)``.

    Raises:
        ChunkingError: A position is so far from 0 that its chunk cannot be numbered.
    """
    if len(positions):
        for corner in compute_bounds(positions):
            for value, edge in zip(corner, chunk_shape, strict=True):
                cell_of(value, edge)
    return grid_coords(positions, chunk_shape)


def assign_chunks(
    positions: npt.NDArray[np.floating], chunk_shape: Sequence[float]
) -> dict[ChunkCoords, npt.NDArray[np.intp]]:
    """Rows of each occupied chunk, chunks in ascending order, rows ascending.

    Args:
        positions: (N, D) float, world units.
        chunk_shape: D floats, world units.
    """
    coords = chunk_coords_of(positions, chunk_shape)
    if not len(coords):
        return {}
    found, inverse = np.unique(coords, axis=0, return_inverse=True)
    order = np.argsort(inverse.reshape(-1), kind="stable")
    edges = np.cumsum(np.bincount(inverse.reshape(-1), minlength=len(found)))[:-1]
    keys = (tuple(int(x) for x in row) for row in found)
    return dict(zip(keys, np.split(order, edges), strict=True))


def chunk_box(bounds: BoundingBox, chunk_shape: Sequence[float]) -> tuple[ChunkCoords, ChunkCoords]:
    """(first chunk, number of chunks per axis) of the box of chunks that bounds touch.

    Raises:
        ChunkingError: The bounds reach chunks that cannot be numbered.
    """
    first, last = (
        tuple(cell_of(x, edge) for x, edge in zip(corner, chunk_shape, strict=True))
        for corner in bounds
    )
    return first, tuple(b - a + 1 for a, b in zip(first, last, strict=True))


def chunks_in_box(
    coords: IntArray, chunk_shape: Sequence[float], box: BoundingBox
) -> npt.NDArray[np.bool_]:
    """Which of the chunks a box touches; both ends of the box are inclusive.

    Args:
        coords: (M, R) int64; the last D components are spatial.
        chunk_shape: D floats, world units.
        box: (min corner, max corner), world units.
    """
    low, high = (np.asarray(corner, np.float64) for corner in box)
    size = np.asarray(chunk_shape, np.float64)
    spatial = coords[:, coords.shape[1] - len(size) :]
    first, last = np.floor(low / size), np.floor(high / size)
    return np.asarray(((spatial >= first) & (spatial <= last)).all(axis=1))


def chunks_intersecting_bbox(
    bbox_min: npt.ArrayLike, bbox_max: npt.ArrayLike, chunk_shape: Sequence[float]
) -> list[ChunkCoords]:
    """All chunks a box touches, in ascending order, occupied or not."""
    size = np.asarray(chunk_shape, np.float64)
    first = np.floor(np.asarray(bbox_min, np.float64) / size).astype(np.int64)
    last = np.floor(np.asarray(bbox_max, np.float64) / size).astype(np.int64)
    counts = tuple(int(n) for n in np.maximum(last - first + 1, 0))
    return [
        tuple(int(a + b) for a, b in zip(first, index, strict=True)) for index in np.ndindex(counts)
    ]


def positions_in_box(
    positions: npt.NDArray[np.floating], box: BoundingBox
) -> npt.NDArray[np.bool_]:
    """(N,) bool: inside the box, both ends inclusive; as if compared in float64."""
    inside = np.ones(len(positions), np.bool_)
    with np.errstate(invalid="ignore"):  # a NaN, which is nowhere
        for axis, (low, high) in enumerate(zip(*box, strict=True)):
            values = positions[:, axis]
            first, last = _edges(float(low), float(high), positions.dtype)
            inside &= values >= first
            inside &= values <= last
    return inside


def _edges(
    low: float, high: float, dtype: np.dtype[np.floating]
) -> tuple[np.floating, np.floating]:
    """The least value of a dtype that is not below ``low``, and the largest not above ``high``."""
    with np.errstate(over="ignore"):
        first, last = dtype.type(low), dtype.type(high)
    if float(first) < low:
        first = np.nextafter(first, dtype.type(np.inf))
    if float(last) > high:
        last = np.nextafter(last, dtype.type(-np.inf))
    return first, last


def compute_bounds(positions: npt.NDArray[np.floating]) -> tuple[list[float], list[float]]:
    """(min corner, max corner) of (N, D) positions, N > 0."""
    # column by column: NumPy is slow along the long axis of narrow arrays
    columns = [positions[:, axis] for axis in range(positions.shape[1])]
    return [float(c.min()) for c in columns], [float(c.max()) for c in columns]
