"""A layer of linked cells without a window: what it would write to the card, and what is shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.drawn_links import BLOCK, DrawnLinks
from zv_viewer.layers.object_states import ObjectStates
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import LinkArrays
from zv_viewer.model.update import LayerUpdate
from zv_viewer.testing.sinks import FakeSink

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


class LinkedSink(FakeSink):
    """A ``LayerSink`` of rows that are joined, with a card behind it.

    Args:
        capacity: Rows.
        width: Ends of a link.
        objects: How many there are.
    """

    def __init__(self, capacity: int, width: int, objects: int) -> None:
        super().__init__(capacity)
        self.states = ObjectStates(objects)
        self.changes = 0
        """How often what is shown has changed."""
        self._width = width
        self._blank()

    def apply(self, update: LayerUpdate) -> None:
        """Carry out an update; ValueError or KeyError where it asks for the impossible."""
        if update.draw is not None and any(item.parts is not None for item in update.draw):
            raise ValueError("linked cells are drawn whole or not at all")
        if update.object_levels is not None:
            self.states.set_levels(update.object_levels)
        for cell in update.drop:
            self._links.drop(cell)
        new = {arrays.cell: arrays for arrays in update.put}
        before = {cell: self.slots.rows(cell) for cell in new if cell in self.slots}
        super().apply(update)
        for cell, arrays in new.items():
            self._put(arrays, before.get(cell))
        self._write()
        self.updates.clear()
        self.changes += 1

    def set_looks(self, looks: npt.NDArray[np.uint8]) -> None:
        """Draw each object in one of the ways of ``Look``."""
        self.states.set_looks(looks)
        self.changes += 1

    def forget(self, capacity: int) -> None:
        """The layer is emptied, and has room for another number of rows."""
        self.start_over(capacity)
        self._blank()
        self.changes += 1

    def shown_rows(self, cell: int) -> Bool:
        """(N,) whether each row of a cell passes what the card asks of it."""
        arrays = self.cells[cell]
        links = _links_of(arrays)
        levels = np.full(len(links.objects), links.level, np.uint8)
        drawn = self.states.drawn(links.objects, levels)
        return drawn if arrays.kept is None else drawn & arrays.kept

    def shown_links(self) -> tuple[Int, Int]:
        """(L, W) cells, and (L, W) rows of them, that links on the card join, all ends shown."""
        used = np.arange(BLOCK) < self._links.table.used()[:, None]
        links = self._card[used.reshape(-1)]
        links = links[(links != links[:, :1]).any(axis=1)]
        cells, rows = self._cell[links], self._row[links]
        shown = np.zeros(links.shape, bool)
        for cell in np.unique(cells).tolist():
            ends = cells == cell
            shown[ends] = self.shown_rows(cell)[rows[ends]]
        whole = shown.all(axis=1)
        return cells[whole], rows[whole]

    def _blank(self) -> None:
        self._links = DrawnLinks(self._width)
        self._card = np.zeros((0, self._width), np.int64)
        self._cell = np.full(self.capacity, -1)
        self._row = np.full(self.capacity, -1)

    def _put(self, arrays: CellArrays, before: Int | None) -> None:
        runs = self.slots.rows(arrays.cell)
        moved = before is None or not np.array_equal(before, runs)
        self._links.put(arrays.cell, _links_of(arrays), moved=moved)
        at = 0
        for start, rows in runs.tolist():
            self._cell[start : start + rows] = arrays.cell
            self._row[start : start + rows] = np.arange(at, at + rows)
            at += rows

    def _write(self) -> None:
        self._links.draw((item.cell for item in self.items), self.slots.rows)
        table = self._links.table
        writes = table.changes()
        lacking = table.blocks * BLOCK - len(self._card)
        if lacking:
            room = np.zeros((lacking, self._width), np.int64)
            self._card = np.concatenate([self._card, room])
        for write in writes:
            self._card[write.start : write.stop] = write.links


def _links_of(arrays: CellArrays) -> LinkArrays:
    if arrays.links is None:
        raise ValueError(f"cell {arrays.cell} came without its links")
    return arrays.links
