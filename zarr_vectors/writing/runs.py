"""Paths cut into fragments: each maximal run of a path in one chunk, or bin, is one. Pure.

Paths lie one after the other as rows; ``starts`` (K + 1,) int64 is the first row of every path, and
the end. Nothing here loops over paths or rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import NumberedLinks
from zarr_vectors.spatial.chunking import bins_per_chunk
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import dense_ranks, row_dtype, stable_order
from zarr_vectors.writing.route import Manifests, Route, chunks_of, row_keys, starts_of

_BLOCK = 1 << 17


@dataclass(frozen=True, eq=False, slots=True)
class PathRuns:
    """Where the rows of paths go.

    Attributes:
        route: Rows into chunks; the fragments of a chunk in path order.
        manifests: Fragments of every path in path order; a path without rows has none.
        links: Last row of every fragment to the first of the next, where the chunk changes.
    """

    route: Route
    manifests: Manifests
    links: NumberedLinks


def route_paths(
    positions: npt.NDArray[np.floating],
    starts: IntArray,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None = None,
    *,
    ids: IntArray | None = None,
    lead: IntArray | None = None,
) -> PathRuns:
    """Cut paths where they leave a chunk, or a bin.

    Args:
        positions: (N, D) float as stored, world units.
        starts: (K + 1,) int64, rows of each path.
        chunk_shape: D floats, world units.
        bin_shape: D floats that divide the chunk shape: cut where the bin changes; None cuts
            where the chunk changes.
        ids: (K,) int64 object of every path, ascending; 0 to K - 1 by default.
        lead: (N,) int64 attribute bin of every row, the leading chunk component, or None.

    Raises:
        ChunkingError: Bins do not divide chunks, or chunks are too many to be numbered.
    """
    count = len(positions)
    shape = chunk_shape if bin_shape is None else bin_shape
    keys, limit, bins = row_keys(
        positions, chunk_shape, shape, bins_per_chunk(chunk_shape, shape), lead
    )
    new = np.zeros(count, np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    if bin_shape is not None:
        new[1:] |= bins[1:] != bins[:-1]
    del bins
    new[starts[:-1][np.diff(starts) > 0]] = True
    heads = np.flatnonzero(new)
    del new
    lengths = np.diff(heads, append=count)
    found, ranks = dense_ranks(keys[heads], limit)
    del keys
    order = stable_order(ranks, max(len(found), 1))
    fragment_rows = starts_of(lengths[order])
    chunk_fragments = starts_of(np.bincount(ranks, minlength=len(found)))
    shift = (heads[order] - fragment_rows[:-1]).astype(row_dtype(count))
    rows = np.repeat(shift, lengths[order])
    for start in range(0, count, _BLOCK):
        part = rows[start : start + _BLOCK]
        part += np.arange(start, start + len(part), dtype=part.dtype)
    del shift, lengths
    # places: of every run in path order, its number among all fragments of the level
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    run_starts = np.searchsorted(heads, starts)
    numbers = np.arange(len(starts) - 1, dtype=np.int64) if ids is None else ids
    owner = np.repeat(numbers, np.diff(run_starts))
    route = Route(
        order=rows,
        chunks=chunks_of(positions, chunk_shape, lead, heads[order[chunk_fragments[:-1]]]),
        chunk_rows=fragment_rows[chunk_fragments],
        fragment_rows=fragment_rows,
        chunk_fragments=chunk_fragments,
        fragment_objects=owner[order],
    )
    links = _links(route, ranks, places, owner)
    manifests = Manifests(numbers, run_starts, route.chunks[ranks], places - chunk_fragments[ranks])
    return PathRuns(route, manifests, links)


def _links(route: Route, ranks: IntArray, places: IntArray, owner: IntArray) -> NumberedLinks:
    """Links between fragments that follow one another in different chunks; runs in path order."""
    leave = np.flatnonzero((owner[1:] == owner[:-1]) & (ranks[1:] != ranks[:-1]))
    rows = np.stack(
        [route.fragment_rows[places[leave] + 1] - 1, route.fragment_rows[places[leave + 1]]], axis=1
    )
    chunk = np.stack([ranks[leave], ranks[leave + 1]], axis=1)
    for end in range(2):
        rows[:, end] -= route.chunk_rows[chunk[:, end]]
    return NumberedLinks(route.chunks, chunk, rows)
