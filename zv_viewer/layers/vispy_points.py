"""The canvas side of :class:`CellPoints`. The only module that uses napari's private modules.

Importing it registers the visual with napari; where that fails, :mod:`zv_viewer.layers.standard`
draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari._vispy.layers.base import VispyBaseLayer
from napari._vispy.utils.visual import layer_to_visual

from zv_viewer.drawing.slots import PAGE
from zv_viewer.layers.buffers import Int, RowWrite
from zv_viewer.layers.matrices import slab_of
from zv_viewer.layers.points import CellPoints
from zv_viewer.layers.screen import Screen
from zv_viewer.layers.untyped import NapariEvent, NapariValue
from zv_viewer.layers.visual import Cells


class VCellPoints(VispyBaseLayer):  # type: ignore[misc]  # napari's canvas layers are untyped
    """Keeps one visual in step with one layer.

    Args:
        layer: The layer.
        font_info: Passed on to napari.
    """

    def __init__(self, layer: CellPoints, font_info: NapariValue = None) -> None:
        node = Cells(layer.capacity, PAGE, layer.scene.origin, self._on_screen)
        super().__init__(layer, node, font_info=font_info)
        self.layer.events.look.connect(self._on_look_change)
        self._on_look_change()
        self._on_data_change()
        self.reset()
        layer.attach(self)

    # -- Drawer --------------------------------------------------------------------------------

    def write(self, writes: Sequence[RowWrite]) -> None:
        """Fill rows before the next frame."""
        self.node.write(writes)

    def show(self, runs: Int) -> None:
        """Draw the rows of these runs from the next frame on."""
        self.node.show(runs)

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows."""
        self.node.allocate(capacity)

    def centre(self) -> tuple[float, float, float] | None:
        """The canvas camera's centre (z, y, x), world units, or None before the first frame."""
        box = getattr(self.node.scene_node.parent, "camera", None)
        if self.node.screen is None or box is None:
            return None
        x, y, z = (*(float(c) for c in box.center), 0.0)[:3]
        return z, y, x

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
        self._on_matrix_change()

    def _on_look_change(self) -> None:
        layer = self.layer
        self.node.set_colouring(layer.colouring)
        self.node.set_size(layer.point_size, *layer.adaptive_size)
        self.node.set_round(layer.round_points)

    def _on_opacity_change(self) -> None:
        super()._on_opacity_change()
        self._on_blending_change()

    def _on_blending_change(self, event: NapariEvent = None) -> None:
        """As napari, but an opaque layer writes its colours without reading the canvas back."""
        super()._on_blending_change(event)
        if self.layer.blending == "translucent" and self.layer.opacity >= 1:
            self.node.update_gl_state(blend=False)
        self.node.update_gl_state(depth_func="lequal")

    def _on_screen(self, screen: Screen) -> None:
        del screen
        self.layer.events.view()

    def close(self) -> None:
        """The layer left the viewer: free the card's memory; should it return, it is empty."""
        self.layer.attach(None)
        super().close()
        self.node.free()


layer_to_visual[CellPoints] = VCellPoints
