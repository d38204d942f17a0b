"""The fallback: napari's own Points, given the rows that are drawn as one array.

Public napari only, and slower: a change of what is drawn replaces the whole array on the GUI
thread.
Two points of size 0 at the corners of the store keep the layer's extent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from napari.layers import Points
from napari.utils.events import Event

from zv_viewer.drawing.colours import ColourMode
from zv_viewer.drawing.slots import PAGE
from zv_viewer.layers.cells import refuse_copy
from zv_viewer.layers.colours import PLAIN, Colouring, colouring
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerUpdate

Float32 = npt.NDArray[np.float32]
_NONE = np.zeros(0, np.float32)
CANVAS_LIMITS = (1.0, 12.0)
"""Least and most canvas pixels of a point whose size follows the spacing of the rows."""


def drawn_rows(
    cells: dict[int, CellArrays], items: Sequence[DrawItem]
) -> tuple[Float32, Float32, Float32]:
    """(N, 4) positions, (N,) values (NaN: missing) and (N,) spacing of what ``items`` draw."""
    positions, values, spacing = [np.zeros((0, 4), np.float32)], [_NONE], [_NONE]
    for item in items:
        cell, ends = cells[item.cell], cells[item.cell].part_start
        parts = (
            [slice(0, len(cell))]
            if item.parts is None
            else [slice(int(ends[part]), int(ends[part + 1])) for part in item.parts]
        )
        missing = np.full(len(cell), np.nan, np.float32)
        for part in parts:
            positions.append(cell.positions[part])
            values.append((missing if cell.values is None else cell.values)[part])
            spacing.append(np.full(len(positions[-1]), cell.spacing, np.float32))
    return np.concatenate(positions), np.concatenate(values), np.concatenate(spacing)


class StandardPoints(Points):  # type: ignore[misc]  # napari's layers are untyped here
    """Points of a store, drawn by napari itself; used as :class:`CellPoints` is.

    Args:
        scene: The store.
        capacity: Rows it is asked to draw at most.
        name: Shown in the layer list.
    """

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self.scene = scene
        self._capacity: int = -(-capacity // PAGE) * PAGE
        self._cells: dict[int, CellArrays] = {}
        self._items: tuple[DrawItem, ...] = ()
        self._values = np.zeros(0, np.float32)
        self._colouring = PLAIN
        self._point_size: float | None = None
        self._corners = scene.bounds - scene.origin
        super().__init__(
            self._corners,
            ndim=scene.ndim,
            name=name or scene.name,
            translate=scene.origin,
            border_width=0,
            antialiasing=0,
            size=0,
            axis_labels=scene.axis_names,
            canvas_size_limits=CANVAS_LIMITS,
            metadata={"zv_viewer": {"url": scene.url}},
        )
        self.events.add(look=Event, view=Event)

    @property
    def _type_string(self) -> str:
        return "points"

    @property
    def capacity(self) -> int:
        """Rows that fit, in whole pages per cell."""
        return self._capacity

    @property
    def rows_drawn(self) -> int:
        """Rows in the picture, before the slab."""
        return len(self._values)

    @property
    def colouring(self) -> Colouring:
        """How values become colours."""
        return self._colouring

    @property
    def store_offset(self) -> npt.NDArray[np.float64]:
        """(D,) store position of the layer's zero."""
        return self.scene.origin

    @property
    def axis_step(self) -> npt.NDArray[np.float64]:
        """(D,) slider step, layer coordinates: napari's own."""
        return np.ones(self.scene.ndim)

    def canvas_centre(self) -> tuple[float, float, float] | None:
        """None: only napari's model is known here."""
        return None

    @property
    def in_software(self) -> bool:
        """True: what napari's own layer does for each point is done by the processor."""
        return True

    def pixel_ratio(self) -> float:
        """1: a canvas pixel is taken for a device pixel."""
        return 1.0

    def set_capacity(self, capacity: int) -> None:
        """Make room for other than the present number of rows; nothing is lost here."""
        self._capacity = -(-capacity // PAGE) * PAGE

    def apply(self, update: LayerUpdate) -> None:
        """Carry out one update with at most one replacement of the array."""
        for cell in update.drop:
            del self._cells[cell]
        for arrays in update.put:
            self._cells[arrays.cell] = arrays
        if update.draw is not None:
            self._items = update.draw
        shown = {item.cell for item in self._items}
        if update.draw is not None or any(arrays.cell in shown for arrays in update.put):
            self._replace()

    def set_colours(
        self,
        mode: ColourMode,
        lut: npt.ArrayLike | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Recolour; as :meth:`zv_viewer.layers.points.CellPoints.set_colours`."""
        self._colouring = colouring(mode, lut, limits)
        self._paint()

    @property
    def point_size(self) -> float | None:
        """Size in canvas pixels, or None where it follows the spacing of the rows."""
        return self._point_size

    @point_size.setter
    def point_size(self, size: float | None) -> None:
        self._point_size = size
        self.canvas_size_limits = CANVAS_LIMITS if size is None else (size, size)

    def as_layer_data_tuple(self) -> object:
        """Refuse: what the layer holds is the part of the store in view, never its data."""
        raise refuse_copy(self.name, self.scene)

    def _replace(self) -> None:
        positions, self._values, spacing = drawn_rows(self._cells, self._items)
        self.data = np.concatenate([self._corners, positions[:, : self.scene.ndim]])
        self.size = np.concatenate([np.zeros(2), np.maximum(spacing, np.finfo(np.float32).tiny)])
        self._paint()

    def _paint(self) -> None:
        colours = np.ones((len(self._values) + 2, 4), np.float32)
        colours[2:, :3] = self._colouring.colours(self._values)
        self.face_color = colours

    @property
    def editable(self) -> bool:
        """False, whoever asks: rows of a store are not moved by hand."""
        return False

    @editable.setter
    def editable(self, editable: bool) -> None:
        """Take no notice; napari's controls set it on every change of the axes shown."""
