"""Takes in what became of loads: cells, values of cells, and errors."""

from __future__ import annotations

from zarr_vectors.exceptions import Cancelled, StoreUnreachable, ZVError
from zv_viewer.controller.connection import Connection
from zv_viewer.controller.reading import Loaded
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.values import Values
from zv_viewer.loading.queue import Job
from zv_viewer.loading.scheduler import Outcome
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo


class Arrivals:
    """Puts what arrives where it belongs.

    Args:
        scene: Says whether counts are exact.
        stock: Takes cells.
        values: The attribute coloured by.
        troubles: Takes what went wrong.
        connection: Told what the network brought and what it did not.
        marks: What each cell is for.
        todo: Told what to do about it.
    """

    def __init__(
        self,
        scene: SceneInfo,
        stock: Stock,
        values: Values,
        troubles: Troubles,
        connection: Connection,
        marks: Marks,
        todo: Todo,
    ) -> None:
        self._scene = scene
        self._stock = stock
        self._values = values
        self._troubles = troubles
        self._connection = connection
        self._marks = marks
        self._todo = todo
        self._mistake: BaseException | None = None

    def take(self, outcome: Outcome[Loaded], now: float) -> None:
        """A load is over."""
        job, loaded = outcome.job, outcome.result
        if isinstance(outcome.error, StoreUnreachable):
            self._connection.failed(job.key, outcome.error.trouble, now)
            self._todo.plan = True
            return
        if isinstance(outcome.error, Cancelled):
            self._todo.plan = True
            return
        self._connection.answered(job.key)
        self._todo.draw = True
        if loaded is None:
            self._take_error(job, outcome.error)
            return
        self._stock.traffic.fetched(job.cell, loaded.fetched_bytes, loaded.requests)
        if loaded.arrays is not None:
            self._take_cell(job, loaded, loaded.arrays, now)
        elif loaded.more is not None:
            self._take_values(job, loaded, loaded.more)

    def leave_out(self, job: Job, loaded: Loaded, now: float) -> None:
        """A cell none of whose rows is drawn was not read; it is asked for again if some are."""
        possible, arrays, held = self._values.possible, loaded.arrays, False
        if arrays is not None and possible is not None and not possible[job.cell]:
            held = self._stock.take(arrays, 0, now, loaded.objects, left_out=True)
        self._todo.draw = True
        self._todo.plan |= not held

    def raise_mistake(self) -> None:
        """Raise what a load raised that is no failure of the store."""
        if self._mistake is not None:
            error, self._mistake = self._mistake, None
            raise error

    def _take_error(self, job: Job, error: BaseException | None) -> None:
        if job.values_only:
            self._values.lost.add((job.cell, job.attribute or ""))
        else:
            self._troubles.lost[job.cell] = True
        self._todo.plan = True
        if isinstance(error, (ZVError, OSError)):
            self._troubles.report(job.cell, str(error))
        else:
            self._mistake = error

    def _take_cell(self, job: Job, loaded: Loaded, arrays: CellArrays, now: float) -> None:
        cell = job.cell
        if job.left_out:
            self.leave_out(job, loaded, now)
            return
        self._troubles.found(cell, loaded)
        level = self._scene.levels[int(self._stock.tree.level[cell])]
        known = level.counts_exact and not self._scene.by_object
        if not known and self._stock.correct_size(arrays, loaded.objects):
            self._todo.plan = True
        held = self._stock.take(arrays, loaded.fetched_bytes, now, loaded.objects)
        if loaded.objects is not None and not self._marks.needed[loaded.objects.beside].all():
            self._todo.plan = True  # links run into cells that nobody planned
        if not held or self._values.lacks_some(cell):
            self._todo.plan = True

    def _take_values(self, job: Job, loaded: Loaded, more: CellArrays) -> None:
        for problem in loaded.problems:
            self._troubles.report(job.cell, problem)
        if job.cell not in self._stock.cache:
            self._stock.traffic.gone(job.cell)
        elif not self._stock.take_values(job.cell, more) or self._values.lacks_some(job.cell):
            self._todo.plan = True
