"""Planes, lines and spheres -> triangles and segments inside a box; axes are x, y, z throughout.

A plane is all points with ``A x + B y + C z + D = 0``; a line runs both ways from a point along a
direction; a sphere is its surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.shapes import ParametricObject

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

SURFACES = frozenset({"plane", "sphere"})
LINES = frozenset({"line"})
ROOM = 0.25
"""Part of the largest extent of some objects that is seen around them."""
FINEST = ((200, 3), (2000, 2))
"""Objects up to which spheres are cut finer, and how often; beyond these once."""


@dataclass(frozen=True, eq=False, slots=True)
class Pieces:
    """Triangles (W = 3) or segments (W = 2).

    Args:
        ends: (M, W, 3) corners.
        objects: (M,) number of the object each is a piece of.
    """

    ends: Float
    objects: Int


def surfaces_in(objects: Sequence[ParametricObject], box: Float) -> Pieces:
    """Triangles of the planes and spheres inside a box, (2, 3)."""
    times = next((times for many, times in FINEST if len(objects) <= many), 1)
    found = []
    for one in objects:
        made = np.zeros((0, 3, 3))
        if one.kind == "plane" and is_drawable(one):
            made = _plane(np.array(one.coefficients), box)
        elif one.kind == "sphere" and is_drawable(one):
            middle, radius = np.array(one.coefficients[:3]), one.coefficients[3]
            made = middle + radius * unit_sphere(times)
        found.append(clipped(made, box))
    return _pieces(found, 3)


def lines_in(objects: Sequence[ParametricObject], box: Float) -> Pieces:
    """The segment of each line inside a box, (2, 3)."""
    found = []
    for one in objects:
        drawn = one.kind == "line" and is_drawable(one)
        found.append(_segment(np.array(one.coefficients), box) if drawn else np.zeros((0, 2, 3)))
    return _pieces(found, 2)


def box_around(objects: Sequence[ParametricObject]) -> Float | None:
    """(2, 3) box in which objects are seen, with room around them; None where none is drawable.

    Of what has no end it is the point of a line that the store tells, and the point of a plane
    that is nearest to the others.
    """
    drawable = [one for one in objects if is_drawable(one)]
    ends = [
        np.array(one.coefficients[:3]) + sign * reach
        for one in drawable
        if one.kind in ("sphere", "line")
        for reach in (one.coefficients[3] if one.kind == "sphere" else 0.0,)
        for sign in (-1, 1)
    ]
    middle = np.array([np.min(ends, axis=0), np.max(ends, axis=0)]).mean(axis=0) if ends else 0.0
    for one in drawable:
        if one.kind == "plane":
            normal, offset = np.array(one.coefficients[:3]), one.coefficients[3]
            foot = middle - (np.sum(normal * middle) + offset) / (normal @ normal) * normal
            ends.append(foot)
    if not ends:
        return None
    box = np.array([np.min(ends, axis=0), np.max(ends, axis=0)], np.float64)
    room = ROOM * (float((box[1] - box[0]).max()) or 1.0)
    return np.asarray(box + np.array([[-room], [room]]))


def is_drawable(one: ParametricObject) -> bool:
    """Whether the coefficients tell a plane, a line or a sphere."""
    numbers = np.array(one.coefficients, float)
    if one.kind not in SURFACES | LINES or not np.isfinite(numbers).all():
        return False
    if one.kind == "sphere":
        return bool(numbers[3] > 0)
    return bool(np.any(numbers[:3] if one.kind == "plane" else numbers[3:]))


def clipped(triangles: Float, box: Float) -> Float:
    """(M, 3, 3) what of some triangles, (N, 3, 3), lies inside a box, (2, 3)."""
    for axis in range(3):
        for end, sign in ((0, 1.0), (1, -1.0)):
            inside = sign * (triangles[:, :, axis] - box[end, axis])
            triangles = _beyond(triangles, inside)
    return triangles


def _beyond(triangles: Float, inside: Float) -> Float:
    """The parts where ``inside``, (N, 3) at the corners, is not negative."""
    kept = (inside >= 0).sum(axis=1)
    crossing = (kept == 1) | (kept == 2)
    parts, at = triangles[crossing], inside[crossing]
    one = kept[crossing] == 1
    # The corner that differs from the other two comes first.
    odd = np.argmax((at >= 0) == one[:, None], axis=1)
    order = (odd[:, None] + np.arange(3)) % 3
    parts = np.take_along_axis(parts, order[:, :, None], axis=1)
    at = np.take_along_axis(at, order, axis=1)
    share = at[:, :1] / (at[:, :1] - at[:, 1:])
    cuts = parts[:, :1] + share[:, :, None] * (parts[:, 1:] - parts[:, :1])
    first, second = cuts[:, 0], cuts[:, 1]
    tips = np.stack([parts[one, 0], first[one], second[one]], axis=1)
    rest = ~one
    near = np.stack([first[rest], parts[rest, 1], parts[rest, 2]], axis=1)
    far = np.stack([first[rest], parts[rest, 2], second[rest]], axis=1)
    return np.concatenate([triangles[kept == 3], tips, near, far])


def _plane(numbers: Float, box: Float) -> Float:
    """Two triangles of a plane that reach beyond a box on every side."""
    normal, middle = numbers[:3], box.mean(axis=0)
    length = np.linalg.norm(normal)
    normal = normal / length
    foot = middle - (normal @ middle + numbers[3] / length) * normal
    across = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    across /= np.linalg.norm(across)
    up = np.cross(normal, across)
    reach = np.linalg.norm(box[1] - box[0])
    corners = [
        foot + reach * (i * across + j * up) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return np.array([[corners[0], corners[1], corners[2]], [corners[0], corners[2], corners[3]]])


def _segment(numbers: Float, box: Float) -> Float:
    """(1, 2, 3) or (0, 2, 3): where a line passes through a box."""
    start, along = numbers[:3], numbers[3:] / np.abs(numbers[3:]).max()
    low, high = -np.inf, np.inf
    for axis in range(3):
        ends = box[:, axis] - start[axis]
        if along[axis] == 0:
            if ends[0] > 0 or ends[1] < 0:
                return np.zeros((0, 2, 3))
            continue
        near, far = sorted(ends / along[axis])
        low, high = max(low, near), min(high, far)
    if low > high:
        return np.zeros((0, 2, 3))
    return np.array([[start + low * along, start + high * along]])


def unit_sphere(times: int) -> Float:
    """(20 * 4 ** times, 3, 3) triangles of an icosahedron cut ``times`` times."""
    golden = (1 + 5**0.5) / 2
    corners = np.array(
        [
            np.roll((0.0, one, golden * other), turn)
            for turn in range(3)
            for one in (-1, 1)
            for other in (-1, 1)
        ]
    )
    apart = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    near = np.isclose(apart, 2.0)
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    triangles = corners[np.array(faces)]
    for _ in range(times):
        a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        cut = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        triangles = np.concatenate([np.stack(part, axis=1) for part in cut])
        triangles /= np.linalg.norm(triangles, axis=-1, keepdims=True)
    return np.asarray(triangles / np.linalg.norm(triangles, axis=-1, keepdims=True))


def _pieces(found: list[Float], width: int) -> Pieces:
    number = np.repeat(np.arange(len(found)), [len(one) for one in found])
    return Pieces(np.concatenate([np.zeros((0, width, 3)), *found]), number.astype(np.int64))
