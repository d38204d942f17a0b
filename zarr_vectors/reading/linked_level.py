"""A level read chunk by chunk with its links: what is needed of the whole level is read once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from zarr_vectors.constants import LINKS
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.touching import ReadsTouching, TouchingLinks
from zarr_vectors.exceptions import ConventionError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import first_rows, holds_faces
from zarr_vectors.reading.linked_chunks import (
    NO_OBJECT,
    Asked,
    Joined,
    LinkedChunks,
    with_loose_rows,
)
from zarr_vectors.reading.object_pieces import ObjectPieces, read_pieces
from zarr_vectors.reading.owned_rows import OwnedRows, join_shared, join_told
from zarr_vectors.reading.path_joints import join_paths
from zarr_vectors.reading.plan import ReadPlan
from zarr_vectors.reading.results import PointsResult
from zarr_vectors.reading.stack import starts_of
from zarr_vectors.reading.told_joints import (
    ToldLinks,
    inner_links,
    told_links,
    tree_links,
    triangles,
)
from zarr_vectors.typing import ChunkCoords, IntArray


class LinkedLevel:
    """Reads chunks of one level with what joins their rows; threads may share it.

    The object index, and links that the format keeps in one list, are read when first needed and
    kept: some 12 bytes for every fragment of an object, and 24 for every edge of that list.

    Args:
        handle: The store.
        reader: Of the level.

    Raises:
        ConventionError: Nothing joins the vertices of the store.
    """

    def __init__(self, handle: StoreHandle, reader: LevelReader) -> None:
        faces = holds_faces(handle)
        if faces is None:
            kinds = ", ".join(handle.meta.geometry_types) or "nothing it tells of"
            raise ConventionError(f"{handle.backend.url} holds {kinds}: there are no links to read")
        convention = "explicit" if faces else handle.meta.links_convention
        self._handle, self._reader = handle, reader
        self._paths = convention == "implicit_sequential"
        self._tree = convention == "implicit_sequential_with_branches"
        self.width = 3 if faces else 2
        self._lock = threading.Lock()
        self._pieces: tuple[ObjectPieces | None, bool] | None = None
        self._links: tuple[TouchingLinks | None] | None = None

    @property
    def nbytes(self) -> int:
        """Memory of what is kept of the whole level."""
        pieces = self._pieces[0] if self._pieces is not None else None
        links = self._links[0] if self._links is not None else None
        return sum(part.nbytes for part in (pieces, links) if part is not None)

    def read(self, keys: Iterable[ChunkCoords], attributes: Sequence[str] = ()) -> LinkedChunks:
        """Rows of chunks with their links.

        Args:
            keys: The chunks.
            attributes: Names of vertex attributes.

        Raises:
            ArrayError: One of these chunks is damaged, or an array that tells of all chunks.
            StoreError: There is no such attribute.
        """
        wanted = list(keys)
        pieces, shared = self._objects()
        asked, points, selection = self._rows(wanted, attributes, fragments=pieces is not None)
        none = np.zeros((0, self.width), np.int64)
        joined = Joined(none[:, 0], none[:, 0], none, none, none, none[:, 0])
        if pieces is not None:
            own, rows, counts = self._in_chunks(pieces, asked, selection)
            if self._paths:
                joined = join_paths(pieces, asked, own, rows, counts, self._reader.arrays)
            else:
                ids = np.repeat(pieces.ids[pieces.owners(own)], counts)
                joined = Joined(rows, ids, none, none, none, none[:, 0])
        joined = with_loose_rows(joined, asked)
        if not self._paths:
            joined = self._with_told(joined, asked, selection, pieces, shared=shared)
        rows = joined.rows
        stored = asked.as_asked(rows)
        positions, values = points.positions, points.vertex_attributes
        if len(rows) != selection.stored or (rows[1:] <= rows[:-1]).any():
            positions = positions.take(rows, axis=0)
            values = {name: column.take(rows, axis=0) for name, column in values.items()}
        return LinkedChunks(
            positions=positions,
            attributes=values,
            objects=joined.objects,
            stored=stored,
            counts=self._counts(wanted, asked),
            links=joined.links,
            open_rows=joined.open_rows,
            open_ends=joined.open_ends,
            open_objects=joined.open_objects,
        )

    def _rows(
        self, wanted: list[ChunkCoords], attributes: Sequence[str], *, fragments: bool
    ) -> tuple[Asked, PointsResult, Selection]:
        reader = self._reader
        table = reader.arrays.table
        coords = np.array(wanted, np.int64).reshape(-1, reader.arrays.rank)
        ranks = reader.ranks_of(coords)
        ranks = np.array(list(dict.fromkeys(ranks[ranks >= 0].tolist())), np.int64)
        ascending = np.sort(ranks)
        plan = ReadPlan(table.coords[ascending], None, np.zeros(len(ranks), np.bool_))
        points, selection = reader.select(
            plan, attributes, text=False, fragments=fragments or self._tree
        )
        turn = np.searchsorted(ascending, ranks)
        return Asked(ascending, turn, selection.starts), points, selection

    def _counts(self, wanted: list[ChunkCoords], asked: Asked) -> IntArray:
        first = {key: i for i, key in reversed(list(enumerate(wanted)))}
        counts = np.zeros(len(wanted), np.int64)
        keys = map(tuple, self._reader.arrays.table.coords[asked.ranks].tolist())
        for key, count in zip(keys, np.diff(asked.starts).tolist(), strict=True):
            counts[first[key]] = count
        return counts

    def _in_chunks(
        self, pieces: ObjectPieces, asked: Asked, selection: Selection
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Pieces in the chunks read, their stored rows, and how many each has."""
        own, which = pieces.in_chunks(asked.ranks[asked.turn])
        assert selection.tables is not None  # noqa: S101  they were asked for
        arrays = self._reader.arrays
        rows, counts = assemble.fragment_rows(
            asked.turn[which],
            pieces.fragments[own],
            selection.tables,
            [tuple(row) for row in selection.coords.tolist()],
            selection.starts,
            arrays.fragments_path,
            arrays.url,
        )
        return own, rows, counts

    def _with_told(
        self,
        joined: Joined,
        asked: Asked,
        selection: Selection,
        pieces: ObjectPieces | None,
        *,
        shared: bool,
    ) -> Joined:
        told = self._told(asked, selection)
        if pieces is None:
            return join_told(joined, told, np.full(len(told.rows), NO_OBJECT, np.int64))
        places = np.arange(len(joined.rows))
        owned = OwnedRows.of(joined.rows, joined.objects, places)
        out = told.local < 0
        if not shared:
            out[:, 1:] = False
        far = np.unique(told.ranks[out])
        objects = pieces.objects_in(far)
        unknown = far if shared else far[objects == _SEVERAL]
        ends = told.local.copy()
        if len(unknown):
            others, starts = self._owned_elsewhere(unknown, pieces, selection.stored)
            owned = OwnedRows.joined([owned, others])
            at = np.minimum(np.searchsorted(unknown, told.ranks), len(unknown) - 1)
            known = (told.local < 0) & (unknown[at] == told.ranks)
            ends[known] = (starts[at] + told.rows)[known]
        if shared:
            return join_shared(joined, told, ends, owned)
        first = owned.first(ends[:, 0])
        owners = np.append(owned.objects, NO_OBJECT)[first]
        if len(far):
            single = out[:, 0] & (ends[:, 0] < 0)
            owners[single] = objects[np.searchsorted(far, told.ranks[single, 0])]
        return join_told(joined, told, owners)

    def _told(self, asked: Asked, selection: Selection) -> ToldLinks:
        """Links of the chunks read, implied ones too."""
        reader, arrays = self._reader, self._reader.arrays
        keys = [tuple(row) for row in selection.coords.tolist()]
        links = self._touching()
        width = self.width
        none = np.zeros((0, width), np.int64)
        told = ToldLinks(none, none, none)
        if links is not None and keys:
            records = links.read(keys)
            if len(records.rows):
                self._check_width(records.rows.shape[1])
                path = f"{arrays.path}/{LINKS}"
                told = told_links(records, asked, reader, path, roots=self._tree)
        if self._tree:
            path, url = arrays.fragments_path, arrays.url
            assert selection.tables is not None  # noqa: S101  they were asked for
            first = first_rows(selection.tables, selection, path, url)
            told = tree_links(told, first, asked, np.zeros(0, np.int64))
        packed = reader.packed_faces(selection) if self.width == 3 else None
        if packed is not None:
            told = inner_links(packed, asked).joined(triangles(told))
        told = triangles(told)
        # a link to a chunk that is not there has an end left out
        known = (told.ranks >= 0).all(axis=1) & (told.local >= 0).any(axis=1)
        return told.take(np.flatnonzero(known))

    def _check_width(self, width: int) -> None:
        if width == self.width or (self.width == 3 and width == 4):
            return
        what = "edges" if self.width == 2 else "triangles or faces of four corners"
        raise ConventionError(
            f"{self._handle.backend.url} has links of {width} ends, which are not {what}"
        )

    def _owned_elsewhere(
        self, ranks: IntArray, pieces: ObjectPieces, first: int
    ) -> tuple[OwnedRows, IntArray]:
        """Objects of the rows of other chunks, numbered on from ``first``; where chunks start."""
        arrays = self._reader.arrays
        keys: list[ChunkCoords] = [tuple(row) for row in arrays.table.coords[ranks].tolist()]
        tables = self._reader.fragment_tables(keys)
        reach = np.zeros(len(keys), np.int64)
        for i, table in enumerate(tables.each()):
            if table is not None:
                ranges = (table.starts + table.counts)[~table.explicit]
                reach[i] = max(ranges.max(initial=0), table.rows.max(initial=-1) + 1)
        starts = starts_of(reach) + first
        own, which = pieces.in_chunks(ranks)
        path, url = arrays.fragments_path, arrays.url
        rows, counts = assemble.fragment_rows(
            which, pieces.fragments[own], tables, keys, starts, path, url
        )
        ids = np.repeat(pieces.ids[pieces.owners(own)], counts)
        return OwnedRows.of(rows, ids, np.full(len(rows), -1, np.int64)), starts[:-1]

    def _objects(self) -> tuple[ObjectPieces | None, bool]:
        """The object index, and whether objects share fragments whose rows links join."""
        with self._lock:
            if self._pieces is None:
                reader = self._reader
                found = read_pieces(self._handle.layout, reader.arrays, reader.ranks_of)
                shared = found is not None and not self._paths and found.are_shared()
                self._pieces = found, shared
            return self._pieces

    def _touching(self) -> TouchingLinks | None:
        with self._lock:
            if self._links is None:
                layout = self._handle.layout
                assert isinstance(layout, ReadsTouching)  # noqa: S101  both formats do
                self._links = (layout.touching_links(self._reader.arrays.path),)
            return self._links[0]


_SEVERAL = -2
