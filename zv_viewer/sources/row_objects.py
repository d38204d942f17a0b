"""Which object each row of points belongs to, by the store's object index and fragments."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.lazy import ZVStore
from zarr_vectors.reading.objects import decoded_objects
from zv_viewer.model.links import NO_OBJECT
from zv_viewer.model.objects import Int


class RowObjects:
    """The object of every fragment of one level; read once, 16 bytes for each afterwards.

    Args:
        store: The store.
        level: Number of the level.

    Raises:
        ArrayError: The object index is damaged, or recorded and not there.
    """

    def __init__(self, store: ZVStore, level: int) -> None:
        handle = store[level]
        self._reader = handle.reader
        self._start = np.zeros(1, np.int64)
        self._fragments = self._ids = np.zeros(0, np.int64)
        self._keys = self._reader.arrays.table.coords
        same_ids = level == store.levels[0] or handle.preserves_object_ids
        layout = store.level_group(level).layout
        found = decoded_objects(layout, self._reader.arrays, None) if same_ids else None
        if found is not None:
            ids, manifests = found
            owners = np.repeat(ids, np.diff(manifests.offsets))
            chunks = places_of(self._keys, manifests.chunks)
            known = np.flatnonzero(chunks >= 0)
            order = known[np.lexsort((manifests.fragments[known], chunks[known]))]
            counts = np.bincount(chunks[order], minlength=len(self._keys))
            self._start = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
            self._fragments, self._ids = manifests.fragments[order], owners[order]

    def of(self, chunks: Int, rows: Sequence[int]) -> Int:
        """(N,) ids of the rows of chunks, one chunk after the other.

        Args:
            chunks: (M, R) coordinates.
            rows: How many rows each has.
        """
        if not len(self._ids):
            return np.full(sum(rows), NO_OBJECT, np.int64)
        tables = self._reader.fragment_tables([tuple(key) for key in chunks.tolist()]).each()
        places = places_of(self._keys, chunks)
        parts = [
            self._of_chunk(place, table, count)
            for place, table, count in zip(places.tolist(), tables, rows, strict=True)
        ]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def _of_chunk(self, place: int, table: FragmentIndex | None, rows: int) -> Int:
        found = np.full(rows, NO_OBJECT, np.int64)
        if table is None or place < 0:
            return found
        own = slice(int(self._start[place]), int(self._start[place + 1]))
        fragments, ids = self._fragments[own], self._ids[own]
        there = fragments < len(table.starts)
        fragments, ids = fragments[there], ids[there]
        counts, starts = table.counts[fragments], table.starts[fragments]
        ends = np.cumsum(counts)
        places = np.repeat(starts - (ends - counts), counts) + np.arange(int(counts.sum()))
        listed = np.repeat(table.explicit[fragments], counts)
        places[listed] = table.rows[places[listed]]
        inside = places < rows
        found[places[inside]] = np.repeat(ids, counts)[inside]
        return found


class ObjectsOfLevels:
    """:class:`RowObjects` of the levels asked for; used from several threads.

    Args:
        store: The store.
    """

    def __init__(self, store: ZVStore) -> None:
        self._store = store
        self._levels: dict[int, RowObjects] = {}
        self._lock = Lock()

    def of(self, level: int) -> RowObjects:
        """Of one level."""
        with self._lock:
            if level not in self._levels:
                self._levels[level] = RowObjects(self._store, level)
            return self._levels[level]


def places_of(keys: npt.NDArray[np.integer], asked: npt.NDArray[np.integer]) -> Int:
    """(M,) rows of ``keys``, no two alike, that are ``asked``; -1 for none."""
    both = np.concatenate([keys, asked])
    _, number = np.unique(both, axis=0, return_inverse=True)
    number = number.reshape(-1)
    place = np.full(int(number.max(initial=-1)) + 1, -1, np.int64)
    place[number[: len(keys)]] = np.arange(len(keys))
    return place[number[len(keys) :]]
