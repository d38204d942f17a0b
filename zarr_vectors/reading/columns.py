"""Columns of a level's arrays: fetched, kept where asked, and checked against one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.backends.joined import ByteArray
from zarr_vectors.core.layouts.base import Cells, ReadsCells
from zarr_vectors.core.layouts.columns import Column, ColumnRequest, column_of, read_columns
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray


class LevelColumns:
    """Reads columns of one level; threads may share it.

    Args:
        cells: Where blobs come from.
        arrays: What the level holds.
        cache: Cells to keep between reads, or None.
    """

    def __init__(self, cells: ReadsCells, arrays: LevelArrays, cache: CellCache | None) -> None:
        self._cells = cells
        self._arrays = arrays
        self._cache = cache if cache is not None and cache.max_bytes else None
        self._widths: dict[str, int] = {}

    def fetch(
        self, request: ColumnRequest, rooms: Mapping[str, ByteArray] | None = None
    ) -> dict[str, Column]:
        """Blobs of ``{logical path: chunks}``, in one batch.

        Args:
            request: The chunks of every array.
            rooms: Buffers to read an array's blobs into, where they are large enough.
        """
        cache = self._cache
        if cache is None:
            return read_columns(self._cells, request, rooms)
        kept = {path: cache.get(path, keys) for path, keys in request.items()}
        if not any(kept.values()):
            columns = read_columns(self._cells, request, rooms)
            for path, column in columns.items():
                if cache.takes(len(column.keys), len(column.data)):
                    cache.put(path, column.cells())
            return columns
        found = self._completed(cache, request, kept)
        return {path: column_of(found[path], keys) for path, keys in request.items()}

    def fetch_cells(self, request: ColumnRequest) -> dict[str, Cells]:
        """As :meth:`fetch`, every blob by itself; absent ones are left out."""
        if self._cache is None:
            found = self._cells.get_cells(request)
            return {path: found.get(path, {}) for path in request}
        kept = {path: self._cache.get(path, keys) for path, keys in request.items()}
        return self._completed(self._cache, request, kept)

    def vertex_counts(self, column: Column, recorded: IntArray | None) -> IntArray:
        """(M,) vertices of every chunk.

        Args:
            column: The vertices.
            recorded: What the level says of them, where it is to be believed.

        Raises:
            ArrayError: A chunk is missing, cut short, or not as recorded.
        """
        arrays = self._arrays
        path, url, keys = arrays.vertices_path, arrays.url, column.keys
        if len(keys) and not column.sizes.min():
            key = keys[int(column.sizes.argmin())]
            raise assemble.damaged(path, key, url, "it is recorded and not there")
        width = arrays.vertices.dtype.itemsize * arrays.ndim
        counts = assemble.row_counts(column, width, path, url)
        if recorded is not None:
            assemble.same_counts(recorded, counts, keys, path, url)
        assemble.check_zeros(column, counts, arrays.vertices, arrays.ndim, path, url)
        return counts

    def positions(self, column: Column) -> FloatArray:
        """(n, D) vertices of a column that was checked."""
        arrays = self._arrays
        rows: npt.NDArray[Any] = assemble.rows_of(
            column.data, arrays.vertices.dtype, (arrays.ndim,)
        )
        return rows

    def values(self, column: Column, spec: AttributeSpec, counts: IntArray) -> AnyArray:
        """(n,) or (n, C) rows of an attribute.

        Args:
            column: The attribute's blobs.
            spec: What it says of itself.
            counts: (M,) vertices of every chunk.

        Raises:
            ArrayError: It has not as many rows as there are vertices.
        """
        path = self._arrays.attribute_path(spec.name)
        found = assemble.row_counts(column, spec.row_bytes, path, self._arrays.url)
        row_shape = self._row_shape(spec, counts, found)
        columns = 1 if row_shape == spec.row_shape else row_shape[0]
        assemble.same_counts(counts * columns, found, column.keys, path, self._arrays.url)
        return assemble.rows_of(column.data, spec.dtype, row_shape)

    def tables(self, column: Column) -> FragmentTables:
        """Fragment tables of the chunks of a column.

        Raises:
            ArrayError: A table is damaged.
        """
        found = FragmentTables.of_ranges(column.data, column.sizes)
        if found is not None:
            return found
        cells = column.cells()
        return FragmentTables.of(
            [self._table(key, cells[key]) if key in cells else None for key in column.keys]
        )

    def _table(self, key: ChunkCoords, blob: bytes) -> FragmentIndex:
        try:
            return decode_fragments(blob)
        except ArrayError as error:
            arrays = self._arrays
            raise assemble.damaged(arrays.fragments_path, key, arrays.url, str(error)) from error

    def _completed(
        self, cache: CellCache, request: ColumnRequest, kept: Mapping[str, Cells]
    ) -> dict[str, Cells]:
        missing = {path: [c for c in keys if c not in kept[path]] for path, keys in request.items()}
        missing = {path: keys for path, keys in missing.items() if keys}
        read = self._cells.get_cells(missing) if missing else {}
        for path, cells in read.items():
            cache.put(path, cells)
        return {path: {**kept[path], **read.get(path, {})} for path in request}

    def _row_shape(self, spec: AttributeSpec, counts: IntArray, found: IntArray) -> tuple[int, ...]:
        """The shape of an attribute's row, by its bytes where it may be recorded wrong.

        Published releases record the attributes of lines and graphs as of one column whatever they
        hold: with as many values per vertex in every chunk, those are the columns.
        """
        if self._arrays.table.exact or spec.row_shape or spec.categories is not None:
            return spec.row_shape
        if spec.name not in self._widths and counts.any():
            columns = int(found.sum()) // int(counts.sum())
            fits = columns > 1 and np.array_equal(found, counts * columns)
            self._widths[spec.name] = columns if fits else 1
        columns = self._widths.get(spec.name, 1)
        return (columns,) if columns > 1 else ()


def cut(rows: npt.NDArray[Any], counts: Sequence[int]) -> list[npt.NDArray[Any]]:
    """Rows of every chunk by themselves."""
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    return [rows[end - count : end] for end, count in zip(ends, counts, strict=True)]
