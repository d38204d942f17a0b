"""A part of the finest level, whole chunks of it, and its rows with what joins them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.lazy import ZVStore
from zarr_vectors.lazy.level import ZVLevel
from zarr_vectors.reading.linked_chunks import LinkedChunks
from zarr_vectors.spatial.ranks import chunk_ranks

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Box:
    """Chunks of the finest level.

    Args:
        chunks: (M, R) their coordinates.
        shape: (D,) their edges, world units.
        bounds: (2, D) what they cover, world units.
        counts: (M,) vertices of each.
        all_chunks: (C, R) all chunks of the level.
        all_counts: (C,) vertices of each.
    """

    chunks: Int
    shape: Float
    bounds: Float
    counts: Float
    all_chunks: Int
    all_counts: Float

    @property
    def vertices(self) -> int:
        """Vertices in them."""
        return int(self.counts.sum())

    @property
    def of(self) -> int:
        """Vertices of the level."""
        return int(self.all_counts.sum())

    def growth(self, shape: Float) -> float:
        """How many times as many chunks of another shape there are in the level as in the box."""
        factor = np.maximum(np.round(shape / self.shape), 1).astype(np.int64)
        few, all_of = (
            len(np.unique(chunks[:, -len(factor) :] // factor, axis=0))
            for chunks in (self.chunks, self.all_chunks)
        )
        return all_of / few

    def counted(self, positions: npt.NDArray[np.floating]) -> Float:
        """(M,) how many of (N, D) positions lie in each.

        Of chunks in one place, which differ by an attribute, the first has them all.
        """
        own = self.chunks[:, -len(self.shape) :]
        cells, first = np.unique(own, axis=0, return_index=True)
        ranks = chunk_ranks(np.floor(positions / self.shape).astype(np.int64), cells)
        found = np.zeros(len(own))
        found[first] = np.bincount(ranks[ranks >= 0], minlength=len(cells))
        return found

    def holds(self, positions: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """(N,) which of (N, D) positions lie where these chunks are."""
        cells = np.floor(positions / self.shape).astype(np.int64)
        own = np.unique(self.chunks[:, -len(self.shape) :], axis=0)
        return np.asarray(chunk_ranks(cells, own) >= 0)


def box_around(store: ZVStore, middle: Float, most: int) -> Box:
    """The chunks nearest to a place, as many as hold so many vertices.

    Args:
        store: The store.
        middle: (D,) the place, world units.
        most: Vertices; a single chunk may hold more.
    """
    level = store[store.levels[0]]
    table, shape = level.chunk_table, np.asarray(level.chunk_shape, float)
    centres = (table.coords[:, -store.ndim :] + 0.5) * shape
    away = (((centres - middle) / shape) ** 2).sum(axis=1)
    order = np.argsort(away, kind="stable")
    taken = max(int(np.searchsorted(np.cumsum(table.counts[order]), most, side="right")), 1)
    rows = np.sort(order[:taken])
    chunks = table.coords[rows]
    corner = chunks[:, -store.ndim :]
    bounds = np.array([corner.min(axis=0), corner.max(axis=0) + 1]) * shape
    return Box(
        chunks,
        shape,
        bounds,
        table.counts[rows].astype(float),
        table.coords,
        table.counts.astype(float),
    )


def rows_in(level: ZVLevel, chunks: Int, *, linked: bool) -> LinkedChunks:
    """The rows of some chunks of a level, with all attributes of vertices.

    Args:
        level: The level.
        chunks: (M, R) their coordinates, at least one.
        linked: Whether anything joins them; else every row is of object -1.
    """
    names = tuple(level.attribute_specs)
    if linked:
        return level.read_linked_chunks(chunks, names)
    parts = list(level.read_chunks(chunks, names).values())
    positions = np.concatenate([part.positions for part in parts])
    none = np.empty((0, 2), np.int64)
    return LinkedChunks(
        positions=positions,
        attributes={
            name: np.concatenate([part.attributes[name] for part in parts]) for name in names
        },
        objects=np.full(len(positions), -1),
        stored=np.arange(len(positions)),
        counts=np.array([len(part.positions) for part in parts]),
        links=none,
        open_rows=none,
        open_ends=none,
        open_objects=np.empty(0, np.int64),
    )


def paths_of(links: Int, rows: int) -> list[Int]:
    """Rows of each path, in its order; what is joined to nothing is in none.

    Args:
        links: (L, 2) earlier and later row; no row is earlier, or later, twice.
        rows: How many there are.
    """
    after = np.full(rows, -1)
    after[links[:, 0]] = links[:, 1]
    begins = np.zeros(rows, bool)
    begins[links[:, 0]] = True
    begins[links[:, 1]] = False
    following = after.tolist()
    found = []
    for row in np.flatnonzero(begins).tolist():
        path = [row]
        while following[path[-1]] >= 0:
            path.append(following[path[-1]])
        found.append(np.array(path))
    return found
