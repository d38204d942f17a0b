"""Faces of a store as napari's own Surface."""

from __future__ import annotations

import numpy as np
from napari.layers import Surface

from zv_viewer.layers.drawn_rows import DrawnRows, Float32
from zv_viewer.layers.standard_layer import Copied, StandardLayer
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo


class StandardSurface(StandardLayer, Surface):  # type: ignore[misc]  # napari's layers are untyped
    """Faces of a store, without shading; two vertices of no face lie at its corners."""

    napari_name = "Surface"

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._colours = np.ones((2, 4), np.float32)
        corners = (scene.bounds - scene.origin).astype(np.float32)
        nothing = np.zeros((1, 3), np.int64)
        super().__init__(scene, capacity, name, (corners, nothing), shading="none")

    @classmethod
    def copied(cls, rows: Copied, **options: NapariValue) -> Surface:
        """A surface, shaded as napari shades."""
        return Surface(
            (rows.positions, rows.links),
            vertex_colors=rows.colours,
            features=rows.features,
            **options,
        )

    @property
    def _type_string(self) -> str:
        return "surface"

    @property
    def vertex_colors(self) -> Float32:
        """(N, 4) colours of the vertices."""
        return self._colours

    @vertex_colors.setter
    def vertex_colors(self, colors: Float32) -> None:
        self._colours = colors
        self.refresh(extent=False)

    def _fill(self, rows: DrawnRows, colours: Float32) -> None:
        vertices = np.concatenate([self.corners, self.places(rows)]).astype(np.float32)
        faces = np.zeros((max(len(rows.links), 1), 3), np.int64)
        faces[: len(rows.links)] = rows.links + 2
        self._colours = _with_corners(colours)
        self.data = (vertices, faces, np.ones(len(vertices), np.float32))

    def _colour(self, rows: DrawnRows, colours: Float32) -> None:
        self.vertex_colors = _with_corners(colours)


def _with_corners(colours: Float32) -> Float32:
    return np.concatenate([np.ones((2, 4), np.float32), colours])
