"""Storing links in 0.9: which array and which cell every link goes to, and their bytes."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zarr_vectors.constants import KIND_KEY, LINK_FRAGMENTS, LINKS
from zarr_vectors.core import paths
from zarr_vectors.core.documents import group_document
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
    row_meta,
    runs,
)
from zarr_vectors.core.layouts.v09.families import Family, Ratio, attribute_path, family_path
from zarr_vectors.core.layouts.v09.grids import grid_document
from zarr_vectors.core.layouts.v09.links import ReadsLinks09
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray

_PART_LINKS = 1 << 16
_ONE = (LinkRecords, NumberedLinks)
_FRAGMENTS = {KIND_KEY: LINK_FRAGMENTS, "encoding": "fragment_index_v1"}


@dataclass(frozen=True, slots=True)
class _Piece:
    """What goes to one array."""

    offsets: IntArray
    """(W - 1, R)."""
    table: IntArray
    """(n, W), or (n, 1 + W) with the order ends were given in."""
    start: int
    """Where its links start among all links as they are stored."""
    cells: list[tuple[ChunkCoords, int, int]]
    """Source chunk and rows of the table, of every cell."""
    turned: bool
    headed: bool

    @property
    def segment(self) -> str:
        """Name of the array."""
        return paths.format_offsets(self.offsets.tolist())


@dataclass(slots=True)
class _Stored:
    """What has been stored of a family, for the documents that describe it."""

    level: str
    delta: int
    path: str
    shape: tuple[int, ...] | None = None
    """(W, R), None before the first links."""
    count: int = 0
    arrays: dict[str, tuple[_Piece, set[ChunkCoords]]] = field(default_factory=dict)
    """Of every array a piece, and the cells it has."""
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Dtype and row shape of attributes."""

    def take(
        self,
        shape: tuple[int, ...],
        order: IntArray,
        pieces: Sequence[_Piece],
        columns: Mapping[str, AnyArray],
        grid: ChunkGrid,
    ) -> dict[str, Buffer]:
        """Cells of some more links.

        Raises:
            ArrayError: They have other ends, or other attributes, than those before.
        """
        metas = {name: row_meta(column) for name, column in columns.items()}
        if self.shape not in {None, shape} or (self.shape and metas != self.columns):
            raise ArrayError(f"links of {self.path} do not all have the same ends and attributes")
        self.shape, self.columns = shape, metas
        self.count += len(order)
        cells: dict[str, Buffer] = {}
        for piece in pieces:
            if piece.segment not in self.arrays:  # described by what it is; its rows go
                about = replace(piece, table=piece.table[:0].copy(), cells=[])
                self.arrays[piece.segment] = about, set()
            known = self.arrays[piece.segment][1]
            known.update(key for key, _, _ in piece.cells)
            head = INLINE_HEAD if piece.headed else b""
            cells.update(_cells(f"{self.path}/{piece.segment}", piece, piece.table, grid, head))
            for name, column in columns.items():
                values = column[order[piece.start : piece.start + len(piece.table)]]
                place = f"{attribute_path(self.level, name, self.delta)}/{piece.segment}"
                cells.update(_cells(place, piece, values, grid))
            if not piece.headed:
                tables = f"{self.level}/{LINK_FRAGMENTS}"
                for key, start, stop in piece.cells:
                    table = encode_ranges([0], [stop - start])
                    cells[_key(tables, key, grid)] = _cell(table)
        return cells

    def documents(self, grid: ChunkGrid, ratio: Ratio | None) -> dict[str, Buffer]:
        """Documents of the family and its arrays."""
        assert self.shape is not None  # noqa: S101  there is at least one part
        width, rank = self.shape
        nodes: dict[str, Buffer] = {}
        for segment in sorted(self.arrays):
            piece, known = self.arrays[segment]
            there = frozenset(known)
            about = {"offsets": piece.offsets.tolist(), "level_delta": self.delta}
            links = {KIND_KEY: LINKS, "dtype": "int64", "link_width": width}
            links |= about | {"has_perm": piece.turned}
            nodes[paths.node(f"{self.path}/{segment}")] = grid_document(grid, links, there)
            for name, meta in self.columns.items():
                kind = {KIND_KEY: "link_attribute", "name": name} | meta | about
                place = f"{attribute_path(self.level, name, self.delta)}/{segment}"
                nodes[paths.node(place)] = grid_document(grid, kind, there)
            if not piece.headed:
                tables = f"{self.level}/{LINK_FRAGMENTS}"
                nodes[paths.node(tables)] = grid_document(grid, _FRAGMENTS, there)
        for name, meta in self.columns.items():
            about = {KIND_KEY: "link_attribute_family", "name": name, "level_delta": self.delta}
            about |= {"num_links": self.count} | meta
            group = attribute_path(self.level, name, self.delta)
            nodes[paths.node(group)] = group_document(about)
        offsets = sorted(self.arrays.values(), key=lambda one: one[0].offsets.tolist())
        record: dict[str, Any] = {
            "version": FAMILY_VERSION,
            "num_physical_records": self.count,
            "offsets": [piece.segment for piece, _ in offsets],
            "attributes": sorted(self.columns),
        }
        if ratio is not None:
            record["chunk_ratio"] = ratio
        nodes[paths.node(self.path)] = group_document(
            {
                KIND_KEY: "links_family",
                "level_delta": self.delta,
                "link_width": width,
                "directed": self.delta != 0,
                "store": "canonical",
                "sid_ndim": rank,
                "num_links": self.count,
                "num_physical_records": self.count,
                FAMILY_KEY: record,
            }
        )
        return nodes


