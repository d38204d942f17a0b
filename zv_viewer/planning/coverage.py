"""What to draw from what is resident: the target where it is there, else the best stand-in.

Every area below a drawn coarse cell stays drawn until all that replaces it is resident; no area is
drawn twice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import DrawItem, DrawSet, ViewPlan
from zv_viewer.planning.ragged import gather
from zv_viewer.planning.viewed import opened_cells

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def draw_set(tree: CellTree, plan: ViewPlan, resident: Bool, failed: Bool | None = None) -> DrawSet:
    """What to draw now.

    A target cell that is resident is drawn; one that is not is replaced by resident finer cells if
    they fill it, else by the rows of the nearest coarser resident cell that lie in its place, else
    by whatever finer there is. Outside the view the plan's floor is drawn, so that a view a little
    further on finds no hole. What the plan refused is not drawn.

    Args:
        tree: The cells.
        plan: What the view should show.
        resident: (C,) bool, cells that can be drawn at once.
        failed: (C,) bool, cells that never will be; nothing waits for one outside the view.

    Returns:
        Items without overlap, the target cells with nothing in their place, and whether all is as
        planned.
    """
    state = _State(tree, plan, resident, failed)
    whole: list[Int] = []
    part_of: list[Int] = []
    part: list[Int] = []
    holes: list[Int] = []
    cells = np.flatnonzero(tree.parent < 0)
    outside = cells[~state.bearing[cells] & ~plan.visible[cells]]
    whole.append(outside[state.floor[outside] & resident[outside]])
    cells = cells[state.bearing[cells]]
    while len(cells):
        here = resident[cells] & ~state.opened[cells]
        whole.append(cells[here])
        cells = cells[~here]
        lost = ~state.some_below[cells] & ~state.opened[cells]
        holes.append(cells[lost & state.target[cells]])
        cells = cells[~lost]
        place, owner = gather(tree.child_start, np.arange(len(tree.child)), cells)
        child, above = tree.child[place], cells[owner]
        inside = ~state.opened[above]
        deeper = np.where(
            inside,
            state.some_below[child] | resident[child],
            np.where(
                state.bearing[child],
                state.done[child] | ~resident[above],
                ~plan.visible[child] & state.filled[child] & ~resident[above],
            ),
        )
        wanted = state.bearing[child] | ~plan.visible[child]
        stand_in = ~deeper & ~inside & wanted & resident[above]
        part_of.append(above[stand_in])
        part.append(place[stand_in] - tree.child_start[above[stand_in]])
        cells = child[deeper]
    drawn = np.concatenate(whole)
    missing = np.sort(np.concatenate(holes)) if holes else np.empty(0, np.int64)
    on_target = np.zeros(len(tree), bool)
    on_target[drawn] = True
    return DrawSet(
        items=_items(tree, drawn, part_of, part),
        holes=missing,
        settled=bool(on_target[plan.target].all()),
    )


def covered_cells(tree: CellTree, draw: DrawSet) -> Bool:
    """(C,) cells drawn whole, and those whose rows in their parent are drawn."""
    covered = np.zeros(len(tree), bool)
    whole = [item.cell for item in draw.items if item.parts is None]
    covered[np.array(whole, np.int64)] = True
    places = [
        int(tree.child_start[item.cell]) + place
        for item in draw.items
        for place in item.parts or ()
    ]
    covered[tree.child[np.array(places, np.int64)]] = True
    return covered


def holes(tree: CellTree, visible: Bool, draw: DrawSet) -> Int:
    """Where a view, perhaps newer than the plan, meets data with nothing drawn in its place.

    Args:
        tree: The cells.
        visible: (C,) from ``visible_cells`` of the view painted.
        draw: What it was painted from.

    Returns:
        Ids of the visible cells without children in whose place nothing is drawn. Cells the budget
        refused are among them.
    """
    covered = covered_cells(tree, draw)
    found: list[Int] = []
    cells = np.flatnonzero(tree.parent < 0)
    cells = cells[visible[cells] & ~covered[cells]]
    while len(cells):
        leaf = tree.child_start[cells + 1] == tree.child_start[cells]
        found.append(cells[leaf])
        cells, _ = gather(tree.child_start, tree.child, cells[~leaf])
        cells = cells[visible[cells] & ~covered[cells]]
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


def items_in_view(tree: CellTree, visible: Bool, draw: DrawSet) -> tuple[DrawItem, ...]:
    """The items, or the parts of them, that a view meets; for figures such as the levels drawn.

    Args:
        tree: The cells.
        visible: (C,) from ``visible_cells``.
        draw: What is drawn.

    Returns:
        Items ascending by cell.
    """
    kept = []
    for item in draw.items:
        if item.parts is None:
            if visible[item.cell]:
                kept.append(item)
        else:
            seen = visible[tree.children(item.cell)[list(item.parts)]]
            parts = tuple(part for part, yes in zip(item.parts, seen, strict=True) if yes)
            if parts:
                kept.append(DrawItem(item.cell, parts))
    return tuple(kept)


class _State:
    """Flags over all cells, worked out from fine to coarse.

    ``opened``: ancestors of target cells. ``bearing``: those and the target. ``some_below``: a
    resident cell below that is itself below the target. ``done``: all of the cell's place can be
    drawn by it or below it.
    """

    def __init__(self, tree: CellTree, plan: ViewPlan, resident: Bool, failed: Bool | None) -> None:
        size = len(tree)
        self.opened = opened_cells(tree, plan.target)
        self.target = np.zeros(size, bool)
        self.target[plan.target] = True
        self.floor = np.zeros(size, bool)
        self.floor[plan.floor] = True
        self.bearing = self.opened | self.target
        self.some_below = np.zeros(size, bool)
        self.filled = self._filled(tree, resident)
        self.done = self.filled & self.bearing
        opened = np.flatnonzero(self.opened)
        for cells in reversed(np.split(opened, np.flatnonzero(np.diff(tree.level[opened])) + 1)):
            if not len(cells):
                continue
            child, owner = gather(tree.child_start, tree.child, cells)
            # Without a floor nothing is asked of the places outside the view.
            asked = self.floor[cells] if failed is None else self.floor[cells] & ~failed[cells]
            ready = np.where(
                self.bearing[child],
                self.done[child],
                plan.visible[child] | self.filled[child] | ~asked[owner],
            )
            short = np.bincount(owner[~ready], minlength=len(cells))
            self.done[cells] = resident[cells] | (short == 0)

    def _filled(self, tree: CellTree, resident: Bool) -> Bool:
        """(C,) cells not above the target that resident cells fill; marks ``some_below`` too."""
        filled = resident & ~self.opened
        missing = np.diff(tree.child_start)
        cells = np.flatnonzero(filled)
        for level in range(len(tree.cell_shape)):
            at = cells[tree.level[cells] == level]
            at = at[(tree.parent[at] >= 0)]
            above = tree.parent[at]
            at, above = at[~self.opened[above]], above[~self.opened[above]]
            if not len(at):
                continue
            upper = np.unique(above)
            self.some_below[upper] = True
            np.subtract.at(missing, above[filled[at]], 1)
            new = upper[~resident[upper]]
            filled[new] = missing[new] == 0
            cells = np.union1d(cells, upper)
        return filled


def _items(tree: CellTree, whole: Int, part_of: list[Int], part: list[Int]) -> tuple[DrawItem, ...]:
    """Items ascending by cell; a cell all of whose parts are drawn is drawn whole."""
    items = [DrawItem(cell) for cell in whole.tolist()]
    owners = np.concatenate(part_of) if part_of else np.empty(0, np.int64)
    if len(owners):
        places = np.concatenate(part)
        order = np.lexsort((places, owners))
        owners, places = owners[order], places[order]
        cells, start = np.unique(owners, return_index=True)
        for cell, mine in zip(cells.tolist(), np.split(places, start[1:]), strict=True):
            every = len(mine) == tree.child_start[cell + 1] - tree.child_start[cell]
            items.append(DrawItem(cell, None if every else tuple(mine.tolist())))
    return tuple(sorted(items, key=lambda item: item.cell))
