"""Carries jobs to an executor and outcomes back: a queue per generation, few under way at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from zv_viewer.loading.executors import Executor
from zv_viewer.loading.queue import Job, JobKey, next_queue
from zv_viewer.model.plan import Tier

R = TypeVar("R")

AHEAD = 93
"""Jobs handed over ahead of the workers, so that none idles until the next tick."""


@dataclass(frozen=True, eq=False, slots=True)
class Outcome(Generic[R]):
    """What became of a job: a result, or what was raised.

    ``wanted`` is False when a newer generation did not ask for it any more; its result is as good.
    """

    job: Job
    result: R | None
    error: BaseException | None
    wanted: bool


class Scheduler(Generic[R]):
    """Called from one thread; loads run in the executor's.

    Args:
        executor: Closed with the scheduler.
        load: Runs in a worker.
        deliver: Called by :meth:`drain`, once per job that ran.
    """

    def __init__(
        self,
        executor: Executor,
        load: Callable[[Job], R],
        deliver: Callable[[Outcome[R]], None],
    ) -> None:
        self._executor = executor
        self._load = load
        self._deliver = deliver
        self._queue: tuple[Job, ...] = ()
        self._wanted: frozenset[JobKey] = frozenset()
        self._under_way: dict[JobKey, tuple[Job, Future[R]]] = {}
        self._finished: SimpleQueue[JobKey] = SimpleQueue()
        self._closed = False

    @property
    def queued(self) -> tuple[Job, ...]:
        """Jobs that wait, best first."""
        return self._queue

    @property
    def in_flight(self) -> tuple[Job, ...]:
        """Jobs handed to the executor whose outcome was not delivered yet."""
        return tuple(job for job, _ in self._under_way.values())

    @property
    def busy(self) -> bool:
        """Whether jobs are under way."""
        return bool(self._under_way)

    @property
    def full(self) -> bool:
        """Whether jobs wait, here or in the executor, for others to end."""
        return len(self._under_way) + len(self._queue) > self._executor.workers

    @property
    def stale(self) -> tuple[Job, ...]:
        """Jobs under way that the newest plan does not ask for."""
        return tuple(job for key, (job, _) in self._under_way.items() if key not in self._wanted)

    def ask(self, wanted: Iterable[Job], *, cancel: bool = True) -> list[Job]:
        """Begin a new generation: these jobs, best first, and no others.

        Args:
            wanted: What the newest plan asks for.
            cancel: Forget other jobs that have not started.

        Returns:
            Jobs that were handed over but taken back before they started.
        """
        jobs = tuple(wanted)
        self._wanted = frozenset(job.key for job in jobs)
        back = []
        if cancel:
            for key, (job, future) in list(self._under_way.items()):
                if key not in self._wanted and future.cancel():
                    del self._under_way[key]
                    back.append(job)
        self._queue = next_queue(self._queue, jobs, self._under_way, cancel=cancel)
        return back

    def use(self, workers: int) -> None:
        """Let so many loads run at the same time."""
        self._executor.use(workers)

    def start(
        self, admit: Callable[[Job], bool], is_due: Callable[[Job], bool] = lambda job: True
    ) -> list[Job]:
        """Hand jobs over while there are slots and ``admit`` has room for them.

        A job that is not admitted stays in the queue and the next is tried; but what is loaded for
        views to come is not let past anything that waits for room. A job that is not due stays in
        the queue too.

        Returns:
            Jobs that were not admitted.
        """
        refused: list[Job] = []
        started = set()
        slots = self._executor.workers + AHEAD
        for job in self._queue:
            if self._closed or len(self._under_way) >= slots:
                break
            if not is_due(job):
                continue
            if refused and job.tier > Tier.ATTRIBUTE:
                break
            if not admit(job):
                refused.append(job)
                continue
            started.add(job.key)
            self._submit(job)
        self._queue = tuple(job for job in self._queue if job.key not in started)
        return refused

    def take_back(self) -> list[Job]:
        """Put jobs that were handed over and have not started back into the queue, first."""
        back = []
        for key, (job, future) in list(self._under_way.items()):
            if future.cancel():
                del self._under_way[key]
                back.append(job)
        self._queue = (*back, *self._queue)
        return back

    def drain(self) -> int:
        """Deliver the outcomes there are; returns how many."""
        count = 0
        while True:
            try:
                key = self._finished.get_nowait()
            except Empty:
                return count
            job, future = self._under_way.pop(key)
            error = future.exception()
            result = None if error is not None else future.result()
            count += 1
            self._deliver(Outcome(job, result, error, key in self._wanted))

    def forget(self, jobs: Iterable[Job]) -> None:
        """Take jobs out of the queue."""
        keys = {job.key for job in jobs}
        self._queue = tuple(job for job in self._queue if job.key not in keys)

    def close(self, after: Callable[[], None]) -> None:
        """Stop; ``after`` is called, perhaps in a worker, once no load runs any more."""
        if self._closed:
            return
        self._closed = True
        self._queue = ()
        self._executor.close()
        left = [future for _, future in self._under_way.values() if not future.cancel()]
        if not left:
            after()
            return
        running = _Countdown(len(left), after)
        for future in left:
            future.add_done_callback(running.one_less)

    def _submit(self, job: Job) -> None:
        key = job.key

        def finished(done: Future[R]) -> None:
            if not done.cancelled():
                self._finished.put(key)

        future = self._executor.submit(lambda: self._load(job))
        self._under_way[key] = (job, future)
        future.add_done_callback(finished)


class _Countdown:
    """Calls ``after`` when told ``count`` times that one has ended, from whichever thread."""

    def __init__(self, count: int, after: Callable[[], None]) -> None:
        self._left: SimpleQueue[None] = SimpleQueue()
        for _ in range(count - 1):
            self._left.put(None)
        self._after = after

    def one_less(self, future: Future[R]) -> None:
        """Count; taking from the queue is atomic."""
        del future
        try:
            self._left.get_nowait()
        except Empty:
            self._after()
