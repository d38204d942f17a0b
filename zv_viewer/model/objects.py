"""What is known of a store's objects without their vertices: a table, one row an object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.model.texts import TextIndex

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]


class Look(IntEnum):
    """How an object is drawn; arrays of looks are uint8."""

    HIDDEN = 0
    GHOST = 1
    """Faintly."""
    NORMAL = 2
    SELECTED = 3
    """So that it stands out."""


def distinct(numbers: npt.ArrayLike) -> Int:
    """(n,) int64 ascending, each once; as they are where they are so already."""
    given = np.asarray(numbers, np.int64)
    if (given[1:] > given[:-1]).all():
        return given
    return np.unique(given)


@dataclass(frozen=True, eq=False, slots=True)
class ObjectColumn:
    """One number or one category for each object.

    Args:
        name: What it is called in the store; with ``[k]`` behind it for the k-th of several.
        values: (O,) bool, integers or floats; of categories the code, -1 for none.
        unit: Unit of the values.
        categories: The strings behind the codes, else None.
        missing: (O,) True where an object has no value; None where all have one. NaN is none, too.
        attribute: Name of the attribute it is a part of; ``name`` where that is all of it.
        text: The categories ready to be searched.
    """

    name: str
    values: npt.NDArray[Any]
    unit: str | None = None
    categories: tuple[str, ...] | None = None
    missing: Bool | None = None
    attribute: str = ""
    text: TextIndex | None = None

    def taken(self, rows: Int) -> ObjectColumn:
        """The column of some objects."""
        missing = None if self.missing is None else self.missing[rows]
        return replace(self, values=self.values[rows], missing=missing)

    @property
    def known(self) -> Bool:
        """(O,) where an object has a value."""
        if self.categories is not None:
            return self.values >= 0
        known = np.ones(len(self.values), np.bool_)
        if self.missing is not None:
            known = ~self.missing
        return known & ~np.isnan(self.values) if self.values.dtype.kind == "f" else known

    @property
    def limits(self) -> tuple[float, float] | None:
        """Smallest and largest finite value; None where there is none."""
        values = self.values
        if self.missing is not None:
            values = values[~self.missing]
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if len(values) else None


def category_column(
    name: str, codes: npt.ArrayLike, categories: Iterable[str], unit: str | None = None
) -> ObjectColumn:
    """A column of categories, ready to be searched; codes outside of them are none."""
    known = tuple(categories)
    given = np.asarray(codes)
    inside = (given >= 0) & (given < len(known))
    narrow = np.where(inside, given, -1).astype(np.int32)
    return ObjectColumn(name, narrow, unit, known, None, name, TextIndex.of(known))


@dataclass(frozen=True, eq=False, slots=True)
class ObjectGroups:
    """Groups of objects; an object may be in several, or in none.

    Args:
        names: Of the G groups, by group id.
        start: (G + 1,) members of group ``g`` are ``members[start[g]:start[g + 1]``].
        members: (K,) rows of the table.
    """

    names: tuple[str, ...] = ()
    start: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    members: Int = field(default_factory=lambda: np.zeros(0, np.int64))
    _by_row: Int = field(init=False)
    _rows: Int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_row", np.argsort(self.members, kind="stable"))
        object.__setattr__(self, "_rows", self.members[self._by_row])

    def __len__(self) -> int:
        return len(self.names)

    def of_row(self, row: int) -> list[int]:
        """Numbers of the groups an object is in, ascending."""
        first, last = np.searchsorted(self._rows, [row, row + 1])
        places = self._by_row[first:last]
        return [int(group) for group in np.searchsorted(self.start, places, side="right") - 1]

    def rows(self, group: int) -> Int:
        """Rows of the objects in a group."""
        return self.members[self.start[group] : self.start[group + 1]]

    def taken(self, rows: Int, objects: int) -> ObjectGroups:
        """The groups among some rows of a table of so many objects, which are numbered anew."""
        place = np.full(objects, -1, np.int64)
        place[rows] = np.arange(len(rows))
        members = place[self.members]
        kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(members >= 0)])
        return ObjectGroups(self.names, kept[self.start], members[members >= 0])

    @classmethod
    def of(cls, names: Iterable[str], members: Sequence[npt.ArrayLike]) -> ObjectGroups:
        """Groups from a list of rows for each."""
        parts = [distinct(rows) for rows in members]
        start = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        return cls(tuple(names), start, np.concatenate([np.zeros(0, np.int64), *parts]))


def first_group(groups: ObjectGroups, objects: int) -> npt.NDArray[np.int32]:
    """(O,) the first group each object is in, -1 for none."""
    first = np.full(objects, -1, np.int32)
    sizes = np.diff(groups.start)
    number = np.repeat(np.arange(len(groups), dtype=np.int32), sizes)
    first[groups.members[::-1]] = number[::-1]
    return first


@dataclass(frozen=True, eq=False, slots=True)
class ObjectTable:
    """O objects of a store.

    Args:
        ids: (O,) int64 ascending.
        columns: The object attributes.
        groups: The groups they are in.
        vertices: (O,) int64 vertices at the finest level; None where not known.
        vertices_from: Name of the attribute that says so; empty where counted otherwise.
        length: (O,) float64, length along the object, world units; None where not known.
        length_from: Name of the attribute that says so.
        levels: (O,) uint64, bit ``i`` set where an object has vertices at the i-th level; None
            where not known.
        level_numbers: Numbers of the levels, finest first.
        boxes: (O, 2, D) float32, a box around each object, world units, NaN where it has none;
            None where not known.
        notes: What could not be known, and why; a sentence each.
        id_text: The ids ready to be searched.
    """

    ids: Int
    columns: tuple[ObjectColumn, ...] = ()
    groups: ObjectGroups = field(default_factory=ObjectGroups)
    vertices: Int | None = None
    vertices_from: str = ""
    length: Float | None = None
    length_from: str = ""
    levels: npt.NDArray[np.uint64] | None = None
    level_numbers: tuple[int, ...] = (0,)
    boxes: npt.NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()
    id_text: TextIndex | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, ids: npt.ArrayLike) -> Int:
        """(n,) rows of those ids that there are."""
        wanted = distinct(ids)
        at = np.searchsorted(self.ids, wanted)
        there = at < len(self.ids)
        there[there] = self.ids[at[there]] == wanted[there]
        return at[there]

    def taken(self, rows: Int) -> ObjectTable:
        """The table of some objects, rows ascending."""
        ids = self.ids[rows]
        return replace(
            self,
            ids=ids,
            columns=tuple(column.taken(rows) for column in self.columns),
            groups=self.groups.taken(rows, len(self)),
            vertices=None if self.vertices is None else self.vertices[rows],
            length=None if self.length is None else self.length[rows],
            levels=None if self.levels is None else self.levels[rows],
            boxes=None if self.boxes is None else self.boxes[rows],
            id_text=TextIndex.of(ids.tolist()),
        )
