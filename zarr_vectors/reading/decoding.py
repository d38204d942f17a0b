"""Cells of a level decoded, and what the level records compared with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zarr_vectors.core.backends.joined import ByteArray
from zarr_vectors.core.layouts.base import ReadsCells
from zarr_vectors.core.layouts.columns import Column
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.columns import LevelColumns
from zarr_vectors.reading.draco import DracoCells
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.results import ChunkRows
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

_MANY = 64
"""More chunks than this are found faster all at once."""


class LevelDecoder:
    """Decodes chunks of one level; threads may share it.

    Args:
        cells: Where blobs come from.
        arrays: What the level holds.
        cache: Cells to keep between reads, or None.
    """

    def __init__(
        self, cells: ReadsCells, arrays: LevelArrays, cache: CellCache | None = None
    ) -> None:
        self._draco = None if arrays.vertices.encoding == "raw" else DracoCells(cells, arrays)
        self._columns = LevelColumns(self._draco or cells, arrays, cache)
        self.arrays = arrays
        self._row_of = {key: row for row, key in enumerate(arrays.table.keys())}
        self._check_table()

    def ranks_of(self, chunks: IntArray) -> IntArray:
        """(n,) int64 place of chunks (n, R) among those of the level, -1 where there is none."""
        if len(chunks) > _MANY:
            return chunk_ranks(chunks, self.arrays.table.coords)
        rows = (self._row_of.get(tuple(chunk), -1) for chunk in chunks.tolist())
        return np.fromiter(rows, np.int64, len(chunks))

    def _decode(
        self,
        keys: list[ChunkCoords],
        specs: Sequence[AttributeSpec],
        recorded: IntArray,
        *,
        fragments: bool,
        rooms: Mapping[str, ByteArray] | None = None,
    ) -> tuple[FloatArray, list[AnyArray], IntArray, FragmentTables | None]:
        arrays = self.arrays
        request = {arrays.vertices_path: keys}
        request |= {arrays.attribute_path(s.name): keys for s in specs if self._stored(s)}
        if fragments:
            request[arrays.fragments_path] = keys
        found = self._columns.fetch(request, rooms)
        vertices = found[arrays.vertices_path]
        counts = self._columns.vertex_counts(vertices, recorded if arrays.table.exact else None)
        values = [self._column(found, spec, keys, counts) for spec in specs]
        tables = self._columns.tables(found[arrays.fragments_path]) if fragments else None
        return self._columns.positions(vertices), values, counts, tables

    def _column(
        self,
        found: Mapping[str, Column],
        spec: AttributeSpec,
        keys: Sequence[ChunkCoords],
        counts: IntArray,
    ) -> AnyArray:
        if not self._stored(spec):
            lead = self.arrays.lead_values
            assert lead is not None  # noqa: S101  only lead attributes are not stored
            return np.repeat(lead[[key[0] for key in keys]], counts)
        return self._columns.values(found[self.arrays.attribute_path(spec.name)], spec, counts)

    def _values(
        self, keys: list[ChunkCoords], spec: AttributeSpec, counts: IntArray | None
    ) -> AnyArray:
        if counts is None:
            recorded = self._recorded_counts(keys)
            return self._decode(keys, [spec], recorded, fragments=False)[1][0]
        path = self.arrays.attribute_path(spec.name)
        found = self._columns.fetch({path: keys}) if self._stored(spec) else {}
        return self._column(found, spec, keys, counts)

    def _check_table(self) -> None:
        """Refuse a table that would be read wrongly: chunks named twice, or of no attribute bin."""
        arrays, coords = self.arrays, self.arrays.table.coords
        fault = None
        if len(self._row_of) != len(coords):
            fault = "a chunk is there twice"
        elif arrays.lead_values is not None and len(coords):
            low, high = int(coords[:, 0].min()), int(coords[:, 0].max())
            if low < 0 or high >= len(arrays.lead_values):
                fault = f"attribute bins {low} to {high} of {len(arrays.lead_values)} are named"
        elif not len(coords) and arrays.meta.vertex_count:
            fault = f"there are none, for {arrays.meta.vertex_count} vertices"
        if fault is not None:
            raise ArrayError(
                f"the chunks of level {arrays.path} in {arrays.url} are damaged: {fault}",
                array=arrays.vertices_path,
            )

    def _check_total(self, rows: int) -> None:
        """Compare the rows of all chunks with what the level records, where nobody counted them."""
        arrays = self.arrays
        if arrays.meta.chunk_dims and not arrays.meta.vertex_count:
            return  # the published rechunk records 0, whatever the level holds
        if not arrays.table.exact and rows != arrays.meta.vertex_count:
            raise ArrayError(
                f"{arrays.vertices_path} of {arrays.url} has {rows} rows in all; the level "
                f"records {arrays.meta.vertex_count}: a chunk is missing or damaged",
                array=arrays.vertices_path,
            )

    def _recorded_counts(self, keys: Sequence[ChunkCoords]) -> IntArray:
        rows = np.fromiter(map(self._row_of.__getitem__, keys), np.int64, len(keys))
        return self.arrays.table.counts[rows]

    def _no_rows(self, specs: Sequence[AttributeSpec], text: bool) -> ChunkRows:
        return ChunkRows(
            assemble.empty_positions(self.arrays.vertices, self.arrays.ndim),
            {s.name: self._shown(np.zeros((0, *s.row_shape), s.dtype), s, text) for s in specs},
        )

    def _stored(self, spec: AttributeSpec) -> bool:
        return spec.name != self.arrays.lead_name

    def _shown(self, values: AnyArray, spec: AttributeSpec, text: bool) -> AnyArray:
        if not text or spec.categories is None:
            return values
        path = self.arrays.attribute_path(spec.name)
        return assemble.categories_as_text(values, spec, path, self.arrays.url)

    def _row_bytes(self, specs: Sequence[AttributeSpec]) -> int:
        own = self.arrays.vertices.dtype.itemsize * self.arrays.ndim
        return own + sum(spec.row_bytes for spec in specs)
