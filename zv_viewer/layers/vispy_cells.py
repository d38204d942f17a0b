"""The canvas side of the layers of cells. The only module that uses napari's private modules.

Importing it registers the visuals with napari; where that fails, :mod:`zv_viewer.layers.standard`
draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari._vispy.layers.base import VispyBaseLayer
from napari._vispy.utils.visual import layer_to_visual
from vispy.scene.visuals import Markers
from vispy.visuals.transforms import STTransform

from zv_viewer.drawing.slots import PAGE
from zv_viewer.layers.buffers import Int, RowWrite
from zv_viewer.layers.drawn_links import LinkWrite
from zv_viewer.layers.link_visual import LineCells, MeshCells
from zv_viewer.layers.linked import CellLines, CellMesh
from zv_viewer.layers.matrices import slab_of
from zv_viewer.layers.object_states import UInt8
from zv_viewer.layers.outlines import OutlineNode
from zv_viewer.layers.point_visual import PointCells
from zv_viewer.layers.points import CellPoints
from zv_viewer.layers.ring import RING_PX
from zv_viewer.layers.row_looks import HIGHLIGHT
from zv_viewer.layers.screen import Screen
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.layers.tints import Part
from zv_viewer.layers.untyped import NapariEvent, NapariValue, Node
from zv_viewer.layers.visual import PLANES


class VCellLayer(VispyBaseLayer):  # type: ignore[misc]  # napari's canvas layers are untyped
    """Keeps one visual in step with one layer.

    Args:
        layer: The layer.
        font_info: Passed on to napari.
    """

    def __init__(self, layer: NapariValue, font_info: NapariValue = None) -> None:
        self._ring: Node = None
        self._outlines: OutlineNode | None = None
        super().__init__(layer, self._node(layer), font_info=font_info)
        self.layer.events.look.connect(self._on_look_change)
        self._on_look_change()
        self._on_data_change()
        self.reset()
        layer.attach(self)

    def _node(self, layer: NapariValue) -> Node:
        """The visual that draws the layer."""
        raise NotImplementedError

    # -- Drawer --------------------------------------------------------------------------------

    def write(self, writes: Sequence[RowWrite]) -> None:
        """Fill rows before the next frame."""
        self.node.write(writes)

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows."""
        self.node.allocate(capacity)

    def start_over(self) -> None:
        """Start over with the layer's scene, none of it drawn."""
        self.node.start_over(self.layer.capacity, self.layer.scene.bounds)
        self._on_data_change()
        self._on_look_change()

    def tint(self, texels: UInt8 | None) -> None:
        """Colour page by page of rows; None: rows have their own colours."""
        self.node.tint(texels)

    def show_part(self, part: Part) -> None:
        """Draw on a part of the canvas only."""
        self.node.show_part(part)

    def centre(self) -> tuple[float, float, float] | None:
        """The canvas camera's centre (z, y, x), world units, or None before the first frame."""
        box = getattr(self.node.scene_node.parent, "camera", None)
        if self.node.screen is None or box is None:
            return None
        x, y, z = (*(float(c) for c in box.center), 0.0)[:3]
        return z, y, x

    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card."""
        return int(self.node.card_bytes)

    def in_software(self) -> bool | None:
        """Whether no graphics card draws; None before the first draw."""
        known: bool | None = self.node.in_software
        return known

    def pixel_ratio(self) -> float:
        """Device pixels per canvas pixel."""
        return 1.0 if self.node.screen is None else float(self.node.screen.pixel_ratio)

    # -- napari's events -----------------------------------------------------------------------

    def _on_data_change(self) -> None:
        """The axes shown or the sliders changed: two uniforms."""
        shown = self.layer._slice_input.displayed  # noqa: SLF001 - napari has no public word for it
        point, left, right = self.layer._data_slice.as_array()  # noqa: SLF001 - as above
        low, high = slab_of(np.nan_to_num(point), left, right, self.layer.axis_step, shown)
        self.node.look_along(tuple(shown))
        self.node.set_slab(low, high)
        self._show_ring()
        self._show_outlines()
        self._on_experimental_clipping_planes_change()
        self._on_matrix_change()

    def _on_look_change(self) -> None:
        self.node.set_colouring(self.layer.colouring)
        self._show_ring()
        self._show_outlines()

    def _show_outlines(self) -> None:
        """Edges of boxes, above all else of the layer."""
        outlines = self.layer.outlines
        if self._outlines is None and outlines is not None:
            self._outlines = OutlineNode(self.node)
        if self._outlines is not None:
            self._outlines.show(outlines, self.node.displayed)

    def _show_ring(self) -> None:
        """A ring around the vertex that is marked, above all else of the layer."""
        marked = self.layer.marked
        if self._ring is None and marked is not None:
            self._ring = Markers(parent=self.node, antialias=1)
            self._ring.order = 1
            middle, clear = np.zeros((1, 3), np.float32), (0.0, 0.0, 0.0, 0.0)
            self._ring.set_data(
                middle, size=RING_PX, face_color=clear, edge_color=HIGHLIGHT, edge_width=2
            )
            self._ring.set_gl_state("translucent", depth_test=False)
        if self._ring is not None:
            self._ring.visible = marked is not None
        if marked is not None:
            shown = [marked[axis] for axis in self.node.displayed]
            self._ring.transform = STTransform(translate=(*shown[::-1], 0.0)[:3])

    def _on_opacity_change(self) -> None:
        super()._on_opacity_change()
        self._on_blending_change()

    def _on_blending_change(self, event: NapariEvent = None) -> None:
        """As napari, but an opaque layer writes its colours without reading the canvas back.

        Rows of the lowest layer are added up, too, where colours are: napari has such a layer cover
        what is below it, which here is its own rows.
        """
        super()._on_blending_change(event)
        if self.layer.blending == "additive":
            self.node.update_gl_state(blend_func=("src_alpha", "one", "one", "one"))
        if self.layer.blending == "translucent" and self._covers:
            self.node.update_gl_state(blend=False)
        self.node.update_gl_state(depth_func="lequal")

    @property
    def _covers(self) -> bool:
        """Whether nothing drawn lets through what lies behind it."""
        return bool(self.layer.opacity >= 1)

    def _on_experimental_clipping_planes_change(self) -> None:
        """Planes lie in the last three axes of the order of axes, those of two axes in these."""
        planes = self.layer.experimental_clipping_planes.as_array()
        if len(planes) > PLANES:
            raise LayerError(f"at most {PLANES} planes clip a layer, not {len(planes)}")
        axes = list(self.layer._slice_input.order)[-3:]  # noqa: SLF001 - no public word for it
        origin = self.layer.scene.origin
        normals = np.zeros((len(planes), len(origin)))
        normals[:, axes] = planes[:, 1, -len(axes) :]
        places = np.zeros((len(planes), len(origin)))
        places[:, axes] = planes[:, 0, -len(axes) :]
        self.node.set_planes(normals, ((places - origin) * normals).sum(axis=1))

    def _on_screen(self, screen: Screen) -> None:
        del screen
        self.layer.events.view()

    def close(self) -> None:
        """The layer left the viewer: free the card's memory; should it return, it is empty.

        napari has what is deleted carried out at once, in whichever context happens to be the
        present one. Programs deleted in another than their own crash software renderers later.
        """
        self.layer.attach(None)
        if self.node.canvas is not None:
            self.node.canvas.set_current()
        super().close()
        self.node.free()


class VCellPoints(VCellLayer):
    """Draws a :class:`CellPoints`."""

    def _node(self, layer: CellPoints) -> Node:
        return PointCells(layer.capacity, PAGE, layer.scene.bounds, self._on_screen)

    def show(self, runs: Int) -> None:
        """Draw the rows of these runs from the next frame on."""
        self.node.show(runs)

    def size_rows(self, sized: bool) -> None:
        """Have a number for the size of each row, none known yet; False: have none."""
        self.node.size_rows(sized)
        self._set_sizes()

    def tell_objects(self, table: tuple[int, int]) -> None:
        """Have the object of each row, none known yet; the size of their table."""
        self.node.tell_objects(table)
        self.node.set_by_object(self.layer.objects_coloured)
        self._set_sizes()

    def write_objects(self, changes: Sequence[tuple[int, UInt8]]) -> None:
        """Fill lines of the table of objects before the next frame."""
        self.node.write_objects(changes)

    def weigh(self, runs: Sequence[tuple[int, int, float]] | None) -> None:
        """Draw rows as opaque as those they stand for together; None: all alike."""
        self.node.weigh(runs)

    def _on_opacity_change(self) -> None:
        super()._on_opacity_change()
        self.node.set_opacity(self.layer.opacity)

    def _on_look_change(self) -> None:
        super()._on_look_change()
        self._set_sizes()
        self.node.set_round(self.layer.round_points)
        self.node.set_by_object(self.layer.objects_coloured)
        self._on_blending_change()

    def _on_blending_change(self, event: NapariEvent = None) -> None:
        super()._on_blending_change(event)
        self.node.set_adds(self.layer.blending == "additive")

    def _set_sizes(self) -> None:
        self.node.set_size(self.layer.point_size, *self.layer.adaptive_size)
        self.node.set_value_size(self.layer.value_size)
        self.node.set_rule(self.layer.size_rule, self.layer.object_sizes)

    @property
    def _covers(self) -> bool:
        return super()._covers and not self.layer.lets_through


class VLinkedCells(VCellLayer):
    """Draws links: what their layers have in common."""

    def start_over(self) -> None:
        """Start over with the layer's scene and objects, none of it drawn."""
        self.node.use_objects(self.layer.object_table)
        super().start_over()

    def write_links(self, writes: Sequence[LinkWrite], used: Int) -> None:
        """Fill links before the next frame."""
        self.node.write_links(writes, used)

    def write_objects(self, changes: Sequence[tuple[int, UInt8]]) -> None:
        """Fill lines of the table of objects before the next frame."""
        self.node.write_objects(changes)

    def line_widths(self) -> tuple[float, float] | None:
        """Least and most device pixels of a line; None before the first frame."""
        return None

    def _on_look_change(self) -> None:
        super()._on_look_change()
        self.node.set_by_object(self.layer.objects_coloured)
        self._on_blending_change()

    @property
    def _covers(self) -> bool:
        return super()._covers and not self.layer.lets_through


