"""Selected objects are drawn at the finest level: a worker finds where they run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject

from zv_viewer.controller import LodController
from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.planning import selected_objects
from zv_viewer.session.latest import Latest
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.sources.base import KnowsPlaces

Int = npt.NDArray[np.int64]

MOST = 5000
"""Objects looked for at once, those of the lowest ids; that others are left out is told."""


class FullSelection(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Follows what is selected among the objects of a store.

    Args:
        objects: Tells what is selected.
        fed: The scene and the controller of now.
        wake: Called when there is more to draw.
        failed: Called with a sentence when it cannot be found where objects run.
    """

    def __init__(
        self,
        objects: ObjectsOfSession,
        fed: Callable[[], tuple[SceneInfo, LodController]],
        wake: Callable[[], None],
        failed: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._objects, self._fed, self._wake, self._failed = objects, fed, wake, failed
        self._lane = Latest("zv-selected")
        objects.selected.connect(self._ask)
        objects.loaded.connect(self._ask_again)

    @property
    def busy(self) -> bool:
        """Whether objects are being looked for."""
        return self._lane.busy

    def close(self) -> None:
        """Follow nothing any more."""
        self._objects.selected.disconnect(self._ask)
        self._objects.loaded.disconnect(self._ask_again)
        self._lane.close()

    def _ask_again(self) -> None:
        """Another table, perhaps of a store read anew, in which objects run elsewhere."""
        if len(self._objects.selected_rows):
            self._ask(self._objects.selected_ids)

    def _ask(self, ids: Int) -> None:
        scene, controller = self._fed()
        source = controller.source
        if not scene.by_object or not isinstance(source, KnowsPlaces):
            return
        if len(ids) > MOST:
            self._failed(
                f"{MOST:,} of {len(ids):,} selected objects are drawn at full resolution at most"
            )
        task = partial(found_objects, source, scene, controller.tree, ids[:MOST])
        self._lane.ask(task, partial(self._use, controller), self._give_up)

    def _use(self, controller: LodController, selected: SelectedObjects | None) -> None:
        if self._fed()[1] is controller:
            controller.select_objects(selected)
            self._wake()

    def _give_up(self, error: Exception) -> None:
        self._failed(f"selected objects are not drawn at full resolution: {error}")


def found_objects(
    source: KnowsPlaces, scene: SceneInfo, tree: CellTree, ids: Int
) -> SelectedObjects | None:
    """Where objects run, by their ids; None for none."""
    if not len(ids):
        return None
    found, start, chunks = source.chunks_of_objects(ids)
    ranks = np.searchsorted(scene.objects, found)
    known = ranks < len(scene.objects)
    known[known] = scene.objects[ranks[known]] == found[known]
    every = np.where(known, ranks, -1)
    selected = selected_objects(scene, tree, every, start, chunks)
    return selected.taken(known)
