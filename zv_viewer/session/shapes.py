"""Planes, lines, spheres and the like of a store, as small layers beside its own."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from zarr_vectors.exceptions import ZVError
from zv_viewer.drawing.palette import colours_of_ids
from zv_viewer.drawing.parametric import Pieces, is_drawable, lines_in, surfaces_in
from zv_viewer.drawing.shape_scenes import axes_of, box_of, shape_scene
from zv_viewer.errors import InputError
from zv_viewer.layers.factory import Backend, make_layer
from zv_viewer.model.objects import Look
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.shapes import ParametricObject
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import KnowsShapes

log = logging.getLogger(__name__)

SEE_THROUGH = 0.4
"""Opacity of planes and spheres."""

NO_AXES = "the store has no axes x, y and z that could be shown beside its others"
OUTSIDE = "it lies outside the store's bounds"
NO_SHAPE = "its numbers tell no shape"
OWN_KIND = "only planes, lines and spheres can be drawn"


class ShapesOfSession(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Reads them in a thread, then shows them; ``loaded()`` when they are there.

    ``failed(message)`` where they are damaged. Layers go when the session does.

    Args:
        source: Where they come from.
        scene: The store.
        backend: Kind of layers.
    """

    loaded = Signal()
    failed = Signal(str)

    def __init__(self, source: KnowsShapes, scene: SceneInfo, backend: Backend = "auto") -> None:
        super().__init__()
        self._source, self._scene, self._backend = source, scene, backend
        self._lane = Latest("zv-shapes")
        self._looks = np.zeros(0, np.uint8)
        self._drawn = np.zeros(0, bool)
        self.objects: tuple[ParametricObject, ...] = ()
        self.layers: list[Any] = []

    @property
    def busy(self) -> bool:
        """Whether they are being read."""
        return self._lane.busy

    def load(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        """Begin to read; what can be drawn appears in ``viewer``."""
        self._lane.ask(self._source.shapes, lambda found: self._have(viewer, found), self._fail)

    def use_store(self, viewer: Any, source: KnowsShapes, scene: SceneInfo) -> None:  # noqa: ANN401
        """The store was read anew: show what it has now, where that is something else."""
        self._source = source

        def have(found: tuple[ParametricObject, ...]) -> None:
            if list(map(_numbers, found)) == list(map(_numbers, self.objects)):
                return
            self._scene = scene
            self._remove(viewer)
            self._have(viewer, found)

        self._lane.ask(source.shapes, have, self._fail)

    def close(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer, or None
        """Give up what is under way and take the layers away."""
        self._lane.close()
        self._remove(viewer)

    def _remove(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer, or None
        for layer in self.layers:
            if viewer is not None and layer in viewer.layers:
                viewer.layers.remove(layer)
        self.layers = []

    def why_not_drawn(self, number: int) -> str:
        """Why an object is not in the picture; empty where it is."""
        one = self.objects[number]
        if axes_of(self._scene) is None:
            return NO_AXES
        if one.kind not in ("plane", "line", "sphere"):
            return OWN_KIND
        if not is_drawable(one):
            return NO_SHAPE
        return "" if self._drawn[number] else OUTSIDE

    def colour(self, number: int) -> tuple[int, int, int]:
        """The colour of an object, each part 0 to 255."""
        red, green, blue = colours_of_ids(np.array([number]))[0].tolist()
        return red, green, blue

    def is_shown(self, number: int) -> bool:
        """Whether an object is not hidden."""
        return bool(self._looks[number] != Look.HIDDEN)

    def show(self, number: int, *, shown: bool) -> None:
        """Hide an object, or show it again."""
        self._looks[number] = Look.NORMAL if shown else Look.HIDDEN
        for layer in self.layers:
            layer.set_object_looks(self._looks)

    def _have(self, viewer: Any, found: tuple[ParametricObject, ...]) -> None:  # noqa: ANN401
        self.objects = found
        self._looks = np.full(len(found), Look.NORMAL, np.uint8)
        self._drawn = np.zeros(len(found), bool)
        axes = axes_of(self._scene)
        if axes is not None and found:
            box = box_of(self._scene, axes)
            self._add(viewer, axes, surfaces_in(found, box), "planes and spheres")
            self._add(viewer, axes, lines_in(found, box), "lines")
        self.loaded.emit()

    def _add(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        axes: tuple[int, int, int],
        pieces: Pieces,
        title: str,
    ) -> None:
        if not len(pieces.objects):
            return
        self._drawn[np.unique(pieces.objects)] = True
        made = shape_scene(self._scene, axes, pieces, len(self.objects), title)
        rows = pieces.ends.shape[0] * pieces.ends.shape[1]
        layer = make_layer(made.scene, rows, backend=self._backend)
        colours = colours_of_ids(np.arange(len(self.objects)))
        layer.set_object_colours(colours.astype(np.float32) / np.float32(255))
        if made.scene.link_width == 3:
            layer.opacity = SEE_THROUGH
        active = viewer.layers.selection.active
        viewer.add_layer(layer)
        viewer.layers.selection.active = active
        layer.apply(made.update)
        self.layers.append(layer)

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, ZVError | InputError | OSError):
            log.error("a mistake in the program with the shapes of a store", exc_info=error)
        self.failed.emit(str(error))


def _numbers(one: ParametricObject) -> tuple[object, ...]:
    return one.kind, one.name, one.coefficients


def shapes_of(source: object, scene: SceneInfo, backend: Backend) -> ShapesOfSession | None:
    """What shows a store's parametric objects; None where the source knows of none."""
    return ShapesOfSession(source, scene, backend) if isinstance(source, KnowsShapes) else None
