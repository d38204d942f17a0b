"""Rows of the table by the values of a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import Int, ObjectColumn, ObjectTable
from zv_viewer.model.texts import PART
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
    known = column.categories or ()
    parts = [
        np.array([name.lower() for name in known[begin : begin + PART]], np.str_)
        for begin in range(0, len(known), PART)
    ]
    names = np.concatenate([np.zeros(0, np.str_), *parts])
    place = np.empty(len(names) + 1, np.int32)
    place[np.argsort(names, kind="stable")] = np.arange(len(names))
    place[-1] = -1
    ranks: npt.NDArray[Any] = place[column.values]
    return ranks.astype(np.int16 if len(names) < 2**15 else np.int32)
