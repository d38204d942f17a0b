"""Curves along which chunks are packed: neighbours in space come to lie near one another. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np

from zarr_vectors.typing import ChunkCoords, IntArray


class ShardLayout(StrEnum):
    """Orders of chunks in shards."""

    FLAT = "flat"
    """Not packed."""
    OCTREE = "octree"
    """Morton order: blocks of 2 x 2 x 2 chunks, blocks of those, and so on."""
    SNAKE = "snake"
    """Row after row, every other one backwards."""
    INDEX_TABLE = "index_table"
    """Ascending coordinates."""


def along(layout: ShardLayout, chunks: Iterable[ChunkCoords]) -> list[ChunkCoords]:
    """Chunks in the order of a curve through their bounding box."""
    known = sorted(chunks)
    if not known or layout in (ShardLayout.FLAT, ShardLayout.INDEX_TABLE):
        return known
    coords = np.array(known, np.int64)
    coords -= coords.min(axis=0)
    keys = _morton(coords) if layout is ShardLayout.OCTREE else _snake(coords)
    return [known[i] for i in np.lexsort(keys.T[::-1]).tolist()]


def _morton(coords: IntArray) -> IntArray:
    """(n, bits) int64 keys: the bits of all axes in turn, the highest first."""
    bits = max(int(coords.max()).bit_length(), 1)
    columns = [
        coords[:, axis] >> bit & 1
        for bit in range(bits - 1, -1, -1)
        for axis in range(coords.shape[1])
    ]
    return np.stack(columns, axis=1)


def _snake(coords: IntArray) -> IntArray:
    """(n, D) int64 keys: an axis runs backwards where the sum of those before it is odd."""
    keys = coords.copy()
    sums = np.zeros(len(coords), np.int64)
    for axis in range(coords.shape[1]):
        back = sums % 2 == 1
        keys[back, axis] = -coords[back, axis]
        sums += coords[:, axis]
    return keys
