"""Which stored row every input row becomes: chunk, fragment, place. Pure.

Nothing here loops over chunks, bins or objects: one integer key per row, one stable sort.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.spatial.chunking import (
    bins_per_chunk,
    cell_of,
    cells_along,
    chunk_coords_of,
)
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import counted_order, dense_ranks, row_dtype, stable_order

MAX_FRAGMENTS = 1 << 27
"""Fragments a level may have in all: a table of empty ones costs 16 bytes each."""

_BLOCK = 1 << 17
_MAX_KEY = 1 << 62


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """Where rows go. Stored rows are numbered over the whole level, chunk after chunk.

    Attributes:
        order: (N,) int32 or int64, the input row of every stored row.
        chunks: (M, R) int64 occupied chunks, ascending in tuple order.
        chunk_rows: (M + 1,) int64, first stored row of every chunk, and the end.
        fragment_rows: (F + 1,) int64, first stored row of every fragment, and the end.
        chunk_fragments: (M + 1,) int64, first fragment of every chunk, and the end.
        fragment_objects: (F,) int64 object of every fragment, or None where bins are fragments.
    """

    order: npt.NDArray[np.integer]
    chunks: IntArray
    chunk_rows: IntArray
    fragment_rows: IntArray
    chunk_fragments: IntArray
    fragment_objects: IntArray | None = None

    @property
    def counts(self) -> IntArray:
        """(M,) vertices per chunk."""
        return np.diff(self.chunk_rows)

    def rows(self, first: int, last: int) -> npt.NDArray[np.integer]:
        """(last - first,) input row of stored rows."""
        return self.order[first:last]


@dataclass(frozen=True, eq=False, slots=True)
class Manifests:
    """Manifests of many objects as flat tables, blocks in manifest order.

    Attributes:
        ids: (O,) int64 object ids, ascending.
        starts: (O + 1,) int64, first block of every object, and the end.
        chunks: (B, R) int64 chunk of every block.
        fragments: (B,) int64 fragment of every block.
    """

    ids: IntArray
    starts: IntArray
    chunks: IntArray
    fragments: IntArray


def route_bins(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    lead: IntArray | None = None,
) -> Route:
    """Rows into chunks, and inside a chunk into one fragment per bin, empty bins included.

    Args:
        positions: (N, D) float as stored, world units.
        chunk_shape: D floats, world units.
        bin_shape: D floats that divide the chunk shape.
        lead: (N,) int64 attribute bin of every row, the leading chunk component, or None.

    Raises:
        ChunkingError: Bins do not divide chunks, or are too many.
    """
    per_chunk = bins_per_chunk(chunk_shape, bin_shape)
    bins = prod(per_chunk)
    keys, limit, numbers = row_keys(positions, chunk_shape, bin_shape, per_chunk, lead)
    found, ranks = dense_ranks(keys, limit, row_dtype(max(len(keys), MAX_FRAGMENTS)))
    del keys
    total = len(found) * bins
    if total > MAX_FRAGMENTS:
        raise ChunkingError(
            f"bin shape {tuple(bin_shape)} makes {bins:,} bins in each of {len(found):,} chunks: "
            "take larger bins or smaller chunks"
        )
    if bins > 1:
        ranks *= bins
        ranks += numbers
    order, counts = counted_order(ranks, max(total, 1))
    del ranks
    fragment_rows = starts_of(counts[:total])
    chunk_fragments = np.arange(len(found) + 1, dtype=np.int64) * bins
    chunk_rows = fragment_rows[chunk_fragments]
    chunks = chunks_of(positions, chunk_shape, lead, order[chunk_rows[:-1]])
    return Route(order, chunks, chunk_rows, fragment_rows, chunk_fragments)


def route_objects(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    object_ids: IntArray,
    lead: IntArray | None = None,
    parts: npt.NDArray[np.integer] | None = None,
) -> Route:
    """Rows into chunks, and inside a chunk into one fragment per object, ascending by id.

    Args:
        positions: (N, D) float as stored, world units.
        chunk_shape: D floats, world units.
        object_ids: (N,) int64 >= 0.
        lead: (N,) int64 attribute bin of every row, the leading chunk component, or None.
        parts: (N,) integers >= 0, such as the tree a row is in: one fragment per object and part.
    """
    keys, limit, _ = row_keys(positions, chunk_shape, chunk_shape, (1,) * positions.shape[1], lead)
    found, ranks = dense_ranks(keys, limit, row_dtype(len(keys)))
    del keys
    order, counts = counted_order(ranks, max(len(found), 1))
    del ranks
    chunk_rows = starts_of(counts[: len(found)])
    top = int(object_ids.max(initial=0)) + 1
    parts_top = 1 if parts is None else int(parts.max(initial=0)) + 1
    heads = [np.zeros(0, np.int64)]
    for chunks in _whole_chunks(chunk_rows):
        first = int(chunk_rows[chunks.start])
        rows = order[first : chunk_rows[chunks.stop]]
        dense, several = object_ids[rows], top
        count = chunks.stop - chunks.start
        if parts is not None:
            if count * top * parts_top >= _MAX_KEY:
                known, dense = np.unique(dense, return_inverse=True)
                several = len(known)
            dense = dense * parts_top + parts[rows]
            several *= parts_top
        if count * several >= _MAX_KEY:
            known, dense = np.unique(dense, return_inverse=True)
            several = len(known)
        combined = np.repeat(np.arange(count) * several, counts[chunks])
        combined += dense
        sort = stable_order(combined, count * several)
        rows[:] = rows[sort]
        ordered = combined[sort]
        heads += [np.array([first]), np.flatnonzero(ordered[1:] != ordered[:-1]) + (first + 1)]
    firsts = np.concatenate(heads)
    fragment_rows = np.append(firsts, len(order))
    chunk_fragments = np.searchsorted(fragment_rows, chunk_rows)
    chunks_there = chunks_of(positions, chunk_shape, lead, order[chunk_rows[:-1]])
    return Route(
        order,
        chunks_there,
        chunk_rows,
        fragment_rows,
        chunk_fragments,
        object_ids[order[firsts]],
    )


def _whole_chunks(chunk_rows: IntArray) -> Iterator[slice]:
    """Runs of chunks of about as many rows as are sorted at once."""
    edges = np.flatnonzero(np.diff(chunk_rows[:-1] // _BLOCK)) + 1
    bounds = [0, *edges.tolist(), len(chunk_rows) - 1]
    return (slice(a, b) for a, b in itertools.pairwise(bounds) if b > a)


def route_rows(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    lead: IntArray | None = None,
) -> Route:
    """Rows into chunks, sorted by bin, each a fragment of its own that objects may share."""
    per_chunk = tuple(
        max(1, round(chunk / size)) for chunk, size in zip(chunk_shape, bin_shape, strict=True)
    )
    keys, limit, numbers = row_keys(positions, chunk_shape, bin_shape, per_chunk, lead)
    found, ranks = dense_ranks(keys, limit)
    order = stable_order(ranks * prod(per_chunk) + numbers, max(len(found), 1) * prod(per_chunk))
    rows = np.arange(len(positions) + 1, dtype=np.int64)
    chunk_rows = starts_of(np.bincount(ranks, minlength=len(found)))
    chunks = chunks_of(positions, chunk_shape, lead, order[chunk_rows[:-1]])
    return Route(order, chunks, chunk_rows, rows, chunk_rows)


def manifests_of(route: Route) -> Manifests:
    """Manifests of the objects of an object-routed level: chunks in ascending order."""
    objects = route.fragment_objects
    if objects is None:
        raise ChunkingError("fragments are bins here: there are no manifests to make")
    chunk = np.repeat(np.arange(len(route.chunks)), np.diff(route.chunk_fragments))
    number = np.arange(len(objects)) - route.chunk_fragments[chunk]
    order = np.argsort(objects, kind="stable")
    ids, firsts = np.unique(objects[order], return_index=True)
    starts = np.append(firsts, len(objects)).astype(np.int64)
    return Manifests(ids, starts, route.chunks[chunk[order]], number[order])


def cell_ranks(positions: npt.NDArray[np.floating], shape: Sequence[float]) -> tuple[int, IntArray]:
    """Occupied cells of a grid anchored at 0, and the rank of every row's cell among them.

    Args:
        positions: (N, D) float, world units.
        shape: D floats, the edges of a cell, world units.

    Returns:
        The number of occupied cells, and (N,) int64 ranks; cells ascend in tuple order.
    """
    keys, limit, _ = row_keys(positions, shape, shape, (1,) * positions.shape[1], None)
    found, ranks = dense_ranks(keys, limit)
    return len(found), ranks


def starts_of(counts: IntArray) -> IntArray:
    """(n + 1,) int64: where each of n parts that lie one after the other begins, and the end."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def chunks_of(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    lead: IntArray | None,
    rows: npt.NDArray[np.integer],
) -> IntArray:
    """Chunk coordinates of some rows; one row per chunk, so this is small."""
    coords = chunk_coords_of(positions[rows], chunk_shape)
    return coords if lead is None else np.column_stack([lead[rows], coords])


