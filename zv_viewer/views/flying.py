"""Flying along a way of the camera in a window: to look at it, or to make a movie of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from zv_viewer.errors import InputError
from zv_viewer.session import sessions_in
from zv_viewer.state.document import WindowView
from zv_viewer.state.path import CameraPath
from zv_viewer.views.applying import apply_window
from zv_viewer.views.capture import window_view
from zv_viewer.views.movie import movie_file

BEAT_MS = 16
AHEAD = 4
"""Pictures that may wait to be written."""


class Player(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Shows a way of the camera in its own time; ``ended()`` at its end.

    Args:
        viewer: The napari viewer.
        path: The way.
    """

    ended = Signal()

    def __init__(self, viewer: Any, path: CameraPath) -> None:  # noqa: ANN401 - see above
        super().__init__()
        self._viewer, self._path = viewer, path
        self._began = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._step)
        self._timer.start(BEAT_MS)

    def close(self) -> None:
        """Stop where it is."""
        self._timer.stop()

    def _step(self) -> None:
        now = time.perf_counter() - self._began
        apply_window(self._viewer, self._path.at(now))
        if now >= self._path.seconds:
            self.close()
            self.ended.emit()


class MovieMaker(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Takes a picture of every view, each settled, and writes them in a worker.

    The window goes back to the view it had. Signals: ``progress(done, of)``, ``done(path)``,
    ``failed(message)``; after :meth:`cancel` neither of the last two.

    Args:
        viewer: The napari viewer.
        views: The frames.
        out: The movie; its suffix says of what kind.
        per_second: Frames a second.
    """

    progress = Signal(int, int)
    done = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        views: Sequence[WindowView],
        out: Path,
        per_second: float,
    ) -> None:
        super().__init__()
        self._viewer, self._views, self._out = viewer, views, out
        self._home = window_view(viewer)
        self._next = 0
        self._looking = False
        self._file = movie_file(out, per_second)
        self._open = ExitStack()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zv-movie")
        self._writing: deque[Future[Any]] = deque()
        self._writing.append(self._pool.submit(self._open.enter_context, self._file))
        self._closing: Future[Any] | None = None
        self._timer = QTimer()
        self._timer.timeout.connect(self._step)
        self._timer.start(BEAT_MS)

    @property
    def busy(self) -> bool:
        """Whether pictures are being taken or written."""
        return bool(self._timer.isActive())

    def cancel(self) -> None:
        """Take no more pictures; those written stay."""
        if self.busy:
            self._end()

    def _step(self) -> None:
        try:
            while self._writing and self._writing[0].done():
                self._writing.popleft().result()
            if self._closing is not None:
                self._finish(self._closing)
            elif self._next < len(self._views):
                self._take()
            elif not self._writing:
                self._closing = self._pool.submit(self._open.close)
        except (InputError, OSError, ValueError) as error:
            self._end()
            self.failed.emit(f"{self._out} cannot be written: {error}")

    def _take(self) -> None:
        if len(self._writing) > AHEAD:
            return
        if not self._looking:
            apply_window(self._viewer, self._views[self._next])
            self._looking = True
            return
        if not all(one.settled or not one.layer.visible for one in self._sessions()):
            return
        picture = self._viewer.screenshot(canvas_only=True, flash=False)
        self._writing.append(self._pool.submit(self._file.add, picture))
        self._next, self._looking = self._next + 1, False
        self.progress.emit(self._next, len(self._views))

    def _finish(self, closing: Future[Any]) -> None:
        if closing.done():
            closing.result()
            self._end()
            self.done.emit(str(self._out))

    def _end(self) -> None:
        self._timer.stop()
        if self._closing is None:
            self._pool.submit(self._open.close)
        self._pool.shutdown(wait=False)
        apply_window(self._viewer, self._home)

    def _sessions(self) -> list[Any]:
        return [one for one in sessions_in(self._viewer.layers) if one.is_open]
