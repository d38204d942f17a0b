"""Cameras for tests and benchmarks, from what one would say of them in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera

Float = npt.NDArray[np.float64]

CANVAS = (1280.0, 720.0)


def orthographic(
    center: Sequence[float],
    px_per_unit: float,
    *,
    displayed: Sequence[int] = (0, 1),
    viewport: tuple[float, float] = CANVAS,
    rotation: Float | None = None,
    thickness: float = 0.0,
) -> Camera:
    """A parallel view.

    Args:
        center: (D,) world position in the middle of the canvas; on hidden axes the middle of the
            slab.
        px_per_unit: Zoom.
        displayed: Store axes shown, two or three.
        viewport: Canvas in pixels.
        rotation: (3, 3) world to view, rows right, up, backward; the identity when left out.
        thickness: Of the slab on hidden axes.
    """
    n = len(displayed)
    turn = np.eye(3) if rotation is None else rotation
    matrix = np.eye(4)
    for row, pixels in enumerate(viewport):
        matrix[row, :3] = turn[row] * (2 * px_per_unit / pixels)
    matrix[2, :3] = 0
    at = np.zeros(3)
    at[:n] = np.asarray(center, float)[list(displayed)]
    matrix[:3, 3] = -matrix[:3, :3] @ at
    lo, hi = _slab(center, displayed, thickness)
    return Camera(matrix, viewport, tuple(displayed), lo, hi)


def look_at(
    eye: Sequence[float],
    toward: Sequence[float],
    *,
    up: Sequence[float] = (0.0, 0.0, 1.0),
    fov: float = 45.0,
    displayed: Sequence[int] = (0, 1, 2),
    viewport: tuple[float, float] = CANVAS,
    thickness: float = 0.0,
) -> Camera:
    """A perspective view from a place to a place.

    Args:
        eye: (D,) where the camera is; on hidden axes the middle of the slab.
        toward: (D,) what is in the middle of the canvas.
        up: Direction that is up on the canvas, on the displayed axes.
        fov: Angle between the top and the bottom of the canvas, degrees.
        displayed: Three store axes.
        viewport: Canvas in pixels.
        thickness: Of the slab on hidden axes.
    """
    axes = list(displayed)
    at = np.asarray(eye, float)[axes]
    back = at - np.asarray(toward, float)[axes]
    back /= np.linalg.norm(back)
    right = np.cross(np.asarray(up, float), back)
    if np.linalg.norm(right) < 1e-9:
        right = np.cross(np.roll(back, 1), back)
    right /= np.linalg.norm(right)
    over = np.cross(back, right)
    focal = 1 / np.tan(np.radians(fov) / 2)
    matrix = np.zeros((4, 4))
    matrix[0, :3] = right * focal * viewport[1] / viewport[0]
    matrix[1, :3] = over * focal
    matrix[2, :3] = matrix[3, :3] = -back
    matrix[:, 3] = -matrix[:, :3] @ at
    lo, hi = _slab(eye, displayed, thickness)
    return Camera(matrix, viewport, tuple(displayed), lo, hi)


def zoomed(camera: Camera, factor: float, about_px: tuple[float, float] = (0.0, 0.0)) -> Camera:
    """The view magnified about a place on the canvas, given in pixels from its middle, y up."""
    matrix = camera.matrix.copy()
    for row in (0, 1):
        at = about_px[row] / (camera.viewport[row] / 2)
        matrix[row] = factor * camera.matrix[row] + (1 - factor) * at * camera.matrix[3]
    return Camera(matrix, camera.viewport, camera.displayed, camera.slab_lo, camera.slab_hi)


def shifted(camera: Camera, x_px: float, y_px: float = 0.0) -> Camera:
    """The view with its picture moved across the canvas by pixels."""
    matrix = camera.matrix.copy()
    matrix[0] += x_px / (camera.viewport[0] / 2) * camera.matrix[3]
    matrix[1] += y_px / (camera.viewport[1] / 2) * camera.matrix[3]
    return Camera(matrix, camera.viewport, camera.displayed, camera.slab_lo, camera.slab_hi)


def _slab(
    center: Sequence[float], displayed: Sequence[int], thickness: float
) -> tuple[Float, Float]:
    lo = np.asarray(center, float) - thickness / 2
    hi = np.asarray(center, float) + thickness / 2
    lo[list(displayed)], hi[list(displayed)] = -np.inf, np.inf
    return lo, hi
