"""Blobs of many chunks of an array in one buffer: what large reads decode at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from zarr_vectors.core.backends.joined import ByteArray
from zarr_vectors.core.layouts.base import Cells, ReadsCells
from zarr_vectors.typing import ChunkCoords, IntArray

ColumnRequest = Mapping[str, Sequence[ChunkCoords]]


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """Blobs one after the other.

    Attributes:
        keys: The chunks asked for.
        data: (N,) uint8, all blobs; nobody else's.
        sizes: (n,) int64 bytes of every chunk's blob; 0 where there is none.
    """

    keys: Sequence[ChunkCoords]
    data: ByteArray
    sizes: IntArray

    def starts(self) -> IntArray:
        """(n,) int64, first byte of every blob."""
        starts: IntArray = np.cumsum(self.sizes) - self.sizes
        return starts

    def cells(self) -> Cells:
        """The blobs that are there, by chunk."""
        whole = self.data.tobytes()
        starts, sizes = self.starts().tolist(), self.sizes.tolist()
        return {
            key: whole[start : start + size]
            for key, start, size in zip(self.keys, starts, sizes, strict=True)
            if size
        }


@runtime_checkable
class ReadsColumns(Protocol):
    """Cells of a format that can be read into one buffer."""

    def get_columns(
        self, request: ColumnRequest, rooms: Mapping[str, ByteArray]
    ) -> dict[str, Column]:
        """As :func:`read_columns`."""
        ...


def read_columns(
    cells: ReadsCells, request: ColumnRequest, rooms: Mapping[str, ByteArray] | None = None
) -> dict[str, Column]:
    """Blobs of ``{logical path: chunks}`` in one batch.

    Args:
        cells: Where blobs come from.
        request: The chunks of every array.
        rooms: Buffers to read an array's blobs into, where they are large enough.
    """
    if isinstance(cells, ReadsColumns):
        return cells.get_columns(request, rooms or {})
    found = cells.get_cells(request)
    return {path: column_of(found.get(path, {}), keys) for path, keys in request.items()}


def column_of(cells: Mapping[ChunkCoords, bytes], keys: Sequence[ChunkCoords]) -> Column:
    """Blobs of chunks as one column."""
    blobs = [cells.get(key, b"") for key in keys]
    sizes = np.fromiter(map(len, blobs), np.int64, len(blobs))
    data = np.frombuffer(bytearray().join(blobs), np.uint8)
    return Column(keys, data, sizes)
