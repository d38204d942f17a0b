"""What napari's own layers have in common where they show a store: a sink, and an even look.

A change of what is drawn replaces the whole data of the layer on the GUI thread, once for an
update however much is in it. What lies at the corners of the store, and is too small to be seen,
keeps the layer's extent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Layer
from napari.utils.events import Event

from zv_viewer.drawing.joints import Joint, Joints
from zv_viewer.drawing.slots import PAGE
from zv_viewer.layers.drawn_rows import DrawnRows, drawn_rows, row_colours
from zv_viewer.layers.object_states import LEVELS, ObjectStates, UInt8
from zv_viewer.layers.store_layer import LayerError, StoreLayer
from zv_viewer.layers.units import NO_UNIT, units_of
from zv_viewer.layers.untyped import NapariEvent
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerUpdate

Float32 = npt.NDArray[np.float32]
Float = npt.NDArray[np.float64]

LEAST_PAUSE_S = 0.1
"""Updates of a standard layer are at least so far apart."""

SHARE = 3.0
"""They are so many times as far apart as a replacement takes: the rest is the user's."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Vertices a layer is given at most: of its own accord, and when a user asks for more."""

    usual: int
    most: int


@dataclass(frozen=True, eq=False, slots=True)
class Copied:
    """N rows for an ordinary layer.

    Args:
        positions: (N, D).
        colours: (N, 4) in 0 to 1.
        spacing: (N,) distance between neighbours.
        links: (M, W) rows that are joined.
        features: (N,) each.
        width: Of lines, in the layer's units.
    """

    positions: Float
    colours: Float32
    spacing: Float32
    links: npt.NDArray[np.int64]
    features: dict[str, npt.NDArray[Any]]
    width: float

    def features_of(self, rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        """The features of some rows."""
        return {name: values[rows] for name, values in self.features.items()}


class StandardLayer(StoreLayer, Layer):  # type: ignore[misc]  # napari's layers are untyped here
    """Shows cells of a store in a layer of napari's own; goes before that layer in the bases.

    A layer of points is used as :class:`zv_viewer.layers.points.CellPoints` is, others as
    :class:`zv_viewer.layers.linked.LinkedCells` are. While it is hidden it is not filled.

    Args:
        scene: The store.
        capacity: Rows it is asked to hold at most.
        name: Shown in the layer list.
        data: The first data of napari's layer: what keeps the extent.
        options: Passed to napari's layer.
    """

    ceiling = Ceiling(200_000, 1_000_000)
    napari_name = "Layer"
    """What napari calls such a layer."""

    def __init__(
        self,
        scene: SceneInfo,
        capacity: int,
        name: str | None,
        data: Any,  # noqa: ANN401 - each of napari's layers has data of its own
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        if len(scene.levels) > LEVELS:
            raise LayerError(f"{scene.name} has {len(scene.levels)} levels; {LEVELS} can be drawn")
        self.scene = scene
        self._capacity: int = -(-capacity // PAGE) * PAGE
        self._objects = ObjectStates(len(scene.objects)) if scene.has_objects else None
        self._width = max(scene.link_width, 2)
        self._rows = drawn_rows({}, (), width=self._width)
        self._took_s = 0.0
        self._behind = False
        self._forget()
        lead = self.extra_axes(scene)
        super().__init__(
            data,
            name=name or scene.name,
            translate=(*(0.0,) * lead, *self.store_offset),
            axis_labels=(*("",) * lead, *scene.axis_names),
            units=(*(NO_UNIT,) * lead, *units_of(scene)),
            metadata={"zv_viewer": {"url": scene.url}},
            **options,
        )
        self.events.add(look=Event, view=Event)
        self.events.visible.connect(self._on_visible)

    def _forget(self) -> None:
        self._cells: dict[int, CellArrays] = {}
        self._items: tuple[DrawItem, ...] = ()
        self._joints = Joints()
        self._drawn_joints: dict[int, Joint] = {}

    # -- the sink ------------------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """Rows that fit, in whole pages per cell."""
        return self._capacity

    @property
    def rows_drawn(self) -> int:
        """Rows in the picture, before the slab."""
        return len(self._rows)

    @property
    def pause_s(self) -> float:
        """Seconds until the next update, so that the window answers in between."""
        return max(LEAST_PAUSE_S, SHARE * self._took_s)

    def set_capacity(self, capacity: int) -> None:
        """Make room for another number of rows; put the cells again, the picture stays so long."""
        self._capacity = -(-capacity // PAGE) * PAGE
        self._forget()

    def apply(self, update: LayerUpdate) -> None:
        """Carry out one update with at most one replacement of the layer's data."""
        if self._objects is not None and update.object_levels is not None:
            self._objects.set_levels(update.object_levels)
        for cell in update.drop:
            del self._cells[cell]
            self._joints.drop(cell)
        for arrays in update.put:
            self._put(arrays)
        if update.draw is not None:
            self._items = update.draw
        shown = {item.cell for item in self._items}
        new = update.draw is not None or update.object_levels is not None
        if new or any(arrays.cell in shown for arrays in update.put):
            self._replace()

    def _put(self, arrays: CellArrays) -> None:
        before = self._cells.get(arrays.cell)
        self._cells[arrays.cell] = arrays
        if arrays.links is None:
            if self.scene.by_object:
                raise LayerError(f"cell {arrays.cell} of {self.scene.name} came without its links")
        elif before is None or before.links is not arrays.links:
            self._joints.put(arrays.cell, arrays.links.open)

    def _replace(self) -> None:
        self._behind = not self.visible
        if self._behind:
            return
        began = time.perf_counter()
        changed = self._joints.update(
            item.cell for item in self._items if self._cells[item.cell].links is not None
        )
        for number in changed.removed:
            del self._drawn_joints[number]
        self._drawn_joints.update((joint.number, joint) for joint in changed.added)
        self._rows = drawn_rows(
            self._cells,
            self._items,
            self._objects,
            self._drawn_joints.values(),
            width=self._width,
        )
        self._fill(self._rows, self._row_colours())
        self._took_s = time.perf_counter() - began

    def _fill(self, rows: DrawnRows, colours: Float32) -> None:
        """Replace the data of napari's layer; (N, 4) colours of the rows."""
        raise NotImplementedError

    def _colour(self, rows: DrawnRows, colours: Float32) -> None:
        """Recolour the data as they are; (N, 4) colours of the rows."""
        raise NotImplementedError

    def _on_visible(self, event: NapariEvent = None) -> None:
        if self._behind:
            self._replace()

    # -- the look ------------------------------------------------------------------------------

    @property
    def object_looks(self) -> UInt8:
        """(O,) code of :class:`zv_viewer.model.objects.Look` of each object."""
        return self._need_objects().looks

    def set_object_looks(self, looks: npt.ArrayLike) -> None:
        """Hide, fade, show or select objects, (O,) codes of ``Look``."""
        self._need_objects().set_looks(np.asarray(looks, np.uint8))
        self._replace()
        self.events.view()

    @property
    def object_colours(self) -> Float32 | None:
        """(O, 3) colours of objects in 0 to 1; None where rows are coloured by their values."""
        states = self._need_objects()
        return states.colours(np.arange(len(states), dtype=np.uint32)) if states.coloured else None

    def set_object_colours(self, colours: npt.ArrayLike | None) -> None:
        """Colour objects, (O, 3) or (O, 4) in 0 to 1 (a fourth column is ignored).

        None: rows are coloured by their values again.
        """
        table = None if colours is None else np.asarray(colours, np.float32)[:, :3]
        self._need_objects().set_colours(table)
        self._recolour()
        self.events.view()

    @property
    def tells_objects(self) -> bool:
        """Whether it matters to the picture which object a row belongs to."""
        states = self._objects
        return states is not None and (states.coloured or not states.all_normal)

    def _need_objects(self) -> ObjectStates:
        if self._objects is None:
            raise LayerError(f"{self.scene.name} is not drawn object by object")
        return self._objects

    def _row_colours(self) -> Float32:
        return row_colours(self._rows, self._colouring, self._objects)

    def _recolour(self) -> None:
        self._colour(self._rows, self._row_colours())

    # -- a copy --------------------------------------------------------------------------------

    @classmethod
    def copied(
        cls,
        rows: Copied,
        **options: Any,  # noqa: ANN401 - those of napari's layers
    ) -> Layer:
        """An ordinary layer of napari's with these rows."""
        raise NotImplementedError

    @classmethod
    def copy_offset(cls, scene: SceneInfo) -> Float:
        """(D,) store position of the zero of a copy: the store's own."""
        return np.zeros(scene.ndim)

    # -- the view ------------------------------------------------------------------------------

    @classmethod
    def extra_axes(cls, scene: SceneInfo) -> int:
        """Axes napari's layer has before those of the store."""
        return 0

    @property
    def store_offset(self) -> Float:
        """(D,) store position of the layer's zero."""
        return self.scene.origin

    @property
    def axis_step(self) -> Float:
        """(D,) slider step, layer coordinates: napari's own."""
        return np.ones(self.scene.ndim)

    @property
    def corners(self) -> Float:
        """(2, D) bounds of the store, relative to the layer's zero."""
        return self.scene.bounds - self.store_offset

    def places(self, rows: DrawnRows) -> Float32:
        """(N, D) positions relative to the layer's zero."""
        away = (self.scene.origin - self.store_offset).astype(np.float32)
        return rows.positions[:, : self.scene.ndim] + away

    @property
    def line_width(self) -> float:
        """About 1.5 canvas pixels at the present zoom, in the layer's units."""
        return 1.5 * float(self.scale_factor)

    def canvas_centre(self) -> tuple[float, float, float] | None:
        """None: only napari's model is known here."""
        return None

    @property
    def in_software(self) -> bool:
        """True: what napari's own layer does for each row is done by the processor."""
        return True

    def pixel_ratio(self) -> float:
        """1: a canvas pixel is taken for a device pixel."""
        return 1.0
