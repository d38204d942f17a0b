"""Where objects are: at which levels, in which chunks, with how many vertices. None is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.encoding.manifests import ManifestTable
from zarr_vectors.exceptions import Cancelled, ZVError
from zarr_vectors.lazy import ZVStore
from zarr_vectors.reading.objects import decoded_objects
from zv_viewer.model.objects import Int, ObjectTable
from zv_viewer.sources.base import Progress
from zv_viewer.sources.objects import read_objects

MOST_CHUNKS_NEAR, MOST_CHUNKS_FAR = 100_000, 2_000
"""Fragment tables read to count vertices, one a chunk: of a store on this machine, of others."""

AT_ONCE = 4096
MOST_LEVELS = 64


def with_places(
    store: ZVStore, table: ObjectTable, progress: Progress = lambda _: None
) -> ObjectTable:
    """The table with levels, boxes and, where that costs little, counts of vertices.

    Objects without vertices at any level are left out: format 0.7.0 counts every id up to the
    largest.

    Manifests of objects are read at every level, and one small table for each chunk of the finest.
    What is damaged stays unknown, and a note says why.

    Args:
        store: The store.
        table: What :func:`zv_viewer.sources.objects.read_objects` found in it.
        progress: Told what is being read.

    Raises:
        Cancelled: The scope around the call was given up.
    """
    levels = np.zeros(len(table), np.uint64)
    notes, unsure = list(table.notes), len(store.levels) > MOST_LEVELS
    boxes, vertices = _recorded_boxes(table, store.ndim), table.vertices
    for place, number in enumerate(store.levels[:MOST_LEVELS]):
        progress(f"finding the objects of level {number}")
        level = store[number]
        if place and not level.preserves_object_ids:
            unsure = True
            notes.append(f"level {number} numbers objects anew: theirs are not those of level 0")
            continue
        try:
            arrays = level.reader.arrays
            found = decoded_objects(store.level_group(number).layout, arrays, None)
        except Cancelled:
            raise
        except ZVError as error:
            unsure = True
            notes.append(f"objects of level {number} are not known: {error}")
            continue
        if found is None:
            continue
        ids, manifests = found
        present = ids[np.diff(manifests.offsets) > 0]
        levels[table.rows_of(present)] |= np.uint64(1 << place)
        if place == 0 and np.array_equal(ids, table.ids):
            if boxes is None:
                boxes = boxes_of(store, manifests)
            if vertices is None:
                vertices = _counted(store, manifests, notes, progress)
    full = replace(table, levels=levels, boxes=boxes, vertices=vertices, notes=tuple(notes))
    there = np.flatnonzero(levels)
    return full if unsure or len(there) == len(table) else full.taken(there)


def chunks_of_objects(store: ZVStore, ids: Int) -> tuple[Int, Int, Int]:
    """Through which chunks of the finest level objects run; nothing but their manifests is read.

    Args:
        store: The store.
        ids: Of the objects; unknown ones are passed over.

    Returns:
        As ``KnowsPlaces.chunks_of_objects`` says.

    Raises:
        ArrayError: The object index is damaged, or recorded and not there.
    """
    number = store.levels[0]
    arrays = store[number].reader.arrays
    found = decoded_objects(store.level_group(number).layout, arrays, ids.tolist())
    if found is None:
        none = np.zeros(0, np.int64)
        return none, np.zeros(1, np.int64), np.zeros((0, arrays.rank), np.int64)
    known, manifests = found
    return known, manifests.offsets, manifests.chunks


def boxes_of(store: ZVStore, manifests: ManifestTable) -> npt.NDArray[np.float32]:
    """(O, 2, D) boxes of the chunks each object is in; NaN for an object in none."""
    ndim = store.ndim
    full = np.flatnonzero(np.diff(manifests.offsets) > 0)
    boxes = np.full((len(manifests), 2, ndim), np.nan, np.float32)
    if not len(full):
        return boxes
    cells = manifests.chunks[:, -ndim:]
    starts = manifests.offsets[full]
    shape = np.asarray(store[store.levels[0]].chunk_shape, np.float64)
    low = np.minimum.reduceat(cells, starts, axis=0) * shape
    high = (np.maximum.reduceat(cells, starts, axis=0) + 1) * shape
    least, most = store.bounding_box
    boxes[full, 0] = np.maximum(low, least)
    boxes[full, 1] = np.minimum(high, most)
    return boxes


def _recorded_boxes(table: ObjectTable, ndim: int) -> npt.NDArray[np.float32] | None:
    """Boxes that the store records as attributes of objects, ``bbox_min`` and ``bbox_max``."""
    ends = [
        [column.values for column in table.columns if column.attribute == name]
        for name in ("bbox_min", "bbox_max")
    ]
    if any(len(columns) != ndim for columns in ends):
        return None
    return np.stack([np.stack(columns, axis=1) for columns in ends], axis=1).astype(np.float32)


def _counted(
    store: ZVStore, manifests: ManifestTable, notes: list[str], progress: Progress
) -> Int | None:
    """(O,) vertices of every object by the sizes of its fragments; None where that is not known."""
    reader = store[store.levels[0]].reader
    keys = reader.arrays.table.keys()
    most = MOST_CHUNKS_NEAR if store.backend.local_path is not None else MOST_CHUNKS_FAR
    if len(keys) > most:
        notes.append(f"vertices of objects are not counted: the store has {len(keys):,} chunks")
        return None
    sizes, counts = [], []
    try:
        for begin in range(0, len(keys), AT_ONCE):
            progress(f"counting vertices: {begin:,} of {len(keys):,} chunks")
            tables = reader.fragment_tables(keys[begin : begin + AT_ONCE])
            sizes.append(tables.sizes)
            counts.append(tables.counts)
    except Cancelled:
        raise
    except ZVError as error:
        notes.append(f"vertices of objects are not known: {error}")
        return None
    ranks = reader.ranks_of(manifests.chunks)
    rows = _rows_of_pieces(sizes, counts, ranks, manifests.fragments)
    if rows is None:
        notes.append("vertices of objects are not known: fragments they name are not there")
        return None
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(rows)])
    vertices: Int = total[manifests.offsets[1:]] - total[manifests.offsets[:-1]]
    return vertices


def _rows_of_pieces(sizes: list[Int], counts: list[Int], ranks: Int, fragments: Int) -> Int | None:
    """(P,) rows of every piece; None where a piece is in no chunk, or beyond its fragments.

    Args:
        sizes: Fragments of every chunk, -1 for a chunk without a table, part after part.
        counts: Rows of every fragment, chunk after chunk.
        ranks: (P,) chunk of every piece, -1 for none.
        fragments: (P,) fragment of that chunk.
    """
    none = np.zeros(0, np.int64)
    there = np.maximum(np.concatenate([none, *sizes]), 0)
    if not len(ranks):
        return none
    if ranks.min() < 0 or (fragments >= there[ranks]).any():
        return None
    first = np.cumsum(there) - there
    rows: Int = np.concatenate([none, *counts])[first[ranks] + fragments]
    return rows


class StoreObjects:
    """The objects of a store that is open, read in two steps by a worker."""

    def __init__(self, store: ZVStore) -> None:
        self._store = store

    def read(self, progress: Progress) -> ObjectTable:
        """Ids, attributes and groups."""
        return read_objects(self._store, progress)

    def complete(self, table: ObjectTable, progress: Progress) -> ObjectTable:
        """The same with levels, boxes and counts."""
        return with_places(self._store, table, progress)
