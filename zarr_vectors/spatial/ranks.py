"""Places of many chunks among those of a level, without a loop over them."""

from __future__ import annotations

from math import prod

import numpy as np

from zarr_vectors.typing import IntArray

_MAX_KEY = 1 << 62
_TABLE = 1 << 22
_FEW = 64


def chunk_ranks(wanted: IntArray, coords: IntArray) -> IntArray:
    """(n,) int64 place of every wanted chunk among ``coords``, -1 where it is not there.

    Args:
        wanted: (n, R) int64 chunks.
        coords: (M, R) int64 chunks, ascending in tuple order, each once.
    """
    if not len(coords) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    if len(coords) + len(wanted) <= _FEW:
        return _one_by_one(wanted, coords)
    low, high = coords.min(axis=0), coords.max(axis=0)
    extents = [int(b) - int(a) + 1 for a, b in zip(low, high, strict=True)]
    limit = prod(extents)
    if limit >= _MAX_KEY:  # a sparse, huge grid
        return _one_by_one(wanted, coords)
    inside = np.ones(len(wanted), np.bool_)
    keys, known = np.zeros(len(wanted), np.int64), np.zeros(len(coords), np.int64)
    for axis, extent in enumerate(extents):
        column = wanted[:, axis]
        inside &= (column >= low[axis]) & (column <= high[axis])
        keys *= extent
        keys += column
        keys -= low[axis]
        known = known * extent + (coords[:, axis] - low[axis])
    keys[~inside] = 0
    if limit <= _TABLE:
        table = np.full(limit, -1, np.int64)
        table[known] = np.arange(len(known))
        ranks = table[keys]
    else:
        ranks = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        inside &= known[ranks] == keys
    ranks[~inside] = -1
    return ranks


def _one_by_one(wanted: IntArray, coords: IntArray) -> IntArray:
    place = {tuple(row): i for i, row in enumerate(coords.tolist())}
    found = (place.get(tuple(row), -1) for row in wanted.tolist())
    return np.fromiter(found, np.int64, len(wanted))
