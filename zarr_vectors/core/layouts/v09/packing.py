"""Packing the cells of 0.9 into ``sharding_indexed`` objects, and taking those apart again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zarr_vectors.core import codecs, paths
from zarr_vectors.core.codecs import Sharding
from zarr_vectors.core.documents import attributes_of, dump_json, is_group
from zarr_vectors.core.layouts.base import Packed
from zarr_vectors.core.layouts.v09.cells import Buffer, Cells09, encode_cell
from zarr_vectors.core.layouts.v09.grids import Grid, read_grid, record_of
from zarr_vectors.core.layouts.v09.sharded import InShard, InShards, build_shard, locate
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords

_BATCH = 64 * 2**20
_NOT_PACKED = {"object_index", "groups", "object_attributes", "group_attributes"}


class Packing09(Cells09):
    """Packs, changes and unpacks chunked arrays."""

    def cell_arrays(self, level: str) -> list[str]:
        """Sorted paths of the chunked arrays of a level."""
        found: list[str] = []
        below = [f"{level}/{name}" for name in self.children(level) if name not in _NOT_PACKED]
        while below:
            documents = self.documents(below)
            groups = [path for path in below if path in documents and is_group(documents[path])]
            found += [path for path in below if path in documents and path not in groups]
            below = [f"{path}/{name}" for path in groups for name in self.children(path)]
        return sorted(found)

    def packed_cells(self, path: str) -> Packed | None:
        """Shards of an array, or None where its chunks are stored one by one."""
        grid = self.grids([path]).get(path)
        if grid is None or grid.sharding is None:
            return None
        stored = self.list_cells(path)
        return Packed(len({_outer(grid, chunk) for chunk in stored}), len(stored))

    def pack_cells(self, path: str, order: Sequence[ChunkCoords], size: int) -> Packed:
        """Pack all chunks of an array into blocks of about ``size`` grid cells."""
        document, grid = self._open(path)
        if grid.sharding is not None:
            self.unpack_cells(path)
            document, grid = self._open(path)
        shape = shard_shape(size, grid.shape)
        packed = _packed_document(document, shape)
        with self.blaming(path):
            target = read_grid(path, packed)
        groups: dict[str, list[ChunkCoords]] = {}
        # ascending: the key of a shard is that of a cell no later shard holds
        for chunk in sorted(order, key=lambda c: (_outer(target, c), c)):
            groups.setdefault(_place(target, chunk).key, []).append(chunk)
        items: dict[str, Buffer] = {}
        for key, chunks in groups.items():
            parts = {
                _place(target, chunk).number: data
                for chunk, data in self.encoded_cells(grid, chunks).items()
            }
            items[key] = build_shard(parts, shape, _sharding(target))
            if sum(map(len, items.values())) > _BATCH:
                self.backend.put_many(items)
                items = {}
        self.backend.put_many(items)
        cells = {grid.key(_index(grid, chunk)) for chunk in order}
        self.backend.delete_many(sorted(cells - groups.keys()))
        self.backend.put_many({paths.node(path): dump_json(packed)})
        self.forget()
        return Packed(len(groups), len(order))

    def unpack_cells(self, path: str) -> int:
        """Store every packed chunk of an array by itself; how many there were."""
        document, grid = self._open(path)
        if grid.sharding is None:
            return 0
        plain = _plain_document(document)
        with self.blaming(path):
            target = read_grid(path, plain)
        groups: dict[str, list[ChunkCoords]] = {}
        # descending: the key of a cell is that of a shard already taken apart
        for chunk in sorted(self.list_cells(path), reverse=True):
            groups.setdefault(_place(grid, chunk).key, []).append(chunk)
        written: set[str] = set()
        places = {key: _outer(grid, chunks[0]) for key, chunks in groups.items()}
        for key in sorted(groups, key=places.__getitem__, reverse=True):
            chunks = groups[key]
            cells = self.encoded_cells(grid, chunks)
            items = {target.key(_index(target, chunk)): data for chunk, data in cells.items()}
            self.backend.put_many(items)
            written |= items.keys()
            if key not in written:
                self.backend.delete_many([key])
        self.backend.put_many({paths.node(path): dump_json(plain)})
        self.forget()
        return sum(map(len, groups.values()))

    def put_cells(self, path: str, cells: Mapping[ChunkCoords, bytes | memoryview]) -> None:
        """Create or replace cells; an empty blob removes one. Keeps the record of what exists.

        Of a packed array, the shards that hold them are written anew.
        """
        if not cells:
            return
        document, grid = self._open(path)
        if grid.sharding is None:
            self.put_alone(document, grid, cells)
            return
        stored = frozenset(self.list_cells(path))
        changed: dict[str, list[ChunkCoords]] = {}
        for chunk in cells:
            with self.blaming(path, chunk):
                changed.setdefault(_place(grid, chunk).key, []).append(chunk)
        siblings: dict[str, list[ChunkCoords]] = {key: [] for key in changed}
        for chunk in stored - cells.keys():
            key = _place(grid, chunk).key
            if key in siblings:
                siblings[key].append(chunk)
        kept = self.encoded_cells(grid, itertools.chain(*siblings.values()))
        items: dict[str, Buffer] = {}
        for key, chunks in changed.items():
            parts = {_place(grid, c).number: kept[c] for c in siblings[key]}
            new = [c for c in chunks if len(cells[c])]
            parts |= {_place(grid, c).number: encode_cell(grid, cells[c]) for c in new}
            if parts:
                items[key] = build_shard(parts, grid.node.chunk_shape, grid.sharding)
        gone = {chunk for chunk, data in cells.items() if not len(data)}
        after = (stored | cells.keys()) - gone
        if after != grid.stored:
            attributes_of(document, path).update(record_of(grid.origin, after))
            items[paths.node(path)] = dump_json(document)  # last: a record never runs ahead
        self.backend.put_many(items)
        self.backend.delete_many(sorted(changed.keys() - items.keys()))
        self.forget()

    def encoded_cells(self, grid: Grid, chunks: Iterable[ChunkCoords]) -> dict[ChunkCoords, bytes]:
        """Cells as they are stored, shard or not.

        Raises:
            ArrayError: One is missing.
        """
        wanted = list(chunks)
        if grid.sharding is None:
            keys = {chunk: grid.key(_index(grid, chunk)) for chunk in wanted}
            loose = self.backend.get_many(keys.values())
            found: dict[ChunkCoords, bytes | None] = {c: loose.get(k) for c, k in keys.items()}
        else:
            places = {chunk: _place(grid, chunk) for chunk in wanted}
            found = self._sharded([InShards(grid, grid.sharding, places)])[0]
        out = {}
        for chunk in wanted:
            data = found.get(chunk)
            if data is None:
                raise self.damaged(grid.path, "it is recorded but missing", chunk)
            out[chunk] = data
        return out


def shard_shape(size: int, grid_shape: Sequence[int]) -> tuple[int, ...]:
    """Cells of a shard along each axis: a cube of at most ``size``, cut to the grid and then grown.

    Edges double in turn, the last axis first, while the block holds no more than ``size`` cells.
    """
    edges = [1] * len(grid_shape)
    grew = True
    while grew:
        grew = False
        for axis in sorted(range(len(edges)), key=lambda a: (edges[a], -a)):
            if edges[axis] < grid_shape[axis] and 2 * math.prod(edges) <= size:
                edges[axis] *= 2
                grew = True
                break
    return tuple(edges)


def _packed_document(document: Mapping[str, Any], shape: Sequence[int]) -> dict[str, Any]:
    inner = {
        "chunk_shape": [1] * len(shape),
        "codecs": list(document["codecs"]),
        "index_codecs": [dict(codecs.BYTES_LITTLE), {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        **document,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(shape)}},
        "codecs": [{"name": "sharding_indexed", "configuration": inner}],
    }


def _plain_document(document: Mapping[str, Any]) -> dict[str, Any]:
    rank = len(document["shape"])
    return {
        **document,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1] * rank}},
        "codecs": document["codecs"][0]["configuration"]["codecs"],
    }


def _index(grid: Grid, chunk: ChunkCoords) -> tuple[int, ...]:
    index = grid.index(chunk)
    if index is None:
        raise ArrayError("it is outside the grid", array=grid.path, chunk=chunk)
    return index


def _place(grid: Grid, chunk: ChunkCoords) -> InShard:
    place = locate(grid, _sharding(grid), chunk)
    if place is None:
        raise ArrayError("it is outside the grid", array=grid.path, chunk=chunk)
    return place


def _sharding(grid: Grid) -> Sharding:
    if grid.sharding is None:
        raise ArrayError(f"{grid.path} is not packed", array=grid.path)
    return grid.sharding


def _outer(grid: Grid, chunk: ChunkCoords) -> tuple[int, ...]:
    shape = grid.node.chunk_shape
    return tuple(i // n for i, n in zip(_index(grid, chunk), shape, strict=True))
