"""Clipping planes of a layer: napari's own, on the last three axes of the order of axes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.untyped import NapariValue

Float = npt.NDArray[np.float64]


def plane_axes(layer: NapariValue) -> tuple[int, ...]:
    """The store's axes a plane's three numbers are of; the last of them where there are but two."""
    order = layer._slice_input.order  # noqa: SLF001 - napari has no public word for it
    extra = layer.ndim - layer.scene.ndim
    return tuple(axis - extra for axis in tuple(order)[-3:] if axis >= extra)


def _bounds(layer: NapariValue, axes: list[int]) -> Float:
    """(2, len(axes)) of the store, layer coordinates."""
    return np.asarray((layer.scene.bounds - layer.store_offset)[:, axes])


def ends_along(layer: NapariValue, normal: npt.ArrayLike) -> tuple[float, float]:
    """Where the store begins and ends along a unit normal, (3,) numbers."""
    along = np.asarray(normal, float)
    axes = list(plane_axes(layer))
    box = np.zeros((2, 3))
    box[:, 3 - len(axes) :] = _bounds(layer, axes)
    near = np.where(along > 0, box[0], box[1]) @ along
    far = np.where(along > 0, box[1], box[0]) @ along
    return float(near), float(far)


def part_of(layer: NapariValue, plane: NapariValue) -> float:
    """How much of the store a plane takes away along its normal, 0 to 1."""
    near, far = ends_along(layer, plane.normal)
    reach = float(np.dot(plane.normal, plane.position))
    return float(np.clip((reach - near) / ((far - near) or 1.0), 0.0, 1.0))


def position_of(layer: NapariValue, normal: npt.ArrayLike, part: float) -> tuple[float, ...]:
    """Where a plane of this normal lies that takes away ``part`` of the store."""
    along = np.asarray(normal, float)
    near, far = ends_along(layer, along)
    axes = list(plane_axes(layer))
    middle = np.zeros(3)
    middle[3 - len(axes) :] = _bounds(layer, axes).mean(axis=0)
    reach = near + part * (far - near)
    return tuple(float(x) for x in middle + (reach - middle @ along) * along)
