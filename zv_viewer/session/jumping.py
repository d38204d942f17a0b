"""Going to a part of a store: the view that shows a box whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.camera import affine_of, displayed_axes
from zv_viewer.layers.view import apply_view, read_view
from zv_viewer.model.view import ViewState

FILL = 0.85
"""How much of the canvas the box takes."""


def look_at(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    layer: Any,  # noqa: ANN401 - the layer that draws the store
    box: npt.NDArray[np.float64],
) -> None:
    """Move the camera and the sliders so that a box, (2, D) in the store's units, is seen."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    apply_view(viewer, view_of_box(viewer, layer, box))


def view_of_box(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    layer: Any,  # noqa: ANN401 - the layer that draws the store
    box: npt.NDArray[np.float64],
) -> ViewState:
    """The present view, moved to a box; as near as before where the box has no extent."""
    linear, translate = affine_of(viewer, layer)
    middle = linear @ box.mean(axis=0) + translate
    extent = np.abs(linear) @ (box[1] - box[0])
    view = read_view(viewer)
    extra = viewer.dims.ndim - layer.scene.ndim
    center = (*view.center[:extra], *(float(x) for x in middle))
    shown = displayed_axes(viewer.dims.order, view.ndisplay, layer.scene.ndim)
    across = _on_canvas(viewer.scene.camera, extent[list(shown)])
    size = np.array([float(pixels) for pixels in viewer.canvas.size])
    there = across > 0
    zoom = float(FILL * (size[there] / across[there]).min()) if there.any() else view.zoom
    return replace(view, center=center, zoom=zoom)


def _on_canvas(
    camera: Any,  # noqa: ANN401 - napari's
    extent: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """(2,) how high and how wide a box of this extent is on the canvas, world units."""
    if len(extent) < 3:
        return extent[-2:]
    up = np.asarray(camera.up_direction, np.float64)
    right = np.cross(up, np.asarray(camera.view_direction, np.float64))
    return np.abs(np.stack([up, right])) @ extent
