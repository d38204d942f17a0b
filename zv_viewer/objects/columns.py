"""Everything known of objects as columns alike: ids, counts, groups and the store's attributes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.model.objects import ObjectColumn, ObjectTable, first_group

ID, GROUP, LENGTH, VERTICES, LEVELS = "(id)", "(groups)", "(length)", "(vertices)", "(levels)"
"""Keys of the columns that are no attributes; an attribute's key is its name."""

TITLES = {ID: "id", GROUP: "groups", LENGTH: "length", VERTICES: "vertices", LEVELS: "levels"}


def keys_of(table: ObjectTable) -> tuple[str, ...]:
    """Keys of the columns there are, in the order they are shown."""
    own = [
        (ID, True),
        (GROUP, len(table.groups) > 0),
        (LENGTH, table.length is not None),
        (VERTICES, table.vertices is not None),
        (LEVELS, table.levels is not None),
    ]
    taken = {table.length_from, table.vertices_from}
    names = [column.name for column in table.columns if column.name not in taken]
    return (*(key for key, there in own if there), *names)


def title_of(table: ObjectTable, key: str) -> str:
    """What to call a column, with its unit where it has one."""
    title = TITLES.get(key, key)
    unit = next((column.unit for column in table.columns if column.name == key), None)
    return f"{title} ({unit})" if unit else title


def column_of(table: ObjectTable, key: str) -> ObjectColumn:
    """A column by its key.

    Levels come as the number of levels an object is at; groups as the first group it is in.

    Raises:
        InputError: There is no such column.
    """
    if key == ID:
        return ObjectColumn("id", table.ids)
    if key == GROUP and len(table.groups):
        names = table.groups.names
        return ObjectColumn("groups", first_group(table.groups, len(table)), categories=names)
    if key == LENGTH and table.length is not None:
        return ObjectColumn("length", table.length)
    if key == VERTICES and table.vertices is not None:
        return ObjectColumn("vertices", table.vertices)
    if key == LEVELS and table.levels is not None:
        return ObjectColumn("levels", bits_set(table.levels))
    for column in table.columns:
        if column.name == key:
            return column
    known = ", ".join(TITLES.get(name, name) for name in keys_of(table))
    raise InputError(f"objects have no {TITLES.get(key, repr(key))}; they have {known}")


def numbers_of(table: ObjectTable, key: str) -> npt.NDArray[np.float32]:
    """(O,) numbers of a column, NaN where an object has none.

    Raises:
        InputError: There is no such column, or it is no number.
    """
    column = column_of(table, key)
    if column.categories is not None:
        raise InputError(f"{key!r} of the objects is no number")
    numbers = np.full(len(column.values), np.nan, np.float32)
    numbers[column.known] = column.values[column.known]
    return numbers


def bits_set(masks: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """(O,) how many bits of each number are set."""
    count = np.zeros(len(masks), np.uint8)
    left = masks.copy()
    while left.any():
        count += (left & np.uint64(1)).astype(np.uint8)
        left >>= np.uint64(1)
    return count
