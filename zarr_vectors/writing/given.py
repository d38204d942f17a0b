"""Rows given line by line, of which a few lines are put together at a time. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.encoding.items import as_items
from zarr_vectors.spatial.chunking import compute_bounds
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.route import starts_of
from zarr_vectors.writing.runs import RunRoute

BLOCK_ROWS = 1 << 16
"""Rows put together at once."""


class LineRows:
    """Rows of lines one after the other, never all of them together but in stored order.

    Args:
        lines: (N_k,) or (N_k, C) each, C the same for all, at least one line.
        dtype: Of the rows; by default the one that holds all lines'.

    Attributes:
        given: The dtype that holds all lines'.
        dtype: That of the rows.
        row_shape: ``()`` or ``(C,)``.
        starts: (K + 1,) int64, first row of every line, and the end.
    """

    def __init__(self, lines: Sequence[AnyArray], dtype: np.dtype[Any] | None = None) -> None:
        self._lines = lines
        self.given = np.result_type(*{line.dtype for line in lines}).newbyteorder("=")
        self.dtype = self.given if dtype is None else dtype
        self.row_shape: tuple[int, ...] = lines[0].shape[1:]
        self.starts: IntArray = starts_of(np.fromiter(map(len, lines), np.int64, len(lines)))

    def __len__(self) -> int:
        return int(self.starts[-1])

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """The first row of every block, and its rows; some are views of what was given."""
        rows = np.diff(self.starts)
        new = np.diff(self.starts[:-1] // BLOCK_ROWS) > 0
        new |= (rows[1:] > BLOCK_ROWS) | (rows[:-1] > BLOCK_ROWS)
        edges = [0, *(np.flatnonzero(new) + 1).tolist(), len(rows)]
        for a, b in itertools.pairwise(edges):
            first = int(self.starts[a])
            if b - a > 1:
                yield first, self._stored(np.concatenate(self._lines[a:b], dtype=self.given))
                continue
            line = self._lines[a]
            for at in range(0, max(len(line), 1), BLOCK_ROWS):
                yield first + at, self._stored(line[at : at + BLOCK_ROWS])

    def whole(self) -> npt.NDArray[Any]:
        """All rows, line after line."""
        room = np.empty((len(self), *self.row_shape), self.dtype)
        for first, block in self.blocks():
            room[first : first + len(block)] = block
        return room

    def routed(self, route: RunRoute) -> npt.NDArray[Any]:
        """All rows, in the order they are stored in."""
        room = np.empty((len(self), *self.row_shape), self.dtype)
        items = as_items(room)
        for first, block in self.blocks():
            np.put(items, route.stored(first, first + len(block)), as_items(block))
        return room

    def _stored(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        with np.errstate(over="ignore"):
            found: npt.NDArray[Any] = np.ascontiguousarray(np.asarray(rows, self.given), self.dtype)
        return found


def corners_of(blocks: Iterable[tuple[int, FloatArray]]) -> FloatArray:
    """(2, D) least and greatest numbers of positions, not finite where one is not; (0, D) of none.

    Args:
        blocks: The first row of every block, and its (n, D) positions; at least one block.
    """
    corners: list[list[float]] = []
    none: FloatArray = np.zeros((0, 0))
    for _, rows in blocks:
        none = rows[:0]
        corners += compute_bounds(rows) if len(rows) else ()
    if not corners:
        return none
    every = np.array(corners, none.dtype)
    return np.stack([every.min(axis=0), every.max(axis=0)])
