"""Graphs and skeletons made coarser: connected vertices of one bin become one vertex. Pure.

Only what is connected inside the bin is merged, so that vertices are connected above exactly where
they are below: parts stay apart, and a tree stays a tree whose edges point as they did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.multiresolution.strategies.links import CarriedLinks, carry_links
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import dense_ranks


@dataclass(frozen=True, eq=False, slots=True)
class Contracted:
    """Vertices and edges of the target level.

    Attributes:
        count: Target rows.
        parents: (N,) int64 target row of every source row, -1 for rows left out.
        links: The edges.
    """

    count: int
    parents: IntArray
    links: CarriedLinks


def contract(cells: IntArray, edges: IntArray) -> Contracted:
    """Merge the vertices that are connected by edges inside one cell.

    Args:
        cells: (N,) int64, equal for rows of one object in one bin; -1 for rows to leave out.
        edges: (M, 2) int64 source rows.
    """
    count = len(cells)
    inside = cells[edges[:, 0]] == cells[edges[:, 1]]
    labels = components(count, edges[inside])
    live = np.flatnonzero(cells >= 0)
    found, ranks = dense_ranks(labels[live], max(count, 1))
    parents = np.full(count, -1, np.int64)
    parents[live] = ranks
    return Contracted(len(found), parents, carry_links(edges, parents))


def components(count: int, edges: IntArray) -> IntArray:
    """(count,) int64 smallest row of the connected part every row is in.

    Each round hooks every part to the smallest of its neighbours and flattens the trees this
    makes, so that a few rounds do.

    Args:
        count: Number of rows.
        edges: (M, 2) int64 rows.
    """
    labels = np.arange(count, dtype=np.int64)
    rest = edges
    while len(rest):
        first, second = labels[rest[:, 0]], labels[rest[:, 1]]
        low, high = np.minimum(first, second), np.maximum(first, second)
        apart = low != high
        rest, low, high = rest[apart], low[apart], high[apart]
        np.minimum.at(labels, high, low)
        while True:
            flat = labels[labels]
            if np.array_equal(flat, labels):
                break
            labels = flat
    return labels
