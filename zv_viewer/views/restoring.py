"""A view comes back: stores are opened, compared with what they were, then shown as the view says.

Until then their layers are hidden, so nothing is loaded for any other view.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication

from zarr_vectors.exceptions import ZVError
from zv_viewer.errors import InputError
from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.model.settings import LodSettings, default_settings
from zv_viewer.session import StoreSession, open_store, sessions_in
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import KnowsFingerprint
from zv_viewer.state.document import LayerState, ViewFile
from zv_viewer.views.applying import check_layer, needs_table, settings_of_layer
from zv_viewer.views.changed import is_at, what_changed
from zv_viewer.views.in_force import put_in_force

_alive: set[Restoring] = set()
"""Those under way: Qt does not keep them, and their callers may not."""


class Restoring(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Shows a view in a viewer; used in the GUI thread.

    Stores of the viewer that the view has are used as they are; its other stores are closed once it
    is in force, and layers that show no store stay. Where it is not shown all is as before.

    Signals: ``done()`` when the view is in force, ``failed(message)`` when it is not shown: a store
    cannot be opened, has changed, or lacks what the view names.

    Args:
        viewer: The napari viewer.
        view: What to show.
        stores: Addresses to open in place of those of the view, one for each of its layers.
        base: Settings where a view says nothing; the machine's when None.
        force: Show what the store is now, where that is not what it was.
        automatic: Whether an automatic budget may be one again; else it is the number it was.
        options: Passed on for each store, as of ``open_store``; not kept.

    Attributes:
        notes: What has changed, a sentence each.
        error: Why the view is not shown; None where nothing keeps it from being.
        sessions: Those of the layers, in the order of the view.
    """

    done = Signal()
    failed = Signal(str)

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer or its public proxy
        view: ViewFile,
        stores: Sequence[str] = (),
        *,
        base: LodSettings | None = None,
        force: bool = False,
        automatic: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._view, self._force = view, force
        self._base = base or default_settings()
        self._automatic = automatic and view.caps.automatic
        self._lane = Latest("zv-view")
        self._stage = "opening"
        self._waiting: set[StoreSession] = set()
        self._others: list[StoreSession] = []
        self._seen_before: dict[StoreSession, bool] = {}
        self.notes: tuple[str, ...] = ()
        self.error: str | None = None
        self.sessions: tuple[StoreSession, ...] = ()
        addresses = list(stores) or [layer.url for layer in view.layers]
        if len(addresses) != len(view.layers):
            count = len(view.layers)
            raise InputError(f"the view is of {count} stores; {len(addresses)} are given")
        _alive.add(self)
        self._open(addresses, dict(options or {}))

    def wait(self, timeout: float = 60.0) -> bool:
        """Run the event loop until the view is in force and settled; False when it is not to be.

        Raises:
            Exception: A store was not opened by a mistake in the program, raised as it was.
        """
        end = time.perf_counter() + timeout
        while self.busy and time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.002)
        for session in self.sessions:
            session.raise_mistake()
        if self._stage != "done":
            return False
        seen = [one for one in self.sessions if one.layer is not None and one.layer.visible]
        return all(one.wait(max(end - time.perf_counter(), 0.0)) for one in seen)

    @property
    def busy(self) -> bool:
        """Whether the view is not in force yet, and may come to be."""
        return self._stage not in {"done", "failed"}

    # stores

    def _open(self, addresses: list[str], options: dict[str, Any]) -> None:
        open_now = sessions_in(self._viewer.layers)
        found: list[StoreSession] = []
        for address, layer in zip(addresses, self._view.layers, strict=True):
            here = [one for one in open_now if is_at(one, address) and one not in found]
            found.append(here[0] if here else self._opened(address, layer, options))
        self.sessions = tuple(found)
        self._others = [one for one in open_now if one not in found]
        self._seen_before = {one: bool(one.layer.visible) for one in open_now if one in found}
        for one in found:
            one.failed.connect(self._fail)
            one.closed.connect(self._on_closed)
            if one.error is not None:
                self._fail(one.error)
                return
            if one.is_open:
                one.layer.visible = False
            else:
                self._waiting.add(one)
                one.opened.connect(self._on_opened)
        if not self._waiting:
            self._compare()

    def _opened(self, address: str, layer: LayerState, options: dict[str, Any]) -> StoreSession:
        settings = settings_of_layer(self._view, layer, self._base)
        return open_store(
            self._viewer,
            address,
            settings=settings,
            name=layer.name,
            layers=layer.kind,
            **options,
        )

    def _on_opened(self, session: StoreSession) -> None:
        session.layer.visible = False
        self._waiting.discard(session)
        if not self._waiting and self.busy:
            self._compare()

    # what they are now

    def _compare(self) -> None:
        self._stage = "comparing"
        sources = [one.controller.source for one in self.sessions if one.controller is not None]

        def look() -> list[Fingerprint | None]:
            known = (KnowsFingerprint,)
            return [one.fingerprint() if isinstance(one, known) else None for one in sources]

        self._lane.ask(look, self._compared, self._on_error)

    def _compared(self, now: list[Fingerprint | None]) -> None:
        found = what_changed(self._view, self.sessions, now)
        self.notes = (*found.changed, *found.rewritten)
        if found.changed and not self._force:
            self._fail("; ".join(found.changed))
            return
        try:
            for session, layer in zip(self.sessions, self._view.layers, strict=True):
                check_layer(session, layer)
        except InputError as error:
            self._fail(str(error))
            return
        self._await_tables()

    # what is shown of them

    def _await_tables(self) -> None:
        """Wait for tables of objects that the view needs."""
        self._stage = "tables"
        for session, layer in zip(self.sessions, self._view.layers, strict=True):
            objects = session.objects
            if objects is not None and needs_table(layer, objects) and objects.table is None:
                self._waiting.add(session)
                objects.loaded.connect(self._on_table)
                objects.failed.connect(self._fail)
                objects.load()
        if not self._waiting:
            self._apply()

    def _on_table(self) -> None:
        self._waiting = {
            one for one in self._waiting if one.objects is not None and one.objects.table is None
        }
        if not self._waiting and self._stage == "tables":
            self._apply()

    def _apply(self) -> None:
        self._stage = "applying"
        try:
            put_in_force(self._viewer, self._view, self.sessions, automatic=self._automatic)
        except InputError as error:
            self._fail(str(error))
            return
        for other in self._others:
            self._viewer.layers.remove(other.layer)
        for session, layer in zip(self.sessions, self._view.layers, strict=True):
            session.layer.visible = layer.visible
        self._end("done")
        self.done.emit()

    # what went wrong

    def _on_closed(self, session: StoreSession) -> None:
        self._fail(session.error or f"{session.path} was closed before the view was shown")

    def _end(self, stage: str) -> None:
        self._stage = stage
        self._lane.close()
        _alive.discard(self)

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, ZVError | InputError | OSError):
            raise error
        self._fail(str(error))

    def _fail(self, message: str) -> None:
        if not self.busy:
            return
        self._end("failed")
        self.error = message
        for session in self.sessions:
            if session in self._seen_before:
                session.layer.visible = self._seen_before[session]
                continue
            if session.layer is not None and session.layer in self._viewer.layers:
                self._viewer.layers.remove(session.layer)
            session.close()
        self.failed.emit(message)
