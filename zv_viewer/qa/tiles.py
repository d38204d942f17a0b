"""Space cut into tiles that hold about as many vertices each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zarr_vectors.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Tile:
    """A box of whole chunks, half open; outer tiles reach to infinity.

    Attributes:
        low: (D,) float64, lower corner, world units.
        high: (D,) float64, upper corner.
        rows: (n,) int64 chunks in it, as rows of the table that was cut.
    """

    low: FloatArray
    high: FloatArray
    rows: IntArray

    def holds(self, positions: FloatArray) -> IntArray:
        """(n,) int64 rows of the positions inside."""
        inside = (positions >= self.low) & (positions < self.high)
        return np.flatnonzero(inside.all(axis=1))

    def chunks(
        self, coords: IntArray, chunk_shape: Sequence[float], margin: float = 0.0
    ) -> IntArray:
        """(n,) int64 rows of the chunks that touch the box, or come within ``margin`` of it."""
        shape = np.asarray(chunk_shape)
        low, high = coords * shape, (coords + 1) * shape
        near = (low <= self.high + margin) & (high >= self.low - margin)
        return np.flatnonzero(near.all(axis=1))

    def distance(self, positions: FloatArray) -> FloatArray:
        """(n,) float64 distance of positions to the box, 0 inside."""
        out = np.maximum(np.maximum(self.low - positions, positions - self.high), 0)
        found: FloatArray = np.sqrt((out**2).sum(axis=1))
        return found

    def depth(self, positions: FloatArray) -> FloatArray:
        """(n,) float64 distance of positions inside to the nearest wall."""
        inner = np.minimum(positions - self.low, self.high - positions)
        found: FloatArray = inner.min(axis=1)
        return found


def tiles_of(
    coords: IntArray,
    counts: IntArray,
    chunk_shape: Sequence[float],
    most: int,
    edges: Sequence[Sequence[float]] = (),
) -> list[Tile]:
    """Cut space along chunk walls until no tile has more than ``most`` vertices, where that can be.

    Args:
        coords: (M, D) int64 occupied chunks.
        counts: (M,) int64 vertices of each.
        chunk_shape: D floats.
        most: Vertices of a tile.
        edges: Bin shapes of levels; of walls near the middle, one that cuts the fewest bins is
            taken.
    """
    ndim = len(chunk_shape)
    shape = np.asarray(chunk_shape, np.float64)
    steps = [np.asarray(edge, np.float64) for edge in edges]
    tiles: list[Tile] = []
    whole = np.full(ndim, -np.inf), np.full(ndim, np.inf), np.arange(len(coords))
    todo = [whole]
    while todo:
        low, high, rows = todo.pop()
        cut = None if counts[rows].sum() <= most else _cut(coords[rows], counts[rows], shape, steps)
        if cut is None:
            tiles.append(Tile(low, high, rows))
            continue
        axis, wall = cut
        below = coords[rows, axis] < wall
        at = wall * shape[axis]
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = at
        todo.append((right, high, rows[~below]))
        todo.append((low, left, rows[below]))
    return tiles


def _cut(
    coords: IntArray, counts: IntArray, shape: FloatArray, steps: Sequence[FloatArray]
) -> tuple[int, int] | None:
    """(axis, first chunk above the wall), or None for a single chunk."""
    span = coords.max(axis=0) - coords.min(axis=0)
    if not span.any():
        return None
    axis = int(np.argmax(span * shape * (span > 0)))
    order = np.argsort(coords[:, axis], kind="stable")
    along = coords[order, axis]
    share = np.cumsum(counts[order]) / max(int(counts.sum()), 1)
    walls = np.arange(along[0] + 1, along[-1] + 1)
    before = share[np.searchsorted(along, walls, side="left") - 1]
    good = np.flatnonzero((before > 0.25) & (before < 0.75))
    if not len(good):
        good = np.array([np.argmin(np.abs(before - 0.5))])
    at = walls[good] * shape[axis]
    whole = sum(
        (np.abs(at / step[axis] - np.round(at / step[axis])) < 1e-9).astype(int) for step in steps
    )
    score = -np.asarray(whole, np.float64) * np.ones(len(good)) + np.abs(before[good] - 0.5)
    return axis, int(walls[good[np.argmin(score)]])
