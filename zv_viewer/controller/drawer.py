"""What the layer draws: chosen from what it holds, handed over in one update a turn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.picture import Picture
from zv_viewer.controller.policy import NOTHING, Drawing, DrawPolicy
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.uploads import Uploads
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem, ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.model.update import LayerSink, LayerUpdate
from zv_viewer.planning import opened_cells

FIRST_WAIT_S = 0.25
"""The first picture waits so long for the rest of the coarsest cells in view."""

LENT_S = 1.0
"""How long stand-ins may take more than a budget that has become smaller of its own accord."""


@dataclass(frozen=True, eq=False, slots=True)
class DrawnCells:
    """Cells, what is drawn of each, and the level of each object as in ``LayerUpdate``."""

    cells: tuple[CellArrays, ...]
    items: tuple[DrawItem, ...]
    object_levels: npt.NDArray[np.uint8] | None


@dataclass(frozen=True, eq=False, slots=True)
class Loan:
    """More vertices for stand-ins: until another plan's cells are there, or the time is over."""

    vertices: int
    until: float
    before: ViewPlan


class Drawer:
    """Feeds the layer, and keeps count of what is on the screen.

    Args:
        sink: The layer.
        scene: The scene.
        stock: The cells there are.
        policy: Chooses from them.
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
        policy: DrawPolicy,
        uploads: Uploads,
        troubles: Troubles,
        marks: Marks,
        todo: Todo,
    ) -> None:
        self.picture = Picture(scene, policy)
        self._sink = sink
        self._stock = stock
        self._policy = policy
        self._uploads = uploads
        self._troubles = troubles
        self._marks = marks
        self._todo = todo
        self._drawing = NOTHING
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

    def use_layer(self, sink: LayerSink) -> None:
        """Feed another layer from now on."""
        self._sink = sink

    @property
    def drawn(self) -> DrawnCells:
        """What the layer draws now, as it is in memory."""
        drawing, cache = self._drawing, self._stock.cache
        items = tuple(item for item in drawing.draw.items if item.cell in cache)
        cells = tuple(cache[item.cell] for item in items)
        return DrawnCells(cells, items, drawing.object_levels)

    @property
    def vertices(self) -> int:
        """How many are drawn, or may be while stand-ins take more than the budget."""
        rows = Picture.rows_of(self._stock.tree, self._drawing.draw, self._stock.cache)
        return rows if self._loan is None else max(rows, self._loan.vertices)

    @property
    def oscillations(self) -> int:
        """How often something in view went back and forth between levels."""
        return self._policy.oscillations

    @property
    def object_levels(self) -> npt.NDArray[np.uint8] | None:
        """(O,) the level each object is drawn at; None where levels go by cells."""
        return self._drawing.object_levels

    def leapt(self) -> None:
        """Nothing of the picture before is in the view any more."""
        self._policy.leapt()

    def start_over(self) -> None:
        """The layer was emptied: nothing is drawn."""
        self._marks.now_drawn(np.empty(0, np.int64))
        self._policy.start_over()
        self._drawing = NOTHING
        self.picture.drawn(self._drawing)

    def update(self, plan: ViewPlan, settings: LodSettings, now: float) -> None:
        """Hand cells over and draw what is best of those the layer holds."""
        lost = self._troubles.lost
        self._uploads.hand_over(self._policy.ideal(plan, lost), now)
        cap = self._cap(plan, settings.budget.vertices, now)
        drawing = self._policy.choose(plan, lost, cap, now)
        if settings.floor and self._waits_for_first(plan, now):
            drawing = replace(drawing, draw=replace(drawing.draw, items=()))
        else:
            self._todo.draw = self._uploads.waiting or self._loan is not None
        drops, puts = self._stock.card.changes()
        is_new = drawing.draw.items != self._drawing.draw.items
        levels = drawing.object_levels
        if levels is not None and _equal(levels, self._drawing.object_levels):
            levels = None
        if drops or puts or is_new or levels is not None:
            items = drawing.draw.items if is_new else None
            self._sink.apply(LayerUpdate(drops, puts, items, levels))
        if is_new or levels is not None:
            self._on_drawn(plan, drawing, now)
        self._drawing = drawing

    def _cap(self, plan: ViewPlan, vertices: int, now: float) -> int:
        """Vertices that may be drawn in this turn."""
        if self._loan is None:
            return vertices
        there = (self._stock.card.held | self._troubles.lost)[plan.shown].all()
        if now >= self._loan.until or (there and plan is not self._loan.before):
            self._loan = None
            return vertices
        return max(vertices, self._loan.vertices)

    def _waits_for_first(self, plan: ViewPlan, now: float) -> bool:
        """Whether the first picture should wait for more of the coarsest cells in view."""
        if self._drawing.draw.items:
            return False
        is_root = self._stock.tree.parent[plan.floor] < 0
        roots = plan.floor[is_root & plan.visible[plan.floor]]
        if (self._stock.card.held[roots] | self._troubles.lost[roots]).all():
            return False
        if self._first_data_at is None:
            self._first_data_at = now
        return now - self._first_data_at < FIRST_WAIT_S

    def _on_drawn(self, plan: ViewPlan, drawing: Drawing, now: float) -> None:
        stock, marks, cells = self._stock, self._marks, drawing.draw.cells
        marks.now_drawn(cells)
        self.picture.drawn(drawing)
        stock.traffic.used(cells)
        opened = opened_cells(stock.tree, cells)
        stock.cache.touch(np.flatnonzero((opened | marks.drawn) & stock.cache.held), now)
        self._policy.drawn(drawing, opened, plan, now)


def _equal(levels: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8] | None) -> bool:
    return before is not None and np.array_equal(levels, before)
