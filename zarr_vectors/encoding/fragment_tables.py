"""Fragment tables of many chunks as one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.encoding.fragments import FragmentIndex, decode_range_table
from zarr_vectors.typing import ChunkCoords, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FragmentTables:
    """Fragments of M chunks, chunk after chunk; :class:`FragmentIndex` says what the numbers mean.

    Attributes:
        sizes: (M,) int64 fragments of every chunk; -1 where a chunk has no table.
        starts: (F,) int64, of explicit fragments among the rows listed for their chunk.
        counts: (F,) int64.
        explicit: (F,) bool.
        rows: (T,) int64, rows of explicit fragments, chunk after chunk.
        lists: (M,) int64, how many of those every chunk has.
    """

    sizes: IntArray
    starts: IntArray
    counts: IntArray
    explicit: npt.NDArray[np.bool_]
    rows: IntArray
    lists: IntArray

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, chunk: int) -> FragmentIndex:
        first, last = _part(np.maximum(self.sizes, 0), chunk)
        return self._cut(first, last, *_part(self.lists, chunk))

    def each(self) -> list[FragmentIndex | None]:
        """Tables of the chunks, None for one without."""
        sizes = np.maximum(self.sizes, 0)
        ends, lasts = np.cumsum(sizes).tolist(), np.cumsum(self.lists).tolist()
        parts = zip(self.sizes.tolist(), ends, self.lists.tolist(), lasts, strict=True)
        return [
            None if size < 0 else self._cut(end - size, end, last - listed, last)
            for size, end, listed, last in parts
        ]

    @classmethod
    def among(
        cls,
        tables: Mapping[ChunkCoords, FragmentIndex] | FragmentTables,
        keys: Sequence[ChunkCoords],
    ) -> FragmentTables:
        """Tables of ``keys``: by chunk, or in their order already."""
        if isinstance(tables, FragmentTables):
            return tables
        return cls.of([tables.get(key) for key in keys])

    @classmethod
    def of(cls, tables: Sequence[FragmentIndex | None]) -> FragmentTables:
        """Tables of chunks, None for one without."""
        known = [table for table in tables if table is not None]
        return cls(
            sizes=_int64(-1 if table is None else len(table) for table in tables),
            starts=_together([table.starts for table in known], np.int64),
            counts=_together([table.counts for table in known], np.int64),
            explicit=_together([table.explicit for table in known], np.bool_),
            rows=_together([table.rows for table in known], np.int64),
            lists=_int64(0 if table is None else len(table.rows) for table in tables),
        )

    @classmethod
    def of_ranges(cls, data: npt.NDArray[np.uint8], bytes_each: IntArray) -> FragmentTables | None:
        """Decode tables that hold ranges alone; None where one is not, or is damaged.

        Args:
            data: The tables one after the other.
            bytes_each: (M,) int64 bytes of every chunk's; 0 where a chunk has no table.
        """
        there = bytes_each > 0
        found = decode_range_table(data, bytes_each[there])
        if found is None:
            return None
        sizes = np.full(len(bytes_each), -1, np.int64)
        sizes[there], starts, counts = found
        none = np.zeros(0, np.int64)
        explicit = np.zeros(len(starts), np.bool_)
        return cls(sizes, starts, counts, explicit, none, np.zeros(len(sizes), np.int64))

    @classmethod
    def joined(cls, parts: Sequence[FragmentTables]) -> FragmentTables:
        """Tables of the chunks of all parts."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            sizes=_together([part.sizes for part in parts], np.int64),
            starts=_together([part.starts for part in parts], np.int64),
            counts=_together([part.counts for part in parts], np.int64),
            explicit=_together([part.explicit for part in parts], np.bool_),
            rows=_together([part.rows for part in parts], np.int64),
            lists=_together([part.lists for part in parts], np.int64),
        )

    def _cut(self, first: int, last: int, begin: int, end: int) -> FragmentIndex:
        return FragmentIndex(
            self.starts[first:last],
            self.counts[first:last],
            self.explicit[first:last],
            self.rows[begin:end],
        )


def _part(sizes: IntArray, chunk: int) -> tuple[int, int]:
    first = int(sizes[:chunk].sum())
    return first, first + int(sizes[chunk])


def _int64(numbers: Iterable[int]) -> IntArray:
    return np.fromiter(numbers, np.int64)


def _together(parts: Sequence[npt.NDArray[Any]], dtype: type) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
