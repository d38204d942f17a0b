"""A store that was opened joins a viewer: its layer, what loads it, what is seen of it first."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from zv_viewer.layers.factory import make_layer
from zv_viewer.layers.units import has_scale
from zv_viewer.model.scene import SceneInfo
from zv_viewer.session.budgeting import Budgeting
from zv_viewer.session.contents import Contents
from zv_viewer.session.feed import Feed
from zv_viewer.session.opening import Opened

if TYPE_CHECKING:
    from napari.viewer import Viewer

NORTH_UP = ("towards", "up", "right")
"""Axes z, y, x of a map: as seen from above, with north at the top, not mirrored."""

STAND_IN = "zv_viewer_stand_in"
"""In the metadata of a layer that only holds the place of a store being opened."""


def attach(
    viewer: Viewer,
    opened: Opened,
    feed: Feed,
    budgeting: Budgeting,
    contents: Contents,
    name: str | None,
) -> None:
    """Add a layer to a viewer, and what loads it, for a store that was opened.

    Args:
        viewer: The napari viewer.
        opened: The store; closed when there can be no layer for it.
        feed: Takes the layer and the controller.
        budgeting: How much the store may draw.
        contents: Its objects and shapes.
        name: Of the layer; the store's name when None.
    """
    scene = opened.scene
    first = has_no_layer(viewer)
    with ExitStack() as on_failure:
        on_failure.callback(opened.source.close)
        budget = budgeting.meet(viewer)
        feed.layer = make_layer(scene, budget, name=name, backend=feed.backend)
        viewer.add_layer(feed.layer)
        on_failure.pop_all()
    controller = feed.load(opened, feed.layer, budgeting.begin(viewer))
    controller.take_in(opened.coarsest)
    feed.weigh()
    contents.find_objects()
    if first:
        show_whole(viewer, scene)
    contents.find_shapes(viewer)


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
