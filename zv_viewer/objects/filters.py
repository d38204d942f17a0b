"""Which objects are meant: small frozen rules over the table, all of which an object must meet.

Each rule includes the objects it matches, or with ``include=False`` leaves them out. An object
without a value matches no range and no set, so it is left out by a rule that includes, and kept by
one that excludes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.model.objects import Bool, ObjectColumn, ObjectTable
from zv_viewer.objects.columns import LENGTH, column_of
from zv_viewer.objects.search import matching

INFINITY = float("inf")


class Filter(Protocol):
    """A rule; equal rules give equal answers."""

    @property
    def include(self) -> bool:
        """Whether objects that match are kept, not left out."""
        ...

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches; InputError where the table cannot tell."""
        ...


def evaluate(table: ObjectTable, filters: Iterable[Filter]) -> Bool:
    """(O,) where an object meets every rule.

    Raises:
        InputError: A rule asks for what the table does not have.
    """
    passed = np.ones(len(table), np.bool_)
    for rule in filters:
        found = rule.matches(table)
        passed &= found if rule.include else ~found
    return passed


@dataclass(frozen=True, slots=True)
class AttributeRange:
    """Values of a column between two numbers, both included."""

    column: str
    low: float = -INFINITY
    high: float = INFINITY
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        return _between(column_of(table, self.column), self.low, self.high)


@dataclass(frozen=True, slots=True)
class LengthRange:
    """Lengths between two numbers, both included, world units."""

    low: float = 0.0
    high: float = INFINITY
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        return _between(column_of(table, LENGTH), self.low, self.high)


@dataclass(frozen=True, slots=True)
class CategorySet:
    """One of these categories of a column."""

    column: str
    categories: frozenset[str]
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        column = column_of(table, self.column)
        if column.categories is None:
            raise InputError(f"{self.column!r} holds numbers, not categories")
        wanted = np.fromiter((name in self.categories for name in column.categories), np.bool_)
        found: Bool = np.append(wanted, False)[column.values]  # code -1, none, is the last
        return found


@dataclass(frozen=True, slots=True)
class GroupSet:
    """In at least one of these groups, told by their numbers."""

    groups: frozenset[int]
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        found = np.zeros(len(table), np.bool_)
        for group in self.groups:
            if not 0 <= group < len(table.groups):
                raise InputError(f"there is no group {group}; there are {len(table.groups)}")
            found[table.groups.rows(group)] = True
        return found


@dataclass(frozen=True, slots=True)
class TextSearch:
    """A text in the id, in a category or in the name of a group; upper case or lower alike."""

    text: str
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        return matching(table, self.text)


@dataclass(frozen=True, slots=True)
class IdSet:
    """One of these ids."""

    ids: frozenset[int]
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        found = np.zeros(len(table), np.bool_)
        found[table.rows_of(np.fromiter(self.ids, np.int64, len(self.ids)))] = True
        return found


@dataclass(frozen=True, slots=True)
class RandomShare:
    """About this share of the objects, 0 to 1, by a hash of their ids.

    The same seed gives the same objects on every machine; a larger share only adds to them.
    """

    share: float
    seed: int = 0
    include: bool = True

    def matches(self, table: ObjectTable) -> Bool:
        """(O,) where an object matches."""
        return hashed(table.ids, self.seed) < self.share


def hashed(ids: npt.NDArray[np.int64], seed: int = 0) -> npt.NDArray[np.float64]:
    """(O,) numbers from 0 to below 1, spread evenly, that depend on id and seed alone."""
    key = np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
    mixed: npt.NDArray[np.uint64] = ids.astype(np.uint64) + key
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _between(column: ObjectColumn, low: float, high: float) -> Bool:
    """Where a value lies in a range, compared in the values' own type; NaN lies in none."""
    if column.categories is not None:
        raise InputError(f"{column.name!r} holds categories, not numbers")
    found = between(column.values, low, high)
    if column.missing is not None:
        found &= ~column.missing
    return found


def between(values: npt.NDArray[Any], low: float, high: float) -> Bool:
    """(N,) where numbers lie between two others, both included, whatever their type."""
    if values.dtype.kind in "iu":
        return _whole_between(values, low, high)
    with np.errstate(over="ignore"):
        found: Bool = (values >= low) & (values <= high)
    return found


def _whole_between(values: npt.NDArray[np.integer], low: float, high: float) -> Bool:
    """Integers are compared as such, so that large ids keep all their digits."""
    least, most = np.iinfo(values.dtype).min, np.iinfo(values.dtype).max
    first = least if low <= least else math.ceil(low) if low <= most else None
    last = most if high >= most else math.floor(high) if high >= least else None
    if first is None or last is None or np.isnan(low) or np.isnan(high):
        return np.zeros(len(values), np.bool_)
    found: Bool = values >= first
    found &= values <= last
    return found
