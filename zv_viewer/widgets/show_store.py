"""Opening a store as a person sees it: layer, dock, and problems as notifications."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtWidgets import QDockWidget, QWidget

from zv_viewer.addresses import addresses, remember
from zv_viewer.layers.factory import Backend
from zv_viewer.samples import sample_store, samples
from zv_viewer.session import Opening, StoreSession, open_store
from zv_viewer.session.attaching import STAND_IN
from zv_viewer.sources.store import StoreSource
from zv_viewer.widgets.appearance import APPEARANCE_DOCK, AppearanceDock
from zv_viewer.widgets.filters_dock import FILTERS_DOCK, FiltersDock
from zv_viewer.widgets.keys import bind_keys
from zv_viewer.widgets.lod import LodWidget
from zv_viewer.widgets.objects_dock import OBJECTS_DOCK, ObjectsDock
from zv_viewer.widgets.open_store import OpenStoreDialog
from zv_viewer.widgets.parametric import SHAPES_DOCK, ShapesDock, has_shapes

DOCK = "Level of detail"
TOLD_AT_MOST = 3
"""Notifications per store; the dock's count goes on."""


def show_store(
    viewer: Any,  # noqa: ANN401 - a viewer or its public proxy
    place: str | Path,
    opening: Opening | None = None,
    layers: Backend = "auto",
) -> StoreSession:
    """Open a store in a viewer with its dock; returns at once."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    session = open_store(viewer, place, opening=opening, layers=layers)
    session.opened.connect(StoreSession.first_colours)
    attend(viewer, session)
    return session


def attend(viewer: Any, session: StoreSession) -> None:  # noqa: ANN401 - a napari viewer
    """Tell of a store that is being opened what a person should know, and add the docks."""
    session.failed.connect(show_error)
    told: list[str] = []

    def tell(message: str) -> None:
        told.append(message)
        if len(told) <= TOLD_AT_MOST:
            show_warning(message)

    session.problem.connect(tell)
    session.opened.connect(lambda opened: _offer_objects(viewer, opened))
    session.opened.connect(lambda opened: _offer_shapes(viewer, opened))
    if "://" in session.path:
        session.opened.connect(lambda opened: create_worker(remember, opened.path).start())
    bind_keys(viewer, ask_for_store)
    add_dock(viewer)
    add_appearance_dock(viewer)
    add_filters_dock(viewer)


def _offer_shapes(viewer: Any, session: StoreSession) -> None:  # noqa: ANN401 - a napari viewer
    """List planes, lines and spheres as soon as they are read, where there are any."""

    def offer() -> None:
        if has_shapes(session):
            add_shapes_dock(viewer)

    if session.shapes is not None:
        session.shapes.loaded.connect(offer)


def _offer_objects(viewer: Any, session: StoreSession) -> None:  # noqa: ANN401 - a napari viewer
    if session.objects is not None:
        add_objects_dock(viewer)


def show_sample(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    name: str,
) -> tuple[Any, dict[str, Any], str]:
    """Open a sample, making it first in the background where it is not there yet.

    Returns:
        An empty layer for napari, which wants one at once; it goes when the sample is there.
    """
    show_info(f"opening the sample {name}; the first time it is made, which takes a while")
    opening = Opening(name, lambda sample: StoreSource(str(sample_store(sample))))
    session = show_store(viewer, name, opening)
    waiting = f"{name} (opening)"

    def done(*_: object) -> None:
        for layer in [layer for layer in viewer.layers if layer.name == waiting]:
            viewer.layers.remove(layer)

    session.opened.connect(done)
    session.failed.connect(done)
    ndim = samples()[name].ndim
    return np.empty((0, ndim)), {"name": waiting, "metadata": {STAND_IN: True}}, "points"


def ask_for_store(viewer: Any) -> OpenStoreDialog:  # noqa: ANN401 - a viewer or its public proxy
    """Show the dialog; the store opens in ``viewer`` when it is accepted.

    Addresses known are read by a worker and offered when they are there.
    """
    dialog = OpenStoreDialog()
    known = create_worker(addresses)
    known.returned.connect(dialog.know)
    known.start()
    dialog.accepted.connect(lambda: dialog.path() and show_store(viewer, dialog.path()))
    _shown.add(dialog)
    dialog.finished.connect(lambda _: _shown.discard(dialog))
    dialog.open()
    return dialog


def make_dock(viewer: Any) -> LodWidget:  # noqa: ANN401 - a viewer or its public proxy
    """The level-of-detail widget, its button opening stores in ``viewer``."""
    widget = LodWidget(viewer)
    widget.open_asked.connect(lambda: ask_for_store(viewer))
    return widget


def add_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the level-of-detail dock unless the window has it."""
    if DOCK not in viewer.window.dock_widgets:
        viewer.window.add_dock_widget(make_dock(viewer), name=DOCK, area="right")


def add_appearance_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the appearance dock behind the others, unless the window has it."""
    _add_behind(viewer, APPEARANCE_DOCK, AppearanceDock)


def add_filters_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the filters dock behind the others, unless the window has it."""
    _add_behind(viewer, FILTERS_DOCK, FiltersDock)


def add_objects_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the objects dock behind the other, unless the window has it."""
    _add_behind(viewer, OBJECTS_DOCK, ObjectsDock)


def add_shapes_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the dock of planes, lines and spheres, or have it list them anew."""
    if not _add_behind(viewer, SHAPES_DOCK, ShapesDock):
        viewer.window.dock_widgets[SHAPES_DOCK].stores.list_stores()


def _add_behind(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    name: str,
    make: Callable[[Any], QWidget],
) -> bool:
    """Add a dock behind the first one, which stays in front; False where the window has it."""
    docks = viewer.window.dock_widgets
    if name in docks:
        return False
    viewer.window.add_dock_widget(make(viewer), name=name, area="right", tabify=True)
    _raise(viewer.window.dock_widgets.get(DOCK))
    return True


def _raise(widget: Any) -> None:  # noqa: ANN401 - a widget in a dock, or None
    """Bring a dock before the others of its place."""
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parent()
    if widget is not None:
        widget.raise_()


_shown: set[OpenStoreDialog] = set()
"""Keeps dialogs alive while they are on the screen."""
