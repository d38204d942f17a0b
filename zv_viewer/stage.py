"""A window driven by a program: a canvas of a set size, stores in it, waited for."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil

from zv_viewer.display import a_display
from zv_viewer.errors import InputError
from zv_viewer.errors import ensure_writable as ensure_writable
from zv_viewer.model.settings import LodSettings
from zv_viewer.model.view import ViewState

if TYPE_CHECKING:
    from zv_viewer.layers.factory import Backend
    from zv_viewer.state import ViewFile

BORDER = 420
"""Pixels a window takes beside its canvas, at most."""


class Stage:
    """A shown viewer with stores; built by :func:`a_stage`.

    ``idle_rss_bytes`` is the resident memory of the idle napari window the store is opened in: one
    that has painted an empty Points layer of napari's own and removed it again. The first layer of
    any kind makes napari import pandas and build its controls, about 90 MB that no store is to
    blame for.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        settings: LodSettings,
        size: tuple[int, int],
        layers: Backend = "auto",
    ) -> None:
        self.layers: Backend = layers
        self.viewer = viewer
        self.size = size
        self.settings = settings
        self.sessions: list[Any] = []
        self.idle_rss_bytes = 0
        self.first_frame_s: float | None = None
        self.settled_s: float | None = None
        self.problems: list[str] = []
        self._painted: Callable[[float], None] = lambda seconds: None

    @property
    def session(self) -> Any:  # noqa: ANN401 - as the modules of a window are imported late
        """The session of the first store."""
        return self.sessions[0]

    def open(
        self, stores: Sequence[str], painted: Callable[[float], None] = lambda seconds: None
    ) -> None:
        """Open stores and wait until their layers are there.

        Raises:
            InputError: One cannot be opened; the message is the library's sentence.
        """
        from zv_viewer.session import open_store
        from zv_viewer.session.paint import PaintWatch

        self._painted = painted
        self._watch = PaintWatch(self.viewer, self._on_paint)
        for store in stores:
            session = open_store(self.viewer, store, settings=self.settings, layers=self.layers)
            self.sessions.append(session)
            session.problem.connect(self.problems.append)
        self.run_until(lambda: all(one.is_open or one.error for one in self.sessions))
        for session in self.sessions:
            session.raise_mistake()
            if session.error is not None:
                raise InputError(session.error)
        self.viewer.reset_view()

    def show(self, view: ViewFile, stores: Sequence[str] = (), *, force: bool) -> tuple[str, ...]:
        """Open the stores of a view, or those given in their place, and show it.

        Returns:
            What has changed since it was saved, a sentence each.

        Raises:
            InputError: It is not shown; the message says why.
        """
        from zv_viewer.session.paint import PaintWatch
        from zv_viewer.views import Restoring
        from zv_viewer.views.applying import apply_window

        self._watch = PaintWatch(self.viewer, self._on_paint)
        restoring = Restoring(
            self.viewer, view, stores, base=self.settings, force=force, automatic=False
        )
        self.sessions = list(restoring.sessions)
        for session in self.sessions:
            session.problem.connect(self.problems.append)
        self.run_until(lambda: not restoring.busy)
        for session in self.sessions:
            session.raise_mistake()
        if restoring.error is not None:
            raise InputError(restoring.error)
        self.fit()
        apply_window(self.viewer, view.view)
        return restoring.notes

    def draw_anew(self) -> None:
        """Draw the picture again as if it were the first; wait with :meth:`settle`."""
        for session in self.sessions:
            if session.layer.visible:
                session.draw_anew()

    def run_until(self, done: Callable[[], bool], timeout: float = 600.0) -> bool:
        """Run the event loop until ``done()``; False when ``timeout`` seconds are over."""
        from qtpy.QtWidgets import QApplication

        end = time.perf_counter() + timeout
        while not done():
            if time.perf_counter() > end:
                return False
            QApplication.processEvents()
            time.sleep(0.001)
        return True

    def settle(self, timeout: float = 600.0) -> bool:
        """Wait until the view is settled and painted."""
        if not self.run_until(lambda: all(map(_at_rest, self.sessions)), timeout):
            return False
        if self.settled_s is None:
            self.settled_s = time.perf_counter() - self.session.started
        self._frame_seen = False
        self._watch.repaint()
        return self.run_until(lambda: self._frame_seen, 10.0)

    def go(self, view: ViewState) -> None:
        """Move the camera."""
        from zv_viewer.layers.view import apply_view

        apply_view(self.viewer, view)

    def thicken(self, width: float) -> None:
        """Show a slab ``width`` world units thick of the axes that are not displayed."""
        margins = (width / 2,) * self.viewer.dims.ndim
        self.viewer.dims.margin_left = margins
        self.viewer.dims.margin_right = margins

    def fit(self) -> None:
        """Give the canvas its size again: sliders that came or went have changed it."""
        fit_canvas(self.viewer, self.size)

    def home(self) -> ViewState:
        """The view of everything that the viewer starts with, on the axes of the first store."""
        from zv_viewer.layers.view import read_view

        view = read_view(self.viewer)
        return replace(view, center=view.center[-self.session.scene.ndim :])

    def close(self) -> None:
        """Close the stores; the viewer is closed by :func:`a_stage`."""
        if self.sessions:
            self._watch.close()
        for session in self.sessions:
            session.close()

    def _on_paint(self, seconds: float) -> None:
        self._frame_seen = True
        if self.first_frame_s is None and self.sessions:
            stats = [session.stats() for session in self.sessions]
            if all(one is not None and one.vertices_drawn for one in stats):
                self.first_frame_s = time.perf_counter() - self.session.started
        self._painted(seconds)


