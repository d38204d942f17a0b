"""Storing links in 0.7: a cell per chunk for those inside it, one list for all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zarr_vectors.constants import KIND_KEY, LINK_FRAGMENTS, LINKS, MAX_CELL_BYTES
from zarr_vectors.core import paths
from zarr_vectors.core.documents import group_document
from zarr_vectors.core.keys import format_key
from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords, NewLinks, NumberedLinks
from zarr_vectors.core.layouts.linked import (
    FAMILY_KEY,
    FAMILY_VERSION,
    INLINE_HEAD,
    Buffer,
    Cell,
    checked_groups,
    group_blobs,
    keys_of,
)
from zarr_vectors.core.layouts.v07.links import ReadsLinks07, inner_path, outer_path
from zarr_vectors.core.layouts.v07.shards import Shards
from zarr_vectors.core.metadata.tables import ChunkTable
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray

_BLOCK = 1 << 16
_ONE = (LinkRecords, NumberedLinks)
_FRAGMENTS = {KIND_KEY: LINK_FRAGMENTS, "encoding": "fragment_index_v1"}


class Links07(ReadsLinks07):
    """Links and their attributes."""

    def put_links(
        self,
        level: str,
        records: NewLinks | Iterable[NewLinks],
        grid: ChunkGrid,
        *,
        delta: int = 0,
        chunk_ratio: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Create or replace all links of a level and delta, and their attributes.

        Args:
            level: The level's path.
            records: The links, (0, W, R) where there are none; or parts of them, at least one,
                each with all links whose least chunk (between levels, whose first chunk) it has.
            grid: Box of chunks of this level: this format has no grid.
            delta: Levels up.
            chunk_ratio: Chunk shapes of both levels: this format stores absolute coordinates.

        Raises:
            ArrayError: The records do not fit one another, or are too many for the format.
        """
        inner, outer = inner_path(level, delta), outer_path(level, delta)
        tables: list[ChunkTable] = []
        lists: list[IntArray] = []
        outside: dict[str, list[AnyArray]] = {}
        for part in [records] if isinstance(records, _ONE) else records:
            coords, numbers, rows, columns = ends.numbered(part, inner)
            inside = np.asarray((numbers == numbers[:, :1]).all(axis=1))
            across = np.flatnonzero(~inside)
            own, cells, table = _cells_of(coords, numbers[:, 0], np.flatnonzero(inside))
            listed = np.empty((len(across), rows.shape[1], coords.shape[1] + 1), np.int64)
            for start in range(0, len(across), _BLOCK):
                some = across[start : start + _BLOCK]
                listed[start : start + _BLOCK, :, :-1] = coords[numbers[some]]
                listed[start : start + _BLOCK, :, -1] = rows[some]
            lists.append(listed)
            if sum(one.nbytes for one in lists) > MAX_CELL_BYTES:
                raise ArrayError(
                    f"{sum(map(len, lists))} links between chunks and more are too many for "
                    f"{outer}: format 0.7.0 keeps them in one piece; take larger chunks or write "
                    "0.9.2",
                    array=outer,
                )
            if not tables:
                self._clear(level, delta)
            tables.append(table)
            items = dict(self._blobs(inner, cells, rows[own], INLINE_HEAD if delta else b""))
            for name, column in columns.items():
                items.update(self._blobs(inner_path(level, delta, name), cells, column[own]))
                outside.setdefault(name, []).append(column[across])
            if not delta:
                for key, start, stop in cells:
                    place = f"{level}/{LINK_FRAGMENTS}/{format_key(key)}"
                    items.update(self.blob_items(place, encode_ranges([0], [stop - start])))
            if items:
                self.backend.put_many(items)
        listed = lists[0] if len(lists) == 1 else np.concatenate(lists)
        values = {name: np.concatenate(found) for name, found in outside.items()}
        table = _joined(tables)
        documents = _documents(level, delta, table, listed, values)
        items = {}
        if len(listed):
            items.update(self.blob_items(f"{outer}/data", encode_rows(listed)))
            for name, column in values.items():
                place = f"{outer_path(level, delta, name)}/data"
                items.update(self.blob_items(place, encode_rows(column)))
        self._shards.update(dict.fromkeys(documents, Shards({}, {})))
        parents = self.missing_parents(documents)
        nodes = {paths.node(place): group_document(attrs) for place, attrs in documents.items()}
        self.backend.put_many({**parents, **items, **nodes})

    def get_chunk_links(
        self, level: str, chunk: ChunkCoords, *, delta: int = 0
    ) -> list[IntArray] | None:
        """Links inside one chunk, (M_k, W) rows per stored group; None without a family."""
        path, tables = inner_path(level, delta), paths.join(level, LINK_FRAGMENTS)
        family = self.family(level, delta, self.get_attrs([path, outer_path(level, delta)]))
        if family is None:
            return None
        cells = self.get_cells({path: [chunk], **({} if delta else {tables: [chunk]})})
        cell = Cell(path, chunk, cells[path].get(chunk, b""))
        table = cells.get(tables, {}).get(chunk)
        return self.link_groups(cell, table, family.width, headed=delta != 0)

    def put_chunk_links(
        self,
        level: str,
        chunk: ChunkCoords,
        groups: Sequence[IntArray],
        grid: ChunkGrid,
        *,
        delta: int = 0,
    ) -> None:
        """Create or replace the links inside one chunk; all other links stay.

        Raises:
            ArrayError: Rows of another width, or as many rows as attributes of them no longer fit.
        """
        path = inner_path(level, delta)
        family = self.family(level, delta, self.get_attrs([path, outer_path(level, delta)]))
        arrays, width = checked_groups(groups, None if family is None else family.width, path)
        if family is None:
            none = np.zeros((0, width, len(chunk)), np.int64)
            self.put_links(level, LinkRecords(none, none[:, :, 0]), grid, delta=delta)
        else:
            self.check_count(
                path,
                chunk,
                self.get_chunk_links(level, chunk, delta=delta),
                arrays,
                self.attribute_names(family),
            )
        data, table = group_blobs(arrays, headed=delta != 0)
        self.put_cells(path, {chunk: data})
        if not delta:
            self.put_cells(paths.join(level, LINK_FRAGMENTS), {chunk: table})
        attrs = self.get_attrs([path])[path]
        record = self.record_in(attrs)
        if record is not None and record.get("chunks") is not None:
            known = ChunkTable.from_dict(record["chunks"])
            full = dict(zip(known.keys(), known.counts.tolist(), strict=True))
            full[chunk] = sum(map(len, arrays))
            kept = sorted(key for key, count in full.items() if count)
            counts = np.array([full[key] for key in kept], np.int64)
            coords = np.array(kept, np.int64).reshape(-1, len(chunk))
            new = {**record, "chunks": ChunkTable(coords, counts, exact=True).to_dict()}
            self.set_array_meta(path, {FAMILY_KEY: new})

    def _clear(self, level: str, delta: int) -> None:
        """Remove links and attributes that are there, each whole."""
        there = [inner_path(level, delta), outer_path(level, delta)]
        family = self.family(level, delta, self.get_attrs(there))
        if family is None:
            return
        for name in self.attribute_names(family):
            self.backend.delete_prefix(inner_path(level, delta, name))
            self.backend.delete_prefix(outer_path(level, delta, name))
        if delta == 0:
            there.append(paths.join(level, LINK_FRAGMENTS))
        for place in there:
            self.backend.delete_prefix(place)
        self.forget()

    def _blobs(
        self,
        place: str,
        cells: Sequence[tuple[ChunkCoords, int, int]],
        values: AnyArray,
        head: bytes = b"",
    ) -> Iterator[tuple[str, Buffer]]:
        data = encode_rows(values)
        row = len(data) // max(len(values), 1)
        for key, start, stop in cells:
            body: Buffer = data[start * row : stop * row]
            yield from self.blob_items(
                f"{place}/{format_key(key)}", b"".join((head, body)) if head else body
            ).items()


