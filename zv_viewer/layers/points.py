"""The layer of plain points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from zv_viewer.layers.buffers import Int, RowWrite
from zv_viewer.layers.cells import CellLayer, Drawer, Float, LayerError
from zv_viewer.layers.untyped import NapariEvent
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo

MOST_PX = 100
"""Canvas pixels of a point at most."""


class PointDrawer(Drawer, Protocol):
    """What puts points on a canvas."""

    def show(self, runs: Int) -> None:
        """Draw the rows of these (R, 2) runs from the next frame on."""

    def weigh(self, runs: Sequence[tuple[int, int, float]] | None) -> None:
        """Draw rows as opaque as those they stand for together; None: all alike.

        A run is its first row, its rows, and how many of level 0 each of them stands for.
        """


class CellPoints(CellLayer[PointDrawer]):
    """Points of a store, drawn cell by cell; made as :class:`CellLayer` is."""

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._point_size: float | None = None
        self._adaptive = (0.5, 1.0, 8.0)
        self._round = False
        self._value_size: tuple[float, float] | None = None
        self._stands_for: Float | None = None
        self._density_true = True
        self._weighed = False
        super().__init__(scene, capacity, name=name)
        self.events.current_size.connect(self._on_current_size)
        self.events.opacity.connect(self._weigh)

    def attach(self, drawer: PointDrawer | None) -> None:
        """Draw through ``drawer`` from now on; None: the canvas is gone, and the cells with it."""
        self._weighed = False
        super().attach(drawer)
        self._weigh()

    def use_scene(self, scene: SceneInfo, capacity: int) -> None:
        """Show the store in another state; what rows stand for is to be told again."""
        self.set_stands_for(None)
        super().use_scene(scene, capacity)

    def _row_writes(self, arrays: CellArrays) -> list[RowWrite]:
        own = 1.0 if self._stands_for is None else float(self._stands_for[arrays.cell])
        return [replace(write, stands_for=own) for write in super()._row_writes(arrays)]

    def _weigh(self, event: NapariEvent = None) -> None:
        """Have the numbers that rows stand for on the card while they count, and only then."""
        known, drawer = self._stands_for, self._drawer
        on = known is not None and self._density_true and self.opacity < 1
        if drawer is None or on == self._weighed:
            return
        self._weighed = on
        if known is None or not on:
            drawer.weigh(None)
            return
        cells = self._slots.cells()
        drawer.weigh(
            [
                (start, rows, float(known[cell]))
                for cell in cells
                for start, rows in self._slots.rows(cell).tolist()
            ]
        )

    def _show(self, drawer: PointDrawer) -> None:
        drawer.show(self._slots.runs(self._items))

    @property
    def point_size(self) -> float | None:
        """Size in canvas pixels, or None where it follows the spacing of the rows."""
        return self._point_size

    @point_size.setter
    def point_size(self, size: float | None) -> None:
        if size is not None and not 0 < size <= MOST_PX:
            raise LayerError(f"a point size is between 0 and {MOST_PX} canvas pixels, not {size}")
        self._point_size = size
        self.events.look()

    @property
    def adaptive_size(self) -> tuple[float, float, float]:
        """(factor, least, most): pixels are ``spacing * factor`` on the canvas, within ends."""
        return self._adaptive

    @adaptive_size.setter
    def adaptive_size(self, rule: tuple[float, float, float]) -> None:
        factor, least, most = rule
        if not (factor > 0 and 0 < least <= most):
            raise LayerError(f"an adaptive size is (factor, least, most), all positive, not {rule}")
        self._adaptive = (factor, least, most)
        self.events.look()

    @property
    def value_size(self) -> tuple[float, float] | None:
        """Canvas pixels at both ends of the colours, where these are along a scale; else None."""
        return self._value_size

    @value_size.setter
    def value_size(self, ends: tuple[float, float] | None) -> None:
        if ends is not None and not 0 < min(ends) <= max(ends) <= MOST_PX:
            raise LayerError(f"sizes are between 0 and {MOST_PX} canvas pixels, not {ends}")
        self._value_size = ends
        self.events.look()

    @property
    def density_true(self) -> bool:
        """Whether a row is as opaque as the rows of level 0 it stands for, over one another."""
        return self._density_true

    @density_true.setter
    def density_true(self, on: bool) -> None:
        self._density_true = on
        self._weigh()
        self.events.look()

    def set_stands_for(self, rows: Float | None) -> None:
        """(C,) rows of level 0 that a row of each cell stands for, about; None: not known."""
        self._stands_for = rows
        self._weigh()

    @property
    def round_points(self) -> bool:
        """Whether points are discs; squares draw faster."""
        return self._round

    @round_points.setter
    def round_points(self, is_round: bool) -> None:
        self._round = is_round
        self.events.look()

    def _on_current_size(self, event: NapariEvent = None) -> None:
        self.point_size = float(min(max(self.current_size, 0.1), float(MOST_PX)))
