"""The layer of plain points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from zv_viewer.layers.buffers import OBJECT, Int, RowWrite
from zv_viewer.layers.cells import Bool, CellLayer, Drawer, Float, Float32
from zv_viewer.layers.object_states import ObjectStates, UInt8, rows_by_id
from zv_viewer.layers.sizing import MOST_PX, SizedLayer, SizeDrawer, SizeRule
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.layers.telling_objects import TellsObjects
from zv_viewer.layers.thumbnail import Sample
from zv_viewer.layers.untyped import NapariEvent
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo


class PointDrawer(Drawer, SizeDrawer, Protocol):
    """What puts points on a canvas."""

    def show(self, runs: Int) -> None:
        """Draw the rows of these (R, 2) runs from the next frame on."""

    def weigh(self, runs: Sequence[tuple[int, int, float]] | None) -> None:
        """Draw rows as opaque as those they stand for together; None: all alike.

        A run is its first row, its rows, and how many of level 0 each of them stands for.
        """

    def tell_objects(self, table: tuple[int, int]) -> None:
        """Have the object of each row, none known yet; lines of their table, and objects a line."""

    def write_objects(self, changes: Sequence[tuple[int, UInt8]]) -> None:
        """Fill lines of the table of objects before the next frame."""


class CellPoints(SizedLayer, TellsObjects, CellLayer[PointDrawer]):
    """Points of a store, drawn cell by cell; made as :class:`CellLayer` is.

    Where it matters which object they belong to (:attr:`tells_objects`), cells are to come with
    that; points of which it is not known yet are drawn as ever.
    """

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._objects = ObjectStates(len(scene.objects))
        self._with_objects = False
        self._point_size: float | None = None
        self._adaptive = (0.5, 1.0, 8.0)
        self._round = False
        self._stands_for: Float | None = None
        self._density_true = True
        self._weighed = False
        super().__init__(scene, capacity, name=name)
        self.events.current_size.connect(self._on_current_size)
        self.events.opacity.connect(self._weigh)

    def attach(self, drawer: PointDrawer | None) -> None:
        """Draw through ``drawer`` from now on; None: the canvas is gone, and the cells with it."""
        self._weighed = self._with_objects = False
        self._sized = None
        super().attach(drawer)
        self._weigh()

    def use_scene(self, scene: SceneInfo, capacity: int) -> None:
        """Show the store in another state; what rows stand for is to be told again.

        Objects it had before keep their looks and colours.
        """
        self.set_stands_for(None)
        before, ids = self._objects, self.scene.objects
        self._objects, self._with_objects = ObjectStates(len(scene.objects)), False
        self._objects.take(before, rows_by_id(ids, scene.objects))
        super().use_scene(scene, capacity)

    def _row_writes(self, arrays: CellArrays) -> list[RowWrite]:
        own = 1.0 if self._stands_for is None else float(self._stands_for[arrays.cell])
        writes = super()._row_writes(self._own_sizes(arrays))
        return [replace(write, stands_for=own) for write in writes]

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

    def _upload(self, event: NapariEvent = None) -> None:
        if self._drawer is not None and self.visible:
            self._make_columns(self._drawer)
        super()._upload()

    def _make_columns(self, drawer: PointDrawer) -> None:
        """Have on the card what rows are sized by, and whose they are, while it counts."""
        self._make_sizes(drawer)
        if self.tells_objects and not self._with_objects:
            self._with_objects = True
            self._placed.forget(OBJECT)
            self._objects.touch()
            drawer.tell_objects(self.object_table)

    def _show(self, drawer: PointDrawer) -> None:
        if self._with_objects:
            drawer.write_objects(self._objects.changes())
        drawer.show(self._slots.runs(self._items))

    def _redraw(self) -> None:
        self._upload()
        self._picture()

    def size_by(self, rule: SizeRule | None, of_objects: Float32 | None = None) -> None:
        """Draw rows as large as a rule says; see :meth:`SizedLayer.size_by`."""
        super().size_by(rule, of_objects)
        self._upload()
        self.events.view()

    @property
    def tells_objects(self) -> bool:
        """Whether it matters to the picture which object a row belongs to."""
        by_object = self.size_rule is not None and self.size_rule.of == "object"
        return by_object or super().tells_objects

    def _paint(self, rows: Sample) -> tuple[Float32, Bool]:
        colours, drawn = super()._paint(rows)
        if self._with_objects:
            drawn = self._objects.seen(rows.objects)
            if self._objects.coloured:
                colours = self._objects.colours(rows.objects)
        return colours, drawn

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
