"""Work away from the GUI thread, of which only the newest matters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject, Signal

Task = Callable[[], Any]
Then = Callable[[Any], None]
OnError = Callable[[Exception], None]

FEW = 20_000
"""Rows up to which something is worked out at once, in the GUI thread."""


class Latest(QObject):  # type: ignore[misc]  # qtpy is untyped
    """One task at a time in a thread; of those that wait meanwhile, the newest is run.

    Args:
        name: Of the thread.
    """

    _ended = Signal(object, object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: tuple[Task, Then, OnError] | None = None
        self._running = False
        self._closed = False
        self._ended.connect(self._deliver)

    @property
    def busy(self) -> bool:
        """Whether a task runs or waits."""
        return self._running

    def ask(self, task: Task, then: Then, on_error: OnError, *, rows: int | None = None) -> None:
        """Run ``task`` soon, then one of the others in the GUI thread with what came of it.

        Args:
            task: Run in the thread; at once and in this one where ``rows`` are :data:`FEW`.
            then: Called with its result.
            on_error: Called with its error.
            rows: How much there is to do; None: it takes its time.
        """
        if self._closed:
            return
        if self._running:
            self._waiting = (task, then, on_error)
        elif rows is not None and rows <= FEW:
            _run_here(task, then, on_error)
        else:
            self._start(task, then, on_error)

    def close(self) -> None:
        """Deliver nothing any more; what runs is left to end by itself."""
        self._closed = True
        self._waiting = None
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, task: Task, then: Then, on_error: OnError) -> None:
        self._running = True
        self._pool.submit(self._run, task, then, on_error)

    def _run(self, task: Task, then: Then, on_error: OnError) -> None:
        try:
            result = task()
        except Exception as error:  # noqa: BLE001 - whatever it is, the GUI thread is told
            self._ended.emit(on_error, error)
        else:
            self._ended.emit(then, result)

    def _deliver(self, call: Callable[[Any], None], result: object) -> None:
        self._running = False
        if self._closed:
            return
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._start(*waiting)
        call(result)


def _run_here(task: Task, then: Then, on_error: OnError) -> None:
    try:
        result = task()
    except Exception as error:  # noqa: BLE001 - told as it is from the thread
        on_error(error)
    else:
        then(result)
