"""Edges of a store as napari's own Vectors, one for each edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from napari.layers import Vectors

from zv_viewer.layers.drawn_rows import DrawnRows, Float32
from zv_viewer.layers.standard_layer import Ceiling, Copied, StandardLayer
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo


class StandardVectors(StandardLayer, Vectors):  # type: ignore[misc]  # napari's layers are untyped
    """Edges of a store; two without length lie at its corners."""

    ceiling = Ceiling(100_000, 100_000)
    napari_name = "Vectors"

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        corners = scene.bounds - scene.origin
        data = np.stack([corners, np.zeros_like(corners)], axis=1)
        super().__init__(
            scene, capacity, name, data, vector_style="line", edge_color="white", edge_width=0.0
        )

    @classmethod
    def copied(cls, rows: Copied, **options: NapariValue) -> Vectors:
        """Vectors, one for each edge."""
        ends = rows.positions[rows.links]
        return Vectors(
            np.stack([ends[:, 0], ends[:, 1] - ends[:, 0]], axis=1),
            vector_style="line",
            edge_color=rows.colours[rows.links].mean(axis=1),
            edge_width=rows.width,
            features=rows.features_of(rows.links[:, 0]),
            **options,
        )

    @property
    def _type_string(self) -> str:
        return "vectors"

    def _fill(self, rows: DrawnRows, colours: Float32) -> None:
        ends = self.places(rows)[rows.links]
        vectors = np.zeros((2 + len(ends), 2, self.scene.ndim), np.float32)
        vectors[:2, 0] = self.corners
        vectors[2:, 0], vectors[2:, 1] = ends[:, 0], ends[:, 1] - ends[:, 0]
        self.data = vectors
        self.edge_width = self.line_width
        self._colour(rows, colours)

    def _colour(self, rows: DrawnRows, colours: Float32) -> None:
        """An edge has the mean colour of its ends."""
        mean: npt.NDArray[np.float32] = colours[rows.links].mean(axis=1)
        self.edge_color = np.concatenate([np.ones((2, 4), np.float32), mean])
