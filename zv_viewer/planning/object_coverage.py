"""How much of a view is covered where levels go by objects, and by which cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import DrawItem, DrawSet, ViewPlan
from zv_viewer.planning.coverage import holes
from zv_viewer.planning.known_objects import (
    Content,
    KnownObjects,
    Levels,
    drawn_anywhere,
    is_below,
)

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


def object_holes(
    tree: CellTree,
    visible: Bool,
    plan: ViewPlan,
    draw: DrawSet,
    levels: Levels,
    resident: Bool,
    content: Content,
) -> Int:
    """Where a view, perhaps newer than the plan, meets data of which nothing is drawn.

    In the view that was planned, a place is no hole if what runs through it is drawn at a level
    that has no cell there, or if a coarser cell that is resident has nothing there. Nor is one
    finer than the planned level if that level leaves out what runs through it, and what it has
    there is drawn from other cells. Outside of that view only drawn cells count.

    Args:
        tree: The cells.
        visible: (C,) from ``visible_cells`` of the view painted.
        plan: What was drawn for.
        draw: What it was painted from.
        levels: (O,) the level each object is drawn at.
        resident: (C,) bool, cells whose objects are known.
        content: Their objects.

    Returns:
        Ids of the visible cells without children that are holes.
    """
    known = KnownObjects(tree, resident, content, len(levels))
    found = holes(tree, visible, draw)
    planned = found[plan.visible[found]]
    fine = drawn_anywhere(known.through(planned), levels) | known.bare(planned)
    if plan.level is not None:
        lists, there = known.standing_in(planned, plan.level)
        empty = np.array([not len(objects) for objects in lists], bool)
        fine |= there & (empty | drawn_anywhere(lists, levels))
    roots = np.flatnonzero((tree.parent < 0) & visible & resident)
    lists = known.lists(roots)
    some = np.array([len(objects) > 0 for objects in lists], bool)
    dark = np.zeros(len(tree), bool)
    dark[roots[some & ~drawn_anywhere(lists, levels)]] = True
    ends = np.flatnonzero(visible & (np.diff(tree.child_start) == 0)) if dark.any() else roots[:0]
    unlit = ends[dark[ends] | is_below(tree, ends, dark)]
    return np.union1d(np.setdiff1d(found, planned[fine]), unlit)


def objects_in_view(
    tree: CellTree, plan: ViewPlan, visible: Bool, resident: Bool, content: Content, objects: int
) -> Bool:
    """(O,) the objects in those cells of a plan's target that are in view, as far as known.

    Args:
        tree: The cells.
        plan: The plan.
        visible: (C,) bool, cells in view.
        resident: (C,) bool, cells whose objects are known.
        content: Their objects.
        objects: How many there are, O.
    """
    cells = plan.target[visible[plan.target]]
    seen = np.zeros(objects, bool)
    for ranks in KnownObjects(tree, resident, content, objects).through(cells):
        seen[ranks] = True
    return seen


def shown_parts(tree: CellTree, draw: DrawSet, levels: Levels, content: Content) -> DrawSet:
    """The draw set with only those parts of its cells that show an object.

    For figures of what is seen, by ``items_in_view``: a coarse cell that is drawn for an object
    outside the view shows nothing in it.

    Args:
        tree: The cells.
        draw: What is drawn.
        levels: (O,) the level each object is drawn at.
        content: The objects of the cells drawn.

    Returns:
        Items ascending by cell; the rest as it was.
    """
    items = []
    for item in draw.items:
        objects = content[item.cell]
        if len(tree.children(item.cell)) == 0 or not len(objects.part_objects):
            items.append(item)
            continue
        here = levels[objects.part_objects] == tree.level[item.cell]
        if here.all():
            items.append(item)
            continue
        some = np.diff(objects.part_start) > 0
        shown = np.zeros(len(some), bool)
        shown[some] = np.logical_or.reduceat(here, objects.part_start[:-1][some])
        items.append(DrawItem(item.cell, tuple(np.flatnonzero(shown).tolist())))
    return DrawSet(tuple(items), draw.holes, draw.settled)
