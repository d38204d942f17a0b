"""Where loads run: threads, or at once in the caller for tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Runs functions; what they return or raise is in the future."""

    @property
    def workers(self) -> int:
        """How many run at the same time."""
        ...

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` soon; its future can be cancelled until it starts."""
        ...

    def close(self) -> None:
        """Forget what has not started; return without waiting for what has."""
        ...


class ThreadExecutor:
    """A pool of threads.

    Args:
        workers: Threads; 2 to 4 suit a local disk.
    """

    def __init__(self, workers: int = 3) -> None:
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="zv-load")

    @property
    def workers(self) -> int:
        """Number of threads."""
        return self._workers

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Queue ``task`` for the next free thread."""
        return self._pool.submit(task)

    def close(self) -> None:
        """Forget what has not started."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class InlineExecutor:
    """Runs a task while it is being submitted."""

    @property
    def workers(self) -> int:
        """One: the caller."""
        return 1

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` now."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            result = task()
        except Exception as error:  # noqa: BLE001 - as in a pool, whatever it is goes to the future
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def close(self) -> None:
        """Nothing is left to forget."""
