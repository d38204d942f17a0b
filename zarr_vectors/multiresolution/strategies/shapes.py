"""Distances from points to edges and faces. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray

_PAIRS = 1 << 19
_TINY = np.finfo(np.float64).tiny


def to_edges(points: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """(n,) float64 distance of each point to its edge, world units.

    Args:
        points: (n, D) float64.
        first: (n, D) float64 one end of each edge.
        second: (n, D) float64 the other.
    """
    along, own = second - first, points - first
    share = np.clip(_dot(own, along) / np.maximum(_dot(along, along), _TINY), 0, 1)
    apart = own - share[:, None] * along
    return np.sqrt(_dot(apart, apart))


def to_faces(points: FloatArray, corners: FloatArray) -> FloatArray:
    """(n,) float64 distance of each point to its triangle, world units.

    Args:
        points: (n, D) float64.
        corners: (n, 3, D) float64.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    found = np.minimum(to_edges(points, a, b), to_edges(points, b, c))
    np.minimum(found, to_edges(points, c, a), out=found)
    u, v, own = b - a, c - a, points - a
    uu, uv, vv = _dot(u, u), _dot(u, v), _dot(v, v)
    pu, pv = _dot(own, u), _dot(own, v)
    size = uu * vv - uv * uv
    over = size > 1e-12 * uu * vv
    size = np.where(over, size, 1.0)
    s, t = (pu * vv - pv * uv) / size, (pv * uu - pu * uv) / size
    over &= (s >= 0) & (t >= 0) & (s + t <= 1)
    apart = own - s[:, None] * u - t[:, None] * v
    found[over] = np.sqrt(_dot(apart, apart))[over]
    return found


def around(links: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Which links every row is part of.

    Args:
        links: (M, W) int64 rows.
        count: Rows.

    Returns:
        (count + 1,) int64 where those of every row begin, and the end; and their numbers.
    """
    rows = links.ravel()
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(count + 1))
    return starts, order // links.shape[1]


def to_shape(
    points: FloatArray,
    rows: npt.NDArray[np.integer],
    positions: FloatArray,
    links: IntArray,
) -> FloatArray:
    """(N,) float64 distance of points to the nearest of the links around a vertex, world units.

    To the vertex itself where nothing joins it.

    Args:
        points: (N, D) float.
        rows: (N,) int64 vertex of each point.
        positions: (K, D) float of vertices.
        links: (M, 2) int64 edges or (M, 3) int64 triangles.
    """
    starts, numbers = around(links, len(positions))
    sizes = (starts[1:] - starts[:-1])[rows]
    found = np.empty(len(points))
    ends = np.cumsum(np.maximum(sizes, 1))
    begin = 0
    while begin < len(points):
        done = int(ends[begin - 1]) if begin else 0
        stop = max(begin + 1, int(np.searchsorted(ends, done + _PAIRS, side="right")))
        part = slice(begin, stop)
        found[part] = _nearest(
            points[part].astype(np.float64), rows[part], positions, links, starts, numbers
        )
        begin = stop
    return found


def _nearest(
    points: FloatArray,
    rows: npt.NDArray[np.integer],
    positions: FloatArray,
    links: IntArray,
    starts: IntArray,
    numbers: IntArray,
) -> FloatArray:
    apart = points - positions[rows]
    found = np.sqrt(_dot(apart, apart))
    sizes = starts[rows + 1] - starts[rows]
    own = np.flatnonzero(sizes)
    if not len(own):
        return found
    sizes = sizes[own]
    first = np.cumsum(sizes) - sizes
    turn = np.arange(int(sizes.sum())) - np.repeat(first, sizes)
    joined = links[numbers[np.repeat(starts[rows[own]], sizes) + turn]]
    corners = positions[joined].astype(np.float64)
    pairs = np.repeat(points[own], sizes, axis=0)
    if links.shape[1] == 2:
        away = to_edges(pairs, corners[:, 0], corners[:, 1])
    else:
        away = to_faces(pairs, corners)
    found[own] = np.minimum.reduceat(away, first)
    return found


def _dot(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ni,ni->n", first, second))
