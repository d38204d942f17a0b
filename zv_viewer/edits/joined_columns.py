"""Columns of tables as values of rows, by their order or by the objects they belong to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zarr_vectors.encoding.categorical import code_dtype
from zv_viewer.edits.columns import Array, Int, Kind, Values
from zv_viewer.edits.joining import Joined, by_object, check_rows
from zv_viewer.edits.protocol import Column
from zv_viewer.edits.scopes import PLURALS, Rows, Run
from zv_viewer.edits.tables import Table
from zv_viewer.errors import InputError


def joined(table: Table, column: str, id_column: str | None, rows: Rows, *, strict: bool) -> Column:
    """A column of a table for rows of a store.

    Args:
        table: The table.
        column: Name of the column.
        id_column: The column of object ids; None where rows are in the store's order.
        rows: The rows.
        strict: As of :class:`FromFile`.

    Raises:
        InputError: It does not fit.
    """
    values = table.column(column)
    if id_column is None:
        what = f"{PLURALS[rows.scope]} at level {rows.level}"
        check_rows(table.name, len(values), rows.count, what)
        kind, ready = _stored(values, missing=_some_missing(values))
        return Column(kind, lambda run: ready(values.rows[run.first : run.first + run.count]))
    objects = rows.object_ids
    if not len(objects):
        raise InputError(f"level {rows.level} of {rows.handle.backend.url} has no objects")
    ids = table.column(id_column)
    found = by_object(table.name, id_column, ids, objects, strict=strict)
    notes = _notes(table.name, found, len(ids), len(objects))
    if rows.scope == "object":
        return _of_objects(values, found, notes)
    kind, ready = _stored(values, missing=True)

    def of(run: Run) -> Array:
        place = np.searchsorted(objects, own := rows.objects_of(run))
        place = np.minimum(place, len(objects) - 1)
        row = np.where(objects[place] == own, found.rows[place], -1)
        return ready(_taken(values, row))

    return Column(kind, of, notes)


def _of_objects(values: Values, found: Joined, notes: tuple[str, ...]) -> Column:
    kind, ready = _stored(values, missing=_some_missing(values))

    def of(run: Run) -> Array:
        del run
        masked = np.ma.MaskedArray(
            ready(values.rows[np.maximum(found.rows, 0)]),
            np.zeros((len(found.rows), *kind.row_shape), np.bool_),
        )
        masked[found.rows < 0] = np.ma.masked
        return masked

    return Column(kind, of, notes)


def _notes(table: str, found: Joined, given: int, objects: int) -> tuple[str, ...]:
    notes = []
    if found.without_row:
        notes.append(
            f"{found.without_row:,} of {objects:,} objects have no row in {table}: they get no "
            "value"
        )
    if found.strangers:
        notes.append(f"{found.strangers:,} of {given:,} rows of {table} name no object")
    return tuple(notes)


def _some_missing(values: Values) -> bool:
    return values.categories is not None and bool(len(values)) and int(values.rows.min()) < 0


def _stored(values: Values, *, missing: bool) -> tuple[Kind, Callable[[Array], Array]]:
    """How values are stored, and what makes them so; whole numbers with gaps become floats."""
    if values.categories is not None:
        dtype = code_dtype(len(values.categories), missing=missing)
        return Kind(dtype, (), values.categories, missing), lambda rows: rows.astype(dtype)
    dtype = values.rows.dtype.newbyteorder("=")
    if missing and dtype.kind in "biu":
        dtype = np.dtype(np.float64)
    shape = values.rows.shape[1:]
    return Kind(dtype, shape), lambda rows: np.asarray(rows).astype(dtype, copy=False)


def _taken(values: Values, rows: Int) -> Array:
    """Rows of values; those below zero have none."""
    found = np.asarray(values.rows)[np.maximum(rows, 0)]
    if values.categories is not None:
        return np.where(rows >= 0, found, -1)
    if found.dtype.kind in "biu":
        found = found.astype(np.float64)
    found = np.array(found)
    found[rows < 0] = np.nan
    return found