def row_keys(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    per_chunk: Sequence[int],
    lead: IntArray | None,
) -> tuple[IntArray, int, IntArray]:
    """One key per row, ascending as chunks do; the upper end of keys; the bin inside the chunk."""
    count, ndim = positions.shape
    boxes = [_cells_between(positions[:, k], chunk_shape[k]) for k in range(ndim if count else 0)]
    most = prod((extent for _, extent in boxes), start=1 if lead is None else 1 << 31)
    keys = np.zeros(count, row_dtype(most))
    numbers = np.broadcast_to(np.zeros(1, np.int64), count)
    if prod(per_chunk) > 1:
        numbers = np.zeros(count, row_dtype(prod(per_chunk)))
    limit = 1
    if count and lead is not None:
        keys += lead
        limit = int(lead.max()) + 1
    for axis, (low, extent) in enumerate(boxes):
        column = positions[:, axis]
        if limit * extent >= _MAX_KEY:
            found, ranks = dense_ranks(keys, limit)
            keys[:], limit = ranks, len(found)
        if limit * extent >= _MAX_KEY:
            raise ChunkingError(f"axis {axis} spans {extent} chunks: take larger chunks")
        parts = per_chunk[axis]
        for start in range(0, count, _BLOCK):
            rows = slice(start, start + _BLOCK)
            chunk = cells_along(column[rows], chunk_shape[axis])
            if parts > 1:
                local = cells_along(column[rows], bin_shape[axis])
                local -= chunk * parts
                np.clip(local, 0, parts - 1, out=local)
                numbers[rows] *= parts
                numbers[rows] += local
            chunk -= low
            keys[rows] *= extent
            keys[rows] += chunk
        limit *= extent
    return keys, limit, numbers


def _cells_between(column: npt.NDArray[np.floating], edge: float) -> tuple[int, int]:
    """The least cell of some coordinates, and the cells from it to the last."""
    low = cell_of(float(column.min()), edge)
    return low, cell_of(float(column.max()), edge) - low + 1
