"""A page about work for a store: what begins it, what stops it, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from qtpy.QtWidgets import QProgressBar, QPushButton, QWidget

from zv_viewer.errors import InputError
from zv_viewer.session import StoreSession
from zv_viewer.session.background import Background
from zv_viewer.widgets.quality_see import plain_text

W = TypeVar("W", bound=Background)


class WorkPanel(QWidget, Generic[W]):
    """Controls of the work for one store at a time.

    Args:
        viewer: The viewer of the stores.
        work_of: The work for a session, of a viewer.
        begin: What the button that begins it says.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        work_of: Callable[[StoreSession, Any], W],
        begin: str,
    ) -> None:
        super().__init__()
        self._viewer, self._work_of = viewer, work_of
        self._session: StoreSession | None = None
        self._work: W | None = None
        self.run, self.cancel = QPushButton(begin), QPushButton("Cancel")
        self.progress, self.told = QProgressBar(), plain_text()
        self.run.clicked.connect(self._on_run)
        self.cancel.clicked.connect(self._on_cancel)

    def show_session(self, session: StoreSession | None) -> None:
        """Be about this session."""
        old = self._work
        if old is not None:
            old.changed.disconnect(self.refresh)
            old.progress.disconnect(self._on_progress)
            old.failed.disconnect(self._on_failed)
        self._session = session
        self._work = work = None if session is None else self._work_of(session, self._viewer)
        if work is not None:
            work.changed.connect(self.refresh)
            work.progress.connect(self._on_progress)
            work.failed.connect(self._on_failed)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show how things stand."""
        work = self._work
        running = work is not None and work.running
        self.setEnabled(work is not None)
        self.run.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.progress.setVisible(running)
        if not running:
            self.progress.reset()
            self.told.setText(self.answer())
        self.show_answer(running=running)

    def begin(self, work: W) -> None:
        """Begin the work; InputError where it cannot be."""
        raise NotImplementedError

    def answer(self) -> str:
        """What came of it, in words."""
        raise NotImplementedError

    def show_answer(self, *, running: bool) -> None:
        """Show what came of it otherwise."""
        raise NotImplementedError

    def _on_run(self) -> None:
        if self._work is None:
            return
        self.progress.setRange(0, 0)
        try:
            self.begin(self._work)
        except InputError as error:
            self._on_failed(str(error))

    def _on_cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _on_progress(self, done: int, total: int, text: str) -> None:
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)
        if self.cancel.isEnabled():
            self.told.setText(text)

    def _on_failed(self, message: str) -> None:
        self.told.setText(message)
