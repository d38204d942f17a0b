"""What is hidden, isolated, selected and left out by filters -> how each object is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import GHOST, HIDDEN, NORMAL, SELECTED, Bool, ObjectTable

UNGROUPED = -1
"""Stands for all objects that are in no group."""


@dataclass(frozen=True, eq=False, slots=True)
class Showing:
    """What a user made of the objects; rows are those of the table.

    Args:
        hidden: (O,) objects hidden one by one; None for none.
        isolated: (O,) objects to be seen alone; None: nobody asked for that.
        selected: (O,) objects selected; None for none.
        groups_off: Groups not to be seen. An object in several is seen while one of them is.
        ghost: Whether what is left out, hidden objects aside, is drawn faintly.
    """

    hidden: Bool | None = None
    isolated: Bool | None = None
    selected: Bool | None = None
    groups_off: frozenset[int] = frozenset()
    ghost: bool = False


ALL_SHOWN = Showing()


def shown(table: ObjectTable, passed: Bool | None, showing: Showing) -> Bool:
    """(O,) which objects are drawn as they are: all that nothing leaves out."""
    seen = np.ones(len(table), np.bool_) if passed is None else passed.copy()
    if showing.hidden is not None:
        seen &= ~showing.hidden
    if showing.isolated is not None:
        seen &= showing.isolated
    if showing.groups_off:
        seen &= in_groups_on(table, showing.groups_off)
    return seen


def looks_of(table: ObjectTable, passed: Bool | None, showing: Showing) -> npt.NDArray[np.uint8]:
    """(O,) looks.

    Args:
        table: The objects.
        passed: (O,) which meet the filters; None for all.
        showing: What a user made of them.
    """
    seen = shown(table, passed, showing)
    looks = np.where(seen, np.uint8(NORMAL), np.uint8(GHOST if showing.ghost else HIDDEN))
    if showing.ghost and showing.hidden is not None:
        looks[showing.hidden] = HIDDEN
    if showing.selected is not None:
        looks[seen & showing.selected] = SELECTED
    return looks


def in_groups_on(table: ObjectTable, groups_off: frozenset[int]) -> Bool:
    """(O,) which objects are in a group that is seen, or in none while those are seen."""
    groups = table.groups
    on = np.full(len(groups), True)
    on[[group for group in groups_off if group != UNGROUPED]] = False
    seen = np.zeros(len(table), np.bool_)
    seen[groups.members[np.repeat(on, np.diff(groups.start))]] = True
    if UNGROUPED not in groups_off:
        grouped = np.zeros(len(table), np.bool_)
        grouped[groups.members] = True
        seen |= ~grouped
    return seen
