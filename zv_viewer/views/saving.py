"""Saving and opening views without a file being touched in the GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from zv_viewer.errors import InputError
from zv_viewer.session.latest import Latest
from zv_viewer.state import ViewFile
from zv_viewer.views.capture import NO_STORE, capture
from zv_viewer.views.files import fingerprints, open_sessions, read_with_places, write_view
from zv_viewer.views.restoring import Restoring


class ViewFiles(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Saves the view of a viewer, and shows one from a file; used in the GUI thread.

    Signals: ``saved(path)``, ``begun(restoring)`` when a file is read and its stores are being
    opened, ``shown(notes)`` with a sentence for each thing that has changed, ``failed(message)``,
    after which :meth:`force` shows it as far as it goes where stores have changed.

    Args:
        viewer: The napari viewer or its public proxy.
    """

    saved = Signal(str)
    begun = Signal(object)
    shown = Signal(object)
    failed = Signal(str)

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - see above
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._lane = Latest("zv-view-files")
        self._restoring: Restoring | None = None
        self._asked: tuple[ViewFile, tuple[str, ...]] | None = None

    @property
    def busy(self) -> bool:
        """Whether a view is being saved or shown."""
        showing = self._restoring is not None and self._restoring.busy
        return self._lane.busy or showing

    @property
    def can_force(self) -> bool:
        """Whether the view asked for last was not shown, and may be as its stores are now."""
        return self._asked is not None

    def save(self, path: Path) -> None:
        """Save the present view."""
        sessions = open_sessions(self._viewer)
        if not sessions:
            self.failed.emit(NO_STORE)
            return

        def captured(prints: Any) -> None:  # noqa: ANN401 - fingerprints by session
            try:
                view = capture(self._viewer, prints)
            except InputError as error:
                self.failed.emit(str(error))
                return
            task = partial(write_view, view, path)
            self._lane.ask(task, lambda _: self.saved.emit(str(path)), self._on_error)

        self._lane.ask(partial(fingerprints, sessions), captured, self._on_error)

    def open(self, path: Path, stores: Sequence[str] = ()) -> None:
        """Show the view of a file."""
        task = partial(read_with_places, path)
        self._lane.ask(task, lambda view: self.show(view, stores), self._on_error)

    def show(self, view: ViewFile, stores: Sequence[str] = (), *, force: bool = False) -> None:
        """Show a view."""
        self._asked = None
        try:
            restoring = Restoring(self._viewer, view, stores, force=force)
        except InputError as error:
            self.failed.emit(str(error))
            return
        self._restoring = restoring
        self.begun.emit(restoring)

        def failed(message: str) -> None:
            self._asked = (view, tuple(stores)) if restoring.notes else None
            self.failed.emit(message)

        if restoring.error is not None:
            failed(restoring.error)
            return
        restoring.done.connect(lambda: self.shown.emit(restoring.notes))
        restoring.failed.connect(failed)

    def force(self) -> None:
        """Show the view that was not shown, with its stores as they are now."""
        if self._asked is not None:
            view, stores = self._asked
            self.show(view, stores, force=True)

    def close(self) -> None:
        """Give up what is under way."""
        self._lane.close()

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, InputError | OSError):
            raise error
        self.failed.emit(str(error))
