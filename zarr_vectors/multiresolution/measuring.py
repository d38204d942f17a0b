"""How far a level is from the level everything is built from, vertex by vertex."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata import ChunkTable, LevelError
from zarr_vectors.multiresolution.quantiles import Quantiles
from zarr_vectors.multiresolution.scratch import Scratch, rest
from zarr_vectors.multiresolution.strategies.points import displacements
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.typing import FloatArray, IntArray

_KEPT = 160 * 2**20
"""Bytes of reference positions kept in memory; more are read again for every level."""

_BLOCK = 1 << 20


class Standing:
    """Which vertex of the level last made stands for each vertex of the reference level.

    Args:
        reader: Reads the reference level.
        table: Its chunks with exact counts.
        scratch: Makes the arrays.
        check: Called between blocks; may raise to stop.
    """

    def __init__(
        self,
        reader: LevelReader,
        table: ChunkTable,
        scratch: Scratch,
        check: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._table = table
        self._scratch = scratch
        self._check = check
        self._count = int(table.counts.sum())
        self._rows: npt.NDArray[np.integer] | None = None
        self._positions: FloatArray | None = None

    def climb(self, parents: npt.NDArray[np.integer]) -> None:
        """Go one level up.

        Args:
            parents: (N,) target row of every vertex of the level last made, -1 for none.
        """
        if self._rows is None:
            self._rows = parents
            return
        above = self._scratch.array((self._count,), parents.dtype)
        for start in range(0, self._count, _BLOCK):
            self._check()
            below = self._rows[start : start + _BLOCK]
            if below.size and below.min() >= 0:
                above[start : start + _BLOCK] = parents[below]
            else:
                above[start : start + _BLOCK] = np.where(below >= 0, parents[below], -1)
        rest(self._rows)
        self._rows = above

    def error(self, positions: FloatArray) -> LevelError:
        """Distances from the reference vertices to those that now stand for them.

        Args:
            positions: (M, D) of the level last made, in stored order.
        """
        tally = Quantiles()
        level = self._reader.arrays.meta.level
        lost = 0
        for start, block in self._blocks():
            self._check()
            rows = self._standing(start, len(block))
            there = rows >= 0
            if there.all():
                tally.add(displacements(block, positions, rows))
            else:
                lost += int(len(there) - np.count_nonzero(there))
                tally.add(displacements(block[there], positions, rows[there]))
        if self._rows is not None:
            rest(self._rows)
        p50, p95 = tally.percentiles((50, 95))
        return LevelError(p50, p95, tally.max, level, lost)

    def _standing(self, start: int, count: int) -> IntArray:
        if self._rows is None:
            return np.arange(start, start + count, dtype=np.int64)
        return np.asarray(self._rows[start : start + count], np.int64)

    def _blocks(self) -> Iterator[tuple[int, FloatArray]]:
        """(first row, positions) of runs of rows, in stored order."""
        spec, ndim = self._reader.arrays.vertices, self._reader.arrays.ndim
        if self._count * ndim * spec.dtype.itemsize <= _KEPT:
            if self._positions is None:
                self._positions = self._read(0, len(self._table.coords))
            yield 0, self._positions
            return
        ends = np.cumsum(self._table.counts)
        first, done = 0, 0
        while first < len(ends):
            last = max(first + 1, int(np.searchsorted(ends, done + _BLOCK, side="right")))
            positions = self._read(first, last)
            yield done, positions
            done += len(positions)
            first = last

    def _read(self, first: int, last: int) -> FloatArray:
        arrays = self._reader.arrays
        chunks = [tuple(row) for row in self._table.coords[first:last].tolist()]
        plan = plan_read(arrays.table.coords, arrays.chunk_shape, chunks=chunks)
        return self._reader.read(plan).positions
