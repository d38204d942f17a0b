"""Where loads run: threads, or at once in the caller for tests."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Runs functions; what they return or raise is in the future."""

    @property
    def workers(self) -> int:
        """How many run at the same time."""
        ...

    def use(self, workers: int) -> None:
        """Run so many at the same time from now on, as far as that is possible."""
        ...

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` soon; its future can be cancelled until it starts."""
        ...

    def close(self) -> None:
        """Forget what has not started; return without waiting for what has."""
        ...


class ThreadExecutor:
    """A pool of threads, of which as many are at work as suits the store.

    Args:
        workers: Threads at work to begin with.
        most: Threads at work at most.
    """

    def __init__(self, workers: int = 3, most: int = 32) -> None:
        self._most = most
        self._workers = min(workers, most)
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="zv-load")
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = 0

    @property
    def workers(self) -> int:
        """Threads at work at the same time."""
        return self._workers

    def use(self, workers: int) -> None:
        """Let so many threads work; what has started goes on."""
        with self._lock:
            self._workers = max(1, min(workers, self._most))
            self._start_more()

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Queue ``task`` for the next free thread."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append((future, task))
            self._start_more()
        return future

    def close(self) -> None:
        """Forget what has not started."""
        with self._lock:
            left, self._waiting = self._waiting, deque()
            self._pool.shutdown(wait=False)
        for future, _ in left:
            future.cancel()

    def _start_more(self) -> None:
        """Called with the lock held, so that nothing starts in a pool that is closed."""
        while self._waiting and self._running < self._workers:
            future, task = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                self._running += 1
                self._pool.submit(self._run, future, task)

    def _run(self, future: Future[Any], task: Callable[[], Any]) -> None:
        _carry_out(future, task)
        with self._lock:
            self._running -= 1
            self._start_more()


class InlineExecutor:
    """Runs a task while it is being submitted."""

    @property
    def workers(self) -> int:
        """One: the caller."""
        return 1

    def use(self, workers: int) -> None:
        """There is only one."""

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` now."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        _carry_out(future, task)
        return future

    def close(self) -> None:
        """Nothing is left to forget."""


def _carry_out(future: Future[T], task: Callable[[], T]) -> None:
    try:
        result = task()
    except BaseException as error:  # noqa: BLE001 - as in a pool, whatever it is goes to the future
        future.set_exception(error)
    else:
        future.set_result(result)