def _cells_of(
    coords: IntArray, numbers: IntArray, inside: IntArray
) -> tuple[IntArray, list[tuple[ChunkCoords, int, int]], ChunkTable]:
    """Links inside chunks in the order they are stored, the cells they fill, and how full."""
    own = numbers[inside]
    order = ends.stable_order(own, len(coords))
    counts = np.bincount(own, minlength=len(coords))
    full = np.flatnonzero(counts)
    stops = np.cumsum(counts)[full]
    begins = stops - counts[full]
    cells = list(zip(keys_of(coords[full]), begins.tolist(), stops.tolist(), strict=True))
    return inside[order], cells, ChunkTable(coords[full], counts[full], exact=True)


def _joined(tables: Sequence[ChunkTable]) -> ChunkTable:
    """The chunks of all parts, ascending."""
    if len(tables) == 1:
        return tables[0]
    coords = np.concatenate([table.coords for table in tables])
    counts = np.concatenate([table.counts for table in tables])
    order = np.lexsort(coords.T[::-1])
    return ChunkTable(coords[order], counts[order], exact=True)


def _documents(
    level: str, delta: int, table: ChunkTable, listed: IntArray, columns: Mapping[str, AnyArray]
) -> dict[str, dict[str, Any]]:
    """Attributes of the groups of a family.

    Args:
        level: The level's path.
        delta: Levels up.
        table: Links inside chunks.
        listed: (n, W, R + 1) links across chunks.
        columns: Attributes of those.
    """
    inner, outer = inner_path(level, delta), outer_path(level, delta)
    width, rank = listed.shape[1], listed.shape[2] - 1
    levels: dict[str, Any] = {"level_delta": delta}
    record = {
        "version": FAMILY_VERSION,
        "rank": rank,
        "attributes": sorted(columns),
        "chunks": table.to_dict(),
    }
    documents: dict[str, dict[str, Any]] = {
        inner: {KIND_KEY: LINKS, "dtype": "int64", "link_width": width}
        | levels
        | {FAMILY_KEY: record},
        outer: {KIND_KEY: "cross_chunk_links", "link_width": width} | levels,
    }
    if len(listed):
        documents[outer] |= {"num_links": len(listed), "sid_ndim": rank}
    if not delta:
        documents[paths.join(level, LINK_FRAGMENTS)] = dict(_FRAGMENTS)
    for name, column in columns.items():
        documents[inner_path(level, delta, name)] = _about("link_attribute", name, column) | levels
        if len(listed):
            kind = _about("cross_chunk_link_attribute", name, column)
            count = {"num_links": len(listed), "shape": list(column.shape)}
            documents[outer_path(level, delta, name)] = kind | levels | count
    return documents


def _about(kind: str, name: str, column: AnyArray) -> dict[str, Any]:
    found: dict[str, Any] = {KIND_KEY: kind, "name": name, "dtype": column.dtype.name}
    if column.ndim == 2:
        found["channel_names"] = [f"ch{number}" for number in range(column.shape[1])]
    return found
