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
    from zv_viewer.session.session import StoreSession

_of_viewers: weakref.WeakKeyDictionary[Any, SharedBudget] = weakref.WeakKeyDictionary()


class SharedBudget:
    """The sessions of one viewer, and what each may draw and hold.

    Args:
        total: Vertices and bytes of all together.
        closed: Called when the last session has left.
    """

    def __init__(self, total: Budget, closed: Callable[[], object]) -> None:
        self._closed = closed
        self._sharing = Sharing(total)
        self._sharers: dict[StoreSession, Sharer] = {}
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._turn)

    @property
    def total(self) -> Budget:
        """Vertices and bytes of all together."""
        return self._sharing.total

    @property
    def sessions(self) -> list[StoreSession]:
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
        return sum(each.layer.rows_drawn for each in self.sessions if each.layer.visible)

    def leads(self, session: StoreSession) -> bool:
        """Whether it is this session that follows the frames of the viewer: the first one seen."""
        seen = [each for each in self.sessions if each.layer.visible]
        return bool(seen) and seen[0] is session

    def share(self, session: StoreSession) -> Budget:
        """What one session may draw and hold."""
        return self._sharers[session].share

    def join(self, session: StoreSession, follow: Callable[[Budget], None]) -> None:
        """One more session, with its controller; ``follow`` is called with each share it gets."""
        controller = session.controller
        if controller is None:
            raise RuntimeError("a session joins once its store is open")
        sharer = Sharer(controller, follow, session.weight, session.layer.visible)
        self._sharers[session] = sharer
        self._sharing.join(sharer, time.perf_counter())
        self._turn()

    def leave(self, session: StoreSession) -> None:
        """One session less; what it had goes to the others."""
        sharer = self._sharers.pop(session, None)
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

    def look_again(self, session: StoreSession) -> None:
        """The view of a session, its weight or whether it is seen has changed."""
        sharer = self._sharers[session]
        sharer.weight, sharer.visible = session.weight, session.layer.visible
        sharer.controller = session.controller or sharer.controller
        self._sharing.look_again()
        if self.pending and not self._timer.isActive():
            self._turn()

    def has_to_give(self, session: StoreSession) -> bool:
        """Whether a session that is not seen holds more than it may."""
        return self._sharers[session].has_to_give

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
