"""Points of a store as napari's own Points."""

from __future__ import annotations

import numpy as np
from napari.layers import Points

from zv_viewer.layers.drawn_rows import DrawnRows, Float32
from zv_viewer.layers.standard_layer import Copied, StandardLayer
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo

CANVAS_LIMITS = (1.0, 12.0)
"""Least and most canvas pixels of a point whose size follows the spacing of the rows."""


class StandardPoints(StandardLayer, Points):  # type: ignore[misc]  # napari's layers are untyped
    """Points of a store; two of size 0 lie at its corners."""

    napari_name = "Points"

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._point_size: float | None = None
        super().__init__(
            scene,
            capacity,
            name,
            scene.bounds - scene.origin,
            ndim=scene.ndim,
            border_width=0,
            antialiasing=0,
            size=0,
            canvas_size_limits=CANVAS_LIMITS,
        )

    @classmethod
    def copied(cls, rows: Copied, **options: NapariValue) -> Points:
        """Points, as large as they are apart."""
        size = float(np.median(rows.spacing)) if len(rows.spacing) else 0.0
        return Points(
            rows.positions,
            ndim=rows.positions.shape[1],
            face_color=rows.colours,
            size=size or 1.0,
            border_width=0,
            features=rows.features,
            **options,
        )

    @property
    def _type_string(self) -> str:
        return "points"

    @property
    def point_size(self) -> float | None:
        """Size in canvas pixels, or None where it follows the spacing of the rows."""
        return self._point_size

    @point_size.setter
    def point_size(self, size: float | None) -> None:
        self._point_size = size
        self.canvas_size_limits = CANVAS_LIMITS if size is None else (size, size)

    def _fill(self, rows: DrawnRows, colours: Float32) -> None:
        self.data = np.concatenate([self.corners, self.places(rows)])
        sizes = np.maximum(rows.spacing, np.finfo(np.float32).tiny)
        self.size = np.concatenate([np.zeros(2), sizes])
        self._colour(rows, colours)

    def _colour(self, rows: DrawnRows, colours: Float32) -> None:
        self.face_color = np.concatenate([np.ones((2, 4), np.float32), colours])
