"""Attributes written to the store of a session: rehearsed, written, undone, by a worker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from zarr_vectors.core.backends.urls import scheme_of
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import Cancelled, StoreError
from zv_viewer.edits.dry_run import DryRun, rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.refusals import check_writable
from zv_viewer.edits.request import Request
from zv_viewer.edits.saved import Edit
from zv_viewer.edits.scopes import Scope
from zv_viewer.errors import InputError
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import Writable
from zv_viewer.sources.face_values import face_title

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

GIVEN_UP = "given up: the store is as before"


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found out about a store before anything is asked for."""

    undoable: Edit | None = None
    redoable: Edit | None = None
    notices: list[str] = field(default_factory=list)
    refusal: str = ""


class Editing(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Edits of one store; used in the GUI thread.

    Signals: ``progress(share, text)``, ``rehearsed(DryRun)``, ``written(Edit)``, ``undone(Edit)``,
    ``redone(Edit)``, ``failed(message)``, ``changed()`` when other buttons make sense.

    Args:
        session: Of the store; open.
        history: Where undo is kept; by the store's address when None.
    """

    progress = Signal(float, str)
    rehearsed = Signal(object)
    written = Signal(object)
    undone = Signal(object)
    redone = Signal(object)
    failed = Signal(str)
    changed = Signal()

    def __init__(self, session: StoreSession, history: History | None = None) -> None:
        super().__init__()
        self._session = session
        self._lane = Latest("zv-editing")
        self._stop = Event()
        self._history = history
        self._to_colour: tuple[Scope, str] | None = None
        self.dry_run: DryRun | None = None
        self.undoable: Edit | None = None
        self.redoable: Edit | None = None
        self.refusal = ""
        """Why the store cannot be written to; empty where it can, or it is not known yet."""
        self.notices: list[str] = []
        """What is to be known of edits that were kept."""
        session.reloaded.connect(self._on_reloaded)
        session.closed.connect(self.close)

    @property
    def busy(self) -> bool:
        """Whether something is being worked out or written."""
        return self._lane.busy

    def look(self) -> None:
        """Find out whether the store can be written to, and what can be undone."""
        self._lane.ask(self._looked, self._have_looked, lambda error: self._end(str(error)))

    def rehearse(self, request: Request) -> None:
        """Work out what a write would do; ``rehearsed`` tells."""
        self.forget()
        self._ask(partial(self._rehearse, request), self._have_rehearsed)

    def write(self) -> None:
        """Write what was rehearsed; then it is shown, and its colours where it can give some."""
        dry = self.dry_run
        if dry is not None:
            self._ask(partial(self._write, dry), partial(self._have_written, dry.request))

    def undo(self) -> None:
        """Put back what was there before the last edit."""
        if self.undoable is not None:
            done = partial(self._put_back, self.undoable, "undo")
            self._ask(done, lambda edit: self._show_anew(self.undone, edit))

    def redo(self) -> None:
        """Write once more what was undone last."""
        if self.redoable is not None:
            done = partial(self._put_back, self.redoable, "redo")
            self._ask(done, lambda edit: self._show_anew(self.redone, edit))

    def cancel(self) -> None:
        """Give up what is under way."""
        self._stop.set()

    def forget(self) -> None:
        """Let go of the dry run: something else is asked for."""
        if self.dry_run is not None:
            self.dry_run.close()
            self.dry_run = None
            self.changed.emit()

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._stop.set()
        self._lane.close()
        if self.dry_run is not None:
            self.dry_run.close()
            self.dry_run = None
        with suppress(RuntimeError):  # Qt has let go of the session already
            self._session.reloaded.disconnect(self._on_reloaded)
        _known.pop(self._session, None)

    # in the worker

    def _handle(self) -> StoreHandle:
        controller = self._session.controller
        source = None if controller is None else controller.source
        if not isinstance(source, Writable):
            raise InputError(f"{self._session.path} is of a kind that cannot be written to")
        return source.writable()

    def _kept(self, handle: StoreHandle) -> History:
        if self._history is None:
            backend = handle.backend
            lasts = backend.local_path is not None or scheme_of(backend.url) not in ("", "memory")
            self._history = History() if lasts else History.for_now()
        return self._history

    def _looked(self) -> _Look:
        try:
            handle = self._handle()
            check_writable(handle)
        except (StoreError, InputError) as error:
            return _Look(refusal=str(error))
        kept = self._kept(handle)
        return _Look(kept.can_undo(handle), kept.can_redo(handle), kept.notices(handle))

    def _rehearse(self, request: Request) -> DryRun:
        return rehearse(
            self._handle(), request, progress=self.progress.emit, cancelled=self._stop.is_set
        )

    def _write(self, dry: DryRun) -> Edit:
        handle = self._handle()
        return self._kept(handle).write(
            handle, dry, progress=self.progress.emit, cancelled=self._stop.is_set
        )

    def _put_back(self, edit: Edit, how: str) -> Edit:
        handle = self._handle()
        kept = self._kept(handle)
        work = kept.undo if how == "undo" else kept.redo
        work(handle, edit, progress=self.progress.emit, cancelled=self._stop.is_set)
        return edit

    # in the GUI thread

    def _ask(self, task: Callable[[], object], then: Callable[..., None]) -> None:
        self._stop = Event()
        self._lane.ask(task, then, self._fail)
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self._end(GIVEN_UP if isinstance(error, Cancelled) else str(error))

    def _end(self, message: str) -> None:
        self.failed.emit(message)
        self.changed.emit()

    def _have_looked(self, found: _Look) -> None:
        self.refusal, self.notices = found.refusal, found.notices
        self.undoable, self.redoable = found.undoable, found.redoable
        self.changed.emit()

    def _have_rehearsed(self, dry: DryRun) -> None:
        self.dry_run = dry
        self.rehearsed.emit(dry)
        self.changed.emit()

    def _have_written(self, request: Request, edit: Edit) -> None:
        self.forget()
        self._to_colour = request.scope, request.name
        self._show_anew(self.written, edit)

    def _show_anew(self, signal: Signal, edit: Edit) -> None:
        self._session.reload()
        signal.emit(edit)
        self.look()

    def _on_reloaded(self, *_: object) -> None:
        """Colour by what was written."""
        wanted, self._to_colour = self._to_colour, None
        scene, objects = self._session.scene, self._session.objects
        if wanted is None or scene is None:
            return
        scope, name = wanted
        if scope == "face":
            name = face_title(name)
        if scope != "object" and name in {info.name for info in scene.attributes}:
            self._session.color_by(name)
        elif scope == "object" and objects is not None and objects.can_hide:

            def colour() -> None:
                objects.loaded.disconnect(colour)
                with suppress(InputError):  # of several columns: the user chooses one
                    objects.colour_by(name)

            objects.loaded.connect(colour)
            objects.load()


_known: WeakKeyDictionary[StoreSession, Editing] = WeakKeyDictionary()


def editing_of(session: StoreSession) -> Editing:
    """The edits of a session that is open; always the same one."""
    if session not in _known:
        _known[session] = Editing(session)
    return _known[session]
