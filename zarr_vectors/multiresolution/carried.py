"""What is known of objects, carried from level to level: attributes, groups, and facts of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    GROUP_ATTRIBUTES,
    GROUPS,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
)
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.steps import Members
from zarr_vectors.multiresolution.strategies.points import mean_positions
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.commit import dense_meta, put_object_attribute, told_in


@dataclass(frozen=True, eq=False, slots=True)
class ObjectColumn:
    """An object attribute: row k of ``values`` for object ``ids[k]``; ids ascending.

    ``told`` is what its metadata says of the values beside their dtype, such as categories.
    """

    values: AnyArray
    ids: IntArray
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Carried:
    """What a store knows of its objects beside their vertices; the same at every level.

    Attributes:
        slots: (O,) int64 ids of all objects, ascending, those without vertices among them.
        attributes: Object attributes by name.
        groups: Object ids of every group, or None.
        group_attributes: name -> (G,) or (G, C).
    """

    slots: IntArray
    attributes: dict[str, ObjectColumn]
    groups: list[IntArray] | None
    group_attributes: dict[str, AnyArray]

    def values_of(self, name: str, ids: IntArray) -> AnyArray:
        """(O,) values of an object attribute; those without one are NaN or the smallest there is.

        Args:
            name: The attribute.
            ids: (O,) int64 objects, ascending.

        Raises:
            CoarseningError: There is no such attribute, or it has several columns.
        """
        column = self.attributes.get(name)
        if column is None:
            known = ", ".join(map(repr, self.attributes)) or "none"
            raise CoarseningError(f"there is no object attribute {name!r}; there are {known}")
        if column.values.ndim > 1:
            raise CoarseningError(f"object attribute {name!r} has several columns")
        dtype = column.values.dtype
        floats = dtype.kind == "f"
        least = np.nan if floats else 0 if dtype.kind == "b" else np.iinfo(dtype.name).min
        values = np.full(len(ids), least, dtype)
        _, ours, theirs = np.intersect1d(ids, column.ids, assume_unique=True, return_indices=True)
        values[ours] = column.values[theirs]
        return values


def read_carried(layout: Layout, level: str, slots: IntArray) -> Carried:
    """Read object attributes, groups and group attributes of a level.

    Args:
        layout: Where they are.
        level: The level's path.
        slots: (O,) int64 object of every row of the index.
    """
    attributes = {}
    family = f"{level}/{OBJECT_ATTRIBUTES}"
    paths = {name: f"{family}/{name}" for name in layout.array_names(family)}
    metas = layout.array_metas(list(paths.values()))
    for name, path in paths.items():
        found = layout.get_dense(path)
        if found is not None:
            values, present = found
            rows = present[present < len(slots)]
            attributes[name] = ObjectColumn(values[rows], slots[rows], told_in(metas[path]))
    groups = layout.get_groups(level)
    of_groups = {}
    for name in layout.array_names(f"{level}/{GROUP_ATTRIBUTES}") if groups is not None else ():
        found = layout.get_dense(f"{level}/{GROUP_ATTRIBUTES}/{name}")
        if found is not None:
            of_groups[name] = found[0]
    return Carried(slots, attributes, groups, of_groups)


def write_carried(layout: Layout, level: str, carried: Carried, there: IntArray) -> None:
    """Store them at a level whose object index has a row for every slot.

    Args:
        layout: Where to.
        level: The level's path.
        carried: As read; groups keep naming objects that were left out.
        there: (n,) int64 ids of the objects that have vertices, ascending.
    """
    for name, column in carried.attributes.items():
        keep = np.isin(column.ids, there)
        values, ids = column.values[keep], column.ids[keep]
        put_object_attribute(layout, level, name, values, ids, carried.slots, column.told)
    if carried.groups is not None:
        layout.put_groups(level, carried.groups)
    for name, values in carried.group_attributes.items():
        path = f"{level}/{GROUP_ATTRIBUTES}/{name}"
        layout.put_dense(path, values, dense_meta("groupings_attribute", name, values))


def arrays_of_objects(carried: Carried | None) -> tuple[str, ...]:
    """Names of the arrays that objects add to a level."""
    if carried is None:
        return ()
    return (
        OBJECT_INDEX,
        *((OBJECT_ATTRIBUTES,) if carried.attributes else ()),
        *((GROUPS,) if carried.groups is not None else ()),
        *((GROUP_ATTRIBUTES,) if carried.group_attributes else ()),
    )


@dataclass(frozen=True, eq=False, slots=True)
class KnownObjects:
    """Facts of the objects of a level in memory, as strategies ask for them.

    Attributes:
        ids: (O,) int64 objects, ascending, each with vertices.
        members: Which rows each has.
        positions: (N, D) float, world units.
        carried: Their attributes.
        links: (M, 2) int64 rows whose distances add up to the length of the object that has the
            first; None where the length of an object is that of its box's diagonal.
        offset: D floats near the data, from which sums are taken; the first position by default.
    """

    ids: IntArray
    members: Members
    positions: FloatArray
    carried: Carried
    links: IntArray | None = None
    offset: tuple[float, ...] | None = None

    def centers(self) -> FloatArray:
        """(O, D) mean position, world units."""
        rank = np.searchsorted(self.ids, self.members.objects)
        totals = np.bincount(rank, minlength=len(self.ids)).astype(np.float64)
        positions = self.positions[self.members.rows].astype(np.float64)
        return mean_positions(positions, rank, totals, None, self.offset)

    def lengths(self) -> FloatArray:
        """(O,) sum of the lengths of its links, or its box's diagonal, world units."""
        count = len(self.ids)
        if self.links is None:
            order = np.argsort(self.members.objects, kind="stable")
            rows = self.members.rows[order]
            starts = np.searchsorted(self.members.objects[order], self.ids)
            places = self.positions[rows].astype(np.float64)
            spans = np.maximum.reduceat(places, starts) - np.minimum.reduceat(places, starts)
            return np.asarray(np.sqrt((spans**2).sum(axis=1)))
        ends = self.positions[self.links].astype(np.float64)
        sizes = np.sqrt(((ends[:, 1] - ends[:, 0]) ** 2).sum(axis=1))
        owner = np.full(len(self.positions), count, np.int64)
        owner[self.members.rows] = np.searchsorted(self.ids, self.members.objects)
        sums = np.bincount(owner[self.links[:, 0]], sizes, minlength=count + 1)[:count]
        return sums.astype(np.float64)

    def attribute(self, name: str) -> AnyArray:
        """(O,) values of an object attribute, as :meth:`Carried.values_of` has them."""
        return self.carried.values_of(name, self.ids)
