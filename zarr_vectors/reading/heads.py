"""The first row of every fragment: the rows of a skeleton whose parent is not the row before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.typing import ChunkCoords, IntArray


def first_rows(
    indexes: Mapping[ChunkCoords, FragmentIndex] | FragmentTables,
    selection: Selection,
    array: str,
    url: str,
) -> npt.NDArray[np.bool_]:
    """(stored,) bool: the first row of every fragment."""
    first = np.zeros(selection.stored, np.bool_)
    first[head_rows(indexes, selection, array, url)] = True
    return first


def head_rows(
    indexes: Mapping[ChunkCoords, FragmentIndex] | FragmentTables,
    selection: Selection,
    array: str,
    url: str,
) -> IntArray:
    """(F,) the first stored row of every fragment that has rows."""
    keys = [tuple(row) for row in selection.coords.tolist()]
    tables = FragmentTables.among(indexes, keys)
    if len(keys) and tables.sizes.min() < 0:
        key = keys[int(tables.sizes.argmin())]
        raise assemble.damaged(array, key, url, "there is no fragment table")
    rows, starts = np.diff(selection.starts), selection.starts[:-1]
    beyond = tables.starts + tables.counts > np.repeat(rows, tables.sizes)
    if beyond.any() or len(tables.rows):
        for key, table, count in zip(keys, tables.each(), rows.tolist(), strict=True):
            try:
                assert table is not None  # noqa: S101  looked at above
                table.check(count)
            except ArrayError as error:
                raise assemble.damaged(array, key, url, str(error)) from error
    heads = np.where(tables.explicit, 0, tables.starts)
    full = tables.counts > 0
    if len(tables.rows):
        shift = np.repeat(np.cumsum(tables.lists) - tables.lists, tables.sizes)
        listed = np.flatnonzero(tables.explicit & full)
        heads[listed] = tables.rows[(tables.starts + shift)[listed]]
    heads += np.repeat(starts, tables.sizes)
    return heads[full]


def tables_of(reader: LevelReader, selection: Selection) -> FragmentTables:
    """Fragment tables of the chunks read."""
    if selection.tables is not None:
        return selection.tables
    return reader.fragment_tables([tuple(row) for row in selection.coords.tolist()])
