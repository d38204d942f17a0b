"""Another pyramid tried for a part of an open store, in the background."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from zarr_vectors.exceptions import ZVError
from zv_viewer.errors import InputError
from zv_viewer.layers.camera import camera_of
from zv_viewer.model.camera import Camera
from zv_viewer.model.settings import LodSettings
from zv_viewer.session.comparing import view_middle
from zv_viewer.session.inspecting import middle_of
from zv_viewer.session.latest import Latest
from zv_viewer.sources.store import StoreSource
from zv_viewer.what_if import Question, Trial, box_around, try_pyramid

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Float = npt.NDArray[np.float64]


class Trying(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Tries pyramids for what lies around the middle of the view; used in the GUI thread.

    Signals: ``changed()`` when there is another answer, or work begins or ends,
    ``progress(done, total, text)``, ``failed(message)``.

    Args:
        session: Open.
        viewer: Its viewer.
    """

    changed = Signal()
    progress = Signal(int, int, str)
    failed = Signal(str)

    def __init__(self, session: StoreSession, viewer: Any) -> None:  # noqa: ANN401 - napari's
        super().__init__()
        self._session = session
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._lane = Latest("zv-what-if")
        self._stop = Event()
        self.trial: Trial | None = None
        self.zoom = 1.0
        """Canvas pixels per unit of the view a switch's factors are of."""
        self.running = False
        session.closed.connect(self.close)

    @property
    def level_numbers(self) -> tuple[int, ...]:
        """Levels the store has now."""
        scene = self._session.scene
        return (0,) if scene is None else tuple(level.index for level in scene.levels)

    def ask(self, question: Question, most: int) -> None:
        """Try a pyramid for the chunks around the middle of the view.

        Args:
            question: The pyramid.
            most: Vertices of level 0 to try it with, about.

        Raises:
            InputError: The store is of a kind that cannot be read so.
        """
        session, controller = self._session, self._session.controller
        source = None if controller is None else controller.source
        if not isinstance(source, StoreSource) or session.scene is None:
            raise InputError(f"{session.path} cannot be read for this")
        camera = camera_of(self._viewer, session.layer)
        middle = view_middle(self._viewer, session.layer)
        hidden = np.isnan(middle)
        middle[hidden] = middle_of(session.scene, camera)[hidden]
        self.zoom = float(self._viewer.scene.camera.zoom)
        self._stop.set()
        self._stop = stop = Event()

        def told(done: int, total: int, text: str) -> None:
            if not stop.is_set():
                self.progress.emit(done, total, text)

        task = partial(tried, source, question, middle, most, camera, session.settings, told, stop)
        self.running = True
        self._lane.ask(task, partial(self._have, stop), partial(self._fail, stop))
        self.changed.emit()

    def cancel(self) -> None:
        """Give up."""
        self._stop.set()
        self.running = False
        self.changed.emit()

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._stop.set()
        self._lane.close()
        _known.pop(self._session, None)

    def _have(self, stop: Event, trial: Trial) -> None:
        if not stop.is_set():
            self.trial, self.running = trial, False
            self.changed.emit()

    def _fail(self, stop: Event, error: Exception) -> None:
        if not stop.is_set():
            self.running = False
            self.changed.emit()
            self.failed.emit(str(error))
            if not isinstance(error, ZVError | InputError | OSError | ValueError):
                raise error


def tried(
    source: StoreSource,
    question: Question,
    middle: Float,
    most: int,
    camera: Camera,
    settings: LodSettings,
    progress: Any,  # noqa: ANN401 - as try_pyramid's
    stop: Event,
) -> Trial:
    """The answer to a question, in a worker."""
    with source.opened_again() as store:
        box = box_around(store, middle, most)
        return try_pyramid(
            store, box, question, camera, settings, progress=progress, cancelled=stop.is_set
        )


_known: WeakKeyDictionary[Any, Trying] = WeakKeyDictionary()


def trying_of(session: StoreSession, viewer: Any) -> Trying:  # noqa: ANN401 - a napari viewer
    """What tries pyramids for a session's store; always the same one."""
    if session not in _known:
        _known[session] = Trying(session, viewer)
    return _known[session]
