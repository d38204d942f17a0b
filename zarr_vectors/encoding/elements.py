"""Byte strings in one buffer: for most uses an object each costs too much memory and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from zarr_vectors.typing import IntArray


class Elements(Sequence[bytes]):
    """Byte strings, made as they are asked for.

    Args:
        data: The buffer.
        begins: (n,) int64, first byte of every string.
        sizes: (n,) int64, bytes of every string.
    """

    __slots__ = ("begins", "data", "sizes")
    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __init__(self, data: bytes, begins: IntArray, sizes: IntArray) -> None:
        self.data, self.begins, self.sizes = data, begins, sizes

    @classmethod
    def of(cls, blobs: Sequence[bytes | bytearray | memoryview]) -> Elements:
        """Byte strings put one after the other; those that already are one buffer, uncopied."""
        if isinstance(blobs, Elements):
            return blobs
        sizes = np.fromiter(map(len, blobs), np.int64, len(blobs))
        return cls(b"".join(blobs), np.cumsum(sizes) - sizes, sizes)

    @classmethod
    def joined(cls, parts: Sequence[Elements]) -> Elements:
        """The strings of all parts."""
        if len(parts) == 1:
            return parts[0]
        sizes = [len(part.data) for part in parts]
        starts = np.cumsum([0, *sizes]).tolist()
        none = np.zeros(0, np.int64)
        return cls(
            b"".join(part.data for part in parts),
            np.concatenate([none, *(p.begins + s for p, s in zip(parts, starts, strict=False))]),
            np.concatenate([none, *(part.sizes for part in parts)]),
        )

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Elements: ...

    def __getitem__(self, index: int | slice) -> bytes | Elements:
        if isinstance(index, slice):
            return Elements(self.data, self.begins[index], self.sizes[index])
        begin = int(self.begins[index])
        return self.data[begin : begin + int(self.sizes[index])]

    def __iter__(self) -> Iterator[bytes]:
        ends = (self.begins + self.sizes).tolist()
        return (self.data[a:b] for a, b in zip(self.begins.tolist(), ends, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)
