"""How large objects are: the diagonal of the box their vertices span, block after block."""

from __future__ import annotations

import numpy as np

from zarr_vectors.typing import FloatArray, IntArray


class Lengths:
    """Boxes of objects so far.

    Args:
        ids: (O,) int64 objects, ascending.
        ndim: Axes.
    """

    def __init__(self, ids: IntArray, ndim: int) -> None:
        self._ids = ids
        self._low = np.full((len(ids), ndim), np.inf)
        self._high = np.full((len(ids), ndim), -np.inf)

    def add(self, positions: FloatArray, objects: IntArray) -> None:
        """Take in vertices.

        Args:
            positions: (N, D) float.
            objects: (N,) int64, -1 for none.
        """
        if not len(self._ids) or not len(objects):
            return
        order = np.argsort(objects, kind="stable")
        ordered = objects[order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        rank = np.searchsorted(self._ids, ordered[first])
        known = rank < len(self._ids)
        known[known] = self._ids[rank[known]] == ordered[first][known]
        low = np.minimum.reduceat(positions[order], first, axis=0)[known]
        high = np.maximum.reduceat(positions[order], first, axis=0)[known]
        rows = rank[known]
        self._low[rows] = np.minimum(self._low[rows], low)
        self._high[rows] = np.maximum(self._high[rows], high)

    def lengths(self) -> FloatArray:
        """(O,) float64, NaN for objects without vertices so far."""
        span = self._high - self._low
        span[~np.isfinite(span).all(axis=1)] = np.nan
        found: FloatArray = np.sqrt((span**2).sum(axis=1))
        return found
