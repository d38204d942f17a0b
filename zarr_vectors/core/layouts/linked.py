"""Cells of links and of their attributes put together: what both layouts read links with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.core.layouts.columns import Column, column_of
from zarr_vectors.core.layouts.tree import Tree
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.fragments import decode_fragments, encode_ranges
from zarr_vectors.encoding.ragged import (
    decode_inline,
    decode_rows,
    encode_inline,
    encode_rows,
    values_at,
)
from zarr_vectors.exceptions import ArrayError, MetadataError
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray

Buffer = bytes | bytearray | memoryview

INLINE_HEAD = (1).to_bytes(8, "little") + bytes(8)
_INLINE = np.dtype([("groups", "<i8"), ("begin", "<i8")])
"""Header of a blob of one group of rows."""
FAMILY_KEY = "zarr_vectors_family"
"""Attribute of a family of links that holds what readers would otherwise have to list."""
FAMILY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """One stored cell."""

    path: str
    chunk: ChunkCoords
    data: Buffer


class LinkTree(Tree):
    """Decoding of cells with errors that name them."""

    def link_rows(self, cells: Sequence[Cell], columns: int) -> tuple[IntArray, IntArray]:
        """(M, columns) int64 rows of all cells, and (len(cells),) the rows of each."""
        width = 8 * columns
        for cell in cells:
            if len(cell.data) % width:
                raise self.damaged(
                    cell.path,
                    f"{len(cell.data)} bytes are not whole links of {width} bytes",
                    cell.chunk,
                )
        counts = np.array([len(cell.data) // width for cell in cells], np.int64)
        return decode_rows(b"".join(cell.data for cell in cells), "<i8", columns), counts

    def column_rows(self, column: Column, path: str, columns: int) -> tuple[IntArray, IntArray]:
        """(M, columns) int64 rows of all cells of an array, and (n,) the rows of each."""
        width = 8 * columns
        uneven = column.sizes % width != 0
        if uneven.any():
            number = int(uneven.argmax())
            raise self.damaged(
                path,
                f"{column.sizes[number]} bytes are not whole links of {width} bytes",
                column.keys[number],
            )
        return decode_rows(column.data.data, "<i8", columns), column.sizes // width

    def headless(self, column: Column, path: str) -> Column:
        """Cells that have an inline header, as their rows alone."""
        starts = column.starts()
        long = column.sizes >= len(INLINE_HEAD)
        if long.all() and len(starts):
            heads = values_at(column.data, starts, _INLINE)
            if (heads["groups"] == 1).all() and not heads["begin"].any():
                keep = np.ones(len(column.data), np.bool_)
                keep[(starts[:, None] + np.arange(len(INLINE_HEAD))).reshape(-1)] = False
                return Column(column.keys, column.data[keep], column.sizes - len(INLINE_HEAD))
        cells = [Cell(path, key, data) for key, data in column.cells().items()]
        bodies = {cell.chunk: bytes(cell.data) for cell in self.without_heads(cells)}
        return column_of(bodies, column.keys)

    def link_groups(
        self, cell: Cell, table: Buffer | None, columns: int, *, headed: bool
    ) -> list[IntArray]:
        """(M_k, columns) rows of every group of one cell.

        Args:
            cell: The cell; one without bytes has no groups.
            table: Which rows are of which group, None where all are of one.
            columns: Ends of a link.
            headed: Groups are told by an inline header instead.
        """
        if not cell.data:
            return []
        with self.blaming(cell.path, cell.chunk):
            if headed:
                return [decode_rows(part, "<i8", columns) for part in decode_inline(cell.data)]
            rows = decode_rows(cell.data, "<i8", columns)
            if table is None:
                return [rows]
            index = decode_fragments(table)
            index.check(len(rows))
            return [rows[group] for group in index]

    def check_count(
        self,
        path: str,
        chunk: ChunkCoords,
        before: Sequence[IntArray] | None,
        groups: Sequence[IntArray],
        attributes: Sequence[str],
    ) -> int:
        """How many links a chunk gains, where attributes of its links allow that it gains any.

        Raises:
            ArrayError: There are attributes, which would no longer have a row for every link.
        """
        gained = sum(map(len, groups)) - sum(map(len, before or ()))
        if gained and attributes:
            raise ArrayError(
                f"chunk {chunk} of {path} in {self.backend.url} has attributes of its links "
                f"({', '.join(attributes)[:60]}): their number cannot change by {gained:+d}",
                array=path,
                chunk=chunk,
            )
        return gained

    def without_heads(self, cells: Iterable[Cell]) -> list[Cell]:
        """Cells with an inline header, as their rows alone."""
        return [Cell(cell.path, cell.chunk, self._body(cell)) for cell in cells]

    def attribute_rows(
        self, cells: Sequence[Cell], counts: IntArray, spec: AttributeSpec, *, infer: bool = False
    ) -> AnyArray:
        """(M,) or (M, C) values of all cells.

        Args:
            cells: One per cell of links, in their order.
            counts: (len(cells),) links of each.
            spec: What the attribute says of itself.
            infer: The attribute does not say how wide its rows are: (M,), unless its cells have
                room for as many values in every row.
        """
        dtype, columns, shape = spec.dtype, spec.columns, spec.row_shape
        total = int(counts.sum())
        size = sum(len(cell.data) for cell in cells)
        if infer and total and size % (total * dtype.itemsize) == 0 and size:
            columns = size // (total * dtype.itemsize)
            shape = (columns,) if columns > 1 else ()
        row = columns * dtype.itemsize
        for cell, count in zip(cells, counts.tolist(), strict=True):
            if len(cell.data) != count * row:
                raise self.damaged(
                    cell.path,
                    f"it has {len(cell.data)} bytes for {count} links, expected {count * row}",
                    cell.chunk,
                )
        flat = decode_rows(b"".join(cell.data for cell in cells), dtype)
        return flat.reshape(-1, *shape)

    def attribute_spec(self, path: str, name: str, meta: Mapping[str, Any]) -> AttributeSpec:
        """What an attribute says of itself; an error names its array."""
        try:
            return AttributeSpec.from_meta(name, meta)
        except MetadataError as error:
            raise self.damaged(path, str(error)) from error

    def names_of(self, path: str, found: object) -> tuple[str, ...]:
        """Names recorded in a family."""
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise self.damaged(path, f"its {FAMILY_KEY} is malformed")
        if len(set(found)) < len(found):
            raise self.damaged(path, f"its {FAMILY_KEY} has a name twice")
        return tuple(sorted(found))

    def record_in(self, attrs: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a family records for readers, None where it does not or a later release did."""
        found = attrs.get(FAMILY_KEY)
        if isinstance(found, dict) and found.get("version") == FAMILY_VERSION:
            return found
        return None

    def _body(self, cell: Cell) -> Buffer:
        if cell.data[:16] == INLINE_HEAD:
            return memoryview(cell.data)[16:]
        try:
            groups = decode_inline(cell.data)
        except ArrayError as error:
            raise self.damaged(cell.path, str(error), cell.chunk) from error
        return groups[0] if len(groups) == 1 else b"".join(groups)


