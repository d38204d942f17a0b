"""Drawing by the object: what is joined is drawn at one level from end to end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.policy import Drawing
from zv_viewer.controller.stock import Stock
from zv_viewer.model.links import LinkArrays
from zv_viewer.model.plan import DrawSet, ViewPlan
from zv_viewer.planning.cell_objects import CellObjects
from zv_viewer.planning.object_cover import affordable_object_draw_set, object_draw_set

Bool = npt.NDArray[np.bool_]


class ByObject:
    """Each object is drawn at the level planned once all of it in view is there.

    Args:
        stock: The cells there are.
        objects: How many objects there are.
    """

    def __init__(self, stock: Stock, objects: int) -> None:
        self._stock = stock
        self._content = _Content(stock)
        self._objects = objects
        self._levels: npt.NDArray[np.uint8] | None = None

    def ideal(self, plan: ViewPlan, lost: Bool) -> DrawSet:
        """What would be drawn if all that is in memory were in the layer."""
        stock = self._stock
        draw, _ = object_draw_set(
            stock.tree,
            plan,
            stock.cache.held,
            lost,
            self._content,
            self._objects,
            self._levels,
        )
        return draw

    def choose(self, plan: ViewPlan, lost: Bool, cap: int) -> Drawing:
        """What to draw of what the layer holds, within ``cap`` vertices."""
        stock = self._stock
        draw, self._levels = affordable_object_draw_set(
            stock.tree,
            plan,
            stock.card.held,
            lost,
            self._content,
            self._objects,
            self._levels,
            cap=cap,
        )
        return Drawing(draw, self._levels)


class _Content(Mapping[int, CellObjects]):
    """The objects of the cells in memory, worked out once for each.

    Args:
        stock: The cells.
    """

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._known: dict[int, tuple[LinkArrays, CellObjects]] = {}

    def __getitem__(self, cell: int) -> CellObjects:
        arrays = self._stock.cache[cell]
        links = arrays.links
        if links is None:
            raise ValueError(f"cell {cell} came without its links")
        known = self._known.get(cell)
        if known is None or known[0] is not links:
            self._forget()
            known = self._known[cell] = (links, CellObjects.of(cell, links, arrays.part_start))
        return known[1]

    def __len__(self) -> int:
        return len(self._stock.cache)

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self._stock.cache.held).tolist())

    def _forget(self) -> None:
        """Let go of cells that are in memory no more, when they are many."""
        if len(self._known) > 2 * len(self._stock.cache) + 16:
            gone = [cell for cell in self._known if cell not in self._stock.cache]
            for cell in gone:
                del self._known[cell]
