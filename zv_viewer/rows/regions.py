"""Rules about where a row is: in a box, in a ball, or behind an outline drawn on the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning.frustum import frustum_test
from zv_viewer.rows.rules import Bool, Float, Rows

AT_ONCE = 1 << 16
"""Rows times corners tested in one go, to bound memory."""


@dataclass(frozen=True, slots=True)
class InBox:
    """Within a box, its faces included; an end may be infinite.

    Args:
        low: D lower ends, world units.
        high: D upper ends.
        include: Keep, or leave out.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    include: bool = True

    @property
    def attributes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        inside = (rows.world >= self.low) & (rows.world <= self.high)
        return np.asarray(inside.all(axis=1))

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """As of ``RowRule``."""
        del scene
        low, high = np.array(self.low), np.array(self.high)
        meets = ((hi >= low) & (lo <= high)).all(axis=1)
        inside = ((lo >= low) & (hi <= high)).all(axis=1)
        return np.asarray(meets), np.asarray(inside)


@dataclass(frozen=True, slots=True)
class InBall:
    """Within a distance of a point, that included.

    Args:
        centre: D numbers, world units; NaN for an axis that does not count, such as time.
        radius: World units.
        include: Keep, or leave out.
    """

    centre: tuple[float, ...]
    radius: float
    include: bool = True

    @property
    def attributes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def __post_init__(self) -> None:
        if not self.radius >= 0:
            raise ValueError(f"a radius is at least 0, not {self.radius}")

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        return np.asarray(self._squared(rows.world - self.centre) <= self.radius**2)

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """As of ``RowRule``."""
        del scene
        below, above = lo - self.centre, hi - self.centre
        nearest = np.maximum(np.maximum(below, -above), 0)
        farthest = np.maximum(np.abs(below), np.abs(above))
        return (
            self._squared(nearest) <= self.radius**2,
            self._squared(farthest) <= self.radius**2,
        )

    def _squared(self, away: Float) -> Float:
        counts = ~np.isnan(self.centre)
        return np.asarray((away[:, counts] ** 2).sum(axis=1))


@dataclass(frozen=True, slots=True)
class InOutline:
    """Seen within an outline on the canvas, however deep, and wherever on the hidden axes.

    Args:
        matrix: 16 numbers, row by row, as :attr:`~zv_viewer.model.camera.Camera.matrix`.
        displayed: Axes it takes.
        outline: K corners (x, y) of a polygon, -1 to 1 on the canvas; it closes by itself, and
            what it winds around twice is out again.
        include: Keep, or leave out.
    """

    matrix: tuple[float, ...]
    displayed: tuple[int, ...]
    outline: tuple[tuple[float, float], ...]
    include: bool = True

    @classmethod
    def of(
        cls, camera: Camera, outline: npt.NDArray[np.float64], *, include: bool = True
    ) -> InOutline:
        """The rule of a view and (K, 2) corners x, y from -1 to 1."""
        numbers = tuple(float(number) for number in camera.matrix.ravel())
        corners = tuple((float(x), float(y)) for x, y in outline)
        return cls(numbers, camera.displayed, corners, include)

    @property
    def attributes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        n = len(self.displayed)
        matrix = np.array(self.matrix).reshape(4, 4)
        shown = rows.world[:, list(self.displayed)]
        x, y, w = (shown @ matrix[i, :n] + matrix[i, 3] for i in (0, 1, 3))
        found = np.zeros(len(rows), np.bool_)
        front = np.flatnonzero(w > 0)
        x, y = x[front] / w[front], y[front] / w[front]
        corners = np.array(self.outline)
        (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
        near = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
        step = max(AT_ONCE // len(corners), 1)
        for start in range(0, len(near), step):
            part = near[start : start + step]
            found[front[part]] = in_polygon(x[part], y[part], corners)
        return found

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """As of ``RowRule``, told by the rectangle around the outline."""
        del scene
        n, axes = len(self.displayed), list(self.displayed)
        matrix = np.array(self.matrix).reshape(4, 4)
        x, y, w = (matrix[i, [*range(n), 3]] for i in (0, 1, 3))
        (left, bottom), (right, top) = np.min(self.outline, axis=0), np.max(self.outline, axis=0)
        faces = np.stack([x - left * w, right * w - x, y - bottom * w, top * w - y, w])
        meets, _ = frustum_test(faces, lo[:, axes], hi[:, axes])
        return meets, np.zeros(len(lo), np.bool_)


def in_polygon(x: Float, y: Float, corners: Float) -> Bool:
    """(N,) whether points lie in a polygon, by how often a ray from each crosses its sides.

    Args:
        x: (N,) places.
        y: (N,) places.
        corners: (K, 2) of the polygon, which closes by itself.
    """
    x1, y1 = corners.T
    x2, y2 = np.roll(corners, -1, axis=0).T
    rises = y2 - y1
    spans = (y1 > y[:, None]) != (y2 > y[:, None])
    slope = (x2 - x1) / np.where(rises == 0, 1.0, rises)
    crossed = spans & (x[:, None] < x1 + (y[:, None] - y1) * slope)
    return np.asarray(crossed.sum(axis=1) % 2 == 1)
