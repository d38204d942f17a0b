"""View matrices in float64: from camera controls, and relative to a near point for float32.

Column convention throughout: ``clip = matrix @ [p0, p1, p2, 1]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]

LARGE = 1e30
"""Stands for "no bound" where a finite float32 is needed."""


def flat_matrix(
    center: Sequence[float] | Float,
    zoom: float,
    size: tuple[float, float],
    flips: tuple[int, int] = (1, 1),
) -> Float:
    """(4, 4) matrix of a two-axes view.

    Args:
        center: (2,) displayed (vertical, horizontal) position in the middle of the canvas.
        zoom: Canvas pixels per unit.
        size: (height, width) of the canvas, pixels.
        flips: 1 where the axis runs down (vertical) or right (horizontal), -1 where it runs the
            other way.
    """
    height, width = size
    per_unit = np.array([-2 * zoom / height * flips[0], 2 * zoom / width * flips[1]])
    matrix = np.zeros((4, 4))
    matrix[0, 1], matrix[1, 0] = per_unit[1], per_unit[0]
    matrix[2, 2] = matrix[3, 3] = 1.0
    matrix[0, 3] = -per_unit[1] * center[1]
    matrix[1, 3] = -per_unit[0] * center[0]
    return matrix


def solid_matrix(
    center: Sequence[float] | Float,
    zoom: float,
    size: tuple[float, float],
    forward: Sequence[float],
    up: Sequence[float],
    fov: float,
    handed: int = 1,
) -> Float:
    """(4, 4) matrix of a three-axes view, ``w`` = 1 in the plane of ``center``.

    Args:
        center: (3,) displayed position in the middle of the canvas.
        zoom: Canvas pixels per unit in the plane of ``center``.
        size: (height, width) of the canvas, pixels.
        forward: (3,) unit vector the camera looks along.
        up: (3,) unit vector to the top of the canvas.
        fov: Vertical field of view, degrees; 0 is orthographic.
        handed: 1 where ``cross(forward, up)`` runs to the right on the canvas, -1 where it runs
            left.
    """
    height, width = size
    ahead, above = np.asarray(forward, float), np.asarray(up, float)
    right = np.cross(ahead, above) * handed
    rows = np.zeros((4, 3))
    rows[0] = right * (2 * zoom / width)
    rows[1] = above * (2 * zoom / height)
    rows[2] = ahead * (2 * zoom / height)
    if fov > 0:
        rows[3] = ahead * np.tan(np.radians(fov) / 2) / (height / zoom / 2)
    return np.column_stack(
        [rows, np.array([0.0, 0.0, 0.0, 1.0]) - rows @ np.asarray(center, float)]
    )


def in_layer(matrix: Float, linear: Float, translate: Float) -> Float:
    """The same view for positions a layer places by ``world = linear @ p + translate``.

    Args:
        matrix: (4, 4), of world positions.
        linear: (k, k), the layer's transform on its k <= 3 displayed axes.
        translate: (k,), its displacement.
    """
    k = len(translate)
    place = np.eye(4)
    place[:k, :k] = linear
    place[:k, 3] = translate
    return matrix @ place


@dataclass(frozen=True, eq=False, slots=True)
class NearView:
    """A view as float32 can carry it: steps from a point near the middle of the canvas.

    Args:
        centre: (4,) float32, store axes relative to the layer's origin.
        matrix: (4, 4) float64, store axes (a step from ``centre``) to clip.
        offset: (4,) float64, where ``centre`` lands.
    """

    centre: npt.NDArray[np.float32]
    matrix: Float
    offset: Float


def near_view(
    matrix: Float, displayed: Sequence[int], origin: Float, middle: Sequence[float] | Float
) -> NearView:
    """Split a view so that large coordinates cancel in float64, before they reach the card.

    Args:
        matrix: (4, 4), displayed positions (in the order of ``displayed``) to clip.
        displayed: Layer axes shown, two or three.
        origin: (D,) point that vertex positions are relative to, layer coordinates.
        middle: (k,) displayed position near the middle of the canvas, in the order of
            ``displayed``.
    """
    axes = list(displayed)
    k = len(axes)
    centre = np.zeros(4, np.float32)
    centre[axes] = np.clip(np.asarray(middle, float) - origin[axes], -LARGE, LARGE)
    steps = np.zeros((4, 4))
    steps[:, axes] = matrix[:, :k]
    at = np.append(centre[axes].astype(np.float64) + origin[axes], np.zeros(3 - k))
    return NearView(centre, steps, matrix @ np.append(at, 1.0))


def depth_reach(matrix: Float, middle: Float, half: Float) -> float:
    """By how much a box is deeper than a parallel view shows; 1 where it is not.

    vispy's views show a million units before and behind the centre; stores in nanometres are
    larger. A view in perspective reaches as far as it is far away.

    Args:
        matrix: (4, 4), displayed positions to clip.
        middle: (k,) middle of the box, displayed.
        half: (k,) half its size.
    """
    k = len(middle)
    if matrix[3, :3].any():
        return 1.0
    away = abs(matrix[2, :k] @ middle + matrix[2, 3]) + np.abs(matrix[2, :k]) @ half
    return max(1.0, float(away / matrix[3, 3]) * (1 + 1e-6))


def slab_of(
    point: Float, left: Float, right: Float, step: Float, displayed: Sequence[int]
) -> tuple[Float, Float]:
    """What is kept on the axes that are not shown.

    That is ``[point - left, point + right]``. Where both margins are zero it is one step of the
    slider, centred, so that moving the slider step by step shows every row.

    Args:
        point: (D,) slider position, layer coordinates.
        left: (D,) margin below it.
        right: (D,) margin above it.
        step: (D,) slider step.
        displayed: Layer axes shown; their slab is not bounded.

    Returns:
        (D,) lower and (D,) upper ends; -inf and inf on displayed axes.
    """
    low, high = point - left, point + right
    thin = np.isclose(high, low, rtol=0.0, atol=1e-9 * np.abs(step))
    low = np.where(thin, low - step / 2, low)
    high = np.where(thin, high + step / 2, high)
    low[list(displayed)] = -np.inf
    high[list(displayed)] = np.inf
    return low, high


def slider_step(bounds: Float) -> Float:
    """(D,) slider step: 1, or a power of ten that divides a small axis into 100 to 1000 steps.

    Args:
        bounds: (2, D) of the store.
    """
    extent = bounds[1] - bounds[0]
    small = (extent > 0) & (extent < 100)
    power = np.floor(np.log10(np.where(small, extent, 1000.0) / 100) + 1e-9)
    return np.where(small, 10.0**power, 1.0)
