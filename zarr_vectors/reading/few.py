"""A few pieces of a level, each by itself: for so few, work on whole arrays costs more than rows.

Only what is in order is read so. All else is left to the reader of plans, which says what is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import FRAGMENT_MAGIC, FRAGMENT_VERSION
from zarr_vectors.core.layouts.base import Cells
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.typing import ChunkCoords, FloatArray

FEW = 32
"""Pieces that are read each by itself, at most."""

_HEADER = struct.Struct("<IHHII")
_RANGES = (FRAGMENT_MAGIC, FRAGMENT_VERSION, 0)
_END = b"\0\0\0\0"


def rows_of_pieces(
    arrays: LevelArrays,
    cells: Mapping[str, Cells],
    counts: Mapping[ChunkCoords, int],
    chunks: Sequence[ChunkCoords],
    fragments: Sequence[int],
) -> FloatArray | None:
    """(n, D) vertices of pieces, piece after piece; None where anything is out of the ordinary.

    Args:
        arrays: The level, whose vertices are stored as they are.
        cells: Vertices and fragment tables of the chunks.
        counts: Vertices each chunk must have; none of a chunk whose number is not known.
        chunks: Chunk of every piece.
        fragments: Fragment of every piece.
    """
    vertices, tables = cells[arrays.vertices_path], cells[arrays.fragments_path]
    rows: dict[ChunkCoords, FloatArray] = {}
    ranges: dict[ChunkCoords, npt.NDArray[np.int64]] = {}
    for chunk in dict.fromkeys(chunks):
        blob, table = vertices.get(chunk), tables.get(chunk)
        if blob is None or table is None:
            return None
        own = _vertices(arrays, blob, chunk)
        found = None if own is None else _ranges(table, len(own))
        if own is None or found is None or counts.get(chunk, len(own)) != len(own):
            return None
        rows[chunk], ranges[chunk] = own, found
    parts = []
    for chunk, fragment in zip(chunks, fragments, strict=True):
        if fragment >= len(ranges[chunk]):
            return None
        start, count = ranges[chunk][fragment].tolist()
        parts.append(rows[chunk][start : start + count])
    return np.concatenate(parts)


def _vertices(arrays: LevelArrays, blob: bytes, chunk: ChunkCoords) -> FloatArray | None:
    """Vertices of a chunk; None where they are no whole rows, or may be those of a lost file."""
    ndim, dtype = arrays.ndim, arrays.vertices.dtype
    width = ndim * dtype.itemsize
    if not blob or len(blob) % width or (blob.startswith(bytes(width)) and any(chunk[-ndim:])):
        return None
    return np.frombuffer(blob, dtype).reshape(-1, ndim)


def _ranges(table: bytes, rows: int) -> npt.NDArray[np.int64] | None:
    """(F, 2) first row and row count of fragments, all ranges of rows that are there; or None."""
    if len(table) < _HEADER.size:
        return None
    *kind, count, ranges = _HEADER.unpack_from(table)
    first = _HEADER.size + (count + 63) // 64 * 8
    if tuple(kind) != _RANGES or not 0 < count == ranges:
        return None
    if len(table) != first + 16 * count + 4 or not table.endswith(_END):
        return None
    numbers = np.frombuffer(table, "<u8", 2 * count, first)
    # a negative number is a huge one without its sign
    if int(numbers.max()) > rows or int((numbers[::2] + numbers[1::2]).max()) > rows:
        return None
    return numbers.view("<i8").reshape(-1, 2)
