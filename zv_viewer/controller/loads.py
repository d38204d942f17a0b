"""Loads: which may start within the memory there is, which found none, which are under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zv_viewer.controller.connection import Connection
from zv_viewer.controller.reading import CellReader, Held, Loaded
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks
from zv_viewer.loading.executors import Executor
from zv_viewer.loading.queue import Job
from zv_viewer.loading.scheduler import Outcome, Scheduler
from zv_viewer.loading.width import loads_at_once
from zv_viewer.model.chunks import BYTES_PER_CELL
from zv_viewer.model.plan import Tier
from zv_viewer.sources.base import Network

LEFT_OUT_AT_ONCE = 256
"""Cells that need no reading are there at once, so many in a turn."""


class Loads:
    """Asks for cells and gives memory to each load before it starts.

    Args:
        executor: Where reads run; closed with this.
        reader: Reads a cell.
        stock: The cells there are.
        troubles: What is missing of them.
        connection: Which loads are held back until the network is better.
        marks: What each cell is for.
    """

    def __init__(
        self,
        executor: Executor,
        reader: CellReader,
        stock: Stock,
        troubles: Troubles,
        connection: Connection,
        marks: Marks,
    ) -> None:
        self.no_memory: frozenset[int] = frozenset()
        """Cells that are due and found no memory, though nothing under way could free some."""
        self._arrived: list[Outcome[Loaded]] = []
        self._scheduler: Scheduler[Loaded] = Scheduler(executor, reader, self._arrived.append)
        self._reader = reader
        self._stock = stock
        self._troubles = troubles
        self._connection = connection
        self._marks = marks

    @property
    def queued(self) -> tuple[Job, ...]:
        """Jobs that wait, best first."""
        return self._scheduler.queued

    @property
    def in_flight(self) -> tuple[Job, ...]:
        """Jobs under way."""
        return self._scheduler.in_flight

    @property
    def cells(self) -> set[int]:
        """Of which cells something is asked for."""
        return {job.cell for job in (*self.queued, *self.in_flight)}

    @property
    def eta_s(self) -> float:
        """Seconds until a cell asked for now is there."""
        rate = self._stock.traffic.bytes_per_s
        waiting = [job.cell for job in self.queued if job.tier <= Tier.TARGET]
        if not rate or not waiting:
            return 0.0
        return float(self._stock.tree.fetch_bytes[waiting].sum()) / rate

    def arrivals(self) -> list[Outcome[Loaded]]:
        """What became of loads since the last call."""
        self._scheduler.drain()
        arrived = self._arrived.copy()
        self._arrived.clear()
        return arrived

    def settle(self, job: Job) -> None:
        """A job is over: what was set aside for it is free."""
        self._stock.cache.withdraw(job.key)
        self._reader.forget(job)

    def ask(self, jobs: Iterable[Job], *, cancel: bool) -> None:
        """Ask for these, best first; with ``cancel`` for nothing else that has not started."""
        for job in self._scheduler.ask(jobs, cancel=cancel):
            self.settle(job)
        if cancel:
            self._give_up_stale()
        self._connection.keep({job.key for job in (*self.queued, *self.in_flight)})

    def left_out(self) -> list[Job]:
        """Cells asked for that need no reading, some of them; they wait no more."""
        room = self._stock.cache.room // BYTES_PER_CELL - 1
        jobs = [job for job in self.queued if job.left_out and not job.values_only]
        jobs = jobs[: max(min(room, LEFT_OUT_AT_ONCE), 0)]
        self._scheduler.forget(jobs)
        return jobs

    def suit(self, network: Network) -> None:
        """Run as many loads at once as suits how the store answers."""
        self._scheduler.use(loads_at_once(network.latency_s, remote=network.remote))

    def start(self, now: float, *, uploads_wait: bool) -> None:
        """Start what there is memory for.

        Args:
            now: Seconds.
            uploads_wait: Uploads may make more memory free; what is refused is not stuck yet.
        """
        if self._connection.down:
            for job in self._scheduler.take_back():
                self.settle(job)
        refused = self._scheduler.start(
            lambda job: self._admit(job, now),
            lambda job: self._may_start(job, now),
        )
        self._scheduler.forget(job for job in refused if not self._is_due(job))
        left = [job for job in refused if self._is_due(job)]
        if left and not self.in_flight and not uploads_wait:
            refused = self._scheduler.start(
                lambda job: self._admit(job, now, by_force=True),
                lambda job: self._may_start(job, now),
            )
            left = [job for job in refused if self._is_due(job)]
        stuck = left if not self.in_flight and not uploads_wait else []
        self.no_memory = frozenset(job.cell for job in stuck)

    def close(self, after: Callable[[], None]) -> None:
        """Stop; ``after`` is called once no read runs any more."""
        under_way = self.in_flight
        self._scheduler.close(after)
        for job in under_way:
            self._reader.give_up(job)

    def _give_up_stale(self) -> None:
        """End loads that nobody waits for where others wait for their threads.

        What is left alone is kept when it comes: it may be wanted again.
        """
        scheduler = self._scheduler
        for job in scheduler.stale if scheduler.full else ():
            self._reader.give_up(job)

    def _is_due(self, job: Job) -> bool:
        return job.tier <= Tier.ATTRIBUTE or bool(self._marks.needed[job.cell])

    def _may_start(self, job: Job, now: float) -> bool:
        return self._connection.may_start(job.key, now, others=self._scheduler.busy)

    def _admit(self, job: Job, now: float, *, by_force: bool = False) -> bool:
        """Set memory aside for a load, letting go of other cells where that is allowed."""
        cell, cache = job.cell, self._stock.cache
        if job.values_only:
            if cell not in cache:
                return False
            arrays = cache[cell]
            nbytes = (4 if job.attribute is not None else 1) * len(arrays)
            self._reader.expect(job, Held(arrays, self._troubles.unread(cell)))
        elif job.left_out:
            nbytes = BYTES_PER_CELL
        else:
            nbytes = int(self._stock.tree.nbytes[cell])
        if cache.promise(job.key, nbytes):
            return True
        if not self._is_due(job):
            return False
        keep = self._marks.needed.copy()
        keep[cell] = True
        if not self._stock.free_memory(nbytes - cache.room, keep, now, by_force=by_force):
            return False
        return cache.promise(job.key, nbytes)
