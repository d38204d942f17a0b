"""One budget for all stores of a viewer; the shell that times what ``controller.sharing`` does."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from zv_viewer.controller.sharing import Sharer, Sharing
from zv_viewer.model.settings import Budget

if TYPE_CHECKING:
    from zv_viewer.session.budgeting import Budgeting

_of_viewers: weakref.WeakKeyDictionary[Any, SharedBudget] = weakref.WeakKeyDictionary()


class SharedBudget:
    """The stores of one viewer, and what each may draw and hold.

    Args:
        total: Vertices and bytes of all together.
        closed: Called when the last store has left.
    """

    def __init__(self, total: Budget, closed: Callable[[], object]) -> None:
        self._closed = closed
        self._sharing = Sharing(total)
        self._sharers: dict[Budgeting, Sharer] = {}
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._turn)

    @property
    def total(self) -> Budget:
        """Vertices and bytes of all together."""
        return self._sharing.total

    @property
    def stores(self) -> list[Budgeting]:
        """Those that share it, the oldest first."""
        return list(self._sharers)

    @property
    def pending(self) -> bool:
        """Whether shares are about to change."""
        return self._sharing.pending

    @property
    def binding(self) -> bool:
        """Whether a picture would be finer with more vertices."""
        return self._sharing.binding

    @property
    def rows_drawn(self) -> int:
        """Of all layers to be seen."""
        return sum(layer.rows_drawn for layer in self._seen)

    def leads(self, store: Budgeting) -> bool:
        """Whether it is this store that follows the frames of the viewer: the first one seen."""
        return bool(self._seen) and self._seen[0] is store.feed.layer

    def share(self, store: Budgeting) -> Budget:
        """What one store may draw and hold."""
        return self._sharers[store].share

    def join(self, store: Budgeting, follow: Callable[[Budget], None]) -> None:
        """One more store, which is open; ``follow`` is called with each share it gets."""
        _, controller = store.feed.need()
        sharer = Sharer(controller, follow, store.weight, store.feed.layer.visible)
        self._sharers[store] = sharer
        self._sharing.join(sharer, time.perf_counter())
        self._turn()

    def leave(self, store: Budgeting) -> None:
        """One store less; what it had goes to the others."""
        sharer = self._sharers.pop(store, None)
        if sharer is not None:
            self._sharing.leave(sharer, time.perf_counter())
        if self._sharers:
            self._turn()
        else:
            self._timer.stop()
            self._closed()

    def use(self, total: Budget) -> None:
        """Share another budget."""
        self._sharing.use(total, time.perf_counter())
        self._turn()

    def look_again(self, store: Budgeting) -> None:
        """The view of a store, its weight or whether it is seen has changed."""
        sharer = self._sharers[store]
        sharer.weight, sharer.visible = store.weight, store.feed.layer.visible
        sharer.controller = store.feed.controller or sharer.controller
        self._sharing.look_again()
        if self.pending and not self._timer.isActive():
            self._turn()

    def has_to_give(self, store: Budgeting) -> bool:
        """Whether a store that is not seen holds more than it may."""
        return self._sharers[store].has_to_give

    @property
    def _seen(self) -> list[Any]:
        """Layers that are to be seen, the oldest first."""
        return [each.feed.layer for each in self._sharers if each.feed.layer.visible]

    def _turn(self) -> None:
        wait = self._sharing.turn(time.perf_counter())
        if wait is not None:
            self._timer.start(max(round(1e3 * wait), 1))


def shared_budget(viewer: Any, total: Budget) -> SharedBudget:  # noqa: ANN401 - a napari viewer
    """The budget that the stores of a viewer share; ``total`` for the first of them."""
    shared = _of_viewers.get(viewer)
    if shared is None:
        shared = _of_viewers[viewer] = SharedBudget(total, partial(_forget, weakref.ref(viewer)))
    return shared


def _forget(viewer: weakref.ref[Any]) -> None:
    here = viewer()
    if here is not None:
        _of_viewers.pop(here, None)
