"""Sampled distances between level 0 and a level, tile after tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.reading import LevelReading
from zv_viewer.qa.shapes import to_short_links
from zv_viewer.qa.tiles import Tile

_REACH = 2.0
"""Diagonals of a bin that chunks around a tile are read at first."""
_FAR = 4.0
"""Diagonals of a bin beyond which level 0 is not looked for around a vertex of a level."""


class FromFinest:
    """Distances from level-0 vertices to the nearest vertex of a level.

    Args:
        reading: Of the level.
    """

    def __init__(self, reading: LevelReading) -> None:
        self._reading = reading
        self.margin = _REACH * float(np.linalg.norm(reading.bin_shape))
        self._points: list[FloatArray] = []
        self._found: list[FloatArray] = []

    def add(
        self, tile: Tile, points: FloatArray, near: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Measure from points of a tile.

        Args:
            tile: The tile.
            points: (n, D) vertices of level 0 in it.
            near: (m, D) vertices of the level in it and up to ``margin`` around it.

        Returns:
            The points that were measured, and (k,) float64 their distances.
        """
        points = points.astype(np.float64)
        if not len(points):
            return points, np.zeros(0)
        found = _query(near, points)
        margin, depth = self.margin, tile.depth(points)
        while True:
            open_ = np.flatnonzero(found > depth + margin)
            chunks = tile.chunks(self._reading.coords, self._reading.chunk_shape, margin)
            if not len(open_) or len(chunks) == len(self._reading.coords):
                break
            margin *= 4
            chunks = tile.chunks(self._reading.coords, self._reading.chunk_shape, margin)
            found[open_] = _query(self._reading.read(chunks).positions, points[open_])
        good = np.isfinite(found)
        self._points.append(points[good])
        self._found.append(found[good])
        return points[good], found[good]

    def points(self) -> FloatArray:
        """(n, D) float64, all points so far."""
        return np.concatenate([np.zeros((0, len(self._reading.bin_shape))), *self._points])

    def distances(self) -> FloatArray:
        """(n,) float64 of all points so far."""
        return np.concatenate([np.zeros(0), *self._found])

    def chunks(self, chunk_shape: Sequence[float]) -> tuple[IntArray, FloatArray]:
        """(n, D) int64 chunk each point lies in, and (n,) float64 its distance."""
        return _in_chunks(self._points, self._found, chunk_shape)


class FromLevel:
    """Distances from sampled vertices of a level to the nearest vertex of level 0.

    A vertex is looked for in every tile it is near to, whatever their order.

    Args:
        points: (n, D) the sample.
        bin_shape: D floats, of the level.
    """

    def __init__(self, points: FloatArray, bin_shape: Sequence[float]) -> None:
        self._points = points.astype(np.float64)
        self._far = _FAR * float(np.linalg.norm(bin_shape))
        self._found = np.full(len(points), np.inf)

    def add(self, tile: Tile, finest: FloatArray, links: IntArray | None = None) -> None:
        """Look among the level-0 vertices of a tile.

        Args:
            tile: The tile.
            finest: (N, D) the vertices.
            links: (M, W) rows of them: edges or faces that are looked at too.
        """
        away = tile.distance(self._points)
        near = np.flatnonzero((away < self._found) & (away <= self._far))
        if not len(near) or not len(finest):
            return
        points = self._points[near]
        if links is not None and len(links):
            found = to_short_links(points, finest, links)
            self._found[near] = np.minimum(self._found[near], found)
            return
        low, high = points.min(axis=0) - self._far, points.max(axis=0) + self._far
        around = finest[((finest >= low) & (finest <= high)).all(axis=1)]
        if len(around):
            self._found[near] = np.minimum(self._found[near], _query(around, points))

    def distances(self) -> FloatArray:
        """(n,) float64; of vertices with nothing near, how far was looked."""
        found: FloatArray = np.minimum(self._found, self._far)
        return found

    def chunks(self, chunk_shape: Sequence[float]) -> tuple[IntArray, FloatArray]:
        """(n, D) int64 chunk each vertex lies in, and (n,) float64 its distance."""
        return _in_chunks([self._points], [self.distances()], chunk_shape)


def _query(near: FloatArray, points: FloatArray) -> FloatArray:
    if not len(near):
        return np.full(len(points), np.inf)
    tree = cKDTree(near, balanced_tree=False, compact_nodes=False)
    return np.asarray(tree.query(points)[0], np.float64)


def _in_chunks(
    points: list[FloatArray], found: list[FloatArray], chunk_shape: Sequence[float]
) -> tuple[IntArray, FloatArray]:
    shape = np.asarray(chunk_shape)
    places = np.concatenate([np.zeros((0, len(shape))), *points])
    chunks: IntArray = np.floor(places / shape).astype(np.int64)
    return chunks, np.concatenate([np.zeros(0), *found])
