"""Giving up what another thread asks for: stale work must not hold a line that is needed.

``with CancelScope() as scope`` covers every request its block makes of a place that is far away,
in this thread and in those it hands its context to. ``scope.cancel()``, from any thread, ends them
at once; the block gets a :class:`~zarr_vectors.exceptions.Cancelled`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from zarr_vectors.exceptions import Cancelled

_current: ContextVar[CancelScope | None] = ContextVar("cancel_scope", default=None)


class CancelScope:
    """Requests that are given up together; scopes nest, and an outer one covers the inner.

    Args:
        seconds: Time that one call to a place may take inside the scope; None for the usual limits.

    Attributes:
        outer: The scope around this one.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._cancelled = threading.Event()
        self._tasks: dict[asyncio.Task[object], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self.outer: CancelScope | None = None
        self._tokens: list[Token[CancelScope | None]] = []

    def __enter__(self) -> Self:
        self.outer = _current.get()
        self._tokens.append(_current.set(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _current.reset(self._tokens.pop())

    @property
    def cancelled(self) -> bool:
        """Whether this scope or one around it was given up."""
        return self._cancelled.is_set() or (self.outer is not None and self.outer.cancelled)

    def cancel(self) -> None:
        """Give up everything under way in the scope, and refuse all that follows."""
        with self._lock:
            self._cancelled.set()
            under_way = list(self._tasks.items())
        for task, loop in under_way:
            loop.call_soon_threadsafe(task.cancel)

    def check(self) -> None:
        """Raise where the scope was given up.

        Raises:
            Cancelled: It was.
        """
        if self.cancelled:
            raise Cancelled("given up: the answer is no longer wanted")

    @contextmanager
    def covering(self) -> Iterator[None]:
        """The task that enters this ends with the scope."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine that runs is a task's
        scopes = list(self._scopes())
        for scope in scopes:
            with scope._lock:  # noqa: SLF001 - the scopes around this one
                scope._tasks[task] = task.get_loop()  # noqa: SLF001 - as above
        try:
            self.check()
            yield
        finally:
            for scope in scopes:
                with scope._lock:  # noqa: SLF001 - as above
                    scope._tasks.pop(task, None)  # noqa: SLF001 - as above

    def _scopes(self) -> Iterator[CancelScope]:
        scope: CancelScope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


def current_scope() -> CancelScope | None:
    """The innermost scope around the caller; None outside all."""
    return _current.get()
