"""Reading cells out of ``sharding_indexed`` objects: the index first, then only what is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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


def read_sharded(
    backend: StorageBackend,
    grid: Grid,
    sharding: Sharding,
    places: Mapping[ChunkCoords, InShard],
    indexes: dict[str, Index | None],
) -> dict[ChunkCoords, bytes | None]:
    """Encoded cells of chunks, None where a shard or a cell in it is missing.

    Args:
        backend: Where the array is.
        grid: The array.
        sharding: Its codec.
        places: Where each chunk is.
        indexes: Shard indexes read so far; added to.

    Raises:
        ArrayError: An index is damaged, or a cell lies outside its shard; ``chunk`` is set.
    """
    count = math.prod(grid.node.chunk_shape)
    if count > _MOST_INNER:
        raise ArrayError(f"its shards claim {count} cells each")
    size = sharding.index_size(count)
    # of each shard, the first chunk asked for: the one to name when the whole shard is damaged
    keys: dict[str, ChunkCoords] = {}
    for chunk, place in places.items():
        keys.setdefault(place.key, chunk)
    before = dict(indexes)
    known = {key: before[key] for key in keys if key in before}
    missing = [key for key in keys if key not in known]
    start = -size if sharding.at_end else 0
    tails = backend.get_ranges([(key, start, size) for key in missing]) if missing else []
    for key, tail in zip(missing, tails, strict=True):
        try:
            known[key] = None if tail is None else sharding.read_index(tail, count)
        except ArrayError as error:
            raise ArrayError(f"the index of {key}: {error}", chunk=keys[key]) from error
    indexes.update(known)
    ranges: dict[ChunkCoords, tuple[str, int, int]] = {}
    for chunk, place in places.items():
        index = known[place.key]
        if index is None or index[0][place.number] < 0:
            continue
        offset, length = int(index[0][place.number]), int(index[1][place.number])
        if length > MAX_CELL_BYTES:
            raise ArrayError(
                f"the index of {place.key} claims a cell of {length} bytes", chunk=chunk
            )
        ranges[chunk] = (place.key, offset, length)
    parts = backend.get_ranges(list(ranges.values())) if ranges else []
    found: dict[ChunkCoords, bytes | None] = dict.fromkeys(places)
    for (chunk, (key, _, length)), part in zip(ranges.items(), parts, strict=True):
        if part is None or len(part) != length:
            raise ArrayError(f"{key} is cut short", chunk=chunk)
        found[chunk] = part
    return found


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
