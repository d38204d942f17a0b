"""The layers of linked geometry: edges as lines, faces as triangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from zv_viewer.layers.buffers import RowWrite
from zv_viewer.layers.cells import Bool, CellLayer, Drawer, Float32
from zv_viewer.layers.drawn_links import DrawnLinks, Int, LinkWrite
from zv_viewer.layers.object_states import LEVELS, ObjectStates, UInt8, rows_by_id
from zv_viewer.layers.sizing import SizedLayer, SizeDrawer, SizeRule, check_pixels
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.layers.telling_objects import TellsObjects
from zv_viewer.layers.thumbnail import Sample
from zv_viewer.layers.untyped import NapariEvent
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerUpdate

NODE_PX = 4.0
"""Canvas pixels of a vertex drawn as a point, unless others are set."""


class LinkDrawer(Drawer, Protocol):
    """What puts linked rows on a canvas."""

    def write_links(self, writes: Sequence[LinkWrite], used: Int) -> None:
        """Fill links before the next frame; ``used``: how many of each block are drawn."""

    def write_objects(self, changes: Sequence[tuple[int, UInt8]]) -> None:
        """Fill lines of the table of objects before the next frame."""

    def line_widths(self) -> tuple[float, float] | None:
        """Least and most device pixels of a line; None before the first frame."""


LinkDrawerT = TypeVar("LinkDrawerT", bound=LinkDrawer)


class LinkedCells(TellsObjects, CellLayer[LinkDrawerT]):
    """Rows of a store that links join, drawn cell by cell, each object at one level.

    A row is drawn where its cell is drawn, its object is not hidden and the cell's level is the one
    its object is drawn at (``LayerUpdate.object_levels``); before levels are given nothing is.
    """

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        _check_levels(scene)
        self._links = DrawnLinks(scene.link_width)
        self._objects = ObjectStates(len(scene.objects))
        super().__init__(scene, capacity, name=name)

    def use_scene(self, scene: SceneInfo, capacity: int) -> None:
        """Show the store in another state; objects it had before keep their looks and colours."""
        before, ids = self._objects, self.scene.objects
        _check_levels(scene)
        self._objects = ObjectStates(len(scene.objects))
        self._objects.take(before, rows_by_id(ids, scene.objects))
        super().use_scene(scene, capacity)

    # -- the sink ------------------------------------------------------------------------------

    def apply(self, update: LayerUpdate) -> None:
        """Carry out one update; everything in it appears in the same frame.

        While the layer is hidden or on no canvas, cells wait in memory and go up when it shows.
        """
        if update.draw is not None and any(item.parts is not None for item in update.draw):
            raise LayerError(f"the cells of {self.scene.name} are linked, so drawn whole or not")
        if update.object_levels is not None:
            self._objects.set_levels(update.object_levels)
        super().apply(update)

    def _drop(self, cell: int) -> None:
        super()._drop(cell)
        self._links.drop(cell)

    def _put(self, arrays: CellArrays) -> None:
        if arrays.links is None:
            raise LayerError(f"cell {arrays.cell} of {self.scene.name} came without its links")
        cell = arrays.cell
        before = self._slots.rows(cell) if cell in self._slots else None
        super()._put(arrays)
        moved = before is None or not np.array_equal(before, self._slots.rows(cell))
        self._links.put(cell, arrays.links, moved=moved)

    def _forget(self, capacity: int) -> None:
        super()._forget(capacity)
        self._links = DrawnLinks(self.scene.link_width)
        self._objects.touch()

    def _show(self, drawer: LinkDrawerT) -> None:
        self._links.draw((item.cell for item in self._items), self._slots.rows)
        table = self._links.table
        writes = table.changes()
        if writes:
            drawer.write_links(writes, table.used())
        drawer.write_objects(self._objects.changes())

    # -- the look ------------------------------------------------------------------------------

    def _redraw(self) -> None:
        self._upload()
        self._picture()

    def _paint(self, rows: Sample) -> tuple[Float32, Bool]:
        colours, _ = super()._paint(rows)
        if self._objects.coloured:
            colours = self._objects.colours(rows.objects)
        return colours, self._objects.drawn(rows.objects, rows.levels)


class LineDrawer(LinkDrawer, SizeDrawer, Protocol):
    """What puts lines and their ends on a canvas."""

    def show_nodes(self, runs: Int) -> None:
        """Draw the rows of these (R, 2) runs as points from the next frame on."""


class CellLines(SizedLayer, LinkedCells[LineDrawer]):
    """Edges of a store as lines; made as :class:`CellLayer` is.

    Vertices are points beside: all of them where :attr:`nodes` says so, else those that no edge
    joins to another.
    """

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._line_width = 1.0
        self._nodes = scene.geometry == "graph"
        self._point_size = NODE_PX
        super().__init__(scene, capacity, name=name)
        self.events.current_size.connect(self._on_current_size)

    def _upload(self, event: NapariEvent = None) -> None:
        if self._drawer is not None and self.visible:
            self._make_sizes(self._drawer)
        super()._upload()

    def _row_writes(self, arrays: CellArrays) -> list[RowWrite]:
        return super()._row_writes(self._own_sizes(arrays))

    def _show(self, drawer: LineDrawer) -> None:
        super()._show(drawer)
        if self._nodes:
            drawer.show_nodes(self._slots.runs(self._items))
        else:
            cells = (item.cell for item in self._items)
            drawer.show_nodes(self._links.lone(cells, self._slots.rows))

    @property
    def nodes(self) -> bool:
        """Whether all vertices are drawn as points, not only those without an edge."""
        return self._nodes

    @nodes.setter
    def nodes(self, nodes: bool) -> None:
        if nodes != self._nodes:
            self._nodes = nodes
            self.events.look()
            self._upload()

    @property
    def has_points(self) -> bool:
        """Whether there is anything whose size can be seen."""
        return self._nodes

    @property
    def point_size(self) -> float:
        """Of vertices drawn as points, canvas pixels."""
        return self._point_size

    @point_size.setter
    def point_size(self, size: float | None) -> None:
        wanted = NODE_PX if size is None else size
        check_pixels((wanted, wanted))
        self._point_size = wanted
        self.events.look()

    def size_by(self, rule: SizeRule | None, of_objects: Float32 | None = None) -> None:
        """Draw rows as large as a rule says; see :meth:`SizedLayer.size_by`."""
        super().size_by(rule, of_objects)
        self._upload()
        self.events.view()

    @property
    def line_width(self) -> float:
        """Width in canvas pixels."""
        least, most = self.line_widths or (self._line_width, self._line_width)
        return min(max(self._line_width, least), most)

    @line_width.setter
    def line_width(self, width: float) -> None:
        if not width > 0:
            raise LayerError(f"a line has a width, in canvas pixels, not {width}")
        widths = self.line_widths
        if widths is not None and not widths[0] <= width <= widths[1]:
            raise LayerError(
                f"this driver draws lines of {widths[0]:g} to {widths[1]:g} pixels, not {width:g}"
            )
        self._line_width = width
        self.events.look()

    @property
    def line_widths(self) -> tuple[float, float] | None:
        """Least and most canvas pixels the driver draws; None before the first frame.

        A width asked for before that is brought within them at the first frame.
        """
        known = None if self._drawer is None else self._drawer.line_widths()
        ratio = self.pixel_ratio()
        return None if known is None else (known[0] / ratio, known[1] / ratio)

    @property
    def _type_string(self) -> str:
        return "tracks"

    def _on_current_size(self, event: NapariEvent = None) -> None:
        least, most = self.line_widths or (1.0, 1.0)
        self.line_width = float(min(max(self.current_size, least), most))


class CellMesh(LinkedCells[LinkDrawer]):
    """Faces of a store as triangles; made as :class:`CellLayer` is."""

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._shaded = True
        super().__init__(scene, capacity, name=name)

    @property
    def shaded(self) -> bool:
        """Whether faces are the darker the more they turn away, from either side."""
        return self._shaded

    @shaded.setter
    def shaded(self, shaded: bool) -> None:
        self._shaded = shaded
        self.events.look()

    @property
    def _type_string(self) -> str:
        return "surface"


def _check_levels(scene: SceneInfo) -> None:
    if len(scene.levels) > LEVELS:
        raise LayerError(f"{scene.name} has {len(scene.levels)} levels; {LEVELS} can be drawn")
