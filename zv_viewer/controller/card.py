"""What the layer holds: which cells, in how many rows, with the values of which attribute."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.slots import page_rows
from zv_viewer.model.chunks import CellArrays

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NO_VALUES = -1


class Card:
    """A mirror of the layer's buffer, and the changes not carried out yet.

    Args:
        capacity: Rows of the layer.
        cells: Number of cells of the tree.
    """

    def __init__(self, capacity: int, cells: int) -> None:
        self.capacity = capacity
        self.held = np.zeros(cells, bool)
        self.attribute = np.full(cells, NO_VALUES)
        self.beside = np.zeros(cells, np.int64)
        self.rows = np.zeros(cells, np.int64)
        self._used = 0
        self._puts: dict[int, CellArrays] = {}
        self._drops: set[int] = set()
        self._in_layer: set[int] = set()

    @property
    def used(self) -> int:
        """Rows in use."""
        return self._used

    @property
    def room(self) -> int:
        """Rows left."""
        return self.capacity - self._used

    def put(self, arrays: CellArrays, attribute: int, beside: int) -> None:
        """Hold a cell from the next update on, in place of what it held.

        Args:
            arrays: The cell.
            attribute: Number of the attribute whose values it has.
            beside: Number of the extras it has.
        """
        cell, rows = arrays.cell, page_rows(len(arrays))
        self._used += rows - int(self.rows[cell])
        self.rows[cell] = rows
        self.held[cell] = True
        self.attribute[cell] = attribute
        self.beside[cell] = beside
        self._puts[cell] = arrays
        self._drops.discard(cell)

    def drop(self, cells: Iterable[int]) -> None:
        """Let go of cells with the next update."""
        for cell in cells:
            if self.held[cell]:
                self.held[cell] = False
                self._used -= int(self.rows[cell])
                self.rows[cell] = 0
                self._puts.pop(cell, None)
                if cell in self._in_layer:
                    self._drops.add(cell)

    def changes(self) -> tuple[tuple[int, ...], tuple[CellArrays, ...]]:
        """Drops and puts since the last call; they are carried out now."""
        drops, puts = tuple(sorted(self._drops)), tuple(self._puts.values())
        self._in_layer.difference_update(drops)
        self._in_layer.update(self._puts)
        self._drops, self._puts = set(), {}
        return drops, puts
