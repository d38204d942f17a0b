"""What to draw from what is resident where levels go by objects: each at one, unbroken if it can.

Items are whole cells of any level; of their rows those are shown whose object is drawn at the
cell's level. An object is complete at a level if no cell of it that is in view and in the object's
way is missing. Which objects a missing cell lies in the way of is taken from what is resident:
from the coarser cell above it, from finer cells below it, and from links that reach into it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import DrawItem, DrawSet, ViewPlan
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning.known_objects import (
    Content,
    KnownObjects,
    drawn_anywhere,
    is_below,
    shown_of,
)
from zv_viewer.planning.viewed import NONE, opened_cells, union

Int = npt.NDArray[np.int64]
Levels = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]


def object_draw_set(
    tree: CellTree,
    plan: ViewPlan,
    resident: Bool,
    failed: Bool | None,
    content: Content,
    objects: int,
    previous: Levels | None = None,
    held: Bool | None = None,
) -> tuple[DrawSet, Levels]:
    """What to draw now, each object at one level.

    An object is drawn at the plan's level as soon as it is complete there. Until then it stays at a
    finer level if it was drawn at one and is complete at it, else at the finest coarser one it is
    complete at, else at any finer one it is; the coarsest it has, if it is complete at none. An
    object that cells cut which are no target, for want of room for instance, stays at the floor if
    that has all of it. Cells that are neither target nor floor serve no other objects. One that is
    selected is drawn at the finest level as soon as it is complete there, until then as the others.
    An object through a cell that cannot be read is drawn at another level that has it whole, or
    with the gap.

    Args:
        tree: The cells.
        plan: What the view should show; its ``level`` is given.
        resident: (C,) bool, cells that can be drawn at once.
        failed: (C,) bool, cells that never will be.
        content: The objects of every resident cell.
        objects: How many objects there are, O.
        previous: (O,) uint8, what this gave last; None: nothing was drawn.
        held: (O,) objects that are to be drawn no finer than they were, if a level that is as
            coarse has all of them; None: there are none.

    Returns:
        Whole cells that some object is drawn from, and (O,) uint8 the position of the level each
        object is drawn at, ``NOT_DRAWN`` for those that no drawn cell holds.
    """
    return _Cover(tree, plan, resident, failed, content, objects, previous, held).answer()


def affordable_object_draw_set(
    tree: CellTree,
    plan: ViewPlan,
    resident: Bool,
    failed: Bool | None,
    content: Content,
    objects: int,
    previous: Levels | None = None,
    held: Bool | None = None,
    *,
    cap: int,
) -> tuple[DrawSet, Levels]:
    """As :func:`object_draw_set`, cells that were not planned left out while they break the cap.

    Those finer than planned go first, those with a planned cell above them before others, the
    largest of them first. What is planned fits by itself.

    Args:
        tree: The cells.
        plan: As there.
        resident: As there.
        failed: As there.
        content: As there.
        objects: As there.
        previous: As there.
        held: As there.
        cap: Vertices of the cells drawn, shown or not.
    """
    needed = np.zeros(len(tree), bool)
    needed[plan.cells] = True
    usable = resident.copy()
    while True:
        draw, levels = object_draw_set(tree, plan, usable, failed, content, objects, previous, held)
        cells = draw.cells
        over = int(tree.count[cells].sum()) - cap
        extra = cells[~needed[cells]]
        if over <= 0 or not len(extra):
            return draw, levels
        finer = tree.level[extra] < (plan.level or 0)
        replaced = is_below(tree, extra, needed & usable)
        extra = extra[np.lexsort((-tree.count[extra], ~replaced, ~finer))]
        enough = int(np.searchsorted(np.cumsum(tree.count[extra]), over)) + 1
        usable[extra[: max(enough, len(extra) // 4)]] = False


class _Cover:
    """One answer under way.

    ``there``: target cells that are resident; ``others``: those of them of another level than the
    plan's. ``missing``: target cells in view that are not; ``lost``: those that never will be.
    """

    def __init__(
        self,
        tree: CellTree,
        plan: ViewPlan,
        resident: Bool,
        failed: Bool | None,
        content: Content,
        objects: int,
        previous: Levels | None,
        held: Bool | None,
    ) -> None:
        if plan.level is None:
            raise ValueError("a plan for whole objects names the one level they are shown at")
        self.tree, self.plan, self.level = tree, plan, plan.level
        self.resident, self.previous, self.held = resident, previous, held
        self.known = KnownObjects(tree, resident, content, objects)
        self.floor = plan.floor[resident[plan.floor]]
        self.there: Int = plan.target[resident[plan.target]]
        self.others = self.there[tree.level[self.there] != self.level]
        away = plan.target[~resident[plan.target] & plan.visible[plan.target]]
        self.all_there = bool(resident[plan.target].all())
        lost = np.zeros(len(away), bool) if failed is None else failed[away]
        self.missing, self.lost = away[~lost], away[lost]
        self.levels = np.full(objects, NOT_DRAWN, np.uint8)

    def answer(self) -> tuple[DrawSet, Levels]:
        """The draw set and the levels."""
        self._show_planned()
        for level in np.unique(self.tree.level[self.plan.target]).tolist():
            self._keep_whole(level)
        # Once all is there, all that the cells of the level hold is drawn from them.
        certain, asked = self._cells(self.level), [self.floor, self.others]
        if len(self.missing) or len(self.lost):
            certain, asked = NONE, [*asked, certain, *self._show_best(self._blocked())]
        coarse = self._show_held()
        if coarse:
            certain, asked = NONE, [*asked, certain, *coarse]
        cells = union(*asked, self._show_selected())
        lists = self.known.lists(cells)
        shown = shown_of(lists, self.tree.level[cells], self.levels)
        # A target cell without rows is drawn too: nothing is missing in its place.
        bare = np.array([not len(objects) for objects in lists], bool)
        shown[bare] = np.isin(cells[bare], self.there)
        drawn = union(certain, cells[shown])
        items = tuple(map(DrawItem, drawn.tolist()))
        return DrawSet(items, self._holes(drawn), self.all_there), self.levels

    def _show_planned(self) -> None:
        """Objects at the plan's level, else the nearest level of the target, else the floor."""
        self._show_all(self.floor, sorted)
        self._show_all(
            self.others,
            lambda levels: sorted(levels, key=lambda level: (-abs(level - self.level), level)),
        )
        self._show(self._cells(self.level), self.level)

    def _show_all(self, cells: Int, order: Callable[[list[int]], list[int]]) -> None:
        at = self.tree.level[cells]
        for level in order(np.unique(at).tolist()):
            self._show(cells[at == level], level)

    def _show(self, cells: Int, level: int) -> None:
        if len(cells):
            self.levels[np.concatenate(self.known.lists(cells))] = level

    def _keep_whole(self, level: int) -> None:
        """Objects cut by cells of a level that are no target stay at the floor, if it has them."""
        refused = np.setdiff1d(self._in_view(level), self.plan.target)
        if not len(refused):
            return
        cut = self._through(refused) & (self.levels == level)
        at = self.tree.level[self.floor]
        for other in np.unique(at[at != level]).tolist():
            floor = self.floor[at == other]
            lacking = np.setdiff1d(self._in_view(other), floor)
            whole = cut & self.known.of(floor) & ~self._through(lacking)
            self.levels[whole] = other
            cut &= ~whole

    def _through(self, cells: Int) -> Bool:
        """(O,) objects that run through any of some cells, resident or not."""
        there = self.resident[cells]
        return np.asarray(self.known.of(cells[there]) | self.known.in_the_way(cells[~there]))

    def _blocked(self) -> Bool:
        """(O,) objects that target cells which are not there may hold, unless they are whole."""
        away = np.concatenate([self.missing, self.lost])
        at = self.tree.level[away] == self.level
        blocked = self.known.in_the_way(away[at])
        if not at.all():
            blocked |= self.known.in_the_way(away[~at]) & (self.levels != self.level)
        return blocked

    def _show_best(self, blocked: Bool) -> list[Int]:
        """Show each blocked object at the best level it is whole at; gives the cells drawn from."""
        target, levels = self.level, range(len(self.tree.cell_shape))
        finer, coarser = levels[:target][::-1], levels[target + 1 :]
        left = blocked.copy()
        used: dict[int, Int] = {}

        def show(level: int, which: Callable[[int], Bool]) -> None:
            if left.any():
                found = left & which(level)
                if found.any():
                    self.levels[found] = level
                    used[level] = self._cells(level)
                    left[found] = False

        stay = blocked if self.previous is None else self.previous < target
        for level in finer:
            show(level, lambda level: self._whole(level, left & stay))
        for level in coarser:
            show(level, lambda level: self._whole(level, left))
        for level in finer:
            show(level, lambda level: self._whole(level, left))
        if len(self.lost):
            show(target, lambda level: self._only_torn())
        for level in reversed(levels):
            show(level, lambda level: self.known.of(self._cells(level)))
        return list(used.values())

    def _show_held(self) -> list[Int]:
        """Show objects that are to get no finer as coarse as they were; the cells drawn from."""
        if self.held is None or self.previous is None:
            return []
        left = self.held & (self.levels < self.previous) & (self.previous != NOT_DRAWN)
        used = []
        for level in range(1, len(self.tree.cell_shape)):
            asked = left & (self.previous <= level)
            if asked.any():
                found = self._whole(level, asked)
                self.levels[found] = level
                left &= ~found
                used.append(self._cells(level))
        return used

    def _show_selected(self) -> Int:
        """Show selected objects at the finest level, those of which all in view is there."""
        selected = self.plan.selected
        if selected is None:
            return NONE
        there = np.zeros(len(self.tree), bool)
        there[self.plan.cells] = self.resident[self.plan.cells]
        whole = selected.within(self.plan.visible)
        whole = whole.taken(whole.all_of(there))
        self.levels[whole.ranks] = 0
        return whole.cells

    def _cells(self, level: int) -> Int:
        """Resident cells in view that objects may be drawn from at a level."""
        if level == self.level:
            return np.asarray(self.there[self.tree.level[self.there] == level])
        cells = self._in_view(level)
        return cells[self.resident[cells]]

    def _in_view(self, level: int) -> Int:
        ids = self.tree.ids_of_level(level)
        return np.asarray(np.flatnonzero(self.plan.visible[ids]) + ids.start)

    def _whole(self, level: int, asked: Bool) -> Bool:
        """(O,) objects of those asked for that a level has all of in view."""
        held = asked & self.known.of(self._cells(level))
        if held.any():
            cells = self._in_view(level)
            held &= ~self.known.in_the_way(cells[~self.resident[cells]])
        return held

    def _only_torn(self) -> Bool:
        """(O,) objects of which the plan's level lacks only what cannot be read."""
        missing = self.missing[self.tree.level[self.missing] == self.level]
        waiting = self.known.in_the_way(missing)
        return np.asarray(self.known.of(self._cells(self.level)) & ~waiting)

    def _holes(self, drawn: Int) -> Int:
        """Target cells in view with nothing drawn in place, nor elsewhere of what runs through."""
        tree = self.tree
        marked = np.zeros(len(tree), bool)
        marked[drawn] = True
        cells = self.plan.target[self.plan.visible[self.plan.target]]
        cells = cells[~marked[cells] & ~opened_cells(tree, drawn)[cells]]
        cells = cells[~is_below(tree, cells, marked)]
        fine = drawn_anywhere(self.known.through(cells), self.levels) | self.known.bare(cells)
        return cells[~fine]
