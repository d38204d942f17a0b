"""From world units to pixels: how large an error, and a cell, is on the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

NEAR = 0.25
"""Nothing in a cell counts as nearer than this part of its depth: a bound around the camera."""

FOCUS = 0.8
"""Radius at which attention has halved, as a part of the shorter side of the canvas."""


@dataclass(frozen=True, eq=False, slots=True)
class OnScreen:
    """N boxes as a camera sees them.

    Args:
        px_per_unit: (N,) pixels per world unit at the nearest point of each box.
        area: (N,) projected area in square pixels, whether on the canvas or not; inf around the
            camera.
        area_in_view: (N,) square pixels of its bounding rectangle on the canvas.
        focus: (N,) attention 0..1, 1 where the box reaches the middle of the canvas.
        around: (N,) the box reaches to the camera or behind it.
    """

    px_per_unit: Float
    area: Float
    area_in_view: Float
    focus: Float
    around: Bool


def pixel_scale(camera: Camera) -> float:
    """Largest length in pixels of a world unit at ``w = 1``, whatever its direction."""
    n = len(camera.displayed)
    x = camera.matrix[0, :n] * camera.viewport[0]
    y = camera.matrix[1, :n] * camera.viewport[1]
    xx, yy, xy = x @ x, y @ y, x @ y
    return float(0.5 * np.sqrt((xx + yy + np.sqrt((xx - yy) ** 2 + 4 * xy * xy)) / 2))


def measure(camera: Camera, lo: Float, hi: Float, *, foveation: bool = True) -> OnScreen:
    """Measure boxes on the canvas.

    Args:
        camera: The view.
        lo: (N, D) lower corners, store axes.
        hi: (N, D) upper corners.
        foveation: Whether attention falls off from the middle; else it is 1.

    Returns:
        What each box is on the canvas.
    """
    n = len(camera.displayed)
    axes = list(camera.displayed)
    half = (hi[:, axes] - lo[:, axes]) * 0.5
    middle = lo[:, axes] + half
    rows = camera.matrix[:, :n]
    x, y, w = (middle @ rows[i] + camera.matrix[i, 3] for i in (0, 1, 3))
    depth = half @ np.abs(rows[3])
    nearest = w - depth
    least = np.maximum(nearest, NEAR * 2 * depth)
    around = nearest <= NEAR * 2 * depth
    least = np.where(least > 0, least, 1.0)
    w = np.where(around, 1.0, w)
    width, height = camera.viewport
    # Half edges in pixels, times w: the derivative at the middle of the box.
    edge_x = (rows[0] * w[:, None] - x[:, None] * rows[3]) * half * (0.5 * width / w)[:, None]
    edge_y = (rows[1] * w[:, None] - y[:, None] * rows[3]) * half * (0.5 * height / w)[:, None]
    area = _outline(edge_x / w[:, None], edge_y / w[:, None])
    # No point of the box is further from its middle than this, since w is at least ``least``.
    reach_x, reach_y = np.abs(edge_x).sum(axis=1) / least, np.abs(edge_y).sum(axis=1) / least
    at_x, at_y = x / w * (0.5 * width), y / w * (0.5 * height)
    in_view = _overlap(at_x, reach_x, 0.5 * width) * _overlap(at_y, reach_y, 0.5 * height)
    focus = np.ones(len(lo))
    if foveation:
        away_x = np.maximum(np.abs(at_x) - reach_x, 0)
        away_y = np.maximum(np.abs(at_y) - reach_y, 0)
        radius = FOCUS * min(width, height)
        focus = np.where(around, 1.0, 1 / (1 + (away_x**2 + away_y**2) / radius**2))
    return OnScreen(
        px_per_unit=pixel_scale(camera) / least,
        area=np.where(around, np.inf, area),
        area_in_view=np.where(around, width * height, in_view),
        focus=focus,
        around=around,
    )


def _outline(edge_x: Float, edge_y: Float) -> Float:
    """Area of the projected boxes with these half edges, at least one pixel thick."""
    area = np.zeros(len(edge_x))
    n = edge_x.shape[1]
    for i in range(n):
        for j in range(i + 1, n):
            area += 4 * np.abs(edge_x[:, i] * edge_y[:, j] - edge_x[:, j] * edge_y[:, i])
    longest = 2 * np.hypot(edge_x, edge_y).max(axis=1)
    return np.asarray(np.maximum(area, np.maximum(longest, 1.0)))


def _overlap(at: Float, reach: Float, half: float) -> Float:
    """Length of [at - reach, at + reach] inside [-half, half]."""
    length = np.minimum(at + reach, half) - np.maximum(at - reach, -half)
    return np.asarray(np.maximum(length, 0))
