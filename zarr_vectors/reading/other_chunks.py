"""Objects of the rows of chunks that are not read: their fragment tables tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from zarr_vectors.core.layouts.base import ReadsCells
from zarr_vectors.encoding.fragment_tables import FragmentTables
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

    def all_of(self, ranks: IntArray, pieces: ObjectPieces) -> OwnedRows:
        """Objects of all rows of other chunks.

        Args:
            ranks: (k,) int64 chunks among those of the level, each once.
            pieces: The level's object index.
        """
        return OwnedRows.joined(_sparing(ranks, lambda part: self._all(part, pieces)))

    def _owners(
        self, chunks: IntArray, ranks: IntArray, rows: IntArray, pieces: ObjectPieces
    ) -> IntArray:
        """Objects of rows of some chunks, ascending: by the ranges rows lie in where that does."""
        keys, tables = self._tables(chunks)
        full = np.flatnonzero(tables.counts > 0)
        sizes = np.maximum(tables.sizes, 0)
        numbers = np.repeat(np.arange(len(keys)), sizes)[full]
        heads = numbers << 32 | tables.starts[full]
        order = np.argsort(heads)
        heads, ends = heads[order], heads[order] + tables.counts[full[order]]
        vertices = np.searchsorted(chunks, ranks) << 32 | rows
        if tables.explicit.any() or (ends[:-1] > heads[1:]).any():
            owned = self._all(chunks, pieces)
            found = owned.first(ranks << 32 | rows)
            return np.append(owned.objects, NO_OBJECT)[found]
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

    def _all(self, ranks: IntArray, pieces: ObjectPieces) -> OwnedRows:
        keys, tables = self._tables(ranks)
        starts = starts_of(reach_of(tables))
        own, which = pieces.in_chunks(ranks)
        path, url = self._arrays.fragments_path, self._arrays.url
        rows, counts = assemble.fragment_rows(
            which, pieces.fragments[own], tables, keys, starts, path, url
        )
        ids = np.repeat(pieces.ids[pieces.owners(own)], counts)
        chunks = np.repeat(which, counts)
        return OwnedRows.of(ranks[chunks] << 32 | (rows - starts[chunks]), ids)

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


def reach_of(tables: FragmentTables) -> IntArray:
    """(M,) int64 rows that the fragments of every chunk reach."""
    reach = np.zeros(len(tables), np.int64)
    for number, table in enumerate(tables.each()):
        if table is not None:
            ranges = (table.starts + table.counts)[~table.explicit]
            reach[number] = max(ranges.max(initial=0), table.rows.max(initial=-1) + 1)
    return reach
