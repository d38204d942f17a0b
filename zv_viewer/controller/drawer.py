"""What the layer draws: chosen from what it holds, handed over in one update a turn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.meters import SwitchMeter
from zv_viewer.controller.picture import Picture
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.tree_marks import nearest_above
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.uploads import Uploads
from zv_viewer.model.plan import DrawSet, ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.model.update import LayerSink, LayerUpdate
from zv_viewer.planning import draw_set, opened_cells

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

FIRST_WAIT_S = 0.25
"""The first picture waits so long for the rest of the coarsest cells in view."""

LENT_S = 1.0
"""How long stand-ins may take more than a budget that has become smaller of its own accord."""


@dataclass(frozen=True, eq=False, slots=True)
class Loan:
    """More vertices for stand-ins: until another plan's cells are there, or the time is over."""

    vertices: int
    until: float
    before: ViewPlan


def affordable(
    plan: ViewPlan, stock: Stock, marks: Marks, lost: Bool, left_out: Bool, cap: int
) -> DrawSet:
    """What to draw, stand-ins finer than planned left out while they break the vertex cap.

    Args:
        plan: The plan.
        stock: The cells there are.
        marks: What each cell is for.
        lost: (C,) cells that cannot be read.
        left_out: (C,) stand-ins left out before, and from now on those left out here.
        cap: Vertices.
    """
    _let_stand_ins_only_go(stock, marks, left_out)
    while True:
        usable = stock.card.held & ~left_out
        draw = draw_set(stock.tree, plan, usable, lost)
        if Picture.rows_of(stock.tree, draw, stock.cache) <= cap:
            return draw
        cells = _cells_of(draw)
        extra = cells[~marks.needed[cells]]
        extra = extra[nearest_above(stock.tree, extra, usable & marks.needed) >= 0]
        if not len(extra):
            return draw
        largest = extra[np.argsort(-stock.tree.count[extra], kind="stable")]
        left_out[largest[: max(len(largest) // 4, 1)]] = True


def _let_stand_ins_only_go(stock: Stock, marks: Marks, left_out: Bool) -> None:
    """A stand-in finer than planned stays on while it is drawn, but none comes in.

    It would be replaced as soon as the cell planned is there; coming and going is flicker. Where no
    coarser cell can be drawn, it may come in all the same.
    """
    left_out &= stock.card.held & ~marks.needed
    idle = np.flatnonzero(stock.card.held & ~marks.needed & ~marks.drawn & ~left_out)
    above = nearest_above(stock.tree, idle, stock.card.held & marks.needed)
    left_out[idle[above >= 0]] = True


class Drawer:
    """Feeds the layer, and keeps count of what is on the screen.

    Args:
        sink: The layer.
        scene: The scene.
        stock: The cells there are.
        uploads: Hands them over.
        troubles: The cells that cannot be read.
        marks: What each cell is for; told what is drawn.
        todo: Told when there is more to do.
    """

    def __init__(
        self,
        sink: LayerSink,
        scene: SceneInfo,
        stock: Stock,
        uploads: Uploads,
        troubles: Troubles,
        marks: Marks,
        todo: Todo,
    ) -> None:
        self.picture = Picture(scene)
        self.switches = SwitchMeter(stock.tree)
        self._sink = sink
        self._stock = stock
        self._uploads = uploads
        self._troubles = troubles
        self._marks = marks
        self._todo = todo
        self._draw = _nothing()
        self._left_out = np.zeros(len(stock.tree), bool)
        self._first_data_at: float | None = None
        self._loan: Loan | None = None

    def lend(self, vertices: int, before: ViewPlan, now: float) -> None:
        """Let the picture be replaced piece by piece when the budget falls below ``vertices``.

        Args:
            vertices: The budget so far.
            before: The plan made within it.
            now: Seconds.
        """
        if self._loan is not None:
            vertices = max(vertices, self._loan.vertices)
        self._loan = Loan(vertices, now + LENT_S, before)

    def start_over(self) -> None:
        """The layer was emptied: nothing is drawn."""
        self._marks.now_drawn(np.empty(0, np.int64))
        self._draw = _nothing()
        self.picture.drawn(self._draw)

    def update(self, plan: ViewPlan, settings: LodSettings, now: float) -> None:
        """Hand cells over and draw what is best of those the layer holds."""
        stock = self._stock
        lost = self._troubles.lost
        self._uploads.hand_over(draw_set(stock.tree, plan, stock.cache.held, lost), now)
        cap = self._cap(plan, settings.budget.vertices, now)
        draw = affordable(plan, stock, self._marks, lost, self._left_out, cap)
        if settings.floor and self._waits_for_first(plan, now):
            draw = replace(draw, items=())
        else:
            self._todo.draw = self._uploads.waiting or self._loan is not None
        drops, puts = stock.card.changes()
        is_new = draw.items != self._draw.items
        if drops or puts or is_new:
            self._sink.apply(LayerUpdate(drops, puts, draw.items if is_new else None))
        if is_new:
            self._on_drawn(plan, draw, now)
        self._draw = draw

    def _cap(self, plan: ViewPlan, vertices: int, now: float) -> int:
        """Vertices that may be drawn in this turn."""
        if self._loan is None:
            return vertices
        there = (self._stock.card.held | self._troubles.lost)[plan.target].all()
        if now >= self._loan.until or (there and plan is not self._loan.before):
            self._loan = None
            return vertices
        return max(vertices, self._loan.vertices)

    def _waits_for_first(self, plan: ViewPlan, now: float) -> bool:
        """Whether the first picture should wait for more of the coarsest cells in view."""
        if self._draw.items:
            return False
        is_root = self._stock.tree.parent[plan.floor] < 0
        roots = plan.floor[is_root & plan.visible[plan.floor]]
        if (self._stock.card.held[roots] | self._troubles.lost[roots]).all():
            return False
        if self._first_data_at is None:
            self._first_data_at = now
        return now - self._first_data_at < FIRST_WAIT_S

    def _on_drawn(self, plan: ViewPlan, draw: DrawSet, now: float) -> None:
        stock, marks, cells = self._stock, self._marks, _cells_of(draw)
        marks.now_drawn(cells)
        self.picture.drawn(draw)
        stock.traffic.used(cells)
        opened = opened_cells(stock.tree, cells)
        stock.cache.touch(np.flatnonzero((opened | marks.drawn) & stock.cache.held), now)
        self.switches.drawn(opened, plan.visible, now)


def _cells_of(draw: DrawSet) -> Int:
    return np.array([item.cell for item in draw.items], np.int64)


def _nothing() -> DrawSet:
    return DrawSet((), np.empty(0, np.int64), settled=False)
