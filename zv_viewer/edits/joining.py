"""Rows of a table joined to objects by their ids, or to rows by their order. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zv_viewer.edits.columns import Int, Values
from zv_viewer.errors import InputError


@dataclass(frozen=True, eq=False, slots=True)
class Joined:
    """Which row of a table each object has.

    Attributes:
        rows: (O,) row, -1 for none.
        without_row: Objects that have none.
        strangers: Rows that name no object.
    """

    rows: Int
    without_row: int
    strangers: int


def check_rows(table: str, found: int, wanted: int, what: str) -> None:
    """See that a table has a row for each.

    Raises:
        InputError: It has more or fewer.
    """
    if found != wanted:
        raise InputError(f"{table} has {found:,} rows, and there are {wanted:,} {what}")


def by_object(table: str, column: str, ids: Values, objects: Int, *, strict: bool) -> Joined:
    """Rows of a table for objects.

    Args:
        table: Its name, for messages.
        column: Name of the column of ids.
        ids: That column.
        objects: (O,) ids of the objects, ascending.
        strict: Refuse objects without a row, and rows of no object.

    Raises:
        InputError: Ids that are no whole numbers, an id twice, or what does not match.
    """
    given = _whole(table, column, ids)
    order = np.argsort(given, kind="stable")
    ordered = given[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        first = int(ordered[twice[0]])
        count = len(np.unique(ordered[twice]))
        raise InputError(
            f"{count:,} objects have several rows in {table}, the first is object {first}"
        )
    at = np.searchsorted(ordered, objects)
    inside = at < len(ordered)
    inside[inside] = ordered[at[inside]] == objects[inside]
    rows = np.full(len(objects), -1, np.int64)
    rows[inside] = order[at[inside]]
    without = int(len(objects) - np.count_nonzero(inside))
    strangers = len(given) - np.count_nonzero(inside)
    if without == len(objects):
        raise InputError(
            f"none of the {len(given):,} ids in column {column!r} of {table} is one of the "
            f"{len(objects):,} objects"
        )
    if strict and without:
        first = int(objects[~inside][0])
        raise InputError(
            f"{without:,} of {len(objects):,} objects have no row in {table}, the first is object "
            f"{first}"
        )
    if strict and strangers:
        first = int(np.setdiff1d(given, objects)[0])
        raise InputError(
            f"{strangers:,} of {len(given):,} rows of {table} name no object, the first names "
            f"{first}"
        )
    return Joined(rows, without, int(strangers))


def _whole(table: str, column: str, ids: Values) -> Int:
    rows = np.asarray(ids.rows)
    if ids.categories is not None or rows.ndim != 1 or rows.dtype.kind not in "iuf":
        raise InputError(f"column {column!r} of {table} does not hold object ids")
    whole = rows if rows.dtype.kind != "f" else np.where(np.isfinite(rows), rows, 0.5)
    if rows.dtype.kind == "f" and (whole != np.floor(whole)).any():
        bad = int(np.flatnonzero(whole != np.floor(whole))[0])
        raise InputError(f"row {bad} of column {column!r} of {table} is no object id: {rows[bad]}")
    return whole.astype(np.int64)
