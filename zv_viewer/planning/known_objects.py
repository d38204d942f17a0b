"""What resident cells tell of where objects run, through cells that are not there too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning.cell_objects import CellObjects

Int = npt.NDArray[np.int64]
UInt = npt.NDArray[np.uint32]
Bool = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]

Content = Mapping[int, CellObjects]
"""The objects of every resident cell."""


_NONE = np.empty(0, np.uint32)


class KnownObjects:
    """The objects of resident cells.

    Args:
        tree: The cells.
        resident: (C,) bool.
        content: The objects of every resident cell.
        count: How many objects there are, O.
    """

    def __init__(self, tree: CellTree, resident: Bool, content: Content, count: int) -> None:
        self._tree = tree
        self._resident = resident
        self._content = content
        self._count = count

    def lists(self, cells: Int) -> list[UInt]:
        """The objects of each of some resident cells."""
        content = self._content
        return [content[cell].objects for cell in cells.tolist()]

    def of(self, cells: Int) -> Bool:
        """(O,) objects with rows in any of some resident cells."""
        return self._marked(self.lists(cells))

    def in_the_way(self, missing: Int) -> Bool:
        """(O,) objects that run through any of some cells that are not resident.

        Known from the nearest resident cell above, where it is the next coarser one by its rows in
        the part the missing cell lies in; from resident cells below; and from links that reach into
        the missing cell. Where there are none of them nothing is known.
        """
        if not len(missing):
            return np.zeros(self._count, bool)
        lists = [*self._from_above(missing), *self._from_below(missing), *self._beside(missing)]
        return self._marked(lists)

    def _marked(self, lists: list[UInt]) -> Bool:
        found = np.zeros(self._count, bool)
        if lists:
            found[np.concatenate(lists)] = True
        return found

    def through(self, cells: Int) -> list[UInt]:
        """The objects of each cell, for one that is not resident those known from above."""
        here = self._resident[cells]
        lists: list[UInt] = [_NONE] * len(cells)
        for place in np.flatnonzero(here).tolist():
            lists[place] = self._content[int(cells[place])].objects
        away = np.flatnonzero(~here)
        for place, child in zip(away.tolist(), self._below_resident(cells[away]), strict=True):
            if child >= 0:
                lists[place] = self._toward(child)
        return lists

    def bare(self, cells: Int) -> Bool:
        """(N,) cells without rows, or not resident and below one that has none in their place.

        Levels that leave objects out have such places, and filters make cells empty; nothing that
        was there is missing in them.
        """
        found = np.zeros(len(cells), bool)
        here = self._resident[cells]
        found[here] = [not len(objects) for objects in self.lists(cells[here])]
        away = np.flatnonzero(~here)
        for place, child in zip(away.tolist(), self._below_resident(cells[away]), strict=True):
            found[place] = child >= 0 and not len(self._toward(child))
        return found

    def standing_in(self, cells: Int, level: int) -> tuple[list[UInt], Bool]:
        """What cells of a level, or coarser ones, have in the place of finer cells.

        Args:
            cells: (N,) cells, resident or not.
            level: Number of the level.

        Returns:
            The objects of the nearest such cell above each that is resident, in the cell's place,
            and (N,) where there is one.
        """
        tree, child = self._tree, cells
        while True:
            above = tree.parent[child]
            go = (above >= 0) & (tree.level[above] < level)
            if not go.any():
                break
            child = np.where(go, above, child)
        places = self._below_resident(child)
        lists = [self._toward(place) if place >= 0 else _NONE for place in places]
        return lists, (np.array(places, np.int64) >= 0) & (tree.level[cells] < level)

    def _below_resident(self, missing: Int) -> list[int]:
        """The cell above each, or itself, whose parent is the nearest resident one; -1: none."""
        tree = self._tree
        child, above = missing, tree.parent[missing]
        while True:
            go = (above >= 0) & ~self._resident[above]
            if not go.any():
                found: list[int] = np.where(above >= 0, child, -1).tolist()
                return found
            child, above = np.where(go, above, child), np.where(go, tree.parent[above], above)

    def _toward(self, cell: int) -> UInt:
        """The objects of the resident parent of a cell that may run through it."""
        tree = self._tree
        parent = int(tree.parent[cell])
        objects = self._content[parent]
        if tree.level[parent] - tree.level[cell] > 1:
            # Rows of the level between may stand for rows of several parts.
            return objects.objects
        return objects.part(int(np.searchsorted(tree.children(parent), cell)))

    def _from_above(self, missing: Int) -> list[UInt]:
        children = set(self._below_resident(missing)) - {-1}
        return [self._toward(cell) for cell in sorted(children)]

    def _from_below(self, missing: Int) -> list[UInt]:
        wanted = np.zeros(len(self._tree), bool)
        wanted[missing] = True
        cells = np.flatnonzero(
            self._resident & (self._tree.level < self._tree.level[missing].max())
        )
        return self.lists(cells[is_below(self._tree, cells, wanted)])

    def _beside(self, missing: Int) -> list[UInt]:
        tree = self._tree
        wanted = np.zeros(len(tree), bool)
        wanted[missing] = True
        lists: list[UInt] = []
        for level in np.unique(tree.level[missing]).tolist():
            ids = tree.ids_of_level(level)
            cells = np.flatnonzero(self._resident[ids]) + ids.start
            objects = [self._content[cell] for cell in cells.tolist()]
            sizes = np.array([len(each.beside) for each in objects], np.int64)
            if not sizes.sum():
                continue
            start = np.cumsum(sizes) - sizes
            reached = np.flatnonzero(wanted[np.concatenate([each.beside for each in objects])])
            owner = np.searchsorted(start, reached, side="right") - 1
            places = (reached - start[owner]).tolist()
            lists += [
                objects[nth].toward(place)
                for nth, place in zip(owner.tolist(), places, strict=True)
            ]
        return lists


def is_below(tree: CellTree, cells: Int, marked: Bool) -> Bool:
    """(N,) whether there is a marked cell above each cell."""
    found = np.zeros(len(cells), bool)
    above = tree.parent[cells]
    while (above >= 0).any():
        found |= (above >= 0) & marked[above]
        above = np.where(above >= 0, tree.parent[above], -1)
    return found


def shown_of(lists: list[UInt], at: Int, levels: Levels) -> Bool:
    """Which cells hold an object that is drawn at their level.

    Args:
        lists: The objects of each of N cells.
        at: (N,) their levels.
        levels: (O,) the level each object is drawn at.
    """
    small = at.astype(np.uint8)
    return _any(lists, lambda objects, sizes: levels[objects] == np.repeat(small, sizes))


def drawn_anywhere(lists: list[UInt], levels: Levels) -> Bool:
    """(N,) which cells hold an object that is drawn, from whatever cells."""
    return _any(lists, lambda objects, _: levels[objects] != NOT_DRAWN)


def _any(lists: list[UInt], test: Callable[[UInt, Int], Bool]) -> Bool:
    found = np.zeros(len(lists), bool)
    sizes = np.fromiter(map(len, lists), np.int64, len(lists))
    some = np.flatnonzero(sizes)
    if len(some):
        start = np.cumsum(sizes) - sizes
        found[some] = np.logical_or.reduceat(test(np.concatenate(lists), sizes), start[some])
    return found
