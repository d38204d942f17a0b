"""Hands cells from memory to the layer, the coarsest in view first, some bytes each turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.card import NO_VALUES
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.turn import Marks
from zv_viewer.controller.values import Values
from zv_viewer.drawing.slots import page_rows
from zv_viewer.model.plan import DrawSet

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

UPLOAD_BYTES = 8 << 20
"""Given to the layer in one tick, at most; a larger cell goes alone."""

_ROW_BYTES = 24


class Uploads:
    """What waits to be handed over, and what found no rows.

    Args:
        stock: The cells there are.
        values: The attribute coloured by.
        marks: What each cell is for.
    """

    def __init__(self, stock: Stock, values: Values, marks: Marks) -> None:
        self.waiting = False
        """Whether more is to be handed over in the next turn."""
        self.no_rows: frozenset[int] = frozenset()
        """Cells that found no rows in the layer, though nothing waits any more."""
        self._stock = stock
        self._values = values
        self._marks = marks

    def blank_other_values(self) -> None:
        """Values of another attribute would be shown in the colours of this one."""
        card, drawn = self._stock.card, self._marks.drawn
        stale = card.held & (card.attribute != self._values.code) & (card.attribute != NO_VALUES)
        card.drop(np.flatnonzero(stale & ~drawn).tolist())
        for cell in np.flatnonzero(stale & drawn).tolist():
            self._put(cell)

    def hand_over(self, ideal: DrawSet, now: float) -> None:
        """Hand over what is needed or would be drawn, as far as rows and bytes of a turn go.

        Args:
            ideal: What would be drawn if all that is in memory were in the layer.
            now: Seconds.
        """
        cache = self._stock.cache
        wanted = self._marks.needed.copy()
        wanted[[item.cell for item in ideal.items]] = True
        wanted &= cache.held
        cells = self._in_order(wanted)
        self.waiting = False
        no_rows = self._put_all(cells, wanted, now)
        if len(no_rows) == len(cells):
            # Nothing but stand-ins is in the way of what is planned, and for good.
            stuck = self._marks.needed[cells]
            no_rows = [
                *cells[~stuck].tolist(),
                *self._put_all(cells[stuck], wanted, now, by_force=True),
            ]
        elif self._marks.needed[no_rows].any():
            self.waiting = True  # what is drawn now makes room
        self.no_rows = frozenset(no_rows) if not self.waiting else frozenset()

    def _put_all(
        self, cells: Int, wanted: Bool, now: float, *, by_force: bool = False
    ) -> list[int]:
        """Hand over cells, the first first; those that found no rows."""
        budget, no_rows = UPLOAD_BYTES, []
        for cell in cells.tolist():
            rows = len(self._stock.cache[cell])
            if budget < UPLOAD_BYTES and rows * _ROW_BYTES > budget:
                self.waiting = True
                break
            if not self._find_rows(cell, page_rows(rows), wanted, now, by_force=by_force):
                no_rows.append(cell)
                continue
            self._put(cell)
            budget -= rows * _ROW_BYTES
        return no_rows

    def _in_order(self, wanted: Bool) -> Int:
        """Wanted cells the layer lacks, or lacks the values of: in view first, then coarsest."""
        tree, card, values = self._stock.tree, self._stock.card, self._values
        stale = np.zeros(len(wanted), bool)
        if values.name is not None:
            stale = (values.held == values.code) & (card.attribute != values.code)
        stale |= card.held & (card.beside != values.beside)
        cells = np.flatnonzero(wanted & (~card.held | stale))
        is_root = tree.parent[cells] < 0
        return cells[np.lexsort((cells, stale[cells], ~is_root, ~self._marks.visible[cells]))]

    def _find_rows(self, cell: int, rows: int, wanted: Bool, now: float, *, by_force: bool) -> bool:
        card = self._stock.card
        short = rows - int(card.rows[cell]) - card.room
        if short <= 0:
            return True
        keep = wanted & self._marks.needed
        keep[cell] = True
        drawn = self._marks.drawn | wanted
        return self._stock.free_rows(short, keep, drawn, now, by_force=by_force)

    def _put(self, cell: int) -> None:
        """Give a cell to the layer with the values of the attribute coloured by, or with none."""
        arrays, code = self._stock.cache[cell], int(self._values.held[cell])
        if self._values.lacks(cell):
            arrays, code = replace(arrays, values=None, attribute=None), NO_VALUES
        self._stock.card.put(arrays, code, int(self._values.beside[cell]))
