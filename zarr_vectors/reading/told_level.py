"""The stored links of a level, joined to the rows of some of its chunks."""

from __future__ import annotations

import threading

import numpy as np

from zarr_vectors.constants import LINKS
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.touching import ReadsTouching, TouchingLinks
from zarr_vectors.exceptions import ConventionError
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.foreign import is_foreign, tell_no_links, tell_other_rows
from zarr_vectors.reading.heads import first_rows
from zarr_vectors.reading.linked_chunks import ELSEWHERE, NO_OBJECT, Asked, Joined
from zarr_vectors.reading.object_pieces import SEVERAL, ObjectPieces
from zarr_vectors.reading.other_chunks import OtherChunks
from zarr_vectors.reading.owned_rows import OwnedRows, join_links, join_shared
from zarr_vectors.reading.told_joints import (
    ToldLinks,
    inner_links,
    told_links,
    tree_links,
    triangles,
)
from zarr_vectors.reading.untold_roots import untold_roots
from zarr_vectors.typing import IntArray


class ToldLevel:
    """Joins rows by links that are stored; threads may share it.

    Args:
        handle: The store.
        reader: Of the level.
        width: 2 for edges, 3 for triangles.
        tree: Edges are of skeletons: most are implied.
    """

    def __init__(self, handle: StoreHandle, reader: LevelReader, *, width: int, tree: bool) -> None:
        self._handle, self._reader = handle, reader
        self._width, self._tree = width, tree
        self._others = OtherChunks(handle.layout, reader.arrays)
        self._lock = threading.Lock()
        self._links: tuple[TouchingLinks | None] | None = None
        self._roots: IntArray | None = None
        self._doubtful = handle.layout.links_precede_grouping and is_foreign(handle, reader)

    @property
    def nbytes(self) -> int:
        """Memory of what is kept of the whole level."""
        links = None if self._links is None else self._links[0]
        return self._others.nbytes + (0 if links is None else links.nbytes)

    def join(
        self,
        joined: Joined,
        asked: Asked,
        selection: Selection,
        pieces: ObjectPieces | None,
        *,
        shared: bool,
    ) -> Joined:
        """Rows of chunks with the links between them.

        Args:
            joined: The rows.
            asked: The chunks.
            selection: The same chunks as they were read.
            pieces: The level's object index.
            shared: Objects share fragments.

        Raises:
            ArrayError: Links of these chunks are damaged.
            ConventionError: They are no edges, or no faces of three or four corners.
        """
        told = self._told(asked, selection)
        place = np.full(selection.stored + 1, ELSEWHERE, np.int64)
        place[joined.rows[::-1]] = np.arange(len(joined.rows))[::-1]
        rows = place[told.local]
        if pieces is None:
            return join_links(joined, told, rows, np.full(len(rows), NO_OBJECT, np.int64))
        if shared:
            return self._join_shared(joined, told, asked, pieces)
        first = rows[:, 0]
        owners = np.append(joined.objects, NO_OBJECT)[first]
        out = np.flatnonzero(first < 0)
        if len(out):
            owners[out] = self._others.owners(told.ranks[out, 0], told.rows[out, 0], pieces)
        loose = np.flatnonzero((first >= 0) & (owners == NO_OBJECT))
        if len(loose):  # as it looks from the chunks of the other ends
            only = pieces.objects_in(told.ranks[loose, 0])
            owners[loose] = np.where(only == SEVERAL, NO_OBJECT, only)
        found = join_links(joined, told, rows, owners)
        if self._doubtful and self._width == 2 and len(found.links):
            objects = found.objects[found.links]
            wrong = int((objects[:, 0] != objects[:, 1]).sum())
            self._doubtful = not wrong  # told once
            tell_other_rows(wrong, len(objects), self._reader.arrays)
        return found

    def _told(self, asked: Asked, selection: Selection) -> ToldLinks:
        """Links of the chunks read, implied ones too."""
        reader, arrays = self._reader, self._reader.arrays
        keys = [tuple(row) for row in selection.coords.tolist()]
        none = np.zeros((0, self._width), np.int64)
        told = ToldLinks(none, none, none)
        links = self._touching()
        if links is not None and keys:
            records = links.read(keys)
            if len(records.rows):
                self._check_width(records.rows.shape[1])
                path = f"{arrays.path}/{LINKS}"
                told = triangles(told_links(records, asked, reader, path, roots=self._tree))
        if self._tree:
            assert selection.tables is not None  # noqa: S101  they were asked for
            first = first_rows(selection.tables, selection, arrays.fragments_path, arrays.url)
            told = tree_links(told, first, asked, asked.rows_of(self._untold_roots()))
        packed = reader.packed_faces(selection) if self._width == 3 else None
        if packed is not None:
            told = inner_links(packed, asked).joined(told)
        # a link to a chunk that is not there has an end left out
        known = (told.ranks >= 0).all(axis=1) & (told.local >= 0).any(axis=1)
        return told if known.all() else told.take(np.flatnonzero(known))

    def _check_width(self, width: int) -> None:
        if width == self._width or (self._width == 3 and width == 4):
            return
        what = "edges" if self._width == 2 else "faces of three or four corners"
        raise ConventionError(
            f"{self._handle.backend.url} has links of {width} ends, which are not {what}"
        )

    def _join_shared(
        self, joined: Joined, told: ToldLinks, asked: Asked, pieces: ObjectPieces
    ) -> Joined:
        """Rows that objects share, with links that each of them has."""
        here = OwnedRows.of(asked.vertices(joined.rows), joined.objects)
        out = told.local < 0
        others = self._others.entries(told.ranks[out] << 32 | told.rows[out], pieces)
        return join_shared(joined, told, OwnedRows.joined([here, others]))

    def _touching(self) -> TouchingLinks | None:
        with self._lock:
            if self._links is None:
                layout = self._handle.layout
                assert isinstance(layout, ReadsTouching)  # noqa: S101  both formats do
                found = layout.touching_links(self._reader.arrays.path)
                if found is None:
                    tell_no_links(self._handle, self._reader)
                self._links = (found,)
            return self._links[0]

    def _untold_roots(self) -> IntArray:
        with self._lock:
            if self._roots is None:
                self._roots = untold_roots(self._handle, self._reader)
            return self._roots
