"""A part of the finest level, whole chunks of it, and its rows with what joins them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.lazy import ZVStore
from zarr_vectors.reading.linked_chunks import LinkedChunks

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Box:
    """Chunks of the finest level.

    Args:
        chunks: (M, R) their coordinates.
        bounds: (2, D) what they cover, world units.
        vertices: Vertices in them.
        of: Vertices of the level.
    """

    chunks: Int
    bounds: Float
    vertices: int
    of: int


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
    return Box(chunks, bounds, int(table.counts[rows].sum()), int(table.counts.sum()))


def rows_in(store: ZVStore, box: Box, *, linked: bool) -> LinkedChunks:
    """The rows of a box, with all attributes of vertices.

    Args:
        store: The store.
        box: Some of its chunks.
        linked: Whether anything joins them; else every row is of object -1.
    """
    level = store[store.levels[0]]
    names = tuple(level.attribute_specs)
    if linked:
        return level.read_linked_chunks(box.chunks, names)
    read = level.read_chunks(box.chunks, names)
    parts = list(read.values())
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
