"""Chunked arrays of 0.9: one array each, a cell per chunk, and a record of the cells that are full.

The record is what readers go by, so it is written with every change and never guessed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from zarr_vectors.core import paths
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.backends.joined import ByteArray, ReadsJoined
from zarr_vectors.core.codecs import decode_vlen
from zarr_vectors.core.documents import attributes_of, dump_json, is_group
from zarr_vectors.core.keys import try_parse_key
from zarr_vectors.core.layouts.base import Cells, ChunkGrid
from zarr_vectors.core.layouts.columns import Column, ColumnRequest, column_of
from zarr_vectors.core.layouts.tree import Documents, Tree, with_kind, without_old_spelling
from zarr_vectors.core.layouts.v09.grids import (
    ORIGIN,
    RECORD,
    Grid,
    grid_document,
    read_grid,
    record_of,
)
from zarr_vectors.core.layouts.v09.sharded import Index, InShards, read_sharded
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.typing import ChunkCoords

Buffer = bytes | bytearray | memoryview

_ROW_KINDS = ("attribute", "fragment_attribute", "link_attribute")
_SIZE = struct.Struct("<I")
_ONE = struct.Struct("<II")
_HEAD = np.dtype([("count", "<u4"), ("size", "<u4")])
"""What stands before the blob of a cell that is not compressed: a list of one element."""
_MOST_LISTED = 10_000_000


class Cells09(Tree):
    """Cells and array metadata."""

    def __init__(self, backend: StorageBackend) -> None:
        super().__init__(backend)
        self._grids: dict[str, Grid] = {}
        self._indexes: dict[str, Index | None] = {}
        self._described: Documents = {}

    def forget(self) -> None:
        """Drop what is remembered of the stored documents, which others may have changed."""
        super().forget()
        self._grids.clear()
        self._indexes.clear()
        self._described.clear()

    def get_cells(self, request: Mapping[str, Iterable[ChunkCoords]]) -> dict[str, Cells]:
        """Blobs of ``{logical path: coords}`` in one batch; absent cells are left out."""
        grids = self.grids(request)
        cells: dict[str, Cells] = {path: {} for path in request}
        alone: dict[str, tuple[str, ChunkCoords]] = {}
        packed: list[InShards] = []
        for path, grid in grids.items():
            wanted = [c for c in request[path] if grid.stored is None or c in grid.stored]
            if grid.sharding is not None:
                packed.append(InShards.of(grid, grid.sharding, wanted))
                continue
            for chunk, key in zip(wanted, grid.keys(wanted), strict=True):
                if key is not None:
                    alone[key] = (path, chunk)
                elif grid.stored is not None:
                    raise self.damaged(path, "it is recorded outside the grid", chunk)
        found = self.backend.get_many(alone) if alone else {}
        for key, (path, chunk) in alone.items():
            blob = self._decode(grids[path], chunk, found.get(key))
            if blob:
                cells[path][chunk] = blob
        for part, encoded in zip(packed, self._sharded(packed), strict=True):
            path = part.grid.path
            blobs = {chunk: self._decode(part.grid, chunk, data) for chunk, data in encoded.items()}
            cells[path] = {chunk: blob for chunk, blob in blobs.items() if blob}
        return cells

    def get_columns(
        self, request: ColumnRequest, rooms: Mapping[str, ByteArray]
    ) -> dict[str, Column]:
        """Blobs of ``{logical path: chunks}`` in one batch, each array's in one buffer."""
        backend = self.backend
        if not isinstance(backend, ReadsJoined):
            found = self.get_cells(request)
            return {path: column_of(found[path], keys) for path, keys in request.items()}
        grids = self.grids(request)
        columns = {}
        for path, keys in request.items():
            grid = grids.get(path)
            column = None
            if grid is not None and grid.plain and grid.sharding is None:
                column = self._plain_column(backend, grid, keys, rooms.get(path))
            if column is None:
                column = column_of(self.get_cells({path: keys})[path], keys)
            columns[path] = column
        return columns

    def _plain_column(
        self,
        backend: ReadsJoined,
        grid: Grid,
        chunks: Sequence[ChunkCoords],
        room: ByteArray | None,
    ) -> Column | None:
        """Blobs of cells that are neither compressed nor packed; None unless all are in order."""
        wanted = chunks
        if grid.stored is not None and not grid.stored.issuperset(chunks):
            wanted = [chunk for chunk in chunks if chunk in grid.stored]
        keys = [key for key in grid.keys(wanted) if key is not None]
        found = backend.get_joined(keys, _HEAD.itemsize, room)
        heads = found.heads.view(_HEAD)[:, 0]
        whole = (heads["count"] == 1) & (heads["size"] == found.sizes - _HEAD.itemsize)
        if len(keys) != len(wanted) or not whole.all():
            return None
        sizes = found.bodies()
        if len(wanted) == len(chunks):
            return Column(chunks, found.data, sizes)
        by_chunk = dict(zip(wanted, sizes.tolist(), strict=True))
        every = np.fromiter((by_chunk.get(chunk, 0) for chunk in chunks), np.int64, len(chunks))
        return Column(chunks, found.data, every)

    def list_cells(self, path: str) -> tuple[ChunkCoords, ...]:
        """Coordinates of the non-empty cells, ascending in numeric tuple order."""
        grid = self.grids([path]).get(path)
        if grid is None:
            return ()
        return tuple(sorted(self._walk(grid))) if grid.stored is None else grid.listed

    def grids(self, wanted: Iterable[str], *, fresh: bool = False) -> dict[str, Grid]:
        """Grids of the arrays that exist, in one batch.

        Args:
            wanted: Logical paths.
            fresh: Read the documents again.
        """
        found: dict[str, Grid | None] = {
            path: None if fresh else self._grids.get(path) for path in wanted
        }
        unread = [path for path, grid in found.items() if grid is None]
        known = {} if fresh else {p: self._described.pop(p) for p in unread if p in self._described}
        ask = [path for path in unread if path not in known]
        documents = known | self.documents(ask) if ask else known
        last = next(reversed(self._grids.values()), None)
        for path in unread:
            if path in documents and not is_group(documents[path]):
                with self.blaming(path):
                    # arrays of a level mostly hold the same chunks
                    last = found[path] = self._grids[path] = read_grid(path, documents[path], last)
        return {path: grid for path, grid in found.items() if grid is not None}

    def create_cells(self, path: str, meta: Mapping[str, Any], grid: ChunkGrid) -> None:
        """Create an empty chunked array; ``meta`` is its logical metadata (dtype ...)."""
        known = self.grids([path], fresh=True).get(path)
        if known is not None and known.stored != frozenset():
            self.delete(path)
        document = grid_document(grid, _to_stored(with_kind(path, meta)), frozenset())
        self.backend.put_many({**self.missing_parents([path]), paths.node(path): document})
        self._grids.pop(path, None)

    def put_cells(self, path: str, cells: Mapping[ChunkCoords, bytes | memoryview]) -> None:
        """Create or replace cells; an empty blob removes one. Keeps the record of what exists."""
        if cells:
            self.put_alone(*self._open(path), cells)

    def put_alone(
        self,
        document: dict[str, Any],
        grid: Grid,
        cells: Mapping[ChunkCoords, bytes | memoryview],
    ) -> None:
        """Cells as above, of an array that is not packed, with its document."""
        path = grid.path
        items: dict[str, Buffer] = {}
        gone: dict[ChunkCoords, str] = {}
        for (chunk, data), key in zip(cells.items(), grid.keys(list(cells)), strict=True):
            if key is None:
                raise ArrayError(
                    f"chunk {paths.format_chunk(chunk)} is outside the grid of {path} in "
                    f"{self.backend.url}: from {paths.format_chunk(grid.origin)}, "
                    f"{'x'.join(map(str, grid.shape))} chunks",
                    array=path,
                    chunk=chunk,
                )
            if len(data):
                items[key] = encode_cell(grid, data)
            else:
                gone[chunk] = key
        before = frozenset(self._walk(grid)) if grid.stored is None else grid.stored
        stored = (before | cells.keys()) - gone.keys()
        if stored != grid.stored:
            attributes_of(document, path).update(record_of(grid.origin, stored))
            items[paths.node(path)] = dump_json(document)  # last: a record never runs ahead
            grid = Grid(path, grid.node, grid.origin, stored, tuple(sorted(stored)))
        self.backend.put_many(items)
        if gone:
            self.backend.delete_many(gone.values())
        self._grids[path] = grid

    def set_grid(self, path: str, grid: ChunkGrid) -> None:
        """Make room for the chunks of ``grid``, keeping every cell; it must hold those stored."""
        document, known = self._open(path)
        if (known.origin, known.shape) == (grid.origin, grid.shape):
            return
        stored = tuple(self._walk(known) if known.stored is None else known.stored)
        for chunk in stored:
            if any(
                not o <= c < o + n for c, o, n in zip(chunk, grid.origin, grid.shape, strict=True)
            ):
                raise ArrayError(
                    f"chunk {paths.format_chunk(chunk)} of {path} does not fit the new grid",
                    array=path,
                    chunk=chunk,
                )
        if known.origin == grid.origin and known.sharding is None:
            self.backend.put_many(
                {paths.node(path): dump_json({**document, "shape": list(grid.shape)})}
            )
            self._grids.pop(path, None)
            return
        cells = self.get_cells({path: stored})[path]
        meta = self.array_metas([path])[path]
        self.create_cells(path, meta, grid)
        self.put_cells(path, cells)

    def get_slot(self, path: str, name: str) -> bytes | None:
        """None: this format keeps no blobs beside the chunks."""
        return None

    def put_slot(self, path: str, name: str, data: bytes) -> None:
        """Refused: this format keeps no blobs beside the chunks."""
        raise StoreError(f"{path}: format 0.9.2 has no blob {name[:60]!r} beside its chunks")

    def array_metas(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Metadata of the arrays that exist, in one batch."""
        documents = self.documents(wanted)
        if self.backend.read_only:
            self._described |= documents  # grids are read from them without asking again
        return {
            path: _to_logical(attributes_of(document, self._named(path)))
            for path, document in documents.items()
        }

    def set_array_meta(self, path: str, meta: Mapping[str, Any]) -> None:
        """Merge into an array's metadata."""
        document = self.documents([path]).get(path)
        if document is None:
            raise StoreError(f"there is no array {path} in {self.backend.url}")
        attributes_of(document, self._named(path)).update(_to_stored(dict(meta)))
        self.backend.put_many({paths.node(path): dump_json(document)})
        self._grids.pop(path, None)

    def _open(self, path: str) -> tuple[dict[str, Any], Grid]:
        document = self.documents([path]).get(path)
        if document is None:
            raise StoreError(f"there is no array {path} in {self.backend.url}")
        with self.blaming(path):
            return document, read_grid(path, document, self._grids.get(path))

    def _decode(self, grid: Grid, chunk: ChunkCoords, data: bytes | None) -> bytes:
        if data is None:
            if grid.stored is None:
                return b""
            raise self.damaged(grid.path, "it is recorded but missing", chunk)
        if data[:4] == b"\1\0\0\0" and len(data) >= 8 and grid.plain:
            (size,) = _SIZE.unpack_from(data, 4)
            if size == len(data) - 8:
                return data[8:]
        try:
            return decode_vlen(grid.pipeline.unpack(data), 1)[0]
        except ArrayError as error:
            raise self.damaged(grid.path, str(error), chunk) from error

    def _sharded(self, parts: Sequence[InShards]) -> list[dict[ChunkCoords, bytes | None]]:
        """Encoded cells of packed arrays, all of them in one batch after that of their indexes."""
        if not parts:
            return []
        try:
            return read_sharded(self.backend, parts, self._indexes)
        except ArrayError as error:
            raise self.damaged(
                error.array or parts[0].grid.path, str(error), error.chunk
            ) from error

    def _walk(self, grid: Grid) -> list[ChunkCoords]:
        """Chunks with a stored cell, by listing: for arrays that keep no record."""
        if grid.sharding is not None or grid.node.separator != "/":
            raise self.damaged(grid.path, f"its {RECORD} is missing")
        found: list[ChunkCoords] = [()]
        for _ in grid.shape:
            deeper = []
            for index in found:
                below = "/".join([grid.path, "c", *map(str, index)])
                numbers = map(try_parse_key, self.backend.list_dir(below))
                deeper += [index + n for n in numbers if n is not None and len(n) == 1]
            found = deeper
            if len(found) > _MOST_LISTED:
                raise self.damaged(grid.path, "it lists too many cells")
        chunks = [tuple(i + o for i, o in zip(index, grid.origin, strict=True)) for index in found]
        return [chunk for chunk in chunks if grid.index(chunk) is not None]


def encode_cell(grid: Grid, data: bytes | memoryview) -> bytes:
    """A blob as its cell is stored: the only element of a list, then compressed if the array is."""
    cell = b"".join((_ONE.pack(1, len(data)), data))
    return cell if grid.plain else bytes(grid.pipeline.pack(cell))


def _to_stored(meta: dict[str, Any]) -> dict[str, Any]:
    """The record is ours to keep, not the caller's to set."""
    return {key: value for key, value in meta.items() if key not in {RECORD, ORIGIN}}


def _to_logical(meta: dict[str, Any]) -> dict[str, Any]:
    meta = without_old_spelling(_to_stored(meta))
    if meta.get("zv_array") in _ROW_KINDS and "row_shape" not in meta:
        names = meta.get("channel_names")
        meta["row_shape"] = [len(names)] if isinstance(names, list) else []
    return meta
