"""Camera controls as a plain view, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zv_viewer.model.view import ViewState

if TYPE_CHECKING:
    from napari.components import ViewerModel


def read_view(viewer: ViewerModel) -> ViewState:
    """The viewer's present view; ``center`` has one number per world axis."""
    camera = viewer.scene.camera
    displayed = viewer.dims.displayed
    center = [float(x) for x in viewer.dims.point]
    for axis, place in zip(displayed, camera.center[-len(displayed) :], strict=True):
        center[axis] = float(place)
    first, second, third = (float(angle) for angle in camera.angles)
    return ViewState(
        ndisplay=viewer.dims.ndisplay,
        center=tuple(center),
        zoom=float(camera.zoom),
        angles=(first, second, third),
        perspective=float(camera.perspective),
    )


def apply_view(viewer: ViewerModel, view: ViewState) -> None:
    """Move the viewer's camera and sliders to ``view``, whose axes are the last of the viewer's."""
    if viewer.dims.ndisplay != view.ndisplay:
        viewer.dims.ndisplay = view.ndisplay
    extra = viewer.dims.ndim - len(view.center)
    center = (*viewer.dims.point[:extra], *view.center)
    for axis in viewer.dims.not_displayed:
        viewer.dims.set_point(axis, center[axis])
    displayed = viewer.dims.displayed
    camera = viewer.scene.camera
    shown = tuple(center[axis] for axis in displayed)
    camera.center = shown if len(shown) == 3 else (0.0, *shown)
    camera.zoom = view.zoom
    if view.ndisplay == 3:
        camera.angles = view.angles
        camera.perspective = view.perspective
