"""Measures in a window how much pops along a path of the camera."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from zv_viewer.errors import FlightError, InputError
from zv_viewer.flight.path import default_flight, load_flight
from zv_viewer.flight.popping import Picture, Pop, popped
from zv_viewer.layers.view import apply_view
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.view import ViewState
from zv_viewer.session import sessions_in
from zv_viewer.state.document import WindowView
from zv_viewer.state.path import CameraPath, Keyframe, read_path_file
from zv_viewer.views.applying import apply_window
from zv_viewer.views.capture import window_view

Place: TypeAlias = WindowView | ViewState
"""A view with its sliders, or one of a flight."""

PATIENCE_S = 60.0
"""How long a place may take to settle."""

TURN_MS = 15


@dataclass(frozen=True, slots=True)
class PlacePop:
    """What popped at one place of a path.

    Args:
        view: The place.
        pop: What changed between arriving there and settling.
        vertices: Vertices drawn there, of all stores.
        levels: Numbers of the levels drawn.
    """

    view: Place
    pop: Pop
    vertices: int
    levels: tuple[int, ...]


class PoppingMeter(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Flies a path, place by place, and compares two pictures from each.

    The first is taken on arriving, with what was selected at the place before; the second when all
    stores have settled. Only the second place and those after it can pop. The camera is back where
    it was when all is done. Signals: ``progress(done, total)``, ``measured(places)`` with a tuple
    of :class:`PlacePop`, ``failed(message)``.

    Args:
        viewer: Its stores are measured together.
    """

    progress = Signal(int, int)
    measured = Signal(object)
    failed = Signal(str)

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._timer = QTimer()
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._turn)
        self._views: tuple[Place, ...] = ()
        self._home: Place | None = None
        self._next = 0
        self._since = 0.0
        self._arrived: Picture | None = None
        self.places: tuple[PlacePop, ...] = ()
        """What was measured; that of a path given up ends early."""

    @property
    def running(self) -> bool:
        """Whether a path is being flown."""
        return bool(self._timer.isActive())

    def start(self, views: Sequence[Place]) -> None:
        """Fly a path; returns at once.

        Raises:
            InputError: It has fewer than two places, or no store is shown.
        """
        if len(views) < 2:
            raise InputError("a path has two places at least")
        if not sessions_in(self._viewer.layers):
            raise InputError("no store is open")
        self._home = window_view(self._viewer)
        self._views, self._next, self.places = tuple(views), 0, ()
        self._arrived = None
        self._go(self._views[0])
        self._timer.start()
        self.progress.emit(0, len(self._views) - 1)

    def cancel(self) -> None:
        """Stop where it is; what was measured stays."""
        if self.running:
            self._end()

    def _turn(self) -> None:
        sessions = [one for one in sessions_in(self._viewer.layers) if one.layer.visible]
        if not sessions:
            self._end("no store is shown any more")
        elif all(one.settled for one in sessions):
            self._settled(sessions)
        elif time.monotonic() - self._since > PATIENCE_S:
            self._end(f"place {self._next + 1} has not settled in {PATIENCE_S:.0f} s")

    def _settled(self, sessions: Sequence[Any]) -> None:
        """All is there at a place: compare, and go to the next one as it was selected for here."""
        if self._arrived is not None:
            figures = [one.stats() for one in sessions]
            levels = sorted({level for one in figures for level in one.levels_drawn})
            place = PlacePop(
                self._views[self._next],
                popped(self._arrived, self._picture()),
                sum(one.vertices_drawn for one in figures),
                tuple(levels),
            )
            self.places = (*self.places, place)
            self.progress.emit(len(self.places), len(self._views) - 1)
        self._next += 1
        if self._next == len(self._views):
            self._end()
            return
        held = [one for one in sessions if not one.frozen]
        for one in held:
            one.frozen = True
        self._go(self._views[self._next])
        self._arrived = self._picture()
        for one in held:
            one.frozen = False

    def _go(self, view: Place) -> None:
        self._since = time.monotonic()
        go_to(self._viewer, view)

    def _picture(self) -> Picture:
        return np.asarray(self._viewer.screenshot(canvas_only=True, flash=False))

    def _end(self, message: str = "") -> None:
        self._timer.stop()
        if self._home is not None:
            go_to(self._viewer, self._home)
        if message:
            self.failed.emit(message)
        self.measured.emit(self.places)


def go_to(viewer: Any, place: Place) -> None:  # noqa: ANN401 - a napari viewer
    """Move the camera to a place."""
    if isinstance(place, ViewState):
        apply_view(viewer, place)
    else:
        apply_window(viewer, place)


def place_views(keyframes: Sequence[WindowView], steps: int) -> tuple[WindowView, ...]:
    """The places of a smooth way through views, with so many steps from each to the next."""
    if len(keyframes) < 2:
        return tuple(keyframes)
    path = CameraPath(tuple(Keyframe(1.0 if k else 0.0, v) for k, v in enumerate(keyframes)))
    return path.frames(steps)


def views_of(
    path: str | Path | None, steps: int, scene: SceneInfo, canvas: tuple[float, float]
) -> tuple[Place, ...]:
    """The places of a way of the camera, or of a flight, in a file; None: the standard flight.

    Args:
        path: The file.
        steps: Places for each second of a way of the camera.
        scene: What a flight is fitted to.
        canvas: (width, height), pixels.

    Raises:
        InputError: The file holds neither, or one of other axes.
    """
    if path is None:
        return default_flight().steps_for(scene, canvas)
    try:
        return read_path_file(Path(path)).frames(steps)
    except InputError as no_path:
        try:
            return load_flight(Path(path)).steps_for(scene, canvas)
        except FlightError:
            raise no_path from None
