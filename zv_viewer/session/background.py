"""Work for a store that takes its time: begun in the GUI thread, told of, stopped, answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from zarr_vectors.exceptions import ZVError
from zv_viewer.errors import InputError
from zv_viewer.session.latest import Latest

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Progress = Callable[[int, int, str], None]
Work = Callable[[Progress, Callable[[], bool]], Any]
"""Called in a thread with what is to be told (steps done, steps in all, text), and with what says
whether to stop."""

_known: dict[type, WeakKeyDictionary[Any, Any]] = {}


class Background(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Work for one store, of which what was begun last counts; used in the GUI thread.

    Signals: ``changed()`` when there is another answer, or work begins or ends,
    ``progress(done, total, text)``, ``failed(message)``.

    Args:
        session: Open.
        viewer: Its viewer.
    """

    changed = Signal()
    progress = Signal(int, int, str)
    failed = Signal(str)

    tells: ClassVar[tuple[type[Exception], ...]] = (ZVError, InputError, OSError)
    """Errors that are told; others are mistakes in the program, and raised."""

    def __init__(self, session: StoreSession, viewer: Any) -> None:  # noqa: ANN401 - napari's
        super().__init__()
        self._session = session
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._lane = Latest(f"zv-{type(self).__name__.lower()}")
        self._stop = Event()
        self.running = False
        """Whether there is work under way whose answer counts."""
        session.closed.connect(self.close)

    @classmethod
    def of(cls, session: StoreSession, viewer: Any) -> Self:  # noqa: ANN401 - as above
        """The one of a session; always the same until it is closed."""
        known = _known.setdefault(cls, WeakKeyDictionary())
        if session not in known:
            known[session] = cls(session, viewer)
        found: Self = known[session]
        return found

    @property
    def busy(self) -> bool:
        """Whether anything is under way, what was given up included."""
        return self.running or self._lane.busy

    def begin(self, work: Work) -> None:
        """Do something; what was under way is stopped, and its answer does not count."""
        self._stop.set()
        self._stop = stop = Event()

        def told(done: int, total: int, text: str) -> None:
            if not stop.is_set():
                self.progress.emit(done, total, text)

        self.running = True
        task = partial(work, told, stop.is_set)
        self._lane.ask(task, partial(self._have, stop), partial(self._lost, stop))
        self.changed.emit()

    def cancel(self) -> None:
        """Stop, and have no answer."""
        self._stop.set()
        self._stop = Event()
        self.running = False
        self.changed.emit()

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._stop.set()
        self._lane.close()
        _known.get(type(self), {}).pop(self._session, None)

    def take(self, answer: Any) -> None:  # noqa: ANN401 - what the work gives
        """Keep an answer."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        """Tell of an error, or raise it where it is a mistake in the program."""
        self.failed.emit(str(error))
        if not isinstance(error, self.tells):
            raise error

    def _have(self, stop: Event, answer: Any) -> None:  # noqa: ANN401 - as above
        if stop is self._stop:
            self.running = False
            self.take(answer)
            self.changed.emit()

    def _lost(self, stop: Event, error: Exception) -> None:
        if stop is self._stop:
            self.running = False
            self.changed.emit()
            self.fail(error)
