"""A level in parts that can be made coarser one at a time: whole target chunks, in order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

import numpy as np

from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.spatial.chunking import bins_per_chunk
from zarr_vectors.typing import IntArray

TILE_ROWS = 1 << 21
"""Source rows of a tile, unless one target chunk has more."""


@dataclass(frozen=True, eq=False, slots=True)
class Tile:
    """Source chunks that together fill some target chunks and no others.

    Attributes:
        chunks: (m,) int64 ascending, rows of the source's chunk table.
        rows: Source rows in all.
    """

    chunks: IntArray
    rows: int


def chunk_scales(source_chunk: Sequence[float], target: Target) -> tuple[int, ...] | None:
    """Source chunks per target chunk along each axis; None where the grids do not nest.

    Grids nest when target chunks are whole source chunks and whole target bins.
    """
    scales = []
    for edge, wanted in zip(source_chunk, target.chunk_shape, strict=True):
        scale = round(wanted / edge)
        if scale < 1 or not isclose(scale * edge, wanted, rel_tol=1e-12):
            return None
        scales.append(scale)
    try:
        bins_per_chunk(target.chunk_shape, target.bin_shape)
    except ChunkingError:
        return None
    return tuple(scales)


def target_chunks(coords: IntArray, scales: Sequence[int]) -> IntArray:
    """(M, D) int64, the target chunk every source chunk lies in."""
    return np.asarray(coords // np.asarray(scales, np.int64))


def tiles_of(
    table: ChunkTable, scales: Sequence[int] | None, max_rows: int = TILE_ROWS
) -> list[Tile]:
    """The tiles of a level, in ascending order of the target chunks they fill.

    Args:
        table: Chunks of the source level.
        scales: As of :func:`chunk_scales`; None makes one tile of everything.
        max_rows: Rows of a tile; more only where one target chunk has more.
    """
    everything = np.arange(len(table.coords), dtype=np.int64)
    if scales is None or not len(everything):
        return [Tile(everything, int(table.counts.sum()))]
    owners = target_chunks(table.coords, scales)
    order = np.lexsort(owners.T[::-1])
    owners = owners[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (owners[1:] != owners[:-1]).any(axis=1)
    firsts = np.flatnonzero(new)
    sizes = np.add.reduceat(table.counts[order], firsts)
    tiles = []
    start, held = 0, 0
    ends = np.append(firsts[1:], len(order))
    for i, size in enumerate(sizes.tolist()):
        if held and held + size > max_rows:
            tiles.append(Tile(np.sort(order[start : firsts[i]]), held))
            start, held = int(firsts[i]), 0
        held += size
    tiles.append(Tile(np.sort(order[start : ends[-1]]), held))
    return tiles


def rows_of(chunks: IntArray, starts: IntArray) -> IntArray:
    """(n,) int64 stored rows of some chunks, one chunk after the other.

    Args:
        chunks: (m,) int64 numbers of chunks.
        starts: (M + 1,) int64 first row of every chunk, and the end.
    """
    counts = starts[chunks + 1] - starts[chunks]
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shifts: IntArray = np.repeat(starts[chunks] - (ends - counts), counts)
    return np.arange(total, dtype=np.int64) + shifts
