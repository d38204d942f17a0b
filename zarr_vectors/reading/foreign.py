"""What other releases left out of links or got wrong: put right where certain, else told."""

from __future__ import annotations

import warnings

import numpy as np

from zarr_vectors.constants import LINKS, LINKS_KEY
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.reading import assemble
from zarr_vectors.reading.edges import NO_PARENT, Selection, circles, stored_ends
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.heads import tables_of
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.objects import fragments_of
from zarr_vectors.reading.plan import Pieces, pieces_in
from zarr_vectors.typing import IntArray


def is_foreign(handle: StoreHandle, reader: LevelReader) -> bool:
    """Whether another library wrote the level's links."""
    return LINKS_KEY not in handle.level(reader.arrays.meta.level).attributes


def tell_no_links(handle: StoreHandle, reader: LevelReader, *, stacklevel: int = 2) -> None:
    """Warn of a level without links, where it is not ours and they were left out."""
    arrays = reader.arrays
    if arrays.meta.level and arrays.meta.vertex_count and is_foreign(handle, reader):
        warnings.warn(
            f"level {arrays.path} of {arrays.url} has no links: the release that wrote it "
            "keeps none on coarse levels",
            ZVWarning,
            stacklevel=stacklevel,
        )


def warn_of_other_rows(
    handle: StoreHandle,
    reader: LevelReader,
    selection: Selection,
    records: LinkRecords,
) -> None:
    """Tell of links that were numbered before rows were sorted by object."""
    arrays = reader.arrays
    if not handle.layout.links_precede_grouping or not is_foreign(handle, reader):
        return
    if not len(records.rows) or not len(selection.coords):
        return
    keys = [tuple(row) for row in selection.coords.tolist()]
    tables = tables_of(reader, selection)
    if not len(tables) or tables.sizes.max() < 2:
        return
    pieces = pieces_in(fragments_of(handle.layout, arrays, None), selection.coords)
    path, url = arrays.fragments_path, arrays.url
    rows, objects = assemble.piece_rows(pieces, tables, keys, selection.starts, path, url)
    owner = np.full(selection.stored + 1, -1, np.int64)
    owner[rows] = objects
    ends = stored_ends(records, selection, f"{arrays.path}/{LINKS}", url, roots=True)
    known = np.asarray((ends >= 0).all(axis=1))
    wrong = np.asarray(known & (owner[ends[:, 0]] != owner[ends[:, 1]]))
    tell_other_rows(int(wrong.sum()), len(known), arrays, stacklevel=7)


def tell_other_rows(wrong: int, edges: int, arrays: LevelArrays, *, stacklevel: int = 2) -> None:
    """Warn where edges of such a store join vertices of different objects.

    Args:
        wrong: How many do.
        edges: Of how many.
        arrays: The level.
        stacklevel: Of the warning.
    """
    if wrong:
        warnings.warn(
            f"{wrong} of {edges} edges at level {arrays.path} of {arrays.url} join "
            "vertices of different objects: the release that wrote them numbered the vertices of "
            "a chunk before it sorted them by object and did not keep that order, so edges in "
            "chunks of several objects may join the wrong vertices",
            ZVWarning,
            stacklevel=stacklevel,
        )


def warn_of_shared_fragments(handle: StoreHandle, reader: LevelReader, pieces: Pieces) -> None:
    """Tell of objects that share their fragments, so that one cannot be read without others."""
    if not handle.layout.links_precede_grouping or not is_foreign(handle, reader):
        return
    every = fragments_of(handle.layout, reader.arrays, None)
    table = np.column_stack([every.chunks, every.fragments])
    wanted = np.column_stack([pieces.chunks, pieces.fragments])
    found, times = np.unique(table, axis=0, return_counts=True)
    shared = {tuple(row) for row in found[times > 1].tolist()}
    if any(tuple(row) in shared for row in wanted.tolist()):
        warnings.warn(
            f"objects at level {reader.arrays.path} of {handle.backend.url} share fragments: the "
            "release that wrote them keeps one per chunk, so vertices of other objects in the "
            "same chunks come along",
            ZVWarning,
            stacklevel=5,
        )


def cut_circles(parents: IntArray, told: IntArray, reader: LevelReader) -> None:
    """Take back the parent of a root that is not the first of its fragment, where that is certain.

    Such a root is given the row before, one of its own descendants, as a parent; no link can say
    that it has none. Where one edge of the circle this makes was implied, it is that one.
    """
    uncertain, cut = 0, 0
    for circle in circles(parents):
        implied = [row for row in circle if told[row] < 0]
        if len(implied) == 1:
            parents[implied[0]] = NO_PARENT
            cut += 1
        else:
            uncertain += 1
    if cut or uncertain:
        warnings.warn(
            f"edges of {cut + uncertain} trees at level {reader.arrays.path} of "
            f"{reader.arrays.url} run in a circle: the release that wrote them lets a root be "
            "taken for a child of the vertex before it; of "
            f"{cut} trees that edge is left out, of {uncertain} it cannot be told from the others",
            ZVWarning,
            stacklevel=6,
        )
