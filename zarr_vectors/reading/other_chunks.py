"""Objects of the rows of chunks that are not read: their fragment tables tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from zarr_vectors.core.layouts.base import ReadsCells
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.columns import LevelColumns
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.linked_chunks import NO_OBJECT
from zarr_vectors.reading.object_pieces import SEVERAL, ObjectPieces
from zarr_vectors.reading.owned_rows import OwnedRows
from zarr_vectors.reading.stack import starts_of
from zarr_vectors.typing import ChunkCoords, IntArray

T = TypeVar("T")

_KEPT_BYTES = 8 * 2**20
"""Fragment tables kept: a chunk is the neighbour of many."""

_MOST_COMPARED = 2**20
"""Pairs of a fragment and a row compared at once."""
_MOST_ROWS = 2**31


class OtherChunks:
    """Tells the objects of rows of other chunks; threads may share it.

    Those of a damaged chunk are not known: whoever reads that chunk is told.

    Args:
        cells: Where blobs come from.
        arrays: What the level holds.
    """

    def __init__(self, cells: ReadsCells, arrays: LevelArrays) -> None:
        self._arrays = arrays
        self._cache = CellCache(_KEPT_BYTES)
        self._columns = LevelColumns(cells, arrays, self._cache)

    @property
    def nbytes(self) -> int:
        """Memory of the tables that are kept."""
        return self._cache.nbytes

    def owners(self, ranks: IntArray, rows: IntArray, pieces: ObjectPieces) -> IntArray:
        """(n,) int64 object of rows of other chunks, -1 for none.

        All rows of a chunk of one object are taken for rows of that object: nothing is read.

        Args:
            ranks: (n,) int64 chunks among those of the level.
            rows: (n,) int64 rows of theirs.
            pieces: The level's object index; its fragments belong to one object each.
        """
        chunks, which = np.unique(ranks, return_inverse=True)
        owners = pieces.objects_in(chunks)[which.reshape(-1)]
        doubtful = np.flatnonzero(owners == SEVERAL)
        owners[doubtful] = NO_OBJECT

        def find(part: IntArray) -> None:
            own = doubtful[np.isin(ranks[doubtful], part)]
            owners[own] = self._owners(part, ranks[own], rows[own], pieces)

        if len(doubtful):
            _sparing(np.unique(ranks[doubtful]), find)
        return owners

    def entries(self, vertices: IntArray, pieces: ObjectPieces) -> OwnedRows:
        """All objects of vertices of other chunks.

        Args:
            vertices: (n,) int64, chunk << 32 | row.
            pieces: The level's object index.
        """
        own = np.unique(vertices)
        ranks = own >> 32
        parts = _sparing(
            np.unique(ranks), lambda part: self._entries(own[np.isin(ranks, part)], pieces)
        )
        return OwnedRows.joined(parts)

    def _owners(
        self, chunks: IntArray, ranks: IntArray, rows: IntArray, pieces: ObjectPieces
    ) -> IntArray:
        """Objects of rows of some chunks, ascending: by the ranges rows lie in where that does."""
        keys, tables = self._tables(chunks)
        full = np.flatnonzero(tables.counts > 0)
        sizes = np.maximum(tables.sizes, 0)
        numbers = np.repeat(np.arange(len(keys)), sizes)[full]
        absurd = np.maximum(tables.starts, tables.counts)[full] >= _MOST_ROWS
        if absurd.any():
            key = keys[numbers[int(absurd.argmax())]]
            path, url = self._arrays.fragments_path, self._arrays.url
            raise assemble.damaged(path, key, url, "a fragment reaches over too many rows")
        heads = numbers << 32 | tables.starts[full]
        order = np.argsort(heads)
        heads, ends = heads[order], heads[order] + tables.counts[full[order]]
        vertices = np.searchsorted(chunks, ranks) << 32 | rows
        if tables.explicit.any() or (ends[:-1] > heads[1:]).any():
            owned = self._entries(np.unique(ranks << 32 | rows), pieces)
            return np.append(owned.objects, NO_OBJECT)[owned.first(ranks << 32 | rows)]
        at = np.searchsorted(heads, vertices, side="right") - 1
        inside = (at >= 0) & (vertices < np.append(ends, 0)[at])
        fragments = full[order][at[inside]]
        own, which = pieces.in_chunks(chunks)
        there = pieces.fragments[own] < sizes[which]
        own, which = own[there], which[there]
        known = starts_of(sizes)[which] + pieces.fragments[own]
        turn = np.argsort(known, kind="stable")
        place = np.searchsorted(known[turn], fragments)
        place = np.minimum(place, max(len(known) - 1, 0))
        objects = np.full(len(rows), NO_OBJECT, np.int64)
        if len(known):
            owner = pieces.ids[pieces.owners(own[turn[place]])]
            objects[inside] = np.where(known[turn[place]] == fragments, owner, NO_OBJECT)
        return objects

    def _entries(self, vertices: IntArray, pieces: ObjectPieces) -> OwnedRows:
        """All objects of vertices, ascending, where fragments may share rows."""
        ranks, rows = vertices >> 32, vertices & (2**32 - 1)
        chunks, heads = np.unique(ranks, return_index=True)
        keys, tables = self._tables(chunks)
        most = assemble.most_rows(len(vertices))
        found, objects = [], []
        for number, table in enumerate(tables.each()):
            if table is None:
                continue
            own = np.arange(heads[number], np.append(heads, len(ranks))[number + 1])
            fragments, which = _holding(table, rows[own])
            inside, _ = pieces.in_chunks(chunks[number : number + 1])
            order = np.argsort(pieces.fragments[inside], kind="stable")
            known = pieces.fragments[inside][order]
            low = np.searchsorted(known, fragments)
            counts = np.searchsorted(known, fragments, side="right") - low
            most -= int(counts.sum())
            if most < 0:
                what = "more objects than there can be share its rows"
                path, url = self._arrays.fragments_path, self._arrays.url
                raise assemble.damaged(path, keys[number], url, what)
            at = np.repeat(low - (np.cumsum(counts) - counts), counts)
            at += np.arange(len(at))
            objects.append(pieces.ids[pieces.owners(inside[order[at]])])
            found.append(vertices[own[np.repeat(which, counts)]])
        none = np.zeros(0, np.int64)
        return OwnedRows.of(np.concatenate([none, *found]), np.concatenate([none, *objects]))

    def _tables(self, ranks: IntArray) -> tuple[list[ChunkCoords], FragmentTables]:
        path = self._arrays.fragments_path
        keys: list[ChunkCoords] = [tuple(row) for row in self._arrays.table.coords[ranks].tolist()]
        return keys, self._columns.tables(self._columns.fetch({path: keys})[path])


def _sparing(ranks: IntArray, read: Callable[[IntArray], T]) -> list[T]:
    """What is read of chunks together; of each by itself, but the damaged, where one is."""
    try:
        return [read(ranks)]
    except ArrayError:
        if len(ranks) == 1:
            return []
        parts = [_sparing(ranks[i : i + 1], read) for i in range(len(ranks))]
        return [found for part in parts for found in part]


def _holding(table: FragmentIndex, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Fragments that hold rows, and which of the rows each holds.

    Args:
        table: The fragments.
        rows: (m,) int64.
    """
    ranges = np.flatnonzero(~table.explicit & (table.starts >= 0) & (table.counts > 0))
    starts, counts = table.starts[ranges], table.counts[ranges]
    fragments, which = [], []
    step = max(_MOST_COMPARED // max(len(ranges), 1), 1)
    for first in range(0, len(rows), step):
        shifts = rows[first : first + step, None] - starts
        row, number = np.nonzero((shifts >= 0) & (shifts < counts))
        fragments.append(ranges[number])
        which.append(row + first)
    listed = np.flatnonzero(table.explicit)
    sizes = table.counts[listed]
    order = np.argsort(rows, kind="stable")
    heads = table.starts[listed]
    for fragment, begin, size in zip(listed.tolist(), heads, sizes, strict=True):
        own = np.unique(table.rows[begin : begin + size])
        place = np.searchsorted(rows[order], own)
        there = place < len(rows)
        there[there] = rows[order][place[there]] == own[there]
        which.append(order[place[there]])
        fragments.append(np.full(int(there.sum()), fragment))
    none = np.zeros(0, np.int64)
    return np.concatenate([none, *fragments]), np.concatenate([none, *which])
