"""A layer without a window: holds what it is given and refuses what a real one could not do."""

from __future__ import annotations

from zv_viewer.drawing.slots import SlotTable
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerUpdate


class FakeSink:
    """A ``LayerSink`` that records.

    Args:
        capacity: Rows.
    """

    def __init__(self, capacity: int) -> None:
        self.slots = SlotTable(capacity)
        self.cells: dict[int, CellArrays] = {}
        self.items: tuple[DrawItem, ...] = ()
        self.updates: list[LayerUpdate] = []

    @property
    def capacity(self) -> int:
        """Rows that fit."""
        return self.slots.capacity

    def apply(self, update: LayerUpdate) -> None:
        """Carry out an update; ValueError or KeyError where it asks for the impossible."""
        for cell in update.drop:
            del self.cells[cell]
            self.slots.drop(cell)
        for arrays in update.put:
            self.slots.put(arrays.cell, arrays.part_start)
            self.cells[arrays.cell] = arrays
        if update.draw is not None:
            self.items = update.draw
        self.slots.runs(self.items)
        self.updates.append(update)

    def start_over(self, capacity: int) -> None:
        """The layer is emptied, and has room for another number of rows."""
        self.slots = SlotTable(capacity)
        self.cells.clear()
        self.items = ()

    @property
    def rows_drawn(self) -> int:
        """Rows in the picture."""
        return int(self.slots.runs(self.items)[:, 1].sum())
