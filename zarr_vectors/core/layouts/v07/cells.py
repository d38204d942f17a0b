"""Chunked arrays of 0.7: a group per array, a blob per chunk, some of them packed into shards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from zarr_vectors.constants import NODE
from zarr_vectors.core import paths
from zarr_vectors.core.backends.joined import ByteArray, ReadsJoined
from zarr_vectors.core.documents import attributes_of, group_document
from zarr_vectors.core.keys import format_key, try_parse_key
from zarr_vectors.core.layouts.base import Cells, ChunkGrid
from zarr_vectors.core.layouts.columns import Column, ColumnRequest, column_of
from zarr_vectors.core.layouts.tree import with_kind, without_old_spelling
from zarr_vectors.core.layouts.v07.blobs import Buffer, Place
from zarr_vectors.core.layouts.v07.shards import PackedBlobs, Shards
from zarr_vectors.exceptions import StoreError, StoreUnlistable
from zarr_vectors.typing import ChunkCoords

_ROW_KINDS = ("attribute", "fragment_attribute", "link_attribute")


class Cells07(PackedBlobs):
    """Cells and array metadata."""

    def get_cells(self, request: Mapping[str, Iterable[ChunkCoords]]) -> dict[str, Cells]:
        """Blobs of ``{logical path: coords}`` in one batch; absent cells are left out."""
        return self.get_cells_and_slots(request, ())[0]

    def get_columns(
        self, request: ColumnRequest, rooms: Mapping[str, ByteArray]
    ) -> dict[str, Column]:
        """Blobs of ``{logical path: chunks}``, each array's in one buffer."""
        backend = self.backend
        columns: dict[str, Column] = {}
        if isinstance(backend, ReadsJoined):
            for path, chunks in request.items():
                column = self._plain_column(backend, path, chunks, rooms.get(path))
                if column is not None:
                    columns[path] = column
        rest = {path: chunks for path, chunks in request.items() if path not in columns}
        found = self.get_cells(rest) if rest else {}
        return columns | {path: column_of(found[path], chunks) for path, chunks in rest.items()}

    def _plain_column(
        self,
        backend: ReadsJoined,
        path: str,
        chunks: Sequence[ChunkCoords],
        room: ByteArray | None,
    ) -> Column | None:
        """Blobs that are neither compressed nor packed; None unless all are there and in order."""
        if not chunks or self.recorded.shards(path):
            return None
        blobs = [f"{path}/{format_key(chunk)}" for chunk in chunks]
        found = backend.get_joined([f"{blob}/{NODE}" for blob in blobs])
        if found.sizes.min() < 0:
            return None
        documents = Column(chunks, found.data, found.sizes).cells()
        sizes = np.zeros(len(chunks), np.int64)
        for number, (chunk, blob) in enumerate(zip(chunks, blobs, strict=True)):
            sizes[number], pipeline = self.node_of(blob, documents.get(chunk, b""), path, chunk)
            if not pipeline.plain or not sizes[number]:
                return None
        found = backend.get_joined([f"{blob}/c/0" for blob in blobs], room=room)
        return Column(chunks, found.data, sizes) if np.array_equal(sizes, found.sizes) else None

    def get_cells_and_slots(
        self, request: Mapping[str, Iterable[ChunkCoords]], slots: Iterable[str]
    ) -> tuple[dict[str, Cells], dict[str, bytes]]:
        """Cells as above, and in the same batch the blobs ``data`` of other paths."""
        coords = {path: list(chunks) for path, chunks in request.items()}
        recorded = {path: self.recorded.shards(path) for path in coords}
        wanted: dict[str, Place] = {
            f"{path}/{format_key(chunk)}": (path, chunk)
            for path, chunks in coords.items()
            for chunk in chunks
            if chunk not in (recorded[path] or ())
        }
        beside: dict[str, Place] = {f"{path}/data": (path, None) for path in slots}
        shards = self.shards_to_read(coords, recorded)
        found, documents = self.read_blobs_and_documents({**wanted, **beside}, shards)
        cells: dict[str, Cells] = {path: {} for path in coords}
        packed: dict[str, list[ChunkCoords]] = {}
        for blob, (path, chunk) in wanted.items():
            data = found.get(blob)
            if chunk is None:
                continue
            if data is None:
                if recorded[path] is None:
                    packed.setdefault(path, []).append(chunk)
            elif data:
                cells[path][chunk] = data
        stale = self.add_shards(coords, recorded, documents)
        for path in coords:
            if path in stale:  # packed anew by another program: found by listing from now on
                self.recorded = self.recorded.without(path)
                continue
            inside = [chunk for chunk in coords[path] if chunk in (recorded[path] or ())]
            if inside:
                packed[path] = inside
        for path, blobs in self.read_packed(packed).items():
            cells[path].update(blobs)
        if stale:
            cells |= self.get_cells({path: coords[path] for path in stale})
        return cells, {path: found[blob] for blob, (path, _) in beside.items() if blob in found}

    def list_cells(self, path: str) -> tuple[ChunkCoords, ...]:
        """Coordinates of the stored cells, ascending in numeric tuple order."""
        try:
            names = self.backend.list_dir(paths.join(path))
        except StoreUnlistable as error:
            known = self.recorded.cells(path)
            if known is None:
                raise self.unlisted(path, error) from error
            return known
        coords = {chunk for chunk in map(try_parse_key, names) if chunk is not None}
        packed = self.shards_of(path, names).slots
        coords.update(chunk for chunk, slot in packed.items() if slot.length)
        return tuple(sorted(coords))

    def create_cells(self, path: str, meta: Mapping[str, Any], grid: ChunkGrid) -> None:
        """Create an empty chunked array; ``meta`` is its logical metadata (dtype ...)."""
        if path not in self.get_attrs([path]):
            self._shards[path] = Shards({}, {})
        elif self.list_cells(path):
            self.backend.delete_prefix(paths.join(path))
            self.forget()
        self.put_attrs({path: _to_stored(with_kind(path, meta))})

    def put_cells(self, path: str, cells: Mapping[ChunkCoords, bytes | memoryview]) -> None:
        """Create or replace cells; an empty blob removes one."""
        if not cells:
            return
        base = paths.join(path)
        items: dict[str, Buffer] = {**self.missing_parents([f"{base}/0"])}
        for chunk, data in cells.items():
            if len(data):
                items.update(self.blob_items(f"{base}/{format_key(chunk)}", data))
        self.backend.put_many(items)
        self.delete_blobs(f"{base}/{format_key(c)}" for c, data in cells.items() if not len(data))
        if self.packed_or_none(path).slots:
            self.drop_packed(path, cells)

    def set_grid(self, path: str, grid: ChunkGrid) -> None:
        """Make room for the chunks of ``grid``: this format has no grid."""

    def get_slot(self, path: str, name: str) -> bytes | None:
        """A blob such as ``data``, or None where there is none."""
        blob = paths.join(path, paths.check_name(name, "slot"))
        return self.read_blobs({blob: (path, None)}).get(blob)

    def put_slot(self, path: str, name: str, data: bytes) -> None:
        """Create or replace a blob."""
        blob = paths.join(path, paths.check_name(name, "slot"))
        self.backend.put_many({**self.missing_parents([blob]), **self.blob_items(blob, data)})

    def array_metas(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Metadata of the arrays that exist, in one batch."""
        return {path: _to_logical(attrs) for path, attrs in self.get_attrs(wanted).items()}

    def set_array_meta(self, path: str, meta: Mapping[str, Any]) -> None:
        """Merge into an array's metadata."""
        document = self.documents([path]).get(path)
        if document is None:
            raise StoreError(f"there is no array {path} in {self.backend.url}")
        known = attributes_of(document, self._named(path))
        self.backend.put_many({paths.node(path): group_document(_to_stored({**known, **meta}))})


def _to_stored(meta: dict[str, Any]) -> dict[str, Any]:
    """Attribute width is stored as one name per column."""
    row_shape = meta.pop("row_shape", None)
    if row_shape and "channel_names" not in meta:
        meta["channel_names"] = [f"ch{column}" for column in range(row_shape[0])]
    return meta


def _to_logical(meta: dict[str, Any]) -> dict[str, Any]:
    meta = without_old_spelling(dict(meta))
    if meta.get("zv_array") in _ROW_KINDS:
        names = meta.get("channel_names")
        meta.setdefault("row_shape", [len(names)] if isinstance(names, list) else [])
    return meta
