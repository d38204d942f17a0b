"""A colour for each object, by a column or by group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.colours import DEFAULT_COLORMAP, category_table, colormap_table
from zv_viewer.model.objects import ObjectColumn, ObjectGroups, ObjectTable, first_group
from zv_viewer.objects.columns import GROUP, column_of

UInt8 = npt.NDArray[np.uint8]

GREY = (128, 128, 128)
"""Colour of an object that has no value, or is in no group."""


def colours_by(
    table: ObjectTable,
    key: str,
    *,
    colormap: str | None = None,
    limits: tuple[float, float] | None = None,
    of_groups: UInt8 | None = None,
) -> UInt8:
    """(O, 3) uint8 colours by a column, or by an attribute of three columns of bytes as they are.

    Args:
        table: The objects.
        key: Key of a column; an object has the colour of the first group it is in.
        colormap: For numbers; ``viridis`` when None.
        limits: Values at its ends; the smallest and largest of the column when None.
        of_groups: (G, 3) colours of the groups; those of :func:`group_colours` when None.

    Raises:
        InputError: There is no such column or colormap.
    """
    channels = [column for column in table.columns if column.attribute == key]
    if len(channels) in (3, 4) and all(column.values.dtype == np.uint8 for column in channels):
        return np.stack([column.values for column in channels[:3]], axis=1)
    if key == GROUP:
        own = group_colours(table.groups) if of_groups is None else of_groups
        return _picked(own, first_group(table.groups, len(table)))
    column = column_of(table, key)
    if column.categories is not None:
        return _picked(_bytes(category_table(len(column.categories))), column.values)
    return _along(column, colormap or DEFAULT_COLORMAP, limits)


def colour_keys(table: ObjectTable) -> tuple[str, ...]:
    """Attributes of three or four columns of bytes: colours as they are."""
    names = dict.fromkeys(column.attribute for column in table.columns)
    found = []
    for name in names:
        channels = [column for column in table.columns if column.attribute == name]
        if len(channels) in (3, 4) and all(c.values.dtype == np.uint8 for c in channels):
            found.append(name)
    return tuple(found)


def group_colours(groups: ObjectGroups) -> UInt8:
    """(G, 3) uint8 colours of the groups; they begin again where the palette ends."""
    palette = _bytes(category_table(len(groups)))
    return palette[np.arange(len(groups)) % len(palette)]


def _along(column: ObjectColumn, colormap: str, limits: tuple[float, float] | None) -> UInt8:
    table = _bytes(colormap_table(colormap))
    low, high = limits or column.limits or (0.0, 1.0)
    known = column.known
    at = np.zeros(len(known), np.float64)
    at[known] = (column.values[known].astype(np.float64) - low) / ((high - low) or 1.0)
    place = np.rint(np.clip(at, 0, 1) * (len(table) - 1)).astype(np.int32)
    place[~known] = len(table)
    return np.concatenate([table, np.array([GREY], np.uint8)])[place]


def _picked(colours: UInt8, codes: npt.NDArray[np.integer]) -> UInt8:
    place = np.where(codes >= 0, codes % max(len(colours), 1), len(colours))
    return np.concatenate([colours, np.array([GREY], np.uint8)])[place]


def _bytes(colours: npt.NDArray[np.float32]) -> UInt8:
    return np.rint(colours[:, :3] * 255).astype(np.uint8)
