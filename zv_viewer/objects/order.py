"""Rows of the table by the values of a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import Int, ObjectColumn, ObjectTable
from zv_viewer.model.texts import TextIndex
from zv_viewer.objects.columns import ID, column_of


def order_of(table: ObjectTable, key: str = ID, *, descending: bool = False) -> Int:
    """(O,) rows sorted by a column; rows alike stay by id, rows without a value come last.

    Raises:
        InputError: There is no such column.
    """
    if key == ID:
        rows = np.arange(len(table))
        return rows[::-1].copy() if descending else rows
    column = column_of(table, key)
    values = _by_name(column) if column.categories is not None else column.values
    known = column.known
    if known.all():
        return _sorted(values, descending=descending)
    rows = np.flatnonzero(known)
    return np.concatenate(
        [rows[_sorted(values[rows], descending=descending)], np.flatnonzero(~known)]
    )


def _sorted(values: npt.NDArray[Any], *, descending: bool) -> Int:
    if not descending:
        return np.argsort(values, kind="stable").astype(np.int64, copy=False)
    order = np.argsort(values[::-1], kind="stable")
    rows: Int = len(values) - 1 - order[::-1]
    return rows


def _by_name(column: ObjectColumn) -> npt.NDArray[Any]:
    """(O,) place of each category among all, by name; -1 for none."""
    order = _sorted_texts(column.text or TextIndex.of(column.categories or ()))
    place = np.empty(len(order) + 1, np.int32)
    place[order] = np.arange(len(order))
    place[-1] = -1
    ranks: npt.NDArray[Any] = place[column.values]
    return ranks.astype(np.int16 if len(order) < 2**15 else np.int32)


def _sorted_texts(index: TextIndex) -> Int:
    """(n,) strings in the order of their bytes, eight at a time from behind.

    Numbers are sorted while other threads run; strings are not.
    """
    data, starts = index.data, index.starts
    sizes = np.diff(starts, append=len(data)) - 1
    order = np.arange(len(starts))
    for first in range((int(sizes.max(initial=0)) - 1) // 8 * 8, -1, -8):
        key = np.zeros(len(starts), np.uint64)
        for at in range(first, first + 8):
            key <<= np.uint64(8)
            longer = np.flatnonzero(sizes > at)
            key[longer] |= data[starts[longer] + at]
        order = order[np.argsort(key[order], kind="stable")]
    return order
