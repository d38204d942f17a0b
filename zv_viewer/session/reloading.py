"""A store that somebody else writes to is read anew; its picture stays until there is another."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from zarr_vectors.exceptions import ZVError
from zv_viewer.errors import InputError
from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.factory import make_layer
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerSink
from zv_viewer.session.budgeting import Budgeting
from zv_viewer.session.feed import Feed
from zv_viewer.session.handover import Handover
from zv_viewer.session.opening import Opened, Opening
from zv_viewer.session.unchanged import is_like, same_cells
from zv_viewer.session.watching import StoreWatch
from zv_viewer.sources.base import ChunkSource, Watched

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Reloading:
    """Reads one store anew, when asked or when it has changed.

    Args:
        feed: The store.
        budgeting: Its budget.
        landed: Called with the viewer and the layer of before, when the layer is about to show the
            store as it was read anew.
        problem: Called with a sentence when the picture stays as it was.
        wake: Called when there is more to do.
    """

    def __init__(
        self,
        feed: Feed,
        budgeting: Budgeting,
        *,
        landed: Callable[[Viewer, object], object],
        problem: Callable[[str], object],
        wake: Callable[[], object],
    ) -> None:
        self._feed, self._budgeting, self._wake = feed, budgeting, wake
        self._landed, self._problem = landed, problem
        self._opening: Opening | None = None
        self._handover: Handover | None = None
        self._watch: StoreWatch | None = None

    @property
    def reading(self) -> bool:
        """Whether the store is being opened again."""
        return self._opening is not None

    @property
    def busy(self) -> bool:
        """Whether the picture is not that of the store as it was read last."""
        return self._opening is not None or self._handover is not None

    def begin(self) -> None:
        """Read the store anew; InputError where it is of a kind that cannot be."""
        _, controller = self._feed.need()
        source = controller.source
        if not isinstance(source, Watched):
            raise InputError(f"{self._feed.path} cannot be read anew")
        if self._opening is None:
            self._opening = Opening(self._feed.path, lambda _: source.again())
            self._wake()

    def watch(self, source: ChunkSource) -> None:
        """Read the store anew when somebody else has written to it."""
        if isinstance(source, Watched) and source.may_change:
            self._watch = StoreWatch(source)
            self._watch.changed.connect(self.begin)
            self._watch.lost.connect(self._stay)
            self._watch.back.connect(self._retry)

    def turn(self, viewer: Viewer) -> None:
        """Load what was read anew, once it is there."""
        if self._opening is None or not self._opening.done():
            return
        opening, self._opening = self._opening, None
        try:
            opened = opening.result(0)
        except (ZVError, InputError, OSError) as error:
            self._stay(str(error))
        else:
            self._exchange(viewer, opened)

    def is_due(self, *, settled: bool) -> bool:
        """Whether there is a picture of the store as it was read anew."""
        return self._handover is not None and self._handover.is_due(settled=settled)

    def land(self) -> None:
        """Show the store as it was read anew, as far as it is loaded; nothing where it was not."""
        if self._handover is not None:
            self._handover.land()

    def draw_anew(self) -> None:
        """Draw the picture again, from nothing but what its plan needs, once that has settled."""
        _, controller = self._feed.need()
        self.land()
        layer = self._feed.layer
        ready = partial(self._empty, layer)
        self._handover = Handover(layer.capacity, ready, patience_s=math.inf)
        self._feed.sink = self._handover
        controller.draw_anew(self._handover)
        self._wake()

    def close(self) -> None:
        """Give up what is under way; watch no more."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _exchange(self, viewer: Viewer, opened: Opened) -> None:
        """Plan, load and keep for the layer what was read anew, until there is a picture of it."""
        before, old = self._feed.need()
        scene = opened.scene
        self._budgeting.use_levels(scene)
        rows = self._budgeting.rows_anew(scene)
        self._handover = Handover(rows, partial(self._land, viewer, scene, rows))
        old.close()
        controller = self._feed.load(opened, self._handover, self._budgeting.given)
        attribute = old.stats().attribute
        kept = same_cells(before, old.tree, scene, opened.tree, opened.source, attribute)
        controller.follow(old, kept)
        if self._watch is not None and isinstance(opened.source, Watched):
            self._watch.use(opened.source)

    def _land(self, viewer: Viewer, scene: SceneInfo, rows: int) -> LayerSink:
        """Empty the layer for a store read anew, or put another in its place."""
        feed, old = self._feed, self._feed.layer
        self._handover = None
        if isinstance(old, CellLayer) and is_like(old.scene, scene):
            old.use_scene(scene, rows)
        else:
            new = make_layer(scene, rows, name=old.name, backend=feed.backend)
            feed.show_instead(viewer, new)
        feed.sink = cast("LayerSink", feed.layer)
        self._landed(viewer, old)
        return feed.sink

    def _empty(self, layer: Any) -> LayerSink:  # noqa: ANN401 - a layer of ours
        """Empty the layer for the same store."""
        self._handover = None
        self._feed.sink = sink = cast("LayerSink", layer)
        layer.set_capacity(layer.capacity)
        return sink

    def _stay(self, why: str) -> None:
        self._problem(f"the picture of {self._feed.path} stays as it was: {why}")

    def _retry(self) -> None:
        if self._feed.controller is not None:
            self._feed.controller.retry()
            self._wake()
