"""The desktop window of ``zv-view STORE``."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zv_viewer.errors import InputError
from zv_viewer.session.opening import Opening

if TYPE_CHECKING:
    from napari import Viewer

    from zv_viewer.layers.factory import Backend

NO_DISPLAY = "there is no display to open a window on; `zv-view render` draws a picture without one"

PATIENCE_S = 3.0
"""How long a bad path may take to show before the window opens anyway."""

PART_OF_SCREEN = 0.85
"""Width and height of a first window: docks stand beside the picture."""


def run(
    stores: Sequence[str],
    layers: Backend = "auto",
    state: Path | None = None,
    *,
    force: bool = False,
) -> int:
    """Open a window on stores and stay until it is closed; returns the exit code.

    Args:
        stores: Paths or addresses.
        layers: ``fast``, ``standard`` or ``auto``, as of ``zv_viewer.open_store``.
        state: A view that was saved; stores, if any, are opened in place of those it names.
        force: Show it though its stores have changed since.

    Raises:
        InputError: There is no display, or the file holds no view.
    """
    if state is not None:
        return _run_view(stores, state, force=force)
    openings = [Opening(store, first=True) for store in stores]
    import napari

    from zv_viewer.display import has_display

    if not has_display():
        for opening in openings:
            opening.cancel()
        raise InputError(NO_DISPLAY)
    end = time.monotonic() + PATIENCE_S
    for opening in openings:
        with suppress(NotYet):  # a slow place: the window says when it is there, or why not
            opening.result(max(end - time.monotonic(), 0.0))

    from zv_viewer.session.attaching import AllInView
    from zv_viewer.widgets.show_store import show_store

    viewer = napari.Viewer(title="Zarr Vectors", show_welcome_screen=False)
    make_room(viewer)
    show_all = AllInView(viewer)
    for store, opening in zip(stores, openings, strict=True):
        show_store(viewer, store, opening, layers).opened.connect(show_all)
    return _stay()


def _run_view(stores: Sequence[str], state: Path, *, force: bool) -> int:
    """Open a window on a view that was saved."""
    from zv_viewer.views.files import read_with_places

    view = read_with_places(state)
    if stores and len(stores) != len(view.layers):
        raise InputError(f"{state} is of {len(view.layers)} stores; {len(stores)} are given")
    import napari

    from zv_viewer.display import has_display

    if not has_display():
        raise InputError(NO_DISPLAY)
    from zv_viewer.widgets.show_view import view_files_of

    viewer = napari.Viewer(title="Zarr Vectors", show_welcome_screen=False)
    make_room(viewer)
    view_files_of(viewer).show(view, stores, force=force)
    return _stay()


def _stay() -> int:
    """Run until the window is closed."""
    import napari

    # What lives as long as the window is not searched for garbage again: 150 ms each time.
    gc.freeze()
    napari.run()
    return 0


def make_room(viewer: Viewer) -> None:
    """Give a window most of the screen, unless napari remembers the size of one."""
    from napari.settings import get_settings
    from qtpy.QtGui import QGuiApplication

    screen = QGuiApplication.primaryScreen()
    if screen is None or get_settings().application.window_size is not None:
        return
    room = screen.availableGeometry()
    viewer.window.resize(*(int(side * PART_OF_SCREEN) for side in (room.width(), room.height())))
