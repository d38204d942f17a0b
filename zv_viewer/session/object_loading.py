"""The table of objects, read by a worker in two steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QObject, Signal

from zarr_vectors.core.backends import CancelScope
from zarr_vectors.exceptions import Cancelled
from zv_viewer.model.objects import ObjectTable
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import ObjectReader


class ObjectLoading(QObject):  # type: ignore[misc]  # qtpy is untyped
    """``have(table)`` after each step, ``progress(text)``, empty at the end, ``failed(error)``.

    Args:
        reader: Where the table comes from.
    """

    have = Signal(object)
    progress = Signal(str)
    failed = Signal(object)

    def __init__(self, reader: ObjectReader) -> None:
        super().__init__()
        self._reader = reader
        self._scope = CancelScope()
        self._lane = Latest("zv-objects")

    @property
    def busy(self) -> bool:
        """Whether the table is being read."""
        return self._lane.busy

    def begin(self) -> None:
        """Begin to read."""
        self.progress.emit("reading objects")
        self._lane.ask(partial(self._run, self._reader.read), self._first, self._fail)

    def close(self) -> None:
        """Give up what is under way."""
        self._scope.cancel()
        self._lane.close()

    def _run(self, read: Callable[..., ObjectTable], *given: ObjectTable) -> ObjectTable:
        def progress(text: str) -> None:
            if self._scope.cancelled:
                raise Cancelled(text)
            self.progress.emit(text)

        with self._scope:
            return read(*given, progress)

    def _first(self, table: ObjectTable) -> None:
        self._lane.ask(partial(self._run, self._reader.complete, table), self._last, self._fail)
        self.have.emit(table)

    def _last(self, table: ObjectTable) -> None:
        self.progress.emit("")
        self.have.emit(table)

    def _fail(self, error: Exception) -> None:
        self.progress.emit("")
        if not isinstance(error, Cancelled):
            self.failed.emit(error)
