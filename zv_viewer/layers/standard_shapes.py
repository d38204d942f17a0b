"""Lines of a store as napari's own Shapes, where they are few: a path for each."""

from __future__ import annotations

import numpy as np
from napari.layers import Shapes

from zv_viewer.drawing.paths import Paths, paths_of
from zv_viewer.layers.drawn_rows import DrawnRows, Float32
from zv_viewer.layers.standard_layer import Ceiling, Copied, StandardLayer
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo

FLAT, SOLID = Ceiling(50_000, 50_000), Ceiling(5_000, 5_000)
"""Of stores with two axes, and with more: napari makes a tube of every path, in Python."""
PATHS_FLAT, PATHS_SOLID = 1000, 100
"""Objects up to which paths are made, likewise."""


class StandardShapes(StandardLayer, Shapes):  # type: ignore[misc]  # napari's layers are untyped
    """Curves of a store, each in one colour; two too short to be seen lie at its corners."""

    napari_name = "Shapes"

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._paths = paths_of(np.zeros((0, 2), np.int64))
        self.ceiling = ceiling_of(scene)
        self.scene = scene
        super().__init__(
            scene,
            capacity,
            name,
            self._specks(),
            shape_type="path",
            edge_width=0,
            edge_color="white",
            face_color="transparent",
            opacity=1.0,
        )

    @classmethod
    def can_show(cls, scene: SceneInfo) -> bool:
        """Whether a store has few enough objects, and its coarsest level few enough vertices."""
        paths = PATHS_FLAT if scene.ndim == 2 else PATHS_SOLID
        coarsest = scene.levels[-1].vertex_count
        return len(scene.objects) <= paths and coarsest <= ceiling_of(scene).most

    @classmethod
    def copied(cls, rows: Copied, **options: NapariValue) -> Shapes:
        """A path for each curve, with the features of its first row."""
        paths = paths_of(rows.links)
        return Shapes(
            np.split(rows.positions[paths.rows], paths.start[1:-1]) if len(paths) else None,
            ndim=rows.positions.shape[1],
            shape_type="path",
            edge_color=_mean(rows.colours, paths),
            edge_width=rows.width,
            features=rows.features_of(paths.rows[paths.start[:-1]]),
            **options,
        )

    @property
    def _type_string(self) -> str:
        return "shapes"

    def _specks(self) -> list[Float32]:
        step = 1e-6 * np.ptp(self.scene.bounds, axis=0)
        low, high = self.corners
        return [np.stack([low, low + step]), np.stack([high - step, high])]

    def _fill(self, rows: DrawnRows, colours: Float32) -> None:
        self._paths = paths = paths_of(rows.links)
        self.data = self._specks()
        if len(paths):
            curves = np.split(self.places(rows)[paths.rows], paths.start[1:-1])
            width, own = self.line_width, _mean(colours, paths)
            self.add(curves, shape_type="path", edge_width=width, edge_color=own)

    def _colour(self, rows: DrawnRows, colours: Float32) -> None:
        """A path has the mean colour of its rows."""
        self.edge_color = np.concatenate([np.ones((2, 4), np.float32), _mean(colours, self._paths)])


def ceiling_of(scene: SceneInfo) -> Ceiling:
    """Vertices that Shapes of a store are given."""
    return FLAT if scene.ndim == 2 else SOLID


def _mean(colours: Float32, paths: Paths) -> Float32:
    if not len(paths):
        return np.zeros((0, 4), np.float32)
    summed = np.add.reduceat(colours[paths.rows], paths.start[:-1], axis=0)
    return np.asarray(summed / np.diff(paths.start)[:, None], np.float32)
