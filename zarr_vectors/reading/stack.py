"""Rows of a large read, put together batch by batch without holding them twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.backends.joined import ByteArray
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords, IntArray

BATCH_BYTES = 32 * 2**20
"""Decoded bytes fetched at once, so that a large read holds its result and little more."""
_LEAST_PART, _MOST_PART = 2**18, 2**21
_PARTS = 128


def batches(
    keys: list[ChunkCoords], sizes: IntArray, most: int = BATCH_BYTES
) -> Iterator[tuple[slice, list[ChunkCoords]]]:
    """Runs of chunks of about so many bytes together."""
    batch = np.cumsum(sizes) // most
    edges = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(keys)]
    for start, stop in itertools.pairwise(edges):
        if stop > start:
            yield slice(start, stop), keys[start:stop]


def part_bytes(total: int, *, local: bool) -> int:
    """Bytes to fetch at once where they are copied to other places: a small part of the whole.

    Args:
        total: Bytes of the whole.
        local: A batch costs no more than its parts.
    """
    return min(max(total // _PARTS, _LEAST_PART), _MOST_PART) if local else BATCH_BYTES


class Stack:
    """Rows that come in parts.

    Args:
        dtype: Of the rows.
        row_shape: ``()`` or ``(C,)``.
        room: Rows there should be at most, or None where not known.
    """

    def __init__(self, dtype: np.dtype[Any], row_shape: tuple[int, ...], room: int | None) -> None:
        self._empty = np.zeros((0, *row_shape), dtype)
        self._room = room
        self._rows: npt.NDArray[Any] | None = None
        self._parts: list[npt.NDArray[Any]] = []
        self._count = 0

    def tail(self) -> ByteArray | None:
        """(N,) uint8, the room for rows to come: what is read there need not be copied."""
        if not self._room:
            return None
        return self._whole_room(self._room)[self._count :].reshape(-1).view(np.uint8)

    def add(self, part: npt.NDArray[Any], *, last: bool = False) -> None:
        """Put rows at the end."""
        if self._room is not None and self._count + len(part) > self._room:
            self._parts = [self.whole(), part]
            self._room = self._rows = None
        elif self._room is None or (last and not self._count and not self._holds(part)):
            self._parts.append(part)
        elif not self._holds(part):
            rows = self._whole_room(self._room)
            rows[self._count : self._count + len(part)] = part
        self._count += len(part)

    def whole(self) -> npt.NDArray[Any]:
        """All rows."""
        if self._rows is None or self._parts:
            return concatenated(self._parts, self._empty)
        rows = self._rows[: self._count]
        return rows if 2 * self._count >= len(self._rows) else rows.copy()

    def _whole_room(self, room: int) -> npt.NDArray[Any]:
        if self._rows is None:  # pages are taken from the system as they are filled
            self._rows = room_for(room, self._empty.shape[1:], self._empty.dtype)
        return self._rows

    def _holds(self, part: npt.NDArray[Any]) -> bool:
        """Whether rows are in their place already."""
        if self._rows is None or part.dtype != self._rows.dtype:
            return False
        return _begin(part) == _begin(self._rows[self._count :])


def concatenated(parts: list[Any], empty: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Parts one after the other; the only one uncopied."""
    if not parts:
        return empty
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def starts_of(counts: IntArray) -> IntArray:
    """(n + 1,) int64 where each of n parts begins, and the end."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _begin(rows: npt.NDArray[Any]) -> int:
    return int(rows.__array_interface__["data"][0])


def room_for(rows: int, row_shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Rows yet to be filled.

    Raises:
        ArrayError: They are more than memory holds.
    """
    try:
        return np.empty((rows, *row_shape), dtype)
    except (MemoryError, ValueError) as error:
        raise ArrayError(f"{rows} rows are recorded: more than memory holds") from error
