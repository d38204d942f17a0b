"""Cells of chunks with new rows at their ends. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from zarr_vectors.core.layouts.base import Cells
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import FragmentIndex, encode_fragments, encode_range_tables
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray
from zarr_vectors.writing.route import Route


def longer_cells(
    old: Cells, route: Route, keys: Sequence[ChunkCoords], values: AnyArray
) -> dict[ChunkCoords, bytes]:
    """Rows of an array with new ones after them.

    Args:
        old: The cells there are.
        route: Where each new row goes.
        keys: The chunks of the route.
        values: (N,) or (N, C) new rows in the stored dtype.
    """
    ordered = memoryview(values[route.order].tobytes())
    ends = (route.chunk_rows * (len(ordered) // max(len(values), 1))).tolist()
    return {
        key: b"".join((old.get(key, b""), ordered[first:last]))
        for key, (first, last) in zip(keys, itertools.pairwise(ends), strict=True)
    }


def longer_tables(old: FragmentTables, route: Route, counts: IntArray) -> list[bytes]:
    """Fragment tables with new fragments after those there.

    Args:
        old: The tables of the chunks of the route.
        route: Where each new row goes.
        counts: (M,) rows these chunks hold.
    """
    added = np.diff(route.chunk_fragments)
    starts = route.fragment_rows[:-1] + np.repeat(counts - route.chunk_rows[:-1], added)
    sizes = np.diff(route.fragment_rows)
    if old.explicit.any():
        ends = np.cumsum(added).tolist()
        return [
            _longer_table(index, starts[end - n : end], sizes[end - n : end])
            for index, n, end in zip(old.each(), added.tolist(), ends, strict=True)
        ]
    there = np.maximum(old.sizes, 0)
    chunks = np.arange(len(there))
    order = np.argsort(np.repeat(np.tile(chunks, 2), np.append(there, added)), kind="stable")
    return encode_range_tables(
        there + added,
        np.append(old.starts, starts)[order],
        np.append(old.counts, sizes)[order],
    )


def _longer_table(index: FragmentIndex | None, starts: IntArray, sizes: IntArray) -> bytes:
    kept = []
    if index is not None:
        known = range(len(index))
        kept = [index.range(f) if index.is_range(f) else index.indices(f) for f in known]
    return encode_fragments([*kept, *zip(starts.tolist(), sizes.tolist(), strict=True)])
