"""Some chunks of a level with what joins their rows, by itself and to other chunks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.reading.stack import starts_of
from zarr_vectors.typing import AnyArray, FloatArray, IntArray

NO_OBJECT = -1
"""Object of a row that belongs to none."""
ELSEWHERE = -1
"""Row of an end that lies in another chunk than those asked for."""

_ROW = 2**32 - 1


@dataclass(frozen=True, eq=False, slots=True)
class LinkedChunks:
    """Rows of some chunks and the links between them: edges (W = 2) or triangles (W = 3).

    Rows come chunk after chunk in the order asked, each chunk's by object. A row that several
    objects share is there once for each of them; one that an object's path comes by more than once
    is there as often.

    Attributes:
        positions: (N, D) float as stored, world units.
        attributes: name -> (N,) or (N, C) in the stored dtype; codes of categories.
        objects: (N,) int64 object of every row, -1 for none.
        stored: (N,) int64 which of the rows stored in these chunks each row is, counted through
            the chunks in the order asked.
        counts: (M,) int64 rows stored in every chunk asked for; 0 where there is no such chunk,
            and where it was asked for before.
        links: (L, W) int64 rows; every end is in one of these chunks. Of a path (earlier, later),
            of a skeleton (child, parent).
        open_rows: (K, W) int64 rows of links with an end in another chunk; -1 for that end.
        open_ends: (K, W) int64, which vertex of the level each of their ends is: chunk << 32 |
            place, where ``chunk`` is a row of the level's ``chunk_table`` and ``place`` tells its
            vertices apart. The same link has the same ends, from whichever chunk it is read.
        open_objects: (K,) int64 object of each of them, -1 for none; likewise the same.
    """

    positions: FloatArray
    attributes: dict[str, AnyArray]
    objects: IntArray
    stored: IntArray
    counts: IntArray
    links: IntArray
    open_rows: IntArray
    open_ends: IntArray
    open_objects: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Joined:
    """Which stored rows make the rows of some chunks, and what joins these.

    Attributes:
        rows: (N,) int64 stored row of every row, counted over the chunks read, ascending.
        objects: (N,) int64.
        links: (L, W) int64 rows.
        open_rows: (K, W) int64 rows, -1 elsewhere.
        open_ends: (K, W) int64.
        open_objects: (K,) int64.
    """

    rows: IntArray
    objects: IntArray
    links: IntArray
    open_rows: IntArray
    open_ends: IntArray
    open_objects: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """Chunks of a level that were read, and the order they were asked for in.

    Attributes:
        ranks: (m,) int64, their places among those of the level, ascending.
        turn: (m,) int64, which of these was asked for first, second ...
        starts: (m + 1,) int64, first stored row of every chunk, ascending, and the end.
    """

    ranks: IntArray
    turn: IntArray
    starts: IntArray

    def local(self, ranks: IntArray) -> IntArray:
        """Which of the chunks read those of the level are, -1 for others."""
        if not len(self.ranks):
            return np.full(ranks.shape, -1, np.int64)
        found = np.minimum(np.searchsorted(self.ranks, ranks), len(self.ranks) - 1)
        return np.where(self.ranks[found] == ranks, found, -1)

    def chunk_of(self, rows: IntArray) -> IntArray:
        """(n,) int64 which of the chunks asked for, in that order, stored rows lie in."""
        place = np.empty(len(self.turn), np.int64)
        place[self.turn] = np.arange(len(self.turn))
        return place[np.searchsorted(self.starts, rows, side="right") - 1]

    def vertices(self, rows: IntArray) -> IntArray:
        """(n,) int64 stored rows as vertices of the level: chunk << 32 | row of the chunk."""
        chunks = np.searchsorted(self.starts, rows, side="right") - 1
        vertices: IntArray = self.ranks[chunks] << 32 | (rows - self.starts[chunks])
        return vertices

    def rows_of(self, vertices: IntArray) -> IntArray:
        """(m,) int64 stored rows of the vertices of a level that are in the chunks read."""
        chunks = self.local(vertices >> 32)
        here = chunks >= 0
        rows: IntArray = self.starts[chunks[here]] + (vertices[here] & _ROW)
        return rows

    def as_asked(self, rows: IntArray) -> IntArray:
        """(n,) int64 stored rows, counted through the chunks in the order asked."""
        counts = np.diff(self.starts)
        shift = np.empty(len(counts), np.int64)
        shift[self.turn] = starts_of(counts[self.turn])[:-1]
        shift -= self.starts[:-1]
        if not shift.any():
            return rows
        return rows + shift[np.searchsorted(self.starts, rows, side="right") - 1]


def with_loose_rows(joined: Joined, asked: Asked) -> Joined:
    """The same with the rows of no object, each among those of its chunk."""
    loose = np.ones(int(asked.starts[-1]), np.bool_)
    loose[joined.rows] = False
    more = np.flatnonzero(loose)
    if not len(more):
        return joined
    rows = np.concatenate([joined.rows, more])
    objects = np.concatenate([joined.objects, np.full(len(more), NO_OBJECT, np.int64)])
    order = np.argsort(asked.chunk_of(rows), kind="stable")
    place = np.empty(len(order) + 1, np.int64)
    place[order] = np.arange(len(order))
    place[-1] = ELSEWHERE
    return replace(
        joined,
        rows=rows[order],
        objects=objects[order],
        links=place[joined.links],
        open_rows=place[joined.open_rows],
    )
