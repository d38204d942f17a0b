"""The events of a viewer and a layer that ask for another picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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