class Links09(ReadsLinks09):
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
            grid: Box of chunks of this level.
            delta: Levels up.
            chunk_ratio: Per axis, the chunk shapes of this and of the other level as integer
                multiples of the root's; None where they are the same.

        Raises:
            ArrayError: The records do not fit one another, or a source lies outside the grid.
        """
        path = family_path(level, delta)
        ratio = None
        if delta and chunk_ratio is not None:
            ratio = [[int(own), int(other)] for own, other in chunk_ratio]
        stored = _Stored(level, delta, path)
        parts = [records] if isinstance(records, _ONE) else records
        split = (_sourced(*ends.numbered(part, path), delta) for part in parts)
        for coords, numbers, rows, columns in itertools.chain.from_iterable(split):
            order, pieces = _route(coords, numbers, rows, delta, ratio)
            _check_grid(pieces, grid, path)
            if stored.shape is None:
                self._clear(level, delta)
            known = len(stored.arrays)
            shape = rows.shape[1], coords.shape[1]
            cells = stored.take(shape, order, pieces, columns, grid)
            if len(stored.arrays) > known and not self.backend.any_key:
                # a store that knows its nodes takes no cell of an array it does not know
                self.backend.put_many(stored.documents(grid, ratio))
            if cells:
                self.backend.put_many(cells)
        nodes = stored.documents(grid, ratio)
        groups = [attribute_path(level, name, delta) for name in stored.columns]
        self.backend.put_many({**self.missing_parents([path, *groups]), **nodes})

    def get_chunk_links(
        self, level: str, chunk: ChunkCoords, *, delta: int = 0
    ) -> list[IntArray] | None:
        """Links inside one chunk, (M_k, W) rows per stored group; None without a family."""
        path, tables = family_path(level, delta), paths.join(level, LINK_FRAGMENTS)
        found = self.get_attrs([path]).get(path)
        if found is None:
            return None
        family = self.family(level, delta, found)
        place = _inner(family)
        cells = self.get_cells({place: [chunk], **({} if delta else {tables: [chunk]})})
        cell = Cell(place, chunk, cells[place].get(chunk, b""))
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
        path, tables = family_path(level, delta), paths.join(level, LINK_FRAGMENTS)
        found = self.get_attrs([path]).get(path)
        known = None if found is None else self.family(level, delta, found)
        arrays, width = checked_groups(groups, None if known is None else known.width, path)
        if known is None:
            none = np.zeros((0, width, len(chunk)), np.int64)
            self.put_links(level, LinkRecords(none, none[:, :, 0]), grid, delta=delta)
            found = self.get_attrs([path])[path]
            known = self.family(level, delta, found)
        before = self.get_chunk_links(level, chunk, delta=delta)
        gained = self.check_count(path, chunk, before, arrays, self.attribute_names(known))
        place = _inner(known)
        offsets = [[0] * known.rank] * (known.width - 1)
        about = {"link_width": known.width, "level_delta": delta, "has_perm": False}
        wanted = {place: {KIND_KEY: LINKS, "dtype": "int64", "offsets": offsets} | about}
        wanted |= {} if delta else {tables: dict(_FRAGMENTS)}
        there = self.grids(wanted)
        for array, meta in wanted.items():
            if array not in there:
                self.create_cells(array, meta, grid)
        data, table = group_blobs(arrays, headed=delta != 0)
        self.put_cells(place, {chunk: data})
        if not delta:
            self.put_cells(tables, {chunk: table})
        count = found["num_physical_records"] if found else 0
        new: dict[str, Any] = {
            "num_links": known.count + gained,
            "num_physical_records": count + gained,
        }
        if known.segments is not None and found is not None:
            segment = place.rsplit("/", 1)[1]
            new[FAMILY_KEY] = {
                **found[FAMILY_KEY],
                "num_physical_records": count + gained,
                "offsets": sorted({*known.segments, segment}),
            }
        self.set_array_meta(path, new)

    def _clear(self, level: str, delta: int) -> None:
        """Remove links and attributes that are there, each whole."""
        path = family_path(level, delta)
        found = self.get_attrs([path]).get(path)
        if found is None:
            if delta:  # a journal then need not ask for what every cell held before
                self.backend.delete_prefix(path)
            return
        for name in self.attribute_names(self.family(level, delta, found)):
            self.backend.delete_prefix(attribute_path(level, name, delta))
        if delta == 0:
            self.backend.delete_prefix(paths.join(level, LINK_FRAGMENTS))
        self.backend.delete_prefix(path)
        self.forget()


def _inner(family: Family) -> str:
    """Path of the links without an offset."""
    zero = [(0,) * family.rank] * (family.width - 1)
    return f"{family.path}/{paths.format_offsets(zero)}"


def _sourced(
    coords: IntArray,
    numbers: IntArray,
    rows: IntArray,
    columns: Mapping[str, AnyArray],
    delta: int,
) -> Iterator[tuple[IntArray, IntArray, IntArray, Mapping[str, AnyArray]]]:
    """Links in parts of at most so many, or of one source chunk: each has those of its chunks."""
    if len(rows) <= _PART_LINKS:
        yield coords, numbers, rows, columns
        return
    sources = numbers[:, 0].copy()
    for column in () if delta else range(1, numbers.shape[1]):
        np.minimum(sources, numbers[:, column], out=sources)
    order = ends.stable_order(sources, len(coords))
    stops = np.cumsum(np.bincount(sources, minlength=len(coords)))
    del sources
    cuts = np.unique(stops[np.flatnonzero(np.diff(stops // _PART_LINKS))])
    for chosen in np.split(order, cuts):
        if len(chosen):
            named = {name: values[chosen] for name, values in columns.items()}
            yield coords, numbers[chosen], rows[chosen], named


def _route(
    coords: IntArray, numbers: IntArray, rows: IntArray, delta: int, ratio: Ratio | None
) -> tuple[IntArray, list[_Piece]]:
    """(M,) order links are stored in, and what goes to each array.

    Args:
        coords: (K, R) chunks.
        numbers: (M, W) chunk of every end.
        rows: (M, W).
        delta: Levels up.
        ratio: Chunk shapes of both levels.
    """
    width, rank = rows.shape[1], coords.shape[1]
    codes = None
    if delta == 0:
        numbers, rows, codes = _ascending(numbers, rows)
    # links are many, the chunks they join are few, and neighbours often join the same
    heads, lengths = ends.equal_runs(numbers)
    joined, which = ends.number_rows(numbers[heads])
    bases = coords if delta == 0 else ends.anchors(coords, ratio)
    apart = coords[joined[:, 1:]] - bases[joined[:, :1]]
    kinds, kind = ends.number_rows(apart.reshape(len(joined), (width - 1) * rank))
    kinds = kinds.reshape(len(kinds), width - 1, rank)
    sources = max(len(coords), 1)
    found, place = np.unique(kind * sources + joined[:, 0], return_inverse=True)
    keys = place.reshape(-1)[which]
    order = ends.order_of_runs(keys, heads, lengths, len(found))
    table = rows.take(order, axis=0)
    codes = None if codes is None else codes[order]
    sizes = np.zeros(len(found), np.int64)
    np.add.at(sizes, keys, lengths)
    stops = np.cumsum(sizes)
    begins = np.append(0, stops[:-1])[: len(found)]
    kind_of, source_of = np.divmod(found, sources)
    coords_of = keys_of(coords[source_of])
    pieces = []
    for first, last in zip(*runs(kind_of), strict=True):
        start, stop = int(begins[first]), int(stops[last - 1])
        part = table[start:stop]
        offsets = kinds[kind_of[first]]
        has_order = codes is not None and bool(offsets.any())
        if codes is not None and has_order:
            part = np.concatenate([codes[start:stop, None], part], axis=1)
        cells = zip(
            coords_of[first:last],
            (begins[first:last] - start).tolist(),
            (stops[first:last] - start).tolist(),
            strict=True,
        )
        headed = delta != 0 or bool(offsets.any())
        pieces.append(_Piece(offsets, part, start, list(cells), has_order, headed))
    return order, pieces


def _ascending(numbers: IntArray, rows: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Links in several chunks with their ends in ascending order, and the codes of those they had.

    Args:
        numbers: (M, W) chunk of every end.
        rows: (M, W).
    """
    codes = np.zeros(len(rows), np.int64)
    across = np.flatnonzero((numbers != numbers[:, :1]).any(axis=1))
    sort = ends.ascending(numbers[across], rows[across])
    numbers, rows = numbers.copy(), rows.copy()
    numbers[across] = np.take_along_axis(numbers[across], sort, axis=1)
    rows[across] = np.take_along_axis(rows[across], sort, axis=1)
    codes[across] = ends.encode_orders(sort)
    return numbers, rows, codes


