"""Distances between what is drawn: to edges and faces, not to vertices alone."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from zarr_vectors.multiresolution.strategies.shapes import to_edges, to_faces, to_shape
from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.reading import LevelReading, Rows

_MARKS = 1_000_000
"""Marks along links at most, about; the marks near a point tell which links are measured."""
_NEAR = 8
"""Marks near a point whose links are measured."""
_AROUND = 3
"""Vertices near a point whose links are measured, where links are short."""
_BLOCK = 20_000


def with_other_ends(reading: LevelReading, rows: Rows, chunks: IntArray) -> Rows:
    """Rows of chunks, with those at the other ends of their links.

    Args:
        reading: Of the level.
        rows: What was read of it.
        chunks: (n,) int64 chunks of the table that were read.
    """
    if rows.open_ends is None or rows.open_rows is None or not len(rows.open_ends):
        return rows
    other = np.unique(rows.open_ends[rows.open_rows < 0] >> 32)
    every = np.union1d(chunks, other)
    return rows if len(every) == len(chunks) else reading.read(every)


def to_links(
    points: FloatArray, positions: FloatArray, links: IntArray, known: FloatArray
) -> FloatArray:
    """(n,) float64 distance of points to the nearest link, or vertex.

    Links are told by marks along them; where many lie close to a point, one may be taken for the
    nearest that is a little farther away than it, never nearer.

    Args:
        points: (n, D) float.
        positions: (N, D) float.
        links: (M, 2) edges or (M, 3) faces, rows.
        known: (n,) float64 distance to the nearest vertex.
    """
    found = known.copy()
    if not len(links) or not len(points):
        return found
    corners = positions[links].astype(np.float64)
    marks, owners = _marks(corners)
    tree = cKDTree(marks, balanced_tree=False, compact_nodes=False)
    measure = _to_edges if links.shape[1] == 2 else to_faces
    count = min(_NEAR, len(marks))
    for start in range(0, len(points), _BLOCK):
        own = points[start : start + _BLOCK].astype(np.float64)
        near = owners[np.asarray(tree.query(own, k=[*range(1, count + 1)])[1])]
        away = measure(np.repeat(own, count, axis=0), corners[near.ravel()])
        part = found[start : start + _BLOCK]
        np.minimum(part, away.reshape(len(own), count).min(axis=1), out=part)
    return found


def to_short_links(points: FloatArray, positions: FloatArray, links: IntArray) -> FloatArray:
    """(n,) float64 distance of points to the links around the nearest few vertices.

    Args:
        points: (n, D) float.
        positions: (N, D) float, at least one.
        links: (M, 2) edges or (M, 3) faces, rows.
    """
    tree = cKDTree(positions, balanced_tree=False, compact_nodes=False)
    count = min(_AROUND, len(positions))
    near = np.asarray(tree.query(points, k=[*range(1, count + 1)])[1])
    away = to_shape(np.repeat(points, count, axis=0), near.ravel(), positions, links)
    return np.asarray(away.reshape(len(points), count).min(axis=1))


def on_links(
    positions: FloatArray, links: IntArray, count: int, rng: np.random.Generator
) -> FloatArray:
    """(count, D) float64 places on edges or faces, each as likely as every other.

    Args:
        positions: (N, D) float.
        links: (M, 2) edges or (M, 3) faces, rows.
        count: Places; none where there are no links.
        rng: Draws them.
    """
    corners = positions[links].astype(np.float64)
    sizes = _sizes(corners)
    if not sizes.sum() > 0:
        return np.zeros((0, positions.shape[1]))
    own = rng.choice(len(links), count, p=sizes / sizes.sum())
    first, second = rng.random((2, count, 1))
    if links.shape[1] == 2:
        return np.asarray(corners[own, 0] * (1 - first) + corners[own, 1] * first)
    root = np.sqrt(first)
    shares = np.concatenate([1 - root, root * (1 - second), root * second], axis=1)
    return np.asarray(np.einsum("nc,ncd->nd", shares, corners[own]))


def _to_edges(points: FloatArray, corners: FloatArray) -> FloatArray:
    return to_edges(points, corners[:, 0], corners[:, 1])


def _sizes(corners: FloatArray) -> FloatArray:
    """(M,) lengths of edges or areas of faces."""
    first = corners[:, 1] - corners[:, 0]
    along = np.einsum("mi,mi->m", first, first)
    if corners.shape[1] == 2:
        return np.asarray(np.sqrt(along))
    second = corners[:, 2] - corners[:, 0]
    both = np.einsum("mi,mi->m", first, second)
    size = along * np.einsum("mi,mi->m", second, second) - both**2
    return np.asarray(np.sqrt(np.maximum(size, 0)) / 2)


def _marks(corners: FloatArray) -> tuple[FloatArray, IntArray]:
    """Places all over links, no farther apart than half of a usual side; and the link of each."""
    width = corners.shape[1]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    most = max(_MARKS // len(corners), 1)
    step = max(float(sides.mean()) / 2, np.finfo(np.float64).tiny)
    wanted = np.ceil(sides / step)
    if width == 2:
        room = float(wanted.sum()) / (most * len(corners))
    else:
        room = float((wanted**2).sum() / (most * len(corners))) ** 0.5
    cuts = np.maximum(np.ceil(wanted / max(room, 1.0)), 1).astype(np.int64)
    marks, owners = [], []
    for number in np.unique(cuts).tolist():
        own = np.flatnonzero(cuts == number)
        shares = _shares(number, width)
        marks.append(np.einsum("gc,mcd->mgd", shares, corners[own]).reshape(-1, corners.shape[2]))
        owners.append(np.repeat(own, len(shares)))
    return np.concatenate(marks), np.concatenate(owners)


def _shares(cuts: int, width: int) -> FloatArray:
    """(g, W) shares of the corners in places all over a link that is cut so many times."""
    at = (np.arange(cuts) + 0.5) / cuts
    if width == 2:
        return np.stack([1 - at, at], axis=1)
    first, second = (axis.ravel() for axis in np.meshgrid(at, at))
    # half of the square, the other half turned over onto it
    over = first + second > 1
    first, second = np.where(over, 1 - first, first), np.where(over, 1 - second, second)
    return np.unique(np.stack([1 - first - second, first, second], axis=1).round(12), axis=0)
