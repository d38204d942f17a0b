"""The bins inside a chunk: how many, which one a position falls into, how they are numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.typing import ChunkCoords, IntArray

MAX_INDEX = 2**52
"""Cells beyond this are not numbered exactly in float64."""

TOLERANCE = 1e-9
"""How far, relative to the ratio, a chunk may be from a whole number of bins."""


def bins_per_chunk(chunk_shape: Sequence[float], bin_shape: Sequence[float]) -> tuple[int, ...]:
    """Bins along each axis of a chunk.

    Raises:
        ChunkingError: The bin shape does not divide the chunk shape.
    """
    if len(chunk_shape) != len(bin_shape):
        raise ChunkingError(
            f"bin shape {tuple(bin_shape)} has {len(bin_shape)} axes, "
            f"chunk shape {tuple(chunk_shape)} has {len(chunk_shape)}"
        )
    counts = []
    for chunk, size in zip(chunk_shape, bin_shape, strict=True):
        if not size > 0:
            raise ChunkingError(f"bin shape {tuple(bin_shape)} must be greater than 0")
        ratio = chunk / size
        count = round(ratio) if ratio < MAX_INDEX else 0
        if count < 1 or abs(ratio - count) > TOLERANCE * max(count, 1):
            raise ChunkingError(
                f"bin shape {tuple(bin_shape)} does not divide chunk shape {tuple(chunk_shape)}"
            )
        counts.append(count)
    return tuple(counts)


def cell_of(value: float, size: float) -> int:
    """Grid coordinate ``floor(value / size)`` of one value.

    Raises:
        ChunkingError: The value is so far from 0 that its cell cannot be numbered.
    """
    quotient = np.floor(np.float64(value) / size)
    if not abs(quotient) < MAX_INDEX:
        raise ChunkingError(
            f"{float(value):.6g} lies {float(abs(quotient)):.3g} cells of {size:g} from 0: "
            "take larger chunks"
        )
    return int(quotient)


def cells_along(values: npt.NDArray[np.floating], size: float) -> IntArray:
    """Grid coordinate ``floor(value / size)`` of each value, in float64.

    Args:
        values: (N,) float, world units.
        size: Edge of a cell on this axis, world units.
    """
    quotient = np.true_divide(values, size, dtype=np.float64)
    np.floor(quotient, out=quotient)
    found: IntArray = quotient.astype(np.int64)
    return found


def grid_coords(positions: npt.NDArray[np.floating], shape: Sequence[float]) -> IntArray:
    """(N, D) int64 cell of every position on a grid anchored at 0."""
    coords = np.empty(positions.shape, np.int64)
    for axis, size in enumerate(shape):
        coords[:, axis] = cells_along(positions[:, axis], size)
    return coords


def bin_numbers(
    positions: npt.NDArray[np.floating],
    chunk_coords: IntArray,
    bin_shape: Sequence[float],
    per_chunk: Sequence[int],
) -> IntArray:
    """Row-major number of every position's bin inside its chunk, last axis fastest.

    Args:
        positions: (N, D) float, world units.
        chunk_coords: (N, D) int64, the chunk of every position.
        bin_shape: D floats, world units.
        per_chunk: Bins per chunk along each axis.

    Returns:
        (N,) int64 in ``0 .. prod(per_chunk) - 1``. A position whose bin and chunk disagree by
        rounding takes the nearest bin of its chunk.
    """
    numbers = np.zeros(len(positions), np.int64)
    for axis, (size, count) in enumerate(zip(bin_shape, per_chunk, strict=True)):
        if count == 1:
            continue
        local = cells_along(positions[:, axis], size)
        local -= chunk_coords[:, axis] * count
        np.clip(local, 0, count - 1, out=local)
        numbers *= count
        numbers += local
    return numbers


def bin_to_chunk(bin_coords: Sequence[int], per_chunk: Sequence[int]) -> ChunkCoords:
    """The chunk a bin belongs to."""
    return tuple(int(b) // int(n) for b, n in zip(bin_coords, per_chunk, strict=True))
