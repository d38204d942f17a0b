"""What a store has beside its vertices: objects, their selection, and parametric shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zv_viewer.session.feed import Feed
from zv_viewer.session.full_selection import FullSelection
from zv_viewer.session.objects import ObjectsOfSession, objects_of
from zv_viewer.session.shapes import ShapesOfSession, shapes_of
from zv_viewer.sources.base import KnowsShapes

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Contents:
    """Objects and shapes of one store; None where it has none, or is not open yet.

    Args:
        feed: The store.
        wake: Called when there is more to draw.
        recoloured: Called when objects get other colours.
        problem: Called with a sentence when something cannot be read.
    """

    def __init__(
        self,
        feed: Feed,
        wake: Callable[[], None],
        *,
        recoloured: Callable[[], object],
        problem: Callable[[str], object],
    ) -> None:
        self._feed, self._wake = feed, wake
        self._recoloured, self._problem = recoloured, problem
        self._full: FullSelection | None = None
        self.objects: ObjectsOfSession | None = None
        self.shapes: ShapesOfSession | None = None

    @property
    def busy(self) -> bool:
        """Whether shapes are being read, or it is being found out where selected objects run."""
        reading = self.shapes is not None and self.shapes.busy
        return reading or (self._full is not None and self._full.busy)

    def find_objects(self) -> None:
        """There is a layer: the objects of its store, not read yet."""
        scene, controller = self._feed.need()
        self.objects = objects_of(controller.source, scene, self._feed.layer)
        if self.objects is not None:
            self.objects.colours_changed.connect(self._recoloured)
            self._full = FullSelection(self.objects, self._feed.need, self._wake, self._problem)

    def find_shapes(self, viewer: Viewer) -> None:
        """Begin to read the shapes; they appear in the viewer."""
        scene, controller = self._feed.need()
        self.shapes = shapes_of(controller.source, scene, self._feed.backend)
        if self.shapes is not None:
            self.shapes.failed.connect(self._problem)
            self.shapes.load(viewer)

    def use_layer(self) -> None:
        """Another layer draws the store."""
        if self.objects is not None:
            self.objects.use_layer(self._feed.layer)

    def use_store(self, viewer: Viewer) -> None:
        """The store was read anew."""
        scene, controller = self._feed.need()
        source = controller.source
        if self.objects is not None:
            self.objects.use_store(source, scene, self._feed.layer)
        if self.shapes is not None and isinstance(source, KnowsShapes):
            self.shapes.use_store(viewer, source, scene)

    def close(self) -> None:
        """Give up what is under way; shapes leave the viewer."""
        if self._full is not None:
            self._full.close()
        if self.objects is not None:
            self.objects.close()
        if self.shapes is not None:
            self.shapes.close(self._feed.viewer)
