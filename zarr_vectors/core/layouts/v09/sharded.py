"""Reading cells out of ``sharding_indexed`` objects: the index first, then only what is needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zarr_vectors.constants import MAX_CELL_BYTES
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.codecs import Sharding
from zarr_vectors.core.layouts.v09.grids import Grid
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords, IntArray

_MOST_INNER = 2**22

Index = tuple[IntArray, IntArray]


@dataclass(frozen=True, slots=True)
class InShard:
    """Where a cell is: the shard's key and the cell's number within it."""

    key: str
    number: int


def locate(grid: Grid, sharding: Sharding, chunk: ChunkCoords) -> InShard | None:
    """Place of a chunk in its shard, or None outside the grid."""
    index = grid.index(chunk)
    if index is None:
        return None
    shard_shape = grid.node.chunk_shape
    outer = tuple(i // n for i, n in zip(index, shard_shape, strict=True))
    number = 0
    for i, n in zip(index, shard_shape, strict=True):
        number = number * n + i % n
    return InShard(grid.key(outer), number)


@dataclass(frozen=True, slots=True)
class InShards:
    """Cells to read of one packed array: where each is."""

    grid: Grid
    sharding: Sharding
    places: dict[ChunkCoords, InShard]

    @classmethod
    def of(cls, grid: Grid, sharding: Sharding, chunks: Iterable[ChunkCoords]) -> InShards:
        """The cells of chunks; those outside the grid are left out."""
        places = {chunk: locate(grid, sharding, chunk) for chunk in chunks}
        kept = {chunk: place for chunk, place in places.items() if place is not None}
        return cls(grid, sharding, kept)

    def keys(self) -> dict[str, ChunkCoords]:
        """Shards, each with its first chunk: the one to name when the whole shard is damaged."""
        found: dict[str, ChunkCoords] = {}
        for chunk, place in self.places.items():
            found.setdefault(place.key, chunk)
        return found


def read_sharded(
    backend: StorageBackend, parts: Sequence[InShards], indexes: dict[str, Index | None]
) -> list[dict[ChunkCoords, bytes | None]]:
    """Encoded cells of arrays, None where a shard or a cell in it is missing.

    Args:
        backend: Where the arrays are.
        parts: What to read of each.
        indexes: Shard indexes read so far; added to.

    Raises:
        ArrayError: An index is damaged, or a cell lies outside its shard; ``array`` and ``chunk``
            are set.
    """
    known = _read_indexes(backend, parts, indexes)
    ranges: list[tuple[str, int, int]] = []
    wanted: list[tuple[int, ChunkCoords]] = []
    for number, part in enumerate(parts):
        for chunk, place in part.places.items():
            index = known[place.key]
            if index is None or index[0][place.number] < 0:
                continue
            offset, length = int(index[0][place.number]), int(index[1][place.number])
            if length > MAX_CELL_BYTES:
                raise ArrayError(
                    f"the index of {place.key} claims a cell of {length} bytes",
                    array=part.grid.path,
                    chunk=chunk,
                )
            ranges.append((place.key, offset, length))
            wanted.append((number, chunk))
    answers = backend.get_ranges(ranges) if ranges else []
    found: list[dict[ChunkCoords, bytes | None]] = [dict.fromkeys(part.places) for part in parts]
    for (number, chunk), (key, _, length), data in zip(wanted, ranges, answers, strict=True):
        if data is None or len(data) != length:
            raise ArrayError(f"{key} is cut short", array=parts[number].grid.path, chunk=chunk)
        found[number][chunk] = data
    return found


def _read_indexes(
    backend: StorageBackend, parts: Sequence[InShards], indexes: dict[str, Index | None]
) -> dict[str, Index | None]:
    """Indexes of all shards, those not read yet in one batch."""
    before = dict(indexes)
    known: dict[str, Index | None] = {}
    ranges: list[tuple[str, int, int]] = []
    missing: list[tuple[InShards, int, str, ChunkCoords]] = []
    for part in parts:
        count = math.prod(part.grid.node.chunk_shape)
        if count > _MOST_INNER:
            raise ArrayError(f"its shards claim {count} cells each", array=part.grid.path)
        size = part.sharding.index_size(count)
        for key, chunk in part.keys().items():
            if key in before:
                known[key] = before[key]
            else:
                ranges.append((key, -size if part.sharding.at_end else 0, size))
                missing.append((part, count, key, chunk))
    tails = backend.get_ranges(ranges) if ranges else []
    for (part, count, key, chunk), tail in zip(missing, tails, strict=True):
        try:
            known[key] = None if tail is None else part.sharding.read_index(tail, count)
        except ArrayError as error:
            raise ArrayError(
                f"the index of {key}: {error}", array=part.grid.path, chunk=chunk
            ) from error
    indexes.update(known)
    return known


def build_shard(cells: Mapping[int, bytes], shape: Sequence[int], sharding: Sharding) -> bytes:
    """A stored shard.

    Args:
        cells: Number within the shard -> encoded cell.
        shape: Cells along each axis.
        sharding: Its codec.
    """
    count = math.prod(shape)
    offsets, lengths = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    start = 0 if sharding.at_end else sharding.index_size(count)
    numbers = sorted(cells)
    for number in numbers:
        offsets[number], lengths[number] = start, len(cells[number])
        start += len(cells[number])
    index = sharding.write_index(offsets, lengths)
    body = b"".join(cells[number] for number in numbers)
    return body + index if sharding.at_end else index + body
