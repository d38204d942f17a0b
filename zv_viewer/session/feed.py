"""What is fed in a viewer: a store's description, the controller that loads it, its layer."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

from zv_viewer.controller import LodController
from zv_viewer.drawing.density import stands_for
from zv_viewer.layers.factory import Backend
from zv_viewer.layers.points import CellPoints
from zv_viewer.loading.executors import ThreadExecutor
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.model.update import LayerSink
from zv_viewer.session import registry
from zv_viewer.session.listeners import Listeners
from zv_viewer.session.opening import Opened
from zv_viewer.session.swapping import show_instead

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Feed:
    """One store in one viewer, what loads it, and what draws it.

    Args:
        viewer: The napari viewer, which nothing here keeps alive.
        path: The store, in words.
        backend: The kind of layers asked for.

    Attributes:
        scene: What the store is; None until it is open.
        controller: What loads it; None until it is open.
        layer: What shows it; None until it is open.
        sink: What the controller feeds: the layer, or what keeps updates for it.
        listeners: Connections to the events of the viewer and the layer.
    """

    def __init__(self, viewer: Viewer, path: str, backend: Backend) -> None:
        viewer = getattr(viewer, "__wrapped__", viewer)
        self._viewer = weakref.ref(viewer)
        self.path = path
        self.backend = backend
        self.scene: SceneInfo | None = None
        self.controller: LodController | None = None
        self.layer: Any = None
        self.sink: LayerSink | None = None
        self.listeners = Listeners()

    @property
    def viewer(self) -> Viewer | None:
        """The viewer; None where it is gone."""
        return self._viewer()

    @property
    def card_bytes(self) -> int:
        """Bytes the layer has on the graphics card; those of napari's own are not known."""
        return int(getattr(self.layer, "card_bytes", 0))

    @property
    def held_back(self) -> bool:
        """Whether the layer is not what the controller feeds, but is about to be."""
        return self.sink is not self.layer

    def need(self) -> tuple[SceneInfo, LodController]:
        """Description and controller; RuntimeError before the store is open."""
        if self.scene is None or self.controller is None:
            raise RuntimeError(f"{self.path} is not open yet; wait for the `opened` signal")
        return self.scene, self.controller

    def show_instead(self, viewer: Viewer, new: Any) -> None:  # noqa: ANN401 - a layer of ours
        """Another layer in the place of the present one, in its looks and under its name."""
        old = self.layer
        self.listeners.close()
        show_instead(viewer, old, new)
        self.layer = new
        registry.move(old.unique_id, new.unique_id)

    def load(self, opened: Opened, sink: LayerSink, settings: LodSettings) -> LodController:
        """A new controller, for a store just opened, which feeds ``sink``."""
        self.scene, self.sink = opened.scene, sink
        self.controller = LodController(
            opened.source,
            opened.scene,
            sink,
            ThreadExecutor(),
            settings,
            time.perf_counter,
            tree=opened.tree,
        )
        return self.controller

    def weigh(self) -> None:
        """Tell a layer of points what its rows stand for."""
        if isinstance(self.layer, CellPoints) and self.controller is not None:
            self.layer.set_stands_for(stands_for(self.controller.tree))
