"""Meshes made coarser: the vertices of one object in one bin become one vertex. Pure.

Faces that lose a corner go, as do all but the first of those between the same vertices; the others
turn as they did. Faces of more than three corners are cut into triangles first: one that loses a
corner would otherwise leave a hole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.multiresolution.strategies.links import CarriedLinks, carry_links
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import dense_ranks


@dataclass(frozen=True, eq=False, slots=True)
class Clustered:
    """Vertices and faces of the target level.

    Attributes:
        count: Target rows.
        parents: (N,) int64 target row of every source row, -1 for rows left out.
        links: The faces, (K, 3).
    """

    count: int
    parents: IntArray
    links: CarriedLinks


def cluster(cells: IntArray, triangles: IntArray) -> Clustered:
    """Merge the vertices of one cell.

    Args:
        cells: (N,) int64, equal for rows of one object in one bin; -1 for rows to leave out.
        triangles: (M, 3) int64 source rows.
    """
    live = np.flatnonzero(cells >= 0)
    found, ranks = dense_ranks(cells[live], int(cells.max(initial=-1)) + 1)
    parents = np.full(len(cells), -1, np.int64)
    parents[live] = ranks
    return Clustered(len(found), parents, carry_links(triangles, parents))


def triangles_of(faces: IntArray) -> tuple[IntArray, IntArray]:
    """Faces cut into fans of triangles from their first corner, turning as they do.

    Args:
        faces: (F, L) int64 rows, L of 3 or more.

    Returns:
        (F * (L - 2), 3) int64 triangles, and (F * (L - 2),) int64 face of each.
    """
    fans = faces.shape[1] - 2
    corners = np.arange(fans)[:, None] + np.array([0, 1, 2])
    corners[:, 0] = 0
    return faces[:, corners].reshape(-1, 3), np.repeat(np.arange(len(faces)), fans)
