"""Drawing by the object: what is joined is drawn at one level from end to end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.meters import ObjectSwitchMeter
from zv_viewer.controller.policy import Drawing
from zv_viewer.controller.stock import Stock
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import DrawSet, ViewPlan
from zv_viewer.planning import (
    Fallen,
    affordable_object_draw_set,
    holes,
    object_draw_set,
    object_holes,
    objects_in_view,
    shown_parts,
)

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class _Asked:
    """All that an answer depends on, but for the answer before."""

    plan: ViewPlan
    tree: CellTree
    contents: int
    held: Bool
    lost: Bool
    cap: int

    @classmethod
    def of(cls, stock: Stock, plan: ViewPlan, held: Bool, lost: Bool, cap: int = 0) -> _Asked:
        """As things stand."""
        return cls(plan, stock.tree, stock.contents, held.copy(), lost.copy(), cap)

    def same_as(self, other: _Asked) -> bool:
        """Whether nothing has changed."""
        return (
            self.plan is other.plan
            and self.tree is other.tree
            and (self.contents, self.cap) == (other.contents, other.cap)
            and np.array_equal(self.held, other.held)
            and np.array_equal(self.lost, other.lost)
        )


class ByObject:
    """Each object is drawn at the level planned once all of it in view is there.

    Args:
        stock: The cells there are.
        objects: How many objects there are.
    """

    def __init__(self, stock: Stock, objects: int) -> None:
        self._stock = stock
        self._objects = objects
        self._levels: npt.NDArray[np.uint8] | None = None
        self._fallen = Fallen(objects)
        self._plan: ViewPlan | None = None
        self._switches = ObjectSwitchMeter(objects)
        self._drawn: npt.NDArray[np.uint8] | None = None
        self._visible: Bool = np.ones(len(stock.tree), bool)
        self._ideal: tuple[_Asked, DrawSet] | None = None
        self._chosen: tuple[_Asked, Drawing] | None = None

    def start_over(self) -> None:
        """The layer was emptied: nothing is drawn that would have to stay."""
        self._levels = self._drawn = self._ideal = self._chosen = None
        self._fallen = Fallen(self._objects)

    def leapt(self) -> None:
        """Nothing that was seen is seen any more; no object has to stay coarse."""
        self._switches.forget()
        self._fallen.forget()

    def ideal(self, plan: ViewPlan, lost: Bool) -> DrawSet:
        """What would be drawn if all that is in memory were in the layer."""
        stock = self._stock
        asked = _Asked.of(stock, plan, stock.cache.held, lost)
        if self._ideal is not None and asked.same_as(self._ideal[0]):
            return self._ideal[1]
        draw, _ = object_draw_set(
            stock.tree,
            plan,
            stock.cache.held,
            lost,
            stock.content,
            self._objects,
            self._levels,
        )
        self._ideal = (asked, draw)
        return draw

    def choose(self, plan: ViewPlan, lost: Bool, cap: int, now: float) -> Drawing:
        """What to draw of what the layer holds, within ``cap`` vertices."""
        stock = self._stock
        asked = _Asked.of(stock, plan, stock.card.held, lost, cap)
        if self._chosen is not None and asked.same_as(self._chosen[0]):
            return self._chosen[1]
        draw, levels = affordable_object_draw_set(
            stock.tree,
            plan,
            stock.card.held,
            lost,
            stock.content,
            self._objects,
            self._levels,
            self._fallen.held(plan, now),
            cap=cap,
        )
        self._levels, self._plan = levels, plan
        self._chosen = (asked, Drawing(draw, self._levels))
        return self._chosen[1]

    @property
    def oscillations(self) -> int:
        """How often an object in view went back and forth between levels."""
        return self._switches.oscillations

    @property
    def known(self) -> tuple[object, ...]:
        """The plan drawn for, and the state of what is known of the cells."""
        return self._plan, self._stock.contents

    def drawn(self, drawing: Drawing, opened: Bool, plan: ViewPlan, now: float) -> None:
        """This is drawn from now on."""
        before, levels, stock = self._drawn, drawing.object_levels, self._stock
        self._drawn = levels
        if before is None or levels is None or not (levels != before).any():
            return
        self._fallen.drawn(before, levels, now)
        visible = plan.visible & self._visible
        seen = objects_in_view(
            stock.tree, plan, visible, stock.cache.held, stock.content, self._objects
        )
        self._switches.drawn(levels, before, seen, now)
        self._visible = plan.visible

    def holes(self, drawing: Drawing, visible: Bool) -> Int:
        """Finest cells in whose place nothing is drawn."""
        stock, plan, levels = self._stock, self._plan, drawing.object_levels
        if plan is None or levels is None:
            return holes(stock.tree, visible, drawing.draw)
        return object_holes(
            stock.tree, visible, plan, drawing.draw, levels, stock.cache.held, stock.content
        )

    def shown(self, drawing: Drawing) -> DrawSet:
        """The parts of what is drawn that show an object."""
        stock, levels = self._stock, drawing.object_levels
        held = [item for item in drawing.draw.items if item.cell in stock.content]
        draw = replace(drawing.draw, items=tuple(held))
        return draw if levels is None else shown_parts(stock.tree, draw, levels, stock.content)
