"""Opening a store the way a person sees it: the layer, the dock beside it, problems as notifications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_warning

from zv_viewer.session import Opening, StoreSession, open_store

DOCK = "Level of detail"
TOLD_AT_MOST = 3
"""Notifications per store; the dock's count goes on."""


def show_store(
    viewer: Any,  # noqa: ANN401 - a viewer or its public proxy
    path: str | Path,
    opening: Opening | None = None,
) -> StoreSession:
    """Open a store in a viewer with its dock; returns at once."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    session = open_store(viewer, path, opening=opening)
    session.failed.connect(show_error)
    told: list[str] = []

    def tell(message: str) -> None:
        told.append(message)
        if len(told) <= TOLD_AT_MOST:
            show_warning(message)

    session.problem.connect(tell)
    add_dock(viewer)
    return session


def add_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the level-of-detail dock unless the window has it."""
    from zv_viewer.widgets.lod import LodWidget

    if DOCK not in viewer.window.dock_widgets:
        viewer.window.add_dock_widget(LodWidget(viewer), name=DOCK, area="right")