class VCellLines(VLinkedCells):
    """Draws a :class:`CellLines`."""

    def _node(self, layer: CellLines) -> Node:
        bounds = layer.scene.bounds
        return LineCells(layer.capacity, PAGE, layer.object_table, bounds, self._on_screen)

    def line_widths(self) -> tuple[float, float] | None:
        """Least and most device pixels of a line; None before the first frame."""
        known: tuple[float, float] | None = self.node.widths
        return known

    def _on_look_change(self) -> None:
        super()._on_look_change()
        self.node.set_width(self.layer.line_width)
        self._set_sizes()

    def show_nodes(self, runs: Int) -> None:
        """Draw the rows of these runs as points from the next frame on."""
        self.node.show_nodes(runs)

    def size_rows(self, sized: bool) -> None:
        """Have a number for the size of each row, none known yet; False: have none."""
        self.node.size_rows(sized)
        self._set_sizes()

    def start_over(self) -> None:
        """Start over with the layer's scene and objects, none of it drawn."""
        super().start_over()
        self._set_sizes()

    def _set_sizes(self) -> None:
        self.node.set_size(self.layer.point_size, 1.0, 1.0, 1.0)
        self.node.set_value_size(self.layer.value_size)
        self.node.set_rule(self.layer.size_rule, self.layer.object_sizes)


class VCellMesh(VLinkedCells):
    """Draws a :class:`CellMesh`."""

    def _node(self, layer: CellMesh) -> Node:
        bounds = layer.scene.bounds
        return MeshCells(layer.capacity, PAGE, layer.object_table, bounds, self._on_screen)

    def _on_look_change(self) -> None:
        super()._on_look_change()
        self.node.set_shaded(self.layer.shaded)


layer_to_visual[CellPoints] = VCellPoints
layer_to_visual[CellLines] = VCellLines
layer_to_visual[CellMesh] = VCellMesh
