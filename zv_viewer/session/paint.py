"""When the canvas paints: the one place that looks below napari's public window for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from qtpy.compat import isalive

log = logging.getLogger(__name__)


class PaintWatch:
    """Calls ``painted(seconds)`` after each frame of a viewer's canvas is on the screen.

    A frame runs from the start of the canvas' draw to the swap of its buffers, so that a software
    renderer's work, which happens at the swap, is inside it. A draw that never reaches the screen,
    because another one follows it first, is painting all the same: its time is the next frame's.
    """

    def __init__(self, viewer: Any, painted: Callable[[float], None]) -> None:  # noqa: ANN401
        window = viewer.window
        canvas = window._qt_viewer.canvas._scene_canvas  # noqa: SLF001 - no public event
        self._painted = painted
        self._events = canvas.events.draw
        self._native = canvas.native
        self._started: float | None = None
        self._drawn = 0.0
        self._unseen = 0.0
        self._events.connect(self._begin, position="first")
        self._events.connect(self._drew, position="last")
        self._native.frameSwapped.connect(self._end)

    def repaint(self) -> None:
        """Ask for a frame."""
        self._native.update()

    def close(self) -> None:
        """Stop watching."""
        self._events.disconnect(self._begin)
        self._events.disconnect(self._drew)
        if isalive(self._native):
            self._native.frameSwapped.disconnect(self._end)

    def _begin(self, event: object) -> None:
        self._unseen += self._drawn
        self._drawn = 0.0
        self._started = time.perf_counter()

    def _drew(self, event: object) -> None:
        if self._started is not None:
            self._drawn = time.perf_counter() - self._started

    def _end(self) -> None:
        if self._started is not None:
            seconds = time.perf_counter() - self._started + self._unseen
            self._started = None
            self._drawn = self._unseen = 0.0
            self._painted(seconds)


def watch_paint(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    painted: Callable[[float], None],
) -> PaintWatch | None:
    """Watch a viewer's canvas; None, and a line in the log, where this napari has it elsewhere."""
    try:
        return PaintWatch(viewer, painted)
    except AttributeError as error:
        log.warning("frames are not timed, so no budget follows them: %s", error)
        return None


def renderer_of(viewer: Any) -> str:  # noqa: ANN401 - a napari viewer
    """What the driver of a viewer's canvas calls itself; empty where this napari has it elsewhere.

    Not to be called from inside a draw.
    """
    from vispy import gloo

    try:
        canvas = viewer.window._qt_viewer.canvas._scene_canvas  # noqa: SLF001 - as above
        canvas.native.makeCurrent()
        return str(gloo.gl.glGetParameter(gloo.gl.GL_RENDERER))
    except AttributeError as error:
        log.warning("the renderer is not known: %s", error)
        return ""
