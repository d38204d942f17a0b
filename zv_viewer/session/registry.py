"""Which sessions are alive, found by the layer they feed; nothing here keeps a viewer alive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from qtpy.QtCore import QObject, Signal

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession


class RegistrySignals(QObject):  # type: ignore[misc]  # qtpy is untyped
    """``added`` and ``removed`` carry the session; deleted widgets drop out by themselves."""

    added = Signal(object)
    removed = Signal(object)


signals = RegistrySignals()
_sessions: dict[UUID, StoreSession] = {}
_alive: set[StoreSession] = set()


def keep(session: StoreSession) -> None:
    """Keep a session alive until it is closed: Qt does not, and its caller may not."""
    _alive.add(session)


def let_go(session: StoreSession) -> None:
    """The session is closed."""
    _alive.discard(session)


def add(layer_id: UUID, session: StoreSession) -> None:
    """Record that ``session`` feeds the layer."""
    _sessions[layer_id] = session
    signals.added.emit(session)


def move(old_id: UUID, new_id: UUID) -> None:
    """Another layer shows what a session feeds."""
    if old_id in _sessions:
        _sessions[new_id] = _sessions.pop(old_id)


def remove(layer_id: UUID) -> None:
    """Forget the layer's session, if it has one."""
    session = _sessions.pop(layer_id, None)
    if session is not None:
        signals.removed.emit(session)


def session_of(layer: Any) -> StoreSession | None:  # noqa: ANN401 - a napari layer or its proxy
    """The session that feeds ``layer``, or None."""
    return _sessions.get(layer.unique_id)


def sessions_in(layers: Iterable[Any]) -> list[StoreSession]:
    """Sessions of a viewer's layers, in layer order."""
    found = (session_of(layer) for layer in layers)
    return [session for session in found if session is not None]
