"""Rows set aside on disk until all rows of a chunk are there: sorting more than memory holds."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.order import stable_order

BUCKETS = 256
"""Files that rows are dealt into; each chunk has one."""

_SPREAD = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What one column of rows is."""

    dtype: np.dtype[Any]
    row_shape: tuple[int, ...] = ()

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.dtype.itemsize * math.prod(self.row_shape)


@dataclass(slots=True)
class _Bucket:
    rows: list[int] = field(default_factory=list)
    """Rows of each piece, in the order they came."""

    @property
    def count(self) -> int:
        return sum(self.rows)


class Spill:
    """Rows of several columns dealt into buckets by chunk; inside a bucket they keep their order.

    A context manager: its folder goes at the end.

    Args:
        columns: What rows are made of.
        chunks_of: (N, R) int64 chunk of every row, told from the columns.
        folder: Where to keep them; the system's place for temporary files by default.
        turn: Which of the ways to deal chunks; a bucket too large is dealt again by the next one.
    """

    def __init__(
        self,
        columns: Sequence[Kind],
        chunks_of: Callable[[Sequence[AnyArray]], IntArray],
        folder: Path | None = None,
        *,
        turn: int = 0,
    ) -> None:
        self._columns = tuple(columns)
        self._chunks_of = chunks_of
        self._turn = turn
        self._place = tempfile.TemporaryDirectory(prefix="zarr-vectors-", dir=folder)
        self._buckets = [_Bucket() for _ in range(BUCKETS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every row."""
        self._place.cleanup()

    @property
    def row_bytes(self) -> int:
        """Bytes of a row over all columns."""
        return sum(column.row_bytes for column in self._columns)

    def add(self, values: Sequence[AnyArray]) -> None:
        """Set rows aside: one (N, ...) array per column."""
        numbers = _bucket_of(self._chunks_of(values), self._turn)
        order = stable_order(numbers, BUCKETS)
        ends = np.cumsum(np.bincount(numbers, minlength=BUCKETS))
        dealt = [
            np.ascontiguousarray(v, dtype=c.dtype)[order]
            for v, c in zip(values, self._columns, strict=True)
        ]
        start = 0
        for number, end in enumerate(ends.tolist()):
            if end > start:
                with self._file(number).open("ab") as file:
                    for part in dealt:
                        file.write(part[start:end].reshape(-1).view(np.uint8).data)
                self._buckets[number].rows.append(end - start)
            start = end

    def batches(self, max_rows: int) -> Iterator[list[AnyArray]]:
        """All rows in batches of whole chunks, rows of a chunk in the order they came.

        Args:
            max_rows: Rows of a batch; more only where one chunk has more.

        Yields:
            One (n, ...) array per column; what was yielded is forgotten.
        """
        together: list[int] = []
        size = 0
        for number, bucket in enumerate(self._buckets):
            if not bucket.count:
                continue
            if together and size + bucket.count > max_rows:
                yield self._take(together)
                together, size = [], 0
            if bucket.count > max_rows and self._turn + 1 < len(_SPREAD):
                yield from self._deal_again(number, max_rows)
                continue
            together.append(number)
            size += bucket.count
        if together:
            yield self._take(together)

    def _deal_again(self, number: int, max_rows: int) -> Iterator[list[AnyArray]]:
        """A bucket too large, its chunks spread over buckets of their own."""
        folder = Path(self._place.name)
        with Spill(self._columns, self._chunks_of, folder, turn=self._turn + 1) as inner:
            for piece in self._pieces(number):
                inner.add(piece)
            self._forget(number)
            yield from inner.batches(max_rows)

    def _take(self, numbers: Sequence[int]) -> list[AnyArray]:
        parts: list[list[AnyArray]] = [[] for _ in self._columns]
        for number in numbers:
            for piece in self._pieces(number):
                for kept, values in zip(parts, piece, strict=True):
                    kept.append(values)
            self._forget(number)
        return [np.concatenate(kept) for kept in parts]

    def _pieces(self, number: int) -> Iterator[list[AnyArray]]:
        with self._file(number).open("rb") as file:
            for rows in self._buckets[number].rows:
                yield [
                    np.frombuffer(file.read(rows * c.row_bytes), c.dtype).reshape(
                        rows, *c.row_shape
                    )
                    for c in self._columns
                ]

    def _forget(self, number: int) -> None:
        self._file(number).unlink()
        self._buckets[number] = _Bucket()

    def _file(self, number: int) -> Path:
        return Path(self._place.name) / f"{number:03d}"


def _bucket_of(chunks: IntArray, turn: int) -> IntArray:
    """(N,) int64 bucket of every chunk."""
    mixed = np.zeros(len(chunks), np.uint64)
    for axis in range(chunks.shape[1]):
        mixed ^= chunks[:, axis].astype(np.uint64)
        mixed *= _SPREAD[turn]
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(40)).astype(np.int64) % BUCKETS
