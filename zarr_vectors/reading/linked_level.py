"""A level read chunk by chunk with its links: what is needed of the whole level is read once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import ConventionError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import holds_faces
from zarr_vectors.reading.linked_chunks import Asked, Joined, LinkedChunks, with_loose_rows
from zarr_vectors.reading.object_pieces import ObjectPieces, read_pieces
from zarr_vectors.reading.path_joints import join_paths
from zarr_vectors.reading.plan import ReadPlan
from zarr_vectors.reading.results import PointsResult
from zarr_vectors.reading.told_level import ToldLevel
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
        self._width = 3 if faces else 2
        self._told = ToldLevel(handle, reader, width=self._width, tree=self._tree)
        self._lock = threading.Lock()
        self._pieces: tuple[ObjectPieces | None, bool] | None = None

    @property
    def nbytes(self) -> int:
        """Memory of what is kept of the whole level."""
        pieces = None if self._pieces is None else self._pieces[0]
        return self._told.nbytes + (0 if pieces is None else pieces.nbytes)

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
        none = np.zeros((0, self._width), np.int64)
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
            joined = self._told.join(joined, asked, selection, pieces, shared=shared)
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

    def _objects(self) -> tuple[ObjectPieces | None, bool]:
        """The object index, and whether objects share fragments whose rows links join."""
        with self._lock:
            if self._pieces is None:
                reader = self._reader
                found = read_pieces(self._handle.layout, reader.arrays, reader.ranks_of)
                shared = found is not None and not self._paths and found.are_shared()
                self._pieces = found, shared
            return self._pieces
