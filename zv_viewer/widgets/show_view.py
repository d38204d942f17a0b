"""Views as a person saves and opens them: from the menus, the dock and the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtWidgets import QFileDialog

from zv_viewer.views.restoring import Restoring
from zv_viewer.views.saving import ViewFiles
from zv_viewer.widgets.show_store import attend
from zv_viewer.widgets.views_dock import VIEWS_DOCK, ViewsDock

KIND = "Views (*.json)"

_known: WeakKeyDictionary[Any, ViewFiles] = WeakKeyDictionary()


def view_files_of(viewer: Any) -> ViewFiles:  # noqa: ANN401 - a napari viewer or its public proxy
    """What saves and shows the views of a viewer; always the same."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _known:
        files = _known[viewer] = ViewFiles(viewer)
        files.saved.connect(lambda path: show_info(f"the view is saved as {path}"))
        files.failed.connect(show_error)
        files.shown.connect(lambda notes: [show_warning(note) for note in notes])
        files.begun.connect(lambda restoring: _attend(viewer, restoring))
    return _known[viewer]


def make_views_dock(viewer: Any) -> ViewsDock:  # noqa: ANN401 - a viewer or its public proxy
    """The dock of views of a viewer."""
    return ViewsDock(viewer, view_files_of(viewer))


def add_views_dock(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add the dock of views, unless the window has it."""
    if VIEWS_DOCK not in viewer.window.dock_widgets:
        dock = make_views_dock(viewer)
        viewer.window.add_dock_widget(dock, name=VIEWS_DOCK, area="right", tabify=True)


def ask_to_save(viewer: Any) -> QFileDialog:  # noqa: ANN401 - as above
    """Ask for a file, and save the present view there."""
    dialog = QFileDialog(None, "Save the view", "view.json", KIND)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("json")
    return _asked(dialog, view_files_of(viewer).save)


def ask_to_open(viewer: Any) -> QFileDialog:  # noqa: ANN401 - as above
    """Ask for a file, and show the view it holds; the dock says what came of it."""
    dialog = QFileDialog(None, "Open a view", "", KIND)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

    return _asked(dialog, view_files_of(viewer).open)


def _asked(dialog: QFileDialog, then: Callable[[Path], None]) -> QFileDialog:
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    _shown.add(dialog)
    dialog.finished.connect(lambda _: _shown.discard(dialog))
    dialog.open()
    return dialog


def _attend(viewer: Any, restoring: Restoring) -> None:  # noqa: ANN401 - a napari viewer
    """The docks of its stores, and behind them that of views."""
    for session in restoring.sessions:
        if not session.is_open:
            attend(viewer, session)
    add_views_dock(viewer)


_shown: set[QFileDialog] = set()
"""Keeps dialogs alive while they are on the screen."""
