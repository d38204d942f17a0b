"""The layer of plain points."""

from __future__ import annotations

from typing import Protocol

from zv_viewer.layers.buffers import Int
from zv_viewer.layers.cells import CellLayer, Drawer, LayerError
from zv_viewer.layers.untyped import NapariEvent
from zv_viewer.model.scene import SceneInfo


class PointDrawer(Drawer, Protocol):
    """What puts points on a canvas."""

    def show(self, runs: Int) -> None:
        """Draw the rows of these (R, 2) runs from the next frame on."""


class CellPoints(CellLayer[PointDrawer]):
    """Points of a store, drawn cell by cell; made as :class:`CellLayer` is."""

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._point_size: float | None = None
        self._adaptive = (0.5, 1.0, 8.0)
        self._round = False
        super().__init__(scene, capacity, name=name)
        self.events.current_size.connect(self._on_current_size)

    def _show(self, drawer: PointDrawer) -> None:
        drawer.show(self._slots.runs(self._items))

    @property
    def point_size(self) -> float | None:
        """Size in canvas pixels, or None where it follows the spacing of the rows."""
        return self._point_size

    @point_size.setter
    def point_size(self, size: float | None) -> None:
        if size is not None and not 0 < size <= 100:
            raise LayerError(f"a point size is between 0 and 100 canvas pixels, not {size}")
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
    def round_points(self) -> bool:
        """Whether points are discs; squares draw faster."""
        return self._round

    @round_points.setter
    def round_points(self, is_round: bool) -> None:
        self._round = is_round
        self.events.look()

    def _on_current_size(self, event: NapariEvent = None) -> None:
        self.point_size = float(min(max(self.current_size, 0.1), 100.0))
