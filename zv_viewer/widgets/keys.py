"""What the keyboard and the menus do to the stores of a viewer.

napari 0.9 takes no key bindings from a plugin's manifest, so they are bound to the viewer; the ones
a user has given to something else are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QTimer

from zv_viewer.errors import InputError
from zv_viewer.session import StoreSession, session_of, sessions_in
from zv_viewer.session.picking import picking_of

OPEN_KEY = "Control-Alt-Z"
RELOAD_KEY = "Control-Alt-R"
LOCK_KEY = "Control-Alt-L"
PICK_KEY = "Control-Alt-P"

NO_STORE = "no store is open"


def chosen_sessions(viewer: Any) -> list[StoreSession]:  # noqa: ANN401 - a viewer or its proxy
    """The sessions of the layers selected, or of all where none of those shows a store."""
    selected = [layer for layer in viewer.layers if layer in viewer.layers.selection]
    found = [session_of(layer) for layer in selected]
    return [session for session in found if session is not None] or sessions_in(viewer.layers)


def reload_stores(viewer: Any) -> None:  # noqa: ANN401 - as above
    """Read the stores chosen anew, and say so."""
    sessions = chosen_sessions(viewer)
    if not sessions:
        show_info(NO_STORE)
    for session in sessions:
        try:
            session.reload()
        except InputError as error:
            show_info(str(error))
        else:
            show_info(f"reading {session.layer.name} anew")


def toggle_lock(viewer: Any) -> None:  # noqa: ANN401 - as above
    """Lock the stores chosen at the finest level they show now, or unlock them."""
    sessions = chosen_sessions(viewer)
    if not sessions:
        show_info(NO_STORE)
    for session in sessions:
        stats = session.stats()
        lock = None
        if session.settings.level_lock is None and stats is not None and stats.levels_drawn:
            lock = min(stats.levels_drawn)
        session.update_settings(level_lock=lock)
        what = "the level is automatic" if lock is None else f"level {lock} is locked"
        show_info(f"{session.layer.name}: {what}")


class Pointer:
    """Where the mouse was last, and what a key does with that."""

    def __init__(self) -> None:
        self._at: tuple[float, float] | None = None

    def moved(self, viewer: Any, event: Any) -> None:  # noqa: ANN401 - napari's
        """The mouse was moved over the canvas."""
        del viewer
        self._at = float(event.pos[0]), float(event.pos[1])

    def pick(self, viewer: Any) -> None:  # noqa: ANN401 - a viewer or its proxy
        """Tell what lies under the mouse, of the stores chosen; as a click does."""
        sessions = [session for session in chosen_sessions(viewer) if session.is_open]
        if not sessions:
            show_info(NO_STORE)
        elif self._at is None:
            show_info("point at something first")
        else:
            for session in sessions:
                picking_of(session, viewer).at(*self._at)


def bind_keys(viewer: Any, ask_for_store: Callable[[Any], object]) -> None:  # noqa: ANN401
    """Bind the keys of stores in a viewer, once."""

    def ask(viewer: Any) -> None:  # noqa: ANN401 - as above
        """Open a Zarr Vectors store or address."""
        QTimer.singleShot(0, lambda: ask_for_store(viewer))  # not inside the event of the key

    pointer = Pointer()
    bound = {str(key) for key in viewer.keymap}
    does_what = {
        OPEN_KEY: ask,
        RELOAD_KEY: reload_stores,
        LOCK_KEY: toggle_lock,
        PICK_KEY: pointer.pick,
    }
    if _name(PICK_KEY) not in bound:
        viewer.mouse_move_callbacks.append(pointer.moved)
    for key, does in does_what.items():
        if _name(key) not in bound:
            viewer.bind_key(key, does)


def _name(key: str) -> str:
    from napari.utils.key_bindings import coerce_keybinding

    return str(coerce_keybinding(key))
