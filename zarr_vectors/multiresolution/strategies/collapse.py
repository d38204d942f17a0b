"""Lines, graphs and meshes with about so many vertices: edges collapse where it shows least. Pure.

Only ends of an edge become one, so that what is connected stays connected and a tree stays a tree.
What an edge costs is how far lines or faces move, see
:mod:`~zarr_vectors.multiresolution.strategies.quadrics`. Edges collapse many at a time, in rounds:
of the cheaper ones those that are the cheapest at both of their ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.multiresolution.strategies.quadrics import quadrics_of
from zarr_vectors.multiresolution.strategies.surfaces import (
    bared,
    is_flat,
    pinches,
    tears,
    turned,
    without_flat,
)
from zarr_vectors.typing import FloatArray, IntArray
from zarr_vectors.writing.order import dense_ranks

_SHARE = 0.25
"""Of all edges, those that a round chooses from."""
_FEW = 64
"""Edges from which a round chooses from all."""
_SPARE = 4
"""How many times the edges that are needed are looked at, as faces may forbid some."""
HARM = np.array([1.0, 8.0, 32.0, 1024.0])
"""How many times its cost an edge counts whose collapse does no harm to faces; turns some far, cuts
a tube off or closes a hole; makes a strip come apart; leaves a vertex without a face."""


@dataclass(frozen=True, eq=False, slots=True)
class Collapsed:
    """Vertices of the target level.

    Attributes:
        parents: (N,) int64 target row of every source row; numbered by the least source row.
        positions: (K, D) float64, world units.
    """

    parents: IntArray
    positions: FloatArray


def collapse(positions: FloatArray, links: IntArray, most: int) -> Collapsed:
    """Collapse edges until at most so many vertices are left.

    Every connected part of edges keeps two vertices, every vertex of a face a face, and vertices
    that nothing joins stay: more may be left than is asked for.

    Args:
        positions: (N, D) float, world units.
        links: (M, 2) int64 edges or (M, 3) int64 triangles, rows.
        most: Vertices wanted.
    """
    work = _Work(positions, links)
    while work.count > most and work.step(work.count - most):
        pass
    found, parents = dense_ranks(work.parents, max(len(positions), 1))
    return Collapsed(parents, work.places[found] + work.middle)


def edges_of(links: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Pairs of rows that links join.

    Args:
        links: (M, 2) edges or (M, 3) triangles, rows.
        count: Rows.

    Returns:
        (E, 2) int64 pairs, the lesser first, ascending, each once; and (E,) int64 links of each.
    """
    width = links.shape[1]
    sides = [links[:, (i, (i + 1) % width)] for i in range(width if width > 2 else 1)]
    pairs = np.concatenate(sides)
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    keys, times = np.unique((low * count + high)[low < high], return_counts=True)
    return np.stack([keys // max(count, 1), keys % max(count, 1)], axis=1), times


class _Work:
    """Vertices, edges and faces as they are after some rounds; rows keep their numbers."""

    def __init__(self, positions: FloatArray, links: IntArray) -> None:
        count = len(positions)
        exact = positions.astype(np.float64)
        self.middle = exact.mean(axis=0) if count else np.zeros(positions.shape[1])
        self.places = exact - self.middle
        self.parents: IntArray = np.arange(count)
        self.count = count
        self._faces = without_flat(links) if links.shape[1] == 3 else None
        self._edges, times = edges_of(links if self._faces is None else self._faces, count)
        rims = None if self._faces is None else self._edges[times == 1]
        self._quadrics = quadrics_of(self.places, self._edges, self._faces, rims)
        self._box = self.places.min(axis=0, initial=0), self.places.max(axis=0, initial=0)
        self._targets = np.zeros((len(self._edges), positions.shape[1]))
        self._costs = np.zeros(len(self._edges))
        self._stale = np.ones(len(self._edges), np.bool_)
        self._harms = np.zeros(len(self._edges), np.int8)

    def step(self, need: int) -> bool:
        """A round; False where nothing is left to collapse.

        Args:
            need: Vertices to lose at most.
        """
        own = np.flatnonzero(self._stale)
        self._targets[own], self._costs[own] = self._quadrics.placed(
            self.places, self._edges[own], self._box
        )
        self._stale[own] = False
        chosen = self._chosen(np.flatnonzero(~self._last()))
        if not len(chosen):
            return False
        if self._faces is not None:
            chosen = chosen[: _SPARE * need]
            harm = self._harm(chosen, self._faces)
            worse = harm > self._harms[chosen]
            self._harms[chosen[worse]] = harm[worse]
            chosen = chosen[~worse]
        if len(chosen):
            self._apply(chosen[:need])
        return True

    def _last(self) -> npt.NDArray[np.bool_]:
        """(M,) bool, edges that are all that is left of a part."""
        if self._faces is not None:
            return np.zeros(len(self._edges), np.bool_)
        degree = np.bincount(self._edges.ravel(), minlength=len(self.places))
        return np.asarray((degree[self._edges] == 1).all(axis=1))

    def _chosen(self, open_: IntArray) -> IntArray:
        """Edges that collapse, the cheapest first, no two with a common end."""
        if not len(open_):
            return open_
        costs = self._costs[open_] * HARM[self._harms[open_]]
        size = min(len(open_), max(int(_SHARE * len(open_)), _FEW))
        own = np.argpartition(costs, size - 1)[:size]
        picked = open_[own[np.lexsort((own, costs[own]))]]
        rank = np.arange(len(picked))
        ends = self._edges[picked]
        least = np.full(len(self.places), len(picked))
        # written from the dearest to the cheapest: the last one stays
        least[ends[::-1, 0]] = rank[::-1]
        other = np.full(len(self.places), len(picked))
        other[ends[::-1, 1]] = rank[::-1]
        np.minimum(least, other, out=least)
        free: IntArray = picked[(least[ends] == rank[:, None]).all(axis=1)]
        return free

    def _moved(self, chosen: IntArray) -> IntArray:
        """(N,) int64 row of every row after a round."""
        to = np.arange(len(self.places))
        to[self._edges[chosen, 1]] = self._edges[chosen, 0]
        return to

    def _harm(self, chosen: IntArray, faces: IntArray) -> npt.NDArray[np.int8]:
        """(n,) int8, the worst that collapsing edges does to the faces: a number of ``HARM``."""
        to, count = self._moved(chosen), len(self.places)
        ends = self._edges[chosen]
        places = self.places.copy()
        places[ends.T] = self._targets[chosen]
        live = faces[~is_flat(to[faces])]
        bent = live[turned(self.places[live], places[live])]
        found = np.zeros(len(chosen), np.int8)
        found[pinches(faces, self._edges, chosen, count) | _touch(ends, bent, count)] = 1
        found[tears(faces, self._edges, chosen, count)] = 2
        found[_touch(ends, bared(faces, to, count), count)] = 3
        return found

    def _apply(self, chosen: IntArray) -> None:
        to = self._moved(chosen)
        into, gone = self._edges[chosen].T
        self.places[into] = self._targets[chosen]
        self._quadrics.merge(into, gone)
        self.parents = to[self.parents]
        self.count -= len(chosen)
        touched = np.zeros(len(self.places), np.bool_)
        touched[into] = True
        edges = np.sort(to[self._edges], axis=1)
        fresh = touched[edges].any(axis=1)
        self._stale |= fresh
        self._harms[fresh] = 0
        # nearly in order already, which a stable sort is quick at
        order = np.argsort(edges[:, 0] * len(self.places) + edges[:, 1], kind="stable")
        order = order[edges[order, 0] != edges[order, 1]]
        lines = edges[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (lines[1:] != lines[:-1]).any(axis=1)
        own = order[new]
        self._edges, self._targets, self._costs = edges[own], self._targets[own], self._costs[own]
        self._stale, self._harms = self._stale[own], self._harms[own]
        if self._faces is not None:
            self._faces = without_flat(to[self._faces])


def _touch(ends: IntArray, rows: IntArray, count: int) -> npt.NDArray[np.bool_]:
    """(n,) bool, edges with an end among some rows."""
    marked = np.zeros(count, np.bool_)
    marked[rows.ravel()] = True
    return np.asarray(marked[ends].any(axis=1))
