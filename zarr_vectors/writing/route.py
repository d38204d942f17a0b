"""Which stored row every input row becomes: chunk, fragment, place. Pure.

Nothing here loops over chunks, bins or objects: one integer key per row, one stable sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from zarr_vectors.writing.order import dense_ranks, stable_order

MAX_FRAGMENTS = 1 << 27
"""Fragments a level may have in all: a table of empty ones costs 16 bytes each."""

_BLOCK = 1 << 17
_MAX_KEY = 1 << 62


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """Where rows go. Stored rows are numbered over the whole level, chunk after chunk.

    Attributes:
        order: (N,) int64, the input row of every stored row.
        chunks: (M, R) int64 occupied chunks, ascending in tuple order.
        chunk_rows: (M + 1,) int64, first stored row of every chunk, and the end.
        fragment_rows: (F + 1,) int64, first stored row of every fragment, and the end.
        chunk_fragments: (M + 1,) int64, first fragment of every chunk, and the end.
        fragment_objects: (F,) int64 object of every fragment, or None where bins are fragments.
    """

    order: IntArray
    chunks: IntArray
    chunk_rows: IntArray
    fragment_rows: IntArray
    chunk_fragments: IntArray
    fragment_objects: IntArray | None = None

    @property
    def counts(self) -> IntArray:
        """(M,) vertices per chunk."""
        return np.diff(self.chunk_rows)


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
    found, ranks = dense_ranks(keys, limit)
    del keys
    total = len(found) * bins
    if total > MAX_FRAGMENTS:
        raise ChunkingError(
            f"bin shape {tuple(bin_shape)} makes {bins:,} bins in each of {len(found):,} chunks: "
            "take larger bins or smaller chunks"
        )
    ranks *= bins
    ranks += numbers
    order = stable_order(ranks, max(total, 1))
    fragment_rows = starts_of(np.bincount(ranks, minlength=total))
    chunk_fragments = np.arange(len(found) + 1, dtype=np.int64) * bins
    chunk_rows = fragment_rows[chunk_fragments]
    chunks = chunks_of(positions, chunk_shape, lead, order[chunk_rows[:-1]])
    return Route(order, chunks, chunk_rows, fragment_rows, chunk_fragments)


def route_objects(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    object_ids: IntArray,
    lead: IntArray | None = None,
) -> Route:
    """Rows into chunks, and inside a chunk into one fragment per object, ascending by id.

    Args:
        positions: (N, D) float as stored, world units.
        chunk_shape: D floats, world units.
        object_ids: (N,) int64 >= 0.
        lead: (N,) int64 attribute bin of every row, the leading chunk component, or None.
    """
    keys, limit, _ = row_keys(positions, chunk_shape, chunk_shape, (1,) * positions.shape[1], lead)
    found, ranks = dense_ranks(keys, limit)
    del keys
    top = int(object_ids.max(initial=0)) + 1
    if max(len(found), 1) * top >= _MAX_KEY:
        known, dense_ids = np.unique(object_ids, return_inverse=True)
        dense, top = dense_ids.astype(np.int64), len(known)
    else:
        dense = object_ids
    combined = ranks * top + dense
    order = stable_order(combined, max(len(found) * top, 1))
    ordered = combined[order]
    edge = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    head = np.zeros(min(len(ordered), 1), np.int64)
    firsts = np.concatenate([head, edge])
    fragment_rows = np.append(firsts, len(ordered))
    fragment_chunk = ranks[order[firsts]]
    chunk_fragments = np.searchsorted(fragment_chunk, np.arange(len(found) + 1))
    chunk_rows = fragment_rows[chunk_fragments]
    chunks = chunks_of(positions, chunk_shape, lead, order[chunk_rows[:-1]])
    return Route(
        order, chunks, chunk_rows, fragment_rows, chunk_fragments, object_ids[order[firsts]]
    )


def route_parts(
    positions: npt.NDArray[np.floating],
    chunk_shape: Sequence[float],
    object_ids: IntArray,
    parts: IntArray,
    lead: IntArray | None = None,
) -> Route:
    """Rows into chunks, and inside a chunk into one fragment per object and part of it.

    Args:
        positions: (N, D) float as stored, world units.
        chunk_shape: D floats, world units.
        object_ids: (N,) int64 >= 0.
        parts: (N,) int64 >= 0, such as the tree a row is in.
        lead: (N,) int64 attribute bin of every row, the leading chunk component, or None.
    """
    known, dense_ids = np.unique(object_ids, return_inverse=True)
    top = int(parts.max(initial=0)) + 1
    pairs, numbers = dense_ranks(dense_ids * top + parts, max(len(known) * top, 1))
    if len(pairs) == len(known):
        return route_objects(positions, chunk_shape, object_ids, lead)
    route = route_objects(positions, chunk_shape, numbers, lead)
    assert route.fragment_objects is not None  # noqa: S101  routed by object
    return replace(route, fragment_objects=known[pairs[route.fragment_objects] // top])


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
    rows: IntArray,
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
    keys, numbers = np.zeros(count, np.int64), np.zeros(count, np.int64)
    limit = 1
    if count and lead is not None:
        keys += lead
        limit = int(lead.max()) + 1
    for axis in range(ndim if count else 0):
        column = positions[:, axis]
        edge = chunk_shape[axis]
        low = cell_of(float(column.min()), edge)
        extent = cell_of(float(column.max()), edge) - low + 1
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
