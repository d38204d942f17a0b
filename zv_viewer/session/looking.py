"""What lies in the middle of a view, and where the viewer changes levels there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.camera import affine_of, displayed_axes
from zv_viewer.layers.view import read_view
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning.switching import Switch, switch_of

if TYPE_CHECKING:
    from zv_viewer.controller import LodController

Float = npt.NDArray[np.float64]


def middle_of(scene: SceneInfo, camera: Camera) -> Float:
    """(D,) the place in the middle of a view; on hidden axes, the middle of the slab."""
    low, high = scene.bounds
    middle = (np.clip(camera.slab_lo, low, high) + np.clip(camera.slab_hi, low, high)) / 2
    n, axes = len(camera.displayed), list(camera.displayed)
    rows = camera.matrix
    home = np.array([0.0, 0.0, 0.0, 1.0])
    at, *_ = np.linalg.lstsq(rows[:, :n], home - rows[:, 3], rcond=None)
    middle[axes] = at
    return np.asarray(middle)


def view_middle(viewer: Any, layer: Any) -> Float:  # noqa: ANN401 - napari's
    """(D,) store position in the middle of the canvas; NaN on axes that are hidden."""
    ndim = layer.scene.ndim
    linear, translate = affine_of(viewer, layer)
    center = np.asarray(read_view(viewer).center[-ndim:])
    middle = np.linalg.solve(linear, center - translate)
    shown = displayed_axes(viewer.dims.order, viewer.dims.ndisplay, ndim)
    middle[[axis for axis in range(ndim) if axis not in shown]] = np.nan
    return np.asarray(middle)


def find_switch(
    controller: LodController,
    tree: CellTree,
    camera: Camera,
    middle: Float,
    level: int,
    changes: dict[str, Any],
) -> Switch | None:
    """Where the viewer leaves a level for a finer one; in any thread.

    Args:
        controller: Asked for plans.
        tree: Its cells.
        camera: A view; its direction and middle stay.
        middle: (D,) the place in its middle, store axes, NaN on hidden ones.
        level: Position of the coarser level.
        changes: Fields of the settings that are to be others.
    """

    def plan_at(view: Camera, previous: ViewPlan | None) -> ViewPlan:
        return controller.plan_from(view, previous, level_lock=None, **changes)

    return switch_of(tree, camera, middle, level, plan_at)
