"""What collapsing edges does to the faces around them. Pure.

Faces are (F, 3) int64 rows; edges (M, 2) int64 rows, the lesser first, ascending, each once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray

Bool = npt.NDArray[np.bool_]

_TURN = 0.2
"""Cosine of the angle by which a face may turn in a round."""


def is_flat(faces: IntArray) -> Bool:
    """(F,) bool, faces with a corner twice."""
    first, second, third = faces.T
    return np.asarray((first == second) | (second == third) | (third == first))


def without_flat(faces: IntArray) -> IntArray:
    """The faces with three corners, one of those that have the same."""
    live = faces[~is_flat(faces)]
    corners = np.sort(live, axis=1)
    order = np.lexsort(corners.T[::-1])
    new = np.ones(len(order), np.bool_)
    new[1:] = (corners[order][1:] != corners[order][:-1]).any(axis=1)
    return live[np.sort(order[new])]


def turned(before: FloatArray, after: FloatArray) -> Bool:
    """(F,) bool, faces that turn far.

    Args:
        before: (F, 3, D) float64 corners.
        after: (F, 3, D) float64 corners.
    """
    a, b = before[:, 1] - before[:, 0], before[:, 2] - before[:, 0]
    c, d = after[:, 1] - after[:, 0], after[:, 2] - after[:, 0]
    # the product of normals, written so that it holds in any number of axes
    both = _dot(a, c) * _dot(b, d) - _dot(a, d) * _dot(b, c)
    own = _dot(a, a) * _dot(b, b) - _dot(a, b) ** 2
    new = _dot(c, c) * _dot(d, d) - _dot(c, d) ** 2
    return np.asarray(both < _TURN * np.sqrt(np.maximum(own * new, 0)))


def bared(faces: IntArray, to: IntArray, count: int) -> IntArray:
    """Rows around faces that go, of which a corner would have no face any more.

    Args:
        faces: The faces.
        to: (N,) int64 row that every row becomes.
        count: N.
    """
    after = to[faces]
    dead = is_flat(after)
    before = np.bincount(after.ravel(), minlength=count) > 0
    there = np.bincount(after[~dead].ravel(), minlength=count) > 0
    bare = before & ~there
    gone = faces[dead]
    rows: IntArray = gone[bare[to[gone]].any(axis=1)].ravel()
    return rows


def tears(faces: IntArray, edges: IntArray, chosen: IntArray, count: int) -> Bool:
    """(n,) bool, edges whose ends are both on a rim that the edge is not part of, or of no face.

    Faces would hang together in a vertex alone.

    Args:
        faces: The faces.
        edges: All edges.
        chosen: (n,) int64 numbers of the edges asked for.
        count: Rows.
    """
    times = _faces_of(faces, edges, count)
    rim = np.zeros(count, np.bool_)
    rim[edges[times == 1].ravel()] = True
    own = times[chosen]
    return np.asarray((own == 0) | ((own > 1) & rim[edges[chosen]].all(axis=1)))


def pinches(faces: IntArray, edges: IntArray, chosen: IntArray, count: int) -> Bool:
    """(n,) bool, edges whose ends have a neighbour in common beside the corners of their faces.

    A tube would be cut off, or a hole closed.

    Args:
        faces: The faces.
        edges: All edges.
        chosen: (n,) int64 numbers of the edges asked for.
        count: Rows.
    """
    times = _faces_of(faces, edges, count)
    real = edges[times > 0]
    both = np.concatenate([real, real[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.arange(count + 1))
    first, second = edges[chosen].T
    sizes = starts[first + 1] - starts[first]
    owner = np.repeat(np.arange(len(chosen)), sizes)
    place = np.arange(len(owner)) + np.repeat(starts[first] - (np.cumsum(sizes) - sizes), sizes)
    pairs = np.sort(np.stack([second[owner], both[place, 1]], axis=1), axis=1)
    known, wanted = real[:, 0] * count + real[:, 1], pairs[:, 0] * count + pairs[:, 1]
    at = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    shared = np.bincount(owner[known[at] == wanted], minlength=len(chosen))
    return np.asarray(shared != times[chosen])


def _faces_of(faces: IntArray, edges: IntArray, count: int) -> IntArray:
    """(M,) int64 faces that have each edge."""
    keys = edges[:, 0] * count + edges[:, 1]
    sides = [faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]
    own = [np.minimum(s[:, 0], s[:, 1]) * count + np.maximum(s[:, 0], s[:, 1]) for s in sides]
    return np.bincount(np.searchsorted(keys, np.concatenate(own)), minlength=len(keys))


def _dot(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("mi,mi->m", first, second))
