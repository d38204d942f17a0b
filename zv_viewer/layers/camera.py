"""What a viewer looks at, as a plain :class:`Camera` in the store's coordinates.

Conventions, checked against vispy's own transforms by the tests:

* ``viewer.scene.camera.zoom`` is canvas pixels per world unit, in the plane of ``center``;
  ``viewer.canvas.size`` is (height, width) in canvas pixels.
* The slab of an axis that is not displayed is ``[point - margin_left, point + margin_right]``, and
one
  slider step wide where both margins are zero (:func:`zv_viewer.layers.matrices.slab_of`).
* napari leaves its model's centre as it is while the canvas moves by less than 1e-5 of the
coordinate.
  Where a layer is on the canvas, the canvas's own centre is used instead, which has all digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.matrices import flat_matrix, in_layer, slab_of, solid_matrix
from zv_viewer.layers.standard_layer import StandardLayer
from zv_viewer.layers.units import in_world
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.camera import Camera

if TYPE_CHECKING:
    from napari import Viewer

Float = npt.NDArray[np.float64]


def camera_of(viewer: Viewer, layer: CellLayer[NapariValue] | StandardLayer) -> Camera:
    """The view of ``layer`` in ``viewer``, now.

    Args:
        viewer: The viewer.
        layer: A layer of it, for its transform, its slider step and the canvas's exact centre.
    """
    dims, ndim = viewer.dims, layer.scene.ndim
    extra = dims.ndim - ndim
    shown = displayed_axes(dims.order, dims.ndisplay, ndim)
    hidden = [axis for axis in range(ndim) if axis not in shown]
    linear, translate = affine_of(viewer, layer)
    height, width = (float(pixels) for pixels in viewer.canvas.size)
    world = _world_matrix(viewer.scene.camera, layer, (height, width), dims.ndisplay)
    if len(shown) < dims.ndisplay:
        world = world[:, [1, 2, 0, 3]]
    axes = list(shown)
    matrix = in_layer(world, linear[np.ix_(axes, axes)], translate[axes])
    point, left, right = (np.zeros(ndim) for _ in range(3))
    if hidden:
        back = np.linalg.inv(linear[np.ix_(hidden, hidden)])
        scale = np.abs(np.diag(back))
        point[hidden] = back @ (np.asarray(dims.point[extra:])[hidden] - translate[hidden])
        left[hidden] = scale * np.asarray(dims.margin_left[extra:])[hidden]
        right[hidden] = scale * np.asarray(dims.margin_right[extra:])[hidden]
    low, high = slab_of(point, left, right, layer.axis_step, shown)
    ratio = layer.pixel_ratio()
    return Camera(matrix, (width * ratio, height * ratio), shown, low, high)


def settle_centre(viewer: Viewer, layer: CellLayer[NapariValue] | StandardLayer) -> bool:
    """Tell napari's model where the canvas is; True where it had fallen behind.

    Without this, the next resize or switch between two and three axes jumps back to the model's
    centre. To be called outside the paint event, for instance once the camera rests.
    """
    exact, camera = layer.canvas_centre(), viewer.scene.camera
    if exact is None:
        return False
    n = viewer.dims.ndisplay
    model = (*(0.0,) * 3, *camera.center)[-3:]
    if tuple(model[-n:]) == exact[-n:] or not np.allclose(model[-n:], exact[-n:]):
        return False
    camera.center = (*model[: 3 - n], *exact[-n:])
    return True


def displayed_axes(order: tuple[int, ...], ndisplay: int, ndim: int) -> tuple[int, ...]:
    """A store's axes on the canvas: they are the last ``ndim`` of the viewer's axes."""
    extra = len(order) - ndim
    of_layer = [axis - extra for axis in order if axis >= extra]
    return tuple(of_layer[-ndisplay:])


def affine_of(viewer: Viewer, layer: NapariValue) -> tuple[Float, Float]:
    """(D, D) and (D,) of ``world = linear @ p + translate``, exact near the store's positions.

    Axes that napari's layer has before those of the store are left out.

    Args:
        viewer: Its units are those of the world.
        layer: A layer of it.
    """
    extra = layer.ndim - layer.scene.ndim
    low, high = np.asarray(layer.extent.data, float)
    reach = np.where(high > low, high - low, 1.0)
    start = np.asarray(layer.data_to_world(low), float)
    columns = [
        (np.asarray(layer.data_to_world(low + step), float) - start) / step[axis]
        for axis, step in enumerate(np.diag(reach))
    ]
    units = in_world(viewer, layer)
    linear = (units[:, None] * np.stack(columns, axis=1))[extra:, extra:]
    return linear, (units * start)[extra:] - linear @ (low[extra:] + layer.store_offset)


def _world_matrix(
    camera: NapariValue,
    layer: CellLayer[NapariValue] | StandardLayer,
    size: tuple[float, float],
    ndisplay: int,
) -> Float:
    center = np.asarray((*(0.0,) * 3, *camera.center)[-3:], float)
    exact = layer.canvas_centre()
    if exact is not None:
        seen = np.asarray(exact)
        same = np.isclose(seen, center)
        center = np.where(same, seen, center) if same[-ndisplay:].all() else center
    _, vertical, horizontal = (str(word) for word in camera.orientation)
    if ndisplay == 2:
        flips = (1 if vertical == "down" else -1, 1 if horizontal == "right" else -1)
        return flat_matrix(center[-2:], camera.zoom, size, flips)
    handed = 1 if str(camera.handedness) == "right" else -1
    return solid_matrix(
        center,
        camera.zoom,
        size,
        camera.view_direction,
        camera.up_direction,
        camera.perspective,
        handed,
    )
