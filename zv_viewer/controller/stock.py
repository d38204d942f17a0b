"""The cells there are, in memory and in the layer, and how room is made for others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.card import Card
from zv_viewer.controller.memory import make_room
from zv_viewer.controller.meters import Traffic
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.values import Values
from zv_viewer.loading.cache import CellCache
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.planning import CellObjects

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


class Stock:
    """Every cell in the layer is in memory too; from memory a cell goes from both.

    Args:
        tree: The cells.
        capacity: Rows of the layer.
        max_bytes: Cap of the memory.
        values: Told which values the cells in memory have.
        marks: What each cell is for.
        todo: Told when a cell is let go of.
    """

    def __init__(
        self,
        tree: CellTree,
        capacity: int,
        max_bytes: int,
        values: Values,
        marks: Marks,
        todo: Todo,
    ) -> None:
        self.tree = tree
        """Counts are corrected as cells of older stores are read; 0 where a filter keeps no row."""
        self._whole = tree
        self._counted: Bool | None = None
        self._by_object = False
        self.cache = CellCache(max_bytes, len(tree))
        self.card = Card(capacity, len(tree))
        self.traffic = Traffic()
        self.content: dict[int, CellObjects] = {}
        """The objects of each linked cell in memory."""
        self.contents = 0
        """Another number whenever ``content`` is another."""
        self.read_cost: Int = np.zeros(len(tree), np.int64)
        """(C,) bytes that were fetched for a cell when it was last read."""
        self._values = values
        self._marks = marks
        self._todo = todo

    def take(
        self,
        arrays: CellArrays,
        fetched_bytes: int,
        now: float,
        objects: CellObjects | None = None,
        *,
        left_out: bool = False,
    ) -> bool:
        """Hold a cell that was read, or left out; False when there is no room for it."""
        cell = arrays.cell
        if not self.cache.put(arrays, 0 if objects is None else objects.nbytes):
            self.traffic.gone(cell)
            return False
        if objects is not None:
            self.content[cell] = objects
            self.contents += 1
        self._values.hold(arrays, left_out=left_out)
        if self._counted is not None and not left_out and not self._counted[cell]:
            self._counted[cell] = True  # its load was under way when the filter came
            self.tree = self._thinned()
            self._todo.plan = True
        self.cache.touch(np.array([cell]), now)
        self.read_cost[cell] = fetched_bytes
        return True

    def take_over(self, cell: int, other: Stock, now: float) -> None:
        """Hold a cell as another stock of the same cells holds it, if it does."""
        if cell not in other.cache or other._values.left_out[cell]:
            return
        arrays = other.cache[cell]
        if not self._values.fits(arrays):
            return
        if arrays.attribute != self._values.name:
            arrays = replace(arrays, values=None, attribute=None)
        objects = other.content.get(cell)
        self.correct_size(arrays, objects)
        self.take(arrays, int(other.read_cost[cell]), now, objects)

    def take_values(self, cell: int, more: CellArrays) -> bool:
        """Hold other values of a cell in memory; False when they do not fit its rows or memory."""
        arrays = self.cache[cell]
        if more.positions is not arrays.positions:
            self.traffic.gone(cell)
            return False
        left_out = bool(self._values.left_out[cell])
        objects = self.content.get(cell)
        beside = 0 if objects is None else objects.nbytes
        if not self.cache.put(more, beside):
            return False
        self._values.hold(more, left_out=left_out)
        return True

    def count_only(self, possible: Bool | None, *, by_object: bool = False) -> None:
        """Plan with the rows of these cells, and of those that are in memory; None: of all.

        Where each cell has a level of its own, nothing finer than what there is is wanted of the
        others; where levels go ``by_object``, the error of a level is that of all its cells.
        """
        self._counted, self._by_object = possible, by_object
        if possible is not None:
            self._counted = possible | (self.cache.held & ~self._values.left_out)
        self.tree = self._thinned()

    def _thinned(self) -> CellTree:
        tree, counted = self._whole, self._counted
        if counted is None:
            return tree
        count, nbytes, fetch = (
            np.where(counted, of, 0) for of in (tree.count, tree.nbytes, tree.fetch_bytes)
        )
        error = tree.error if self._by_object else np.where(counted, tree.error, 0.0)
        return replace(tree, count=count, nbytes=nbytes, fetch_bytes=fetch, error=error)

    def correct_size(self, arrays: CellArrays, objects: CellObjects | None) -> bool:
        """A guess was planned with, now rows and bytes are known; False when it was right."""
        tree, cell = self._whole, arrays.cell
        size = arrays.nbytes + (0 if objects is None else objects.nbytes)
        if arrays.values is None:
            size += 4 * len(arrays)
        if tree.count[cell] == len(arrays) and tree.nbytes[cell] == size:
            return False
        count, nbytes = tree.count.copy(), tree.nbytes.copy()
        count[cell], nbytes[cell] = len(arrays), size
        self._whole = replace(tree, count=count, nbytes=nbytes)
        self.tree = self._thinned()
        return True

    def forget(self, cells: list[int]) -> None:
        """Let go of cells in memory and in the layer."""
        if cells:
            self.cache.remove(cells)
            self.card.drop(cells)
            self._values.forget(cells)
            for cell in cells:
                self.contents += self.content.pop(cell, None) is not None
                self.traffic.gone(cell)
            self._todo.draw = True

    def free_memory(self, wanted: int, keep: Bool, now: float, *, by_force: bool) -> bool:
        """Let go of cells until ``wanted`` bytes are free, or of none when that cannot be.

        The coarsest go last: wherever the camera goes next, there is something to draw.

        Args:
            wanted: Bytes.
            keep: (C,) cells that stay.
            now: Seconds.
            by_force: What is drawn may go though nothing can be drawn in its place.
        """
        coarsest = self.tree.parent < 0
        for kept in (keep | coarsest, keep):
            gone = make_room(
                self.tree,
                self.cache.held,
                kept,
                self._marks.drawn,
                self._marks.visible,
                now - self.cache.last_used,
                self.cache.sizes,
                wanted,
                by_force=by_force,
            )
            if gone is not None:
                self.forget(gone)
                return True
        return False

    def fit_cap(self, now: float) -> None:
        """Let go of cells when the cap of the memory was lowered."""
        needed = self._marks.needed
        over = -self.cache.room
        if over > 0 and not self.free_memory(over, needed, now, by_force=True):
            self.forget(np.flatnonzero(self.cache.held & ~needed).tolist())

    def free_rows(
        self, wanted: int, keep: Bool, drawn: Bool, now: float, *, by_force: bool
    ) -> bool:
        """Let go of cells in the layer until ``wanted`` rows are free, or of none.

        Args:
            wanted: Rows.
            keep: (C,) cells that stay.
            drawn: (C,) cells that go last, and only where a coarser one to keep is in the layer.
            now: Seconds.
            by_force: Those go too though no coarser one is there.
        """
        card = self.card
        gone = make_room(
            self.tree,
            card.held,
            keep,
            drawn,
            self._marks.visible,
            now - self.cache.last_used,
            lambda cells: card.rows[cells],
            wanted,
            by_force=by_force,
        )
        if gone is None:
            return False
        card.drop(gone)
        return True
