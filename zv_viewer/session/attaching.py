"""A layer joins a viewer: what is seen of it first, and the events that move its picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zv_viewer.layers.units import has_scale
from zv_viewer.model.scene import SceneInfo

NORTH_UP = ("towards", "up", "right")
"""Axes z, y, x of a map: as seen from above, with north at the top, not mirrored."""

STAND_IN = "zv_viewer_stand_in"
"""In the metadata of a layer that only holds the place of a store being opened."""


def has_no_layer(viewer: Any) -> bool:  # noqa: ANN401 - a napari viewer
    """Whether a viewer shows nothing yet; layers that stand in for stores do not count."""
    return all(STAND_IN in layer.metadata for layer in viewer.layers)


def show_whole(viewer: Any, scene: SceneInfo) -> None:  # noqa: ANN401 - a napari viewer
    """Give a viewer the axes of a store, a bar where it has units, and a view of all of it."""
    if scene.ndim - len(scene.time_axes) >= 3:
        viewer.dims.ndisplay = 3
    extra = viewer.dims.ndim - scene.ndim
    viewer.dims.axis_labels = (*viewer.dims.axis_labels[:extra], *scene.axis_names)
    viewer.dims.order = (*range(extra), *(extra + axis for axis in scene.display_order))
    if has_scale(scene):
        viewer.canvas.overlays.scale_bar.visible = True
    if scene.north_up:
        viewer.scene.camera.orientation = NORTH_UP
    viewer.reset_view()


class AllInView:
    """Stores opened together are in view together, until somebody moves the camera.

    Call it with each store that has opened.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        self._viewer = viewer
        self._left: tuple[float, ...] | None = None

    def __call__(self, *_: object) -> None:
        """Show all there is, unless the view is no longer the one that was left."""
        if self._left is None or np.allclose(self._view(), self._left, rtol=1e-3):
            self._viewer.reset_view()
            self._left = self._view()

    def _view(self) -> tuple[float, ...]:
        camera = self._viewer.scene.camera
        return (*camera.center, *camera.angles, camera.zoom)


class Listeners:
    """Connections to the events of a viewer and a layer, ended together."""

    def __init__(self) -> None:
        self._connections: list[tuple[Any, Callable[..., None]]] = []

    def listen(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        layer: Any,  # noqa: ANN401 - the layer that draws the store
        moved: Callable[..., None],
        removed: Callable[[Any], None],
    ) -> None:
        """Call ``moved`` when another picture is due, ``removed`` when a layer leaves."""
        dims = viewer.dims.events
        emitters = [
            viewer.scene.camera.events,
            viewer.canvas.events.size,
            *(dims.point, dims.ndisplay, dims.order, dims.margin_left, dims.margin_right),
            *(layer.events.visible, layer.events.affine, layer.events.scale),
            layer.events.view,
            *(layer.events.translate, layer.events.rotate, layer.events.shear),
        ]
        for emitter in emitters:
            self._connect(emitter, moved)
        self._connect(viewer.layers.events.removed, removed)

    def close(self) -> None:
        """End them."""
        for emitter, callback in self._connections:
            emitter.disconnect(callback)
        self._connections.clear()

    def _connect(self, emitter: Any, callback: Callable[..., None]) -> None:  # noqa: ANN401
        emitter.connect(callback)
        self._connections.append((emitter, callback))
