"""What is hidden, isolated, selected and left out by filters -> how each object is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import Bool, Int, Look, ObjectTable

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

    @property
    def any_selected(self) -> bool:
        """Whether an object is selected."""
        return self.selected is not None and bool(self.selected.any())

    def taken(self, rows: Int) -> Showing:
        """The same of some rows of the table; -1 is an object that was not in it."""
        masks = (self.hidden, self.isolated, self.selected)
        kept = [None if mask is None else mask[rows] & (rows >= 0) for mask in masks]
        return replace(self, hidden=kept[0], isolated=kept[1], selected=kept[2])

    def hiding(self) -> Showing:
        """With the objects selected hidden."""
        if self.selected is None:
            return self
        hidden = self.selected if self.hidden is None else self.hidden | self.selected
        return replace(self, hidden=hidden)

    def isolating(self) -> Showing:
        """With all but the objects selected hidden."""
        return replace(self, isolated=self.selected, hidden=None, ghost=False)

    def ghosting(self) -> Showing:
        """With all but the objects selected drawn faintly; without any, what is left out."""
        isolated = self.selected if self.any_selected else None
        return replace(self, isolated=isolated, ghost=True)

    def showing_all(self) -> Showing:
        """Without anything of the kind; what is selected stays so."""
        return Showing(selected=self.selected)


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
    looks = np.where(
        seen, np.uint8(Look.NORMAL), np.uint8(Look.GHOST if showing.ghost else Look.HIDDEN)
    )
    if showing.ghost and showing.hidden is not None:
        looks[showing.hidden] = Look.HIDDEN
    if showing.selected is not None:
        looks[seen & showing.selected] = Look.SELECTED
    return looks


def look_of_strangers(showing: Showing, *, filtered: bool) -> Look:
    """How rows are drawn that belong to no object: left out as soon as objects are chosen."""
    if filtered or showing.isolated is not None or UNGROUPED in showing.groups_off:
        return Look.GHOST if showing.ghost else Look.HIDDEN
    return Look.NORMAL


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