def runs(keys: IntArray) -> tuple[IntArray, IntArray]:
    """(first row, row after the last) of every run of equal keys."""
    edges = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    if not len(keys):
        return edges, edges
    return np.append(0, edges), np.append(edges, len(keys))


def keys_of(coords: IntArray) -> list[ChunkCoords]:
    """(N, R) chunks as tuples of ints."""
    return list(map(tuple, coords.tolist()))


def row_meta(values: AnyArray) -> dict[str, Any]:
    """Dtype and row shape of (M,) or (M, C) values, as stored."""
    return {"dtype": values.dtype.name, "row_shape": list(values.shape[1:])}


def checked_groups(
    groups: Sequence[AnyArray], width: int | None, path: str
) -> tuple[list[IntArray], int]:
    """Groups of (M_k, W) rows as int64, and W.

    Args:
        groups: The groups.
        width: Ends of the links that are there, None where there are none.
        path: Where they go, for messages.

    Raises:
        ArrayError: They are no whole numbers, or of another width.
    """
    arrays = [np.asarray(group) for group in groups]
    widths = {array.shape[1] if array.ndim == 2 else 0 for array in arrays}
    widths |= set() if width is None else {width}
    if len(widths) != 1 or 0 in widths or any(array.dtype.kind not in "iu" for array in arrays):
        raise ArrayError(
            f"groups of links of {path} must be whole numbers of shape (M, {width or 'W'}), got "
            f"{[(str(array.dtype), array.shape) for array in arrays][:4]}",
            array=path,
        )
    return [array.astype(np.int64, copy=False) for array in arrays], widths.pop()


def group_blobs(groups: Sequence[IntArray], *, headed: bool) -> tuple[bytes, bytes]:
    """Cell of groups of rows, and the table that says which rows are of which group."""
    parts = [encode_rows(group) for group in groups]
    counts = np.array([len(group) for group in groups], np.int64)
    if not counts.sum():
        return b"", b""
    if headed:
        return encode_inline(parts), b""
    return b"".join(parts), encode_ranges(np.cumsum(counts) - counts, counts)
