"""The one bridge between callers that wait and stores that are asynchronous.

A single event loop runs for the life of the process in a thread of its own, so that a call works
inside a running loop as well, and no connection outlives the loop it was made on.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from zarr_vectors.constants import MAX_REQUESTS_AT_ONCE

T = TypeVar("T")
R = TypeVar("R")


class _Loop:
    """The loop, its thread and the process they live in."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, name="zarr_vectors-io", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


_lock = threading.Lock()
_current: _Loop | None = None


def _running() -> _Loop:
    global _current
    with _lock:
        if _current is None or _current.pid != os.getpid():
            _current = _Loop()
        return _current


def run(work: Coroutine[Any, Any, R]) -> R:
    """Result of a coroutine run on the background loop; the caller waits.

    Raises:
        RuntimeError: Called on the background loop itself, which would wait for itself.
    """
    loop = _running()
    if threading.current_thread() is loop.thread:
        work.close()
        raise RuntimeError("run() was called on the background loop: await the coroutine instead")
    future = asyncio.run_coroutine_threadsafe(work, loop.loop)
    try:
        return future.result()
    except BaseException:  # the caller is interrupted: the work stops too; raised again
        future.cancel()
        raise


async def gather_bounded(
    work: Callable[[T], Awaitable[R]],
    items: Sequence[T],
    limit: int = MAX_REQUESTS_AT_ONCE,
    *,
    finish: bool = False,
) -> list[R]:
    """Results of ``work`` on each item, in order, at most ``limit`` of them in flight.

    The first failure cancels the rest, waits until they have ended, and is raised.

    Args:
        work: What is done.
        items: What it is done to.
        limit: How many are in flight.
        finish: Let what has begun come to its end after a failure: a write that is given up may be
            carried out all the same, and later than what is done next.
    """
    results: dict[int, R] = {}
    waiting = deque(enumerate(items))

    async def worker() -> None:
        while waiting:
            position, item = waiting.popleft()
            try:
                results[position] = await work(item)
            except BaseException:  # a cancelled worker too: what waits is not begun; raised again
                if finish:
                    waiting.clear()
                raise

    tasks = [asyncio.create_task(worker()) for _ in range(min(limit, len(items)))]
    try:
        if finish and tasks:
            await asyncio.wait(tasks)
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [results[position] for position in range(len(items))]
