"""A plan's cells in one batch, decoded at once: the only reader of vertices and attributes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import Cells, ReadsCells
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments, decode_range_tables
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.draco import DracoCells
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.plan import ReadPlan
from zarr_vectors.reading.results import ChunkRows, PointsResult
from zarr_vectors.spatial.chunking import positions_in_box
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

BATCH_BYTES = 32 * 2**20
"""Decoded bytes fetched at once, so that a large read holds its result and little more."""

_FEW = 6
"""So many fragment tables are decoded faster one by one."""
_MANY = 64
"""More chunks than this are found faster all at once."""


class LevelReader:
    """Reads rows of one level; threads may share it.

    Args:
        cells: Where blobs come from.
        arrays: What the level holds.
        cache: Cells to keep between reads, or None.
    """

    def __init__(
        self, cells: ReadsCells, arrays: LevelArrays, cache: CellCache | None = None
    ) -> None:
        self._draco = None if arrays.vertices.encoding == "raw" else DracoCells(cells, arrays)
        self._cells: ReadsCells = self._draco or cells
        self._cache = cache
        self.arrays = arrays
        self._columns: dict[str, int] = {}
        self._row_of = {key: row for row, key in enumerate(arrays.table.keys())}
        self._check_table()

    def read(
        self, plan: ReadPlan, attributes: Sequence[str] = (), *, text: bool = True
    ) -> PointsResult:
        """Positions and attributes of a plan.

        Args:
            plan: Chunks, box and fragments.
            attributes: Names of attributes.
            text: Categories as strings; as stored codes otherwise.

        Raises:
            ArrayError: A chunk is missing, cut short or contradicts its level.
            StoreError: The level lacks an attribute.
        """
        return self._read(plan, attributes, text=text, track=False)[0]

    def select(
        self,
        plan: ReadPlan,
        attributes: Sequence[str] = (),
        *,
        text: bool = True,
        fragments: bool = False,
    ) -> tuple[PointsResult, Selection]:
        """As :meth:`read`, with the stored row of every row returned.

        Args:
            plan: Chunks, box and fragments.
            attributes: Names of attributes.
            text: Categories as strings; as stored codes otherwise.
            fragments: Whether the chunks' fragment tables come along, in the same batch.
        """
        found, selection = self._read(plan, attributes, text=text, track=True, fragments=fragments)
        assert selection is not None  # noqa: S101  it was asked for
        return found, selection

    def _read(
        self,
        plan: ReadPlan,
        attributes: Sequence[str],
        *,
        text: bool,
        track: bool,
        fragments: bool = False,
    ) -> tuple[PointsResult, Selection | None]:
        specs = [self.arrays.attribute(name) for name in attributes]
        objects = None
        if plan.pieces is None:
            positions, values, selection = self._read_chunks(
                plan, specs, track=track, fragments=fragments
            )
        else:
            positions, values, objects, selection = self._read_pieces(plan, specs)
        found = PointsResult(
            positions=positions,
            vertex_attributes={
                spec.name: self._shown(v, spec, text) for spec, v in zip(specs, values, strict=True)
            },
            vertex_count=len(positions),
            object_ids=objects,
            level=self.arrays.meta.level,
        )
        return found, selection

    def read_values(self, name: str, *, text: bool = False) -> AnyArray:
        """All values of one attribute, rows as in a read of every position."""
        spec = self.arrays.attribute(name)
        table = self.arrays.table
        keys, counts = table.keys(), table.counts
        stack = _Stack(spec.dtype, spec.row_shape, int(counts.sum()) if table.exact else None)
        for rows, part in _batches(keys, counts * spec.row_bytes):
            known = counts[rows] if table.exact else None
            stack.add(self._values(part, spec, known), last=rows.stop == len(keys))
        values = stack.whole()
        self._check_total(len(values))
        return self._shown(values, spec, text)

    def read_chunks(
        self, keys: Iterable[ChunkCoords], attributes: Sequence[str] = (), *, text: bool = False
    ) -> dict[ChunkCoords, ChunkRows]:
        """Rows of each chunk by itself, one batch for all; a chunk that is not there has none."""
        wanted = list(keys)
        known = [key for key in wanted if key in self._row_of]
        specs = [self.arrays.attribute(name) for name in attributes]
        cells = self._fetch(
            {self.arrays.vertices_path: known}
            | {self.arrays.attribute_path(s.name): known for s in specs if self._stored(s)}
        )
        counts = self._vertex_counts(cells[self.arrays.vertices_path], known)
        columns = [self._chunk_values(cells, spec, known, counts) for spec in specs]
        found = {
            key: ChunkRows(
                self._positions_of(cells[self.arrays.vertices_path], key),
                {
                    s.name: self._shown(column[i], s, text)
                    for s, column in zip(specs, columns, strict=True)
                },
            )
            for i, key in enumerate(known)
        }
        return {key: found[key] if key in found else self._no_rows(specs, text) for key in wanted}

    def read_chunk_values(
        self, keys: Iterable[ChunkCoords], name: str, *, text: bool = False
    ) -> dict[ChunkCoords, AnyArray]:
        """Values of one attribute by chunk; positions are read only where counts are not known."""
        spec = self.arrays.attribute(name)
        wanted = list(keys)
        known = [key for key in wanted if key in self._row_of]
        if not self.arrays.table.exact:
            rows = self.read_chunks(wanted, [name], text=text)
            return {key: part.attributes[name] for key, part in rows.items()}
        counts = self._recorded_counts(known)
        request = {self.arrays.attribute_path(name): known} if self._stored(spec) else {}
        column = self._chunk_values(self._fetch(request), spec, known, counts)
        found = dict(zip(known, column, strict=True))
        none = np.zeros((0, *spec.row_shape), spec.dtype)
        return {key: self._shown(found.get(key, none), spec, text) for key in wanted}

    def fragment_indexes(self, keys: Iterable[ChunkCoords]) -> dict[ChunkCoords, FragmentIndex]:
        """Fragment tables of the chunks that have one."""
        path = self.arrays.fragments_path
        return self._indexes(self._fetch({path: list(keys)})[path])

    def ranks_of(self, chunks: IntArray) -> IntArray:
        """(n,) int64 place of chunks (n, R) among those of the level, -1 where there is none."""
        if len(chunks) > _MANY:
            return chunk_ranks(chunks, self.arrays.table.coords)
        rows = (self._row_of.get(tuple(chunk), -1) for chunk in chunks.tolist())
        return np.fromiter(rows, np.int64, len(chunks))

    def packed_faces(self, selection: Selection) -> IntArray | None:
        """(F, 3) int64 stored rows of faces kept inside encoded vertices; None where raw."""
        if self._draco is None:
            return None
        faces = self._draco.faces([tuple(row) for row in selection.coords.tolist()])
        starts = selection.starts[:-1].tolist()
        parts = [rows + first for rows, first in zip(faces, starts, strict=True)]
        return np.concatenate([np.zeros((0, 3), np.int64), *parts])

    def _read_chunks(
        self, plan: ReadPlan, specs: Sequence[AttributeSpec], *, track: bool, fragments: bool
    ) -> tuple[FloatArray, list[AnyArray], Selection | None]:
        keys = plan.keys()
        sizes = self._recorded_counts(keys) * self._row_bytes(specs)
        arrays = self.arrays
        shapes: list[tuple[int, ...]] = [(arrays.ndim,), *(spec.row_shape for spec in specs)]
        dtypes = [arrays.vertices.dtype, *(spec.dtype for spec in specs)]
        room = int(self._recorded_counts(keys).sum()) if arrays.table.exact else None
        stacks = [_Stack(d, shape, room) for d, shape in zip(dtypes, shapes, strict=True)]
        found, taken = np.zeros(len(keys), np.int64), []
        indexes: dict[ChunkCoords, FragmentIndex] = {}
        for rows, part in _batches(keys, sizes):
            positions, values, counts, tables = self._decode(part, specs, fragments=fragments)
            indexes |= tables
            keep = _kept_rows(plan, plan.partial[rows], positions, counts)
            for stack, column in zip(stacks, (positions, *values), strict=True):
                stack.add(assemble.mask_rows(column, keep), last=rows.stop == len(keys))
            found[rows] = counts
            if track:
                taken.append(np.ones(len(positions), np.bool_) if keep is None else keep)
        if len(keys) == len(arrays.table.coords):
            self._check_total(int(found.sum()))
        columns = [stack.whole() for stack in stacks]
        selection = None
        if track:
            kept = _concatenate(taken, np.zeros(0, np.bool_))
            rows_kept = None if kept.all() else np.flatnonzero(kept)
            selection = Selection(
                plan.coords, _starts(found), rows_kept, indexes if fragments else None
            )
        return columns[0], columns[1:], selection

    def _read_pieces(
        self, plan: ReadPlan, specs: Sequence[AttributeSpec]
    ) -> tuple[FloatArray, list[AnyArray], IntArray, Selection]:
        arrays, keys = self.arrays, plan.keys()
        assert plan.pieces is not None  # noqa: S101  the caller asked for pieces
        positions, values, counts, indexes = self._rows_and_fragments(keys, specs)
        first = _starts(counts)
        rows, objects = assemble.piece_rows(
            plan.pieces, indexes, keys, first, arrays.fragments_path, arrays.url
        )
        if plan.box is not None:
            inside = positions_in_box(positions, plan.box)[rows]
            rows, objects = rows[inside], objects[inside]
        selection = Selection(plan.coords, first, rows, indexes)
        columns = [column.take(rows, axis=0) for column in values]
        return positions.take(rows, axis=0), columns, objects, selection

    def _rows(
        self, keys: list[ChunkCoords], specs: Sequence[AttributeSpec]
    ) -> tuple[FloatArray, list[AnyArray], IntArray]:
        positions, values, counts, _ = self._decode(keys, specs, fragments=False)
        return positions, values, counts

    def _rows_and_fragments(
        self, keys: list[ChunkCoords], specs: Sequence[AttributeSpec]
    ) -> tuple[FloatArray, list[AnyArray], IntArray, dict[ChunkCoords, FragmentIndex]]:
        return self._decode(keys, specs, fragments=True)

    def _decode(
        self, keys: list[ChunkCoords], specs: Sequence[AttributeSpec], *, fragments: bool
    ) -> tuple[FloatArray, list[AnyArray], IntArray, dict[ChunkCoords, FragmentIndex]]:
        arrays = self.arrays
        request = {arrays.vertices_path: keys}
        request |= {arrays.attribute_path(s.name): keys for s in specs if self._stored(s)}
        if fragments:
            request[arrays.fragments_path] = keys
        cells = self._fetch(request)
        blobs = cells[arrays.vertices_path]
        counts = self._vertex_counts(blobs, keys)
        positions: FloatArray = assemble.joined(  # type: ignore[assignment]  # floats, checked
            blobs, keys, arrays.vertices.dtype, (arrays.ndim,)
        )
        values = [self._column(cells, spec, keys, counts) for spec in specs]
        indexes = self._indexes(cells[arrays.fragments_path]) if fragments else {}
        return positions, values, counts, indexes

    def _column(
        self,
        cells: Mapping[str, Cells],
        spec: AttributeSpec,
        keys: Sequence[ChunkCoords],
        counts: IntArray,
    ) -> AnyArray:
        if not self._stored(spec):
            lead = self.arrays.lead_values
            assert lead is not None  # noqa: S101  only lead attributes are not stored
            return np.repeat(lead[[key[0] for key in keys]], counts)
        blobs, row_shape = self._checked(cells, spec, keys, counts)
        return assemble.joined(blobs, keys, spec.dtype, row_shape)

    def _chunk_values(
        self,
        cells: Mapping[str, Cells],
        spec: AttributeSpec,
        keys: Sequence[ChunkCoords],
        counts: IntArray,
    ) -> list[AnyArray]:
        if not self._stored(spec):
            lead = self.arrays.lead_values
            assert lead is not None  # noqa: S101  only lead attributes are not stored
            return [np.full(n, lead[key[0]]) for key, n in zip(keys, counts.tolist(), strict=True)]
        blobs, row_shape = self._checked(cells, spec, keys, counts)
        return [assemble.one(blobs.get(key, b""), spec.dtype, row_shape) for key in keys]

    def _values(
        self, keys: list[ChunkCoords], spec: AttributeSpec, counts: IntArray | None
    ) -> AnyArray:
        if counts is None:
            return self._rows(keys, [spec])[1][0]
        path = self.arrays.attribute_path(spec.name)
        cells = self._fetch({path: keys}) if self._stored(spec) else {}
        return self._column(cells, spec, keys, counts)

    def _checked(
        self,
        cells: Mapping[str, Cells],
        spec: AttributeSpec,
        keys: Sequence[ChunkCoords],
        counts: IntArray,
    ) -> tuple[Cells, tuple[int, ...]]:
        """Blobs of an attribute whose rows are as many as vertices, and the shape of a row."""
        path = self.arrays.attribute_path(spec.name)
        blobs = cells[path]
        found = assemble.row_counts(blobs, keys, spec.row_bytes, path, self.arrays.url)
        row_shape = self._row_shape(spec, counts, found)
        columns = 1 if row_shape == spec.row_shape else row_shape[0]
        assemble.same_counts(counts * columns, found, keys, path, self.arrays.url)
        return blobs, row_shape

    def _row_shape(self, spec: AttributeSpec, counts: IntArray, found: IntArray) -> tuple[int, ...]:
        """The shape of an attribute's row, by its bytes where it may be recorded wrong.

        Published releases record the attributes of lines and graphs as of one column whatever they
        hold: with as many values per vertex in every chunk, those are the columns.
        """
        if self.arrays.table.exact or spec.row_shape or spec.categories is not None:
            return spec.row_shape
        if spec.name not in self._columns and counts.any():
            columns = int(found.sum()) // int(counts.sum())
            fits = columns > 1 and np.array_equal(found, counts * columns)
            self._columns[spec.name] = columns if fits else 1
        columns = self._columns.get(spec.name, 1)
        return (columns,) if columns > 1 else ()

    def _vertex_counts(self, blobs: Cells, keys: Sequence[ChunkCoords]) -> IntArray:
        arrays = self.arrays
        path, url = arrays.vertices_path, arrays.url
        for key in keys:
            if key not in blobs:
                raise assemble.damaged(path, key, url, "it is recorded and not there")
        width = arrays.vertices.dtype.itemsize * arrays.ndim
        counts = assemble.row_counts(blobs, keys, width, path, url)
        if arrays.table.exact:
            assemble.same_counts(self._recorded_counts(keys), counts, keys, path, url)
        assemble.check_zeros(blobs, keys, arrays.vertices, arrays.ndim, path, url)
        return counts

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
        rows = np.fromiter((self._row_of[key] for key in keys), np.int64, len(keys))
        return self.arrays.table.counts[rows]

    def _positions_of(self, blobs: Cells, key: ChunkCoords) -> FloatArray:
        rows: npt.NDArray[Any] = assemble.one(
            blobs[key], self.arrays.vertices.dtype, (self.arrays.ndim,)
        )
        return rows

    def _no_rows(self, specs: Sequence[AttributeSpec], text: bool) -> ChunkRows:
        return ChunkRows(
            assemble.empty_positions(self.arrays.vertices, self.arrays.ndim),
            {s.name: self._shown(np.zeros((0, *s.row_shape), s.dtype), s, text) for s in specs},
        )

    def _indexes(self, blobs: Cells) -> dict[ChunkCoords, FragmentIndex]:
        if len(blobs) > _FEW:
            tables = decode_range_tables(list(blobs.values()))
            if tables is not None:
                return dict(zip(blobs, tables, strict=True))
        path, found = self.arrays.fragments_path, {}
        for key, blob in blobs.items():
            try:
                found[key] = decode_fragments(blob)
            except ArrayError as error:
                raise assemble.damaged(path, key, self.arrays.url, str(error)) from error
        return found

    def _fetch(self, request: Mapping[str, Sequence[ChunkCoords]]) -> dict[str, Cells]:
        cache = self._cache
        if cache is None or not cache.max_bytes:
            found = self._cells.get_cells(request)
            return {path: found.get(path, {}) for path in request}
        kept = {path: cache.get(path, coords) for path, coords in request.items()}
        missing = {
            path: [c for c in coords if c not in kept[path]] for path, coords in request.items()
        }
        missing = {path: coords for path, coords in missing.items() if coords}
        read = self._cells.get_cells(missing) if missing else {}
        for path, cells in read.items():
            cache.put(path, cells)
        return {path: {**kept[path], **read.get(path, {})} for path in request}

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


def _kept_rows(
    plan: ReadPlan,
    partial: npt.NDArray[np.bool_],
    positions: FloatArray,
    counts: IntArray,
) -> npt.NDArray[np.bool_] | None:
    """Which rows lie in the box; only those of chunks that reach out of it are compared."""
    if plan.box is None or not partial.any():
        return None
    if partial.all():
        return positions_in_box(positions, plan.box)
    keep = np.ones(len(positions), np.bool_)
    rows = np.flatnonzero(np.repeat(partial, counts))
    keep[rows] = positions_in_box(positions[rows], plan.box)
    return keep


def _batches(keys: list[ChunkCoords], sizes: IntArray) -> Iterator[tuple[slice, list[ChunkCoords]]]:
    """Runs of chunks of about :data:`BATCH_BYTES` together."""
    batch = np.cumsum(sizes) // BATCH_BYTES
    edges = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(keys)]
    for start, stop in itertools.pairwise(edges):
        if stop > start:
            yield slice(start, stop), keys[start:stop]


class _Stack:
    """Rows that come in parts, put together without holding them twice.

    Args:
        dtype: Of the rows.
        row_shape: ``()`` or ``(C,)``.
        room: Rows there can be at most, or None where not known.
    """

    def __init__(self, dtype: np.dtype[Any], row_shape: tuple[int, ...], room: int | None) -> None:
        self._empty = np.zeros((0, *row_shape), dtype)
        self._room = room
        self._rows: npt.NDArray[Any] | None = None
        self._parts: list[npt.NDArray[Any]] = []
        self._count = 0

    def add(self, part: npt.NDArray[Any], *, last: bool = False) -> None:
        """Put rows at the end."""
        if self._room is None or (last and not self._count):
            self._parts.append(part)
        else:
            if self._rows is None:  # pages are taken from the system as they are filled
                self._rows = _room_for(self._room, self._empty)
            self._rows[self._count : self._count + len(part)] = part
        self._count += len(part)

    def whole(self) -> npt.NDArray[Any]:
        """All rows."""
        if self._rows is None:
            return _concatenate(self._parts, self._empty)
        rows = self._rows[: self._count]
        return rows if 2 * self._count >= len(self._rows) else rows.copy()


def _starts(counts: IntArray) -> IntArray:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _room_for(rows: int, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    try:
        return np.empty((rows, *like.shape[1:]), like.dtype)
    except (MemoryError, ValueError) as error:
        raise ArrayError(f"{rows} rows are recorded: more than memory holds") from error


def _concatenate(parts: list[Any], empty: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not parts:
        return empty
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