@contextmanager
def a_stage(
    size: tuple[int, int], settings: LodSettings, layers: Backend = "auto"
) -> Iterator[Stage]:
    """A window whose canvas is ``size`` (width, height) pixels, on a display or in memory."""
    with a_display(size[0] + 2 * BORDER, size[1] + 2 * BORDER):
        import napari
        from qtpy.QtWidgets import QApplication

        viewer = napari.Viewer(title="Zarr Vectors", show=True, show_welcome_screen=False)
        stage = Stage(viewer, settings, size, layers)
        try:
            fit_canvas(viewer, size)
            show_nothing(viewer)
            gc.collect()
            gc.freeze()  # as the app does: napari's objects are not searched for garbage again
            stage.idle_rss_bytes = psutil.Process().memory_info().rss
            yield stage
        finally:
            gc.unfreeze()
            stage.close()
            # what napari has put off about the layers is done before they go
            QApplication.processEvents()
            viewer.close()
            QApplication.processEvents()


def _at_rest(session: Any) -> bool:  # noqa: ANN401 - a StoreSession
    """Whether a store is drawn as it is to be; one that is not seen is."""
    busy = session.objects is not None and session.objects.busy
    return not busy and (session.settled or not session.layer.visible)


def show_nothing(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Add, paint and remove an empty layer of napari's own, so that its parts are loaded."""
    from qtpy.QtWidgets import QApplication

    layer = viewer.add_points(ndim=3)
    for ndisplay in (3, 2):
        viewer.dims.ndisplay = ndisplay
        for _ in range(5):
            QApplication.processEvents()
    viewer.layers.remove(layer)
    for _ in range(5):
        QApplication.processEvents()


def fit_canvas(viewer: Any, size: tuple[int, int]) -> None:  # noqa: ANN401 - a napari viewer
    """Resize the window, without its docks, until the canvas is ``size`` (width, height)."""
    from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow

    for window in QApplication.topLevelWidgets():
        if isinstance(window, QMainWindow):
            for dock in window.findChildren(QDockWidget):
                dock.hide()
    width, height = size[0] + 20, size[1] + 60
    for _ in range(8):
        viewer.window.resize(width, height)
        for _ in range(5):
            QApplication.processEvents()
        now_height, now_width = viewer.canvas.size
        if (now_width, now_height) == size:
            return
        width, height = width + size[0] - now_width, height + size[1] - now_height
    raise InputError(
        f"the canvas cannot be made {size[0]}x{size[1]} pixels on this display "
        f"(it came to {now_width}x{now_height}); try another --size"
    )


def peak_rss_bytes() -> int:
    """Largest resident memory of this process so far, in bytes."""
    memory = psutil.Process().memory_info()
    peak = getattr(memory, "peak_wset", None)  # Windows
    if peak is not None:
        return int(peak)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