def _check_grid(pieces: Sequence[_Piece], grid: ChunkGrid, path: str) -> None:
    low, shape = np.array(grid.origin), np.array(grid.shape)
    for piece in pieces:
        keys = np.array([key for key, _, _ in piece.cells], np.int64)
        if keys.shape[1] != len(low):
            raise ArrayError(
                f"links of {path} are in chunks of {keys.shape[1]} components, its grid has "
                f"{len(low)} axes",
                array=path,
            )
        outside = ((keys < low) | (keys >= low + shape)).any(axis=1)
        if outside.any():
            chunk = piece.cells[int(np.argmax(outside))][0]
            raise ArrayError(
                f"chunk {paths.format_chunk(chunk)} is outside the grid of {path}: from "
                f"{paths.format_chunk(grid.origin)}, {'x'.join(map(str, grid.shape))} chunks",
                array=path,
                chunk=chunk,
            )


def _cells(
    place: str, piece: _Piece, table: AnyArray, grid: ChunkGrid, head: bytes = b""
) -> Iterator[tuple[str, Buffer]]:
    data = encode_rows(table)
    row = len(data) // len(table)
    for key, start, stop in piece.cells:
        yield _key(place, key, grid), _cell(head, data[start * row : stop * row])


def _cell(*parts: Buffer) -> bytes:
    return b"".join((struct.pack("<II", 1, sum(map(len, parts))), *parts))


def _key(place: str, chunk: ChunkCoords, grid: ChunkGrid) -> str:
    index = (str(c - o) for c, o in zip(chunk, grid.origin, strict=True))
    return f"{place}/c/{'/'.join(index)}"
