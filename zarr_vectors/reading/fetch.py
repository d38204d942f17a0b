"""A plan's cells in one batch, decoded at once: the only reader of vertices and attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.encoding.items import move_rows
from zarr_vectors.reading import assemble
from zarr_vectors.reading.columns import cut
from zarr_vectors.reading.decoding import LevelDecoder
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.few import FEW, rows_of_pieces
from zarr_vectors.reading.plan import ReadPlan
from zarr_vectors.reading.results import ChunkRows, PointsResult
from zarr_vectors.reading.scatter import Places, Scatter
from zarr_vectors.reading.stack import (
    Stack,
    batches,
    part_bytes,
    room_for,
    starts_of,
)
from zarr_vectors.spatial.chunking import positions_in_box
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

_MOST_ROOM = 2**26
"""Bytes set aside for vertices of which only a guess is recorded."""


class LevelReader(LevelDecoder):
    """Reads rows of one level; threads may share it."""

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
        stack = Stack(spec.dtype, spec.row_shape, int(counts.sum()) if table.exact else None)
        for rows, part in batches(keys, counts * spec.row_bytes):
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
        known = [key for key in dict.fromkeys(wanted) if key in self._row_of]
        specs = [self.arrays.attribute(name) for name in attributes]
        recorded = self._recorded_counts(known)
        positions, values, counts, _ = self._decode(known, specs, recorded, fragments=False)
        sizes = counts.tolist()
        parts = [cut(positions, sizes), *(cut(column, sizes) for column in values)]
        found = {}
        for i, key in enumerate(known):
            own, *columns = (part[i].copy() for part in parts)
            shown = zip(specs, columns, strict=True)
            found[key] = ChunkRows(own, {s.name: self._shown(v, s, text) for s, v in shown})
        return {key: found[key] if key in found else self._no_rows(specs, text) for key in wanted}

    def read_chunk_values(
        self, keys: Iterable[ChunkCoords], name: str, *, text: bool = False
    ) -> dict[ChunkCoords, AnyArray]:
        """Values of one attribute by chunk; positions are read only where counts are not known."""
        spec = self.arrays.attribute(name)
        wanted = list(keys)
        if not self.arrays.table.exact:
            rows = self.read_chunks(wanted, [name], text=text)
            return {key: part.attributes[name] for key, part in rows.items()}
        known = [key for key in dict.fromkeys(wanted) if key in self._row_of]
        counts = self._recorded_counts(known)
        values = cut(self._values(known, spec, counts), counts.tolist())
        found = {key: part.copy() for key, part in zip(known, values, strict=True)}
        none = np.zeros((0, *spec.row_shape), spec.dtype)
        return {key: self._shown(found.get(key, none), spec, text) for key in wanted}

    def fragment_indexes(self, keys: Iterable[ChunkCoords]) -> dict[ChunkCoords, FragmentIndex]:
        """Fragment tables of the chunks that have one."""
        wanted = list(keys)
        tables = self.fragment_tables(wanted)
        found = zip(wanted, tables.each(), strict=True)
        return {key: table for key, table in found if table is not None}

    def places(
        self, ranks: IntArray, fragments: IntArray, attributes: Sequence[str] = ()
    ) -> Places | None:
        """Where rows of fragments go in the order asked; None where they are better read at once.

        Args:
            ranks: (P,) chunk of every fragment among those of the level.
            fragments: (P,) fragments.
            attributes: Names of attributes to be read.

        Raises:
            ArrayError: Fragments are missing or damaged.
            StoreError: The level lacks an attribute.
        """
        arrays = self.arrays
        specs = tuple(arrays.attribute(name) for name in attributes)
        asked = np.zeros(len(arrays.table.coords), np.bool_)
        asked[ranks] = True
        counts = arrays.table.counts[asked]
        sizes = counts * self._row_bytes(specs)
        most = part_bytes(int(sizes.sum()), local=arrays.local)
        if not arrays.table.exact or sizes.sum() <= most:
            return None
        keys = [tuple(row) for row in arrays.table.coords[asked].tolist()]
        if len(keys) != len(asked):
            ranks = (np.cumsum(asked) - 1)[ranks]
        scatter = Scatter(ranks, fragments, keys, arrays.fragments_path, arrays.url)
        parts = [(part, chunks, counts[part]) for part, chunks in batches(keys, sizes, most)]
        for part, chunks, rows in parts:
            if not scatter.locate(part, self.fragment_tables(chunks), rows):
                return None
        return Places(scatter, scatter.segments(int(counts.sum())), parts, specs)

    def read_places(
        self, places: Places, *, text: bool = True
    ) -> tuple[FloatArray, dict[str, AnyArray]]:
        """(N, D) positions of rows of fragments, and values of attributes.

        Args:
            places: Where they go.
            text: Categories as strings; as stored codes otherwise.

        Raises:
            ArrayError: A chunk is missing or damaged.
        """
        arrays, specs = self.arrays, places.specs
        total = int(places.segments[-1])
        positions = room_for(total, (arrays.ndim,), arrays.vertices.dtype)
        columns = [room_for(total, spec.row_shape, spec.dtype) for spec in specs]
        for part, chunks, counts in places.parts:
            rows, values, found, _ = self._decode(chunks, specs, counts, fragments=False)
            taken, into = places.scatter.rows(part, found)
            for room, column in zip((positions, *columns), (rows, *values), strict=True):
                move_rows(column, taken, room, into)
        named = zip(specs, columns, strict=True)
        return positions, {spec.name: self._shown(column, spec, text) for spec, column in named}

    def fragment_tables(self, keys: Sequence[ChunkCoords]) -> FragmentTables:
        """Fragment tables of chunks, as one."""
        path = self.arrays.fragments_path
        return self._columns.tables(self._columns.fetch({path: keys})[path])

    def read_few(
        self, chunks: Sequence[ChunkCoords], fragments: Sequence[int]
    ) -> FloatArray | None:
        """(n, D) vertices of a few fragments, one after the other; None where they must be planned.

        Args:
            chunks: Chunk of every fragment.
            fragments: The fragments.
        """
        arrays = self.arrays
        keys = sorted(set(chunks))
        known = all(key in self._row_of for key in keys)
        if self._draco is not None or not known or not 0 < len(chunks) <= FEW:
            return None
        counts = {}
        if arrays.table.exact:
            counts = dict(zip(keys, self._recorded_counts(keys).tolist(), strict=True))
        cells = self._columns.fetch_cells(
            dict.fromkeys((arrays.vertices_path, arrays.fragments_path), keys)
        )
        return rows_of_pieces(arrays, cells, counts, chunks, fragments)

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
        keys, arrays = plan.keys(), self.arrays
        whole = len(keys) == len(arrays.table.coords)
        recorded = arrays.table.counts if whole else self._recorded_counts(keys)
        shapes: list[tuple[int, ...]] = [(arrays.ndim,), *(spec.row_shape for spec in specs)]
        dtypes = [arrays.vertices.dtype, *(spec.dtype for spec in specs)]
        paths = [arrays.vertices_path, *(arrays.attribute_path(spec.name) for spec in specs)]
        room = int(recorded.sum()) if arrays.table.exact or whole else None
        stacks = [Stack(d, shape, room) for d, shape in zip(dtypes, shapes, strict=True)]
        found = np.zeros(len(keys), np.int64)
        taken: list[tuple[npt.NDArray[np.bool_] | None, int]] = []
        tables: list[FragmentTables] = []
        for rows, part in batches(keys, recorded * self._row_bytes(specs)):
            rooms = {}
            if plan.box is None:  # all rows stay: they are read where they are to be
                tails = zip(paths, (stack.tail() for stack in stacks), strict=True)
                rooms = {path: tail for path, tail in tails if tail is not None}
            positions, values, counts, table = self._decode(
                part, specs, recorded[rows], fragments=fragments, rooms=rooms
            )
            tables += [] if table is None else [table]
            keep = _kept_rows(plan, plan.partial[rows], positions, counts)
            own = None if keep is None else np.flatnonzero(keep)
            for stack, column in zip(stacks, (positions, *values), strict=True):
                stack.add(assemble.rows_kept(column, own), last=rows.stop == len(keys))
            found[rows] = counts
            if track:
                taken.append((keep, len(positions)))
        if whole:
            self._check_total(int(found.sum()))
        columns = [stack.whole() for stack in stacks]
        selection = None
        if track:
            rows_kept = _numbers(taken)
            joined = FragmentTables.joined(tables) if fragments else None
            selection = Selection(plan.coords, starts_of(found), rows_kept, joined)
        return columns[0], columns[1:], selection

    def _read_pieces(
        self, plan: ReadPlan, specs: Sequence[AttributeSpec]
    ) -> tuple[FloatArray, list[AnyArray], IntArray, Selection]:
        arrays, keys = self.arrays, plan.keys()
        assert plan.pieces is not None  # noqa: S101  the caller asked for pieces
        recorded = self._recorded_counts(keys)
        likely = int(recorded.sum()) * arrays.ndim * arrays.vertices.dtype.itemsize * 5 // 4
        rooms = {}
        if 0 < likely <= _MOST_ROOM:  # so large a room need not grow
            rooms[arrays.vertices_path] = np.empty(likely, np.uint8)
        positions, values, counts, tables = self._decode(
            keys, specs, recorded, fragments=True, rooms=rooms
        )
        assert tables is not None  # noqa: S101  they were asked for
        first = starts_of(counts)
        rows, objects = assemble.piece_rows(
            plan.pieces, tables, keys, first, arrays.fragments_path, arrays.url
        )
        if plan.box is not None:
            inside = positions_in_box(positions, plan.box)[rows]
            rows, objects = rows[inside], objects[inside]
        selection = Selection(plan.coords, first, rows, tables)
        columns = [column.take(rows, axis=0) for column in values]
        return positions.take(rows, axis=0), columns, objects, selection


def _numbers(parts: Sequence[tuple[npt.NDArray[np.bool_] | None, int]]) -> IntArray | None:
    """Numbers of the rows kept of all parts, None where those are all."""
    if all(keep is None or keep.all() for keep, _ in parts):
        return None
    masks = (np.ones(count, np.bool_) if keep is None else keep for keep, count in parts)
    return np.flatnonzero(np.concatenate(list(masks)))


def _kept_rows(
    plan: ReadPlan,
    partial: npt.NDArray[np.bool_],
    positions: FloatArray,
    counts: IntArray,
) -> npt.NDArray[np.bool_] | None:
    """Which rows lie in the box; only those of chunks that reach out of it are compared."""
    if plan.box is None or not partial.any():
        return None
    if 2 * int(counts[partial].sum()) >= len(positions):
        return positions_in_box(positions, plan.box)
    keep = np.ones(len(positions), np.bool_)
    rows = np.flatnonzero(np.repeat(partial, counts))
    keep[rows] = positions_in_box(positions[rows], plan.box)
    return keep
