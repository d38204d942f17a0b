"""Roots of skeletons that a published release wrote and no link tells of."""

from __future__ import annotations

import warnings

import numpy as np

from zarr_vectors.constants import LINKS, MAX_CELL_BYTES
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.exceptions import ArrayError, ZVWarning
from zarr_vectors.reading.edges import Selection, taken_ends, told_parents
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.foreign import cut_circles, is_foreign
from zarr_vectors.reading.heads import first_rows
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.stack import starts_of
from zarr_vectors.typing import IntArray


def untold_roots(handle: StoreHandle, reader: LevelReader) -> IntArray:
    """(n,) int64 vertices, chunk << 32 | row, that have no parent though one is implied.

    A root that is not the first of its fragment is given the row before, one of its descendants,
    as a parent. Only the circle this makes shows it, and that may run through many chunks: the
    links and the fragment tables of the whole level are read, where another library wrote them.

    Args:
        handle: The store.
        reader: Of the level.
    """
    none = np.zeros(0, np.int64)
    if not is_foreign(handle, reader):
        return none
    try:
        return _found(handle, reader)
    except ArrayError as error:  # whoever reads the chunk that is damaged is told
        warnings.warn(
            f"roots of the trees at level {reader.arrays.path} of {reader.arrays.url} cannot be "
            f"told from other vertices, so some may be joined to the vertex before: {error}",
            ZVWarning,
            stacklevel=2,
        )
        return none


def _found(handle: StoreHandle, reader: LevelReader) -> IntArray:
    arrays = reader.arrays
    records = handle.layout.get_links(arrays.path)
    tables = reader.fragment_tables(arrays.table.keys())
    starts = starts_of(_counts(arrays, tables))
    selection = Selection(arrays.table.coords, starts, None, tables)
    ends = np.zeros((0, 2), np.int64)
    if records is not None:
        ends = taken_ends(records, selection, f"{arrays.path}/{LINKS}", arrays.url, roots=True)
    first = first_rows(tables, selection, arrays.fragments_path, arrays.url)
    parents, told = told_parents(ends, first)
    before = parents >= 0
    cut_circles(parents, told, reader)
    rows = np.flatnonzero(before & (parents < 0))
    chunks = np.searchsorted(starts, rows, side="right") - 1
    found: IntArray = chunks << 32 | (rows - starts[chunks])
    return found


def _counts(arrays: LevelArrays, tables: FragmentTables) -> IntArray:
    """(M,) int64 rows of every chunk: as recorded, or those its fragments reach.

    Raises:
        ArrayError: These are more than the level has.
    """
    if arrays.table.exact:
        return arrays.table.counts
    reach: IntArray = np.zeros(len(tables), np.int64)
    for number, table in enumerate(tables.each()):
        if table is not None:
            ranges = (table.starts + table.counts)[~table.explicit]
            reach[number] = max(ranges.max(initial=0), table.rows.max(initial=-1) + 1)
    most = MAX_CELL_BYTES // (arrays.ndim * arrays.vertices.dtype.itemsize)
    if reach.max(initial=0) > most or reach.sum() > arrays.meta.vertex_count:
        raise ArrayError(
            f"{arrays.fragments_path} of {arrays.url} is damaged: its fragments reach over more "
            "vertices than there are",
            array=arrays.fragments_path,
        )
    return reach
