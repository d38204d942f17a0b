"""Edges of a store as napari's own Tracks: a track for each curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from napari.layers import Tracks

from zv_viewer.drawing.paths import Paths, paths_of
from zv_viewer.layers.drawn_rows import DrawnRows, Float32
from zv_viewer.layers.standard_layer import Ceiling, Copied, StandardLayer
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo

Float = npt.NDArray[np.float64]


class StandardTracks(StandardLayer, Tracks):  # type: ignore[misc]  # napari's layers are untyped
    """Curves of a store; two tracks of one vertex, which show nothing, lie at its corners.

    Tracks have an axis of time. It is the store's own where that is its first, else one before the
    axes of the store, on which everything is at 0.
    """

    ceiling = Ceiling(200_000, 200_000)
    napari_name = "Tracks"

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        self._still = self.extra_axes(scene) == 1
        self._row_of = np.zeros(0, np.int64)
        self._vertex_colours = np.zeros((2, 4), np.float32)
        self.scene = scene
        super().__init__(
            scene, capacity, name, self._vertices(None, None), tail_width=2, blending="translucent"
        )

    @classmethod
    def extra_axes(cls, scene: SceneInfo) -> int:
        """One where the store's first axis is not time."""
        return 0 if 0 in scene.time_axes else 1

    @classmethod
    def can_show(cls, scene: SceneInfo) -> bool:
        """Whether napari's Tracks have as many axes, and times that run along the curves."""
        if 0 in scene.time_axes:
            return scene.ndim in (3, 4) and scene.geometry in ("line", "polyline", "streamline")
        return scene.ndim in (2, 3)

    @classmethod
    def copied(cls, rows: Copied, **options: NapariValue) -> Tracks:
        """A track for each curve, coloured by the values where it has any."""
        paths = paths_of(rows.links)
        places = rows.positions[paths.rows]
        extra = len(options["axis_labels"]) - places.shape[1]
        data = np.zeros((len(places), 1 + extra + places.shape[1]))
        data[:, 0] = paths.number
        data[:, 1 + extra :] = places
        features = rows.features_of(paths.rows)
        layer = Tracks(
            data, features=features, color_by=next(iter(features), "track_id"), **options
        )
        order = np.lexsort((data[:, 1], data[:, 0]))
        layer.track_colors = rows.colours[paths.rows[order]]
        return layer

    @classmethod
    def copy_offset(cls, scene: SceneInfo) -> Float:
        """(D,) store position of the zero of a copy: Tracks know no times before it."""
        offset = np.zeros(scene.ndim)
        if not cls.extra_axes(scene):
            offset[0] = min(scene.bounds[0, 0], 0.0)
        return offset

    @property
    def _type_string(self) -> str:
        return "tracks"

    @property
    def use_fade(self) -> bool:
        """Whether what is long past fades: not where there is no time."""
        return not self._still and bool(super().use_fade)

    @property
    def track_colors(self) -> Float32:
        """(N, 4) colours of the vertices of all tracks."""
        return self._vertex_colours

    @track_colors.setter
    def track_colors(self, colors: Float32) -> None:
        self._vertex_colours = colors
        self.events.color_by()

    def _fill(self, rows: DrawnRows, colours: Float32) -> None:
        paths = paths_of(rows.links)
        self._row_of = paths.rows
        data = self._vertices(rows, paths)
        if not self._still:
            # napari sorts each track by time
            order = np.lexsort((data[2:, 1], data[2:, 0]))
            self._row_of, data[2:] = self._row_of[order], data[2:][order]
        self._vertex_colours = self._colours_of(colours)
        self.data = data

    def _colour(self, rows: DrawnRows, colours: Float32) -> None:
        self.track_colors = self._colours_of(colours)

    def _colours_of(self, colours: Float32) -> Float32:
        return np.concatenate([np.ones((2, 4), np.float32), colours[self._row_of]])

    def _vertices(self, rows: DrawnRows | None, paths: Paths | None) -> Float:
        """(2 + K, 1 + A) number of the track, then the layer's coordinates."""
        corners = self.corners
        if rows is not None and paths is not None:
            corners = np.concatenate([corners, self.places(rows)[paths.rows]])
        data = np.zeros((len(corners), 1 + self._still + self.scene.ndim))
        data[1:2, 0] = 1
        if paths is not None:
            data[2:, 0] = 2 + paths.number
        data[:, 1 + self._still :] = corners
        return data

    @property
    def store_offset(self) -> Float:
        """(D,) store position of the layer's zero; its times are not negative."""
        offset = self.scene.origin.copy()
        if not self._still:
            offset[0] = self.scene.bounds[0, 0]
        return offset

    def _get_value(self, position: NapariValue) -> None:
        return None
