"""How far a vertex may move from the lines or faces it stands for, as sums of squares. Pure.

The quadric of a vertex is a function of a place x: the squared distances of x to all lines and
faces around the vertices that it stands for, weighted by their lengths or areas. Written as
x'Ax - 2 b'x + c, quadrics of vertices that become one are added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.typing import FloatArray, IntArray

SPREAD = 0.1
"""How much it costs that vertices lie away from those they stand for, beside the shape's 1."""

_SOFT = 1e-3
"""Pull towards the mean of those, where the shape leaves a place open."""
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False, slots=True)
class Quadrics:
    """Quadrics of vertices; changed in place as vertices become one.

    Attributes:
        squares: (N, D, D) float64, A.
        slopes: (N, D) float64, b.
        constants: (N,) float64, c.
        weights: (N,) float64, the lengths or areas of the vertices that each stands for.
        sums: (N, D) float64, their places by weight, added up.
        spreads: (N,) float64, their squared distances from 0 by weight, added up.
    """

    squares: FloatArray
    slopes: FloatArray
    constants: FloatArray
    weights: FloatArray
    sums: FloatArray
    spreads: FloatArray

    def merge(self, into: IntArray, gone: IntArray) -> None:
        """Add quadrics to others.

        Args:
            into: (n,) int64 vertices that stay, each once.
            gone: (n,) int64 vertices that become one with them.
        """
        for column in self._columns:
            column[into] += column[gone]

    @property
    def _columns(self) -> tuple[FloatArray, ...]:
        first = self.squares, self.slopes, self.constants
        return (*first, self.weights, self.sums, self.spreads)

    def placed(
        self, places: FloatArray, edges: IntArray, box: tuple[FloatArray, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Where the ends of edges come to lie when they become one, and what that costs.

        Args:
            places: (N, D) float64.
            edges: (M, 2) int64 vertices.
            box: Least and greatest corner that places are kept in.

        Returns:
            (M, D) float64 places and (M,) float64 costs.
        """
        found = np.empty((len(edges), places.shape[1]))
        costs = np.empty(len(edges))
        for start in range(0, len(edges), _BLOCK):
            part = slice(start, start + _BLOCK)
            found[part], costs[part] = self._placed(places, edges[part], box)
        return found, costs

    def _placed(
        self, places: FloatArray, edges: IntArray, box: tuple[FloatArray, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        first, second = edges.T
        ndim = places.shape[1]
        square, slope, constant, weight, total, spread = (
            column[first] + column[second] for column in self._columns
        )
        tiny = np.finfo(np.float64).tiny
        middle = total / np.maximum(weight, tiny)[:, None]
        size = np.einsum("mii->m", square) / ndim
        own = square + np.maximum(_SOFT * size, tiny)[:, None, None] * np.eye(ndim)
        slack = slope - np.einsum("mij,mj->mi", square, middle)
        at = middle + np.linalg.solve(own, slack[:, :, None])[:, :, 0]
        np.clip(at, *box, out=at)
        cost = np.einsum("mi,mij,mj->m", at, square, at) - 2 * np.einsum("mi,mi->m", slope, at)
        away = weight * np.einsum("mi,mi->m", at, at) - 2 * np.einsum("mi,mi->m", total, at)
        cost += constant + SPREAD * (away + spread)
        # of equals the shortest goes first
        apart = places[first] - places[second]
        return at, np.maximum(cost, 0) + 1e-9 * size * np.einsum("mi,mi->m", apart, apart)


def quadrics_of(
    places: FloatArray, edges: IntArray, faces: IntArray | None, rims: IntArray | None
) -> Quadrics:
    """The quadrics of the vertices of a level.

    A vertex at the end of a single edge also counts how far it moves along it.

    Args:
        places: (N, D) float64, near 0.
        edges: (M, 2) int64 vertices, each pair once.
        faces: (F, 3) int64 vertices where there are faces, else None.
        rims: (R, 2) int64 edges of a single face.
    """
    count, ndim = places.shape
    made = Quadrics(
        np.zeros((count, ndim, ndim)),
        np.zeros((count, ndim)),
        np.zeros(count),
        np.zeros(count),
        np.zeros((count, ndim)),
        np.zeros(count),
    )
    if faces is None or rims is None:
        own = _add_lines(made, places, edges, 1)
        ends = np.flatnonzero(np.bincount(edges.ravel(), minlength=count) == 1)
        _add_points(made, places, ends, 2 * own[ends])
    else:
        own = _add_faces(made, places, faces)
        _add_lines(made, places, rims, 2)
        own[:] = own.mean()
    made.weights[:] = own
    made.sums[:] = own[:, None] * places
    made.spreads[:] = own * np.einsum("ni,ni->n", places, places)
    return made


def _add_lines(made: Quadrics, places: FloatArray, edges: IntArray, power: int) -> FloatArray:
    """Add the distance to the lines along edges; (N,) half the length of the edges of each."""
    along = places[edges[:, 1]] - places[edges[:, 0]]
    length = np.sqrt(np.einsum("mi,mi->m", along, along))
    along /= np.maximum(length, np.finfo(np.float64).tiny)[:, None]
    square = np.eye(places.shape[1]) - along[:, :, None] * along[:, None, :]
    square *= (length**power)[:, None, None]
    own = np.zeros(len(places))
    for end in edges.T:
        _add(made, end, square, places[edges[:, 0]])
        own += np.bincount(end, length / 2, minlength=len(places))
    return own


def _add_faces(made: Quadrics, places: FloatArray, faces: IntArray) -> FloatArray:
    """Add the distance to the planes of faces; (N,) a third of the area of the faces of each."""
    corners = places[faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # the part of the second side across the first: right in any number of axes
    size = np.einsum("mi,mi->m", first, first)
    tiny = np.finfo(np.float64).tiny
    share = np.einsum("mi,mi->m", first, second) / np.maximum(size, tiny)
    across = second - share[:, None] * first
    high = np.sqrt(np.einsum("mi,mi->m", across, across))
    area = np.sqrt(size) * high / 2
    first = first / np.maximum(np.sqrt(size), tiny)[:, None]
    across = across / np.maximum(high, tiny)[:, None]
    square = np.eye(places.shape[1]) - first[:, :, None] * first[:, None, :]
    square -= across[:, :, None] * across[:, None, :]
    square *= area[:, None, None]
    own = np.zeros(len(places))
    for corner in faces.T:
        _add(made, corner, square, corners[:, 0])
        own += np.bincount(corner, area / 3, minlength=len(places))
    return own


def _add_points(made: Quadrics, places: FloatArray, rows: IntArray, weights: FloatArray) -> None:
    """Add the distance to where vertices are."""
    square = np.eye(places.shape[1]) * weights[:, None, None]
    _add(made, rows, square, places[rows])


def _add(made: Quadrics, rows: IntArray, square: FloatArray, at: FloatArray) -> None:
    """Add quadrics that are least at a place to those of some rows, which may come again."""
    count = len(made.constants)
    slope = np.einsum("mij,mj->mi", square, at)
    ndim = at.shape[1]
    for i in range(ndim):
        made.slopes[:, i] += np.bincount(rows, slope[:, i], minlength=count)
        for j in range(ndim):
            made.squares[:, i, j] += np.bincount(rows, square[:, i, j], minlength=count)
    made.constants[:] += np.bincount(rows, np.einsum("mi,mi->m", slope, at), minlength=count)
