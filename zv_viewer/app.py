"""The desktop window of ``zv-view STORE``."""

from __future__ import annotations

import gc
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress

from zv_viewer.errors import InputError
from zv_viewer.session.opening import Opening

PATIENCE_S = 3.0
"""How long a bad path may take to show before the window opens anyway."""


def run(path: str) -> int:
    """Open a window on a store and stay until it is closed; returns the exit code."""
    opening = Opening(path)
    import napari

    from zv_viewer.display import has_display

    if not has_display():
        opening.cancel()
        raise InputError(
            "there is no display to open a window on; `zv-view render` draws a picture without one"
        )
    with suppress(NotYet):  # a slow place: the window says when it is there, or why not
        opening.result(PATIENCE_S)

    from zv_viewer.widgets.show_store import show_store

    viewer = napari.Viewer(title="Zarr Vectors", show_welcome_screen=False)
    show_store(viewer, path, opening=opening)
    # What lives as long as the window is not searched for garbage again: 150 ms each time.
    gc.freeze()
    napari.run()
    return 0
