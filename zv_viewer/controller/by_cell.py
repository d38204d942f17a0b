"""Drawing by the cell: each cell has a level of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.meters import SwitchMeter
from zv_viewer.controller.picture import Picture
from zv_viewer.controller.policy import Drawing
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.tree_marks import nearest_above
from zv_viewer.controller.turn import Marks
from zv_viewer.model.plan import DrawSet, ViewPlan
from zv_viewer.planning import draw_set, holes

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


class ByCell:
    """Stand-ins finer than planned are left out while they break the vertex cap.

    Args:
        stock: The cells there are.
        marks: What each cell is for.
    """

    def __init__(self, stock: Stock, marks: Marks) -> None:
        self._stock = stock
        self._marks = marks
        self._left_out: Bool = np.zeros(len(stock.tree), bool)
        self._switches = SwitchMeter(stock.tree)

    def start_over(self) -> None:
        """The layer was emptied: nothing is left out of it."""
        self._left_out[:] = False

    def leapt(self) -> None:
        """Nothing that was seen is seen any more."""
        self._switches.forget()

    def ideal(self, plan: ViewPlan, lost: Bool) -> DrawSet:
        """What would be drawn if all that is in memory were in the layer."""
        return draw_set(self._stock.tree, plan, self._stock.cache.held, lost)

    def choose(self, plan: ViewPlan, lost: Bool, cap: int, now: float) -> Drawing:
        """What to draw of what the layer holds, within ``cap`` vertices."""
        stock, marks, left_out = self._stock, self._marks, self._left_out
        self._let_stand_ins_only_go()
        while True:
            usable = stock.card.held & ~left_out
            draw = draw_set(stock.tree, plan, usable, lost)
            if Picture.rows_of(stock.tree, draw, stock.cache) <= cap:
                return Drawing(draw)
            cells = draw.cells
            extra = cells[~marks.needed[cells]]
            extra = extra[nearest_above(stock.tree, extra, usable & marks.needed) >= 0]
            if not len(extra):
                return Drawing(draw)
            largest = extra[np.argsort(-stock.tree.count[extra], kind="stable")]
            left_out[largest[: max(len(largest) // 4, 1)]] = True

    @property
    def oscillations(self) -> int:
        """How often a cell in view went back and forth between levels."""
        return self._switches.oscillations

    @property
    def known(self) -> tuple[object, ...]:
        """Nothing: what is drawn in a place does not depend on what cells hold."""
        return ()

    def drawn(self, drawing: Drawing, opened: Bool, plan: ViewPlan, now: float) -> None:
        """This is drawn from now on."""
        self._switches.drawn(opened, plan.visible, now)

    def holes(self, drawing: Drawing, visible: Bool) -> Int:
        """Finest cells in whose place nothing is drawn."""
        return holes(self._stock.tree, visible, drawing.draw)

    def shown(self, drawing: Drawing) -> DrawSet:
        """The parts of what is drawn that show something: all of them."""
        return drawing.draw

    def _let_stand_ins_only_go(self) -> None:
        """A stand-in finer than planned stays on while it is drawn, but none comes in.

        It would be replaced as soon as the cell planned is there; coming and going is flicker.
        Where no coarser cell can be drawn, it may come in all the same.
        """
        held, marks, left_out = self._stock.card.held, self._marks, self._left_out
        left_out &= held & ~marks.needed
        idle = np.flatnonzero(held & ~marks.needed & ~marks.drawn & ~left_out)
        above = nearest_above(self._stock.tree, idle, held & marks.needed)
        left_out[idle[above >= 0]] = True
