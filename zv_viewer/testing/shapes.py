"""Random curves, trees, graphs and surfaces, and coarser ones that are joined as they were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.links import NO_OBJECT

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Shapes:
    """(N, D) positions, (N,) ids of the objects they belong to, (L, W) rows that are joined."""

    positions: Float
    objects: Int
    links: Int

    def with_loose(self, positions: Float) -> Shapes:
        """The same and rows that belong to no object."""
        return Shapes(
            np.concatenate([self.positions, positions]),
            np.concatenate([self.objects, np.full(len(positions), NO_OBJECT)]),
            self.links,
        )

    def coarser(self, bins: Float, kept: Int) -> tuple[Shapes, Int, Int]:
        """Objects whose vertices within one bin have become one, their mean.

        Args:
            bins: (D,) edges.
            kept: Ids of the objects to keep; rows of none are kept too.

        Returns:
            The shapes, the first row (N',) that each of theirs stands for, and (N,) which of theirs
            stands for each row, -1 for none.
        """
        rows = np.flatnonzero(np.isin(self.objects, [NO_OBJECT, *kept]))
        index = np.floor(self.positions[rows] / bins).astype(np.int64)
        keys = np.column_stack([self.objects[rows], index])
        found, first, own = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        own = own.reshape(-1)
        owner = np.full(len(self.objects), -1, np.int64)
        owner[rows] = own
        count = np.bincount(own, minlength=len(found))
        mean = [np.bincount(own, column) / count for column in self.positions[rows].T]
        links = owner[self.links]
        links = links[(links >= 0).all(axis=1)]
        ends = np.sort(links, axis=1)
        ends, which = np.unique(ends, axis=0, return_index=True)
        whole = (np.diff(ends, axis=1) > 0).all(axis=1)
        shapes = Shapes(np.stack(mean, axis=1), found[:, 0], links[which[whole]])
        return shapes, rows[first], owner


def make_shapes(
    rng: np.random.Generator, kind: str, objects: int, length: int, ndim: int, size: float
) -> Shapes:
    """Objects of a kind that wander through a cube.

    Args:
        rng: Of all that is drawn.
        kind: A kind of geometry that is joined.
        objects: How many; their ids are 0, 1 ...
        length: Vertices of each, about; of lines always two.
        ndim: Axes.
        size: Edge of the cube.
    """
    parts, ids, links, first = [], [], [], 0
    for number in range(objects):
        start = rng.random(ndim) * size
        if kind == "mesh":
            positions, joined = _sheet(rng, start, max(2, round(length**0.5)), size)
        elif kind == "line":
            positions = start + np.stack([np.zeros(ndim), rng.normal(0, size / 6, ndim)])
            joined = np.array([[0, 1]])
        elif kind in ("polyline", "streamline"):
            way = rng.normal(size=ndim)
            steps = way / np.linalg.norm(way) + rng.normal(0, 0.3, (length, ndim))
            positions = start + np.cumsum(steps * size / 60, axis=0)
            joined = np.stack([np.arange(length - 1), np.arange(1, length)], axis=1)
        else:
            positions, joined = _tree(rng, start, length, size, loops=kind == "graph")
        inside = size - np.abs(positions % (2 * size) - size)  # walls are mirrors
        parts.append(np.clip(inside, 0, size * (1 - 2.0**-20)))
        ids.append(np.full(len(positions), number))
        links.append(joined + first)
        first += len(positions)
    return Shapes(np.concatenate(parts), np.concatenate(ids), np.concatenate(links))


def _tree(
    rng: np.random.Generator, start: Float, length: int, size: float, *, loops: bool
) -> tuple[Float, Int]:
    """Vertices near their parents, and (child, parent) edges; as many more with loops."""
    parents = np.array([int(rng.integers(max(0, i - 3), i)) for i in range(1, length)])
    positions = np.tile(start, (length, 1))
    for child, parent in enumerate(parents.tolist(), start=1):
        positions[child] = positions[parent] + rng.normal(0, size / 30, len(start))
    edges = np.stack([np.arange(1, length), parents], axis=1)
    if loops:
        more = rng.integers(0, length, (length, 2))
        more = more[more[:, 0] > more[:, 1]]
        edges = np.unique(np.concatenate([edges, more]), axis=0)
    return positions, edges


def _sheet(rng: np.random.Generator, start: Float, edge: int, size: float) -> tuple[Float, Int]:
    """A square of ``edge`` x ``edge`` vertices, turned anyhow and a little crumpled."""
    turn = np.linalg.qr(rng.normal(size=(len(start), len(start))))[0]
    across, down = np.meshgrid(np.arange(edge), np.arange(edge))
    flat = across.reshape(-1, 1) * turn[0] + down.reshape(-1, 1) * turn[1]
    positions = start + (flat + rng.normal(0, 0.2, flat.shape)) * size / 24
    corner = (np.arange(edge - 1)[:, None] * edge + np.arange(edge - 1)).reshape(-1)
    upper = np.stack([corner, corner + 1, corner + edge], axis=1)
    lower = np.stack([corner + 1, corner + edge + 1, corner + edge], axis=1)
    return positions, np.concatenate([upper, lower])
