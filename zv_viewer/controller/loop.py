"""The loop between a camera and a layer: plan, load, upload, draw; no window and no clock here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ZVError
from zv_viewer.controller.card import NO_VALUES, Card
from zv_viewer.controller.memory import make_room
from zv_viewer.controller.meters import MotionMeter, SwitchMeter, Traffic
from zv_viewer.controller.picture import Picture
from zv_viewer.controller.reading import CellReader, Loaded, RowOrder
from zv_viewer.controller.stats import Failure, LodStats, reason_text
from zv_viewer.controller.tree_marks import nearest_above
from zv_viewer.drawing.colours import range_of
from zv_viewer.drawing.slots import page_rows, pages_of
from zv_viewer.loading.cache import CellCache
from zv_viewer.loading.executors import Executor
from zv_viewer.loading.queue import Job
from zv_viewer.loading.scheduler import Outcome, Scheduler
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawSet, Tier, ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.model.update import LayerSink, LayerUpdate
from zv_viewer.planning import Motion, build_cells, draw_set, plan_view
from zv_viewer.planning.select import opened_cells
from zv_viewer.sources.base import ChunkSource

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

PLAN_EVERY_S = 1 / 30
"""Plans are at least this far apart."""

FINAL_PLAN_S = 0.1
"""A plan is made this long after the camera's last move: the picture has stopped."""

COARSEN_AFTER_S = 0.3
"""Nothing gets coarser until the camera has rested for so long."""

UPLOAD_BYTES = 8 << 20
"""Given to the layer in one tick, at most; a larger cell goes alone."""

FIRST_WAIT_S = 0.25
"""The first picture waits so long for the rest of the coarsest cells in view."""

AHEAD_SHARE = 0.05
"""Part of all bytes read that may be spent on views to come."""

BUFFER_SHARE = 0.85
"""Part of the layer's rows a plan may fill; the rest holds cells that are being swapped."""

_SLACK_S = 1e-9
_ROW_BYTES = 24


class LodController:
    """Shows one store in one layer. All calls come from one thread; reads run in the executor's.

    Args:
        source: The store; closed with the controller, after the last read.
        scene: Its description.
        sink: The layer.
        executor: Where reads run; closed with the controller.
        settings: Budget, quality, switches.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        source: ChunkSource,
        scene: SceneInfo,
        sink: LayerSink,
        executor: Executor,
        settings: LodSettings,
        clock: Callable[[], float],
    ) -> None:
        self._source, self._scene, self._sink = source, scene, sink
        self._settings, self._clock = settings, clock
        self._tree = build_cells(scene)
        size = len(self._tree)
        self._cache = CellCache(settings.budget.bytes, size)
        self._cached_attribute = np.full(size, NO_VALUES)
        self._card = Card(sink.capacity, size)
        self._reader = CellReader(source, scene, self._tree)
        self._loads: Scheduler[Loaded] = Scheduler(executor, self._reader, self._on_outcome)
        self._switches, self._traffic = SwitchMeter(self._tree), Traffic()
        self._motion = MotionMeter(self._tree)
        self._picture = Picture(scene)
        self._failed = np.zeros(size, bool)
        self._failed_values: set[tuple[int, str]] = set()
        self._unread: dict[int, tuple[int, ...]] = {}
        self._not_finite: dict[int, int] = {}
        self._read_cost = np.zeros(size, np.int64)
        self._attributes: dict[str, int] = {}
        self._attribute: str | None = None
        self._limits: dict[str, tuple[float, float] | None] = {}
        self._camera: Camera | None = None
        self._moved_at: float | None = None
        self._camera_at = 0.0
        self._plan: ViewPlan | None = None
        self._plan_at = 0.0
        self._plan_ms: list[float] = []
        self._dirty = True
        self._fresh = False
        self._needed = np.zeros(size, bool)
        self._drawn = np.zeros(size, bool)
        self._draw = DrawSet((), np.empty(0, np.int64), settled=False)
        self._changed = True
        self._first_data_at: float | None = None
        self._no_memory: frozenset[int] = frozenset()
        self._no_rows: frozenset[int] = frozenset()
        self._waiting_uploads = False
        self._buffer_limits = False
        self._raised: BaseException | None = None
        self._closed = False
        self.failures: list[Failure] = []

    # what a user does

    @property
    def tree(self) -> CellTree:
        """The cells; counts are corrected as cells of older stores are read."""
        return self._tree

    def set_camera(self, camera: Camera) -> None:
        """Look from here; the same camera again is no move."""
        before, now = self._camera, self._clock()
        if before is not None and camera.same_as(before):
            return
        if before is not None:
            self._motion.moved(before, camera, now - self._camera_at)
            self._moved_at = now
        self._camera, self._camera_at = camera, now
        self._dirty = True

    def set_settings(self, settings: LodSettings) -> None:
        """Use another budget, quality or lock from the next tick on."""
        if settings != self._settings:
            self._settings = settings
            self._cache.max_bytes = settings.budget.bytes
            self._dirty = self._fresh = True

    def set_attribute(self, name: str | None) -> None:
        """Load and hand over values of this attribute, or of none.

        Raises:
            KeyError: The store has no such attribute.
        """
        if name is not None:
            self._scene.attribute(name)
            self._attributes.setdefault(name, len(self._attributes))
        if name == self._attribute:
            return
        self._attribute = name
        self._dirty = self._fresh = self._changed = True
        if name is not None:
            self._blank_other_values(self._attributes[name])

    def retry(self) -> None:
        """Try again what could not be read."""
        self._failed[:] = False
        self._failed_values.clear()
        damaged = [cell for cell in self._unread if cell in self._cache]
        self._unread.clear()
        self._forget_cells(damaged)
        self._dirty = self._fresh = True

    def forget_layer(self) -> None:
        """The layer was emptied, or has another capacity: fill it again."""
        self._card = Card(self._sink.capacity, len(self._tree))
        self._drawn[:] = False
        self._draw = DrawSet((), np.empty(0, np.int64), settled=False)
        self._picture.drawn(self._draw)
        self._dirty = self._changed = True

    # the loop

    def tick(self) -> None:
        """One turn: take in what was read, plan, ask for more, upload, draw."""
        if self._closed or self._camera is None:
            return
        now = self._clock()
        self._loads.drain()
        if self._plan_due(now):
            self._make_plan(now)
        self._submit(now)
        if self._changed:
            self._update_layer(now)
        self._traffic.busy(bool(self._loads.in_flight), now)
        if self._raised is not None:
            error, self._raised = self._raised, None
            raise error

    def on_frame(self, camera: Camera) -> None:
        """A frame was painted from ``camera`` with what the layer was last given."""
        self._picture.painted(self._tree, self._failed, camera)

    def close(self) -> None:
        """Stop loading; the source is closed once no read runs any more."""
        if not self._closed:
            self._closed = True
            self._loads.close(self._source.close)

    # what a program asks

    @property
    def settled(self) -> bool:
        """Whether the picture is as planned, and nothing it needs is under way."""
        return not self._closed and not self._waiting_for()

    @property
    def idle(self) -> bool:
        """Whether nothing at all is left to do, loading ahead included, until something changes."""
        return self.settled and not self._loads.queued and not self._loads.in_flight

    @property
    def value_limits(self) -> tuple[float, float] | None:
        """Limits for the attribute coloured by: recorded ones, else those of the coarsest cells.

        None until known; fixed from then on.
        """
        if self._attribute is None:
            return None
        info = self._scene.attribute(self._attribute)
        if info.limits is not None and info.columns == 1:
            return info.limits
        return self._limits.get(self._attribute)

    def stats(self) -> LodStats:
        """The figures."""
        plan = self._plan
        shown = self._picture.figures(self._tree, plan, self._cache)
        limited_by = self._limited_by()
        drawn = np.flatnonzero(self._drawn)
        waiting_for = "closed" if self._closed else self._waiting_for()
        return LodStats(
            levels_drawn=dict(shown.levels),
            vertices_drawn=shown.vertices,
            vertices_in_view_level0=0 if plan is None else plan.vertices_in_view_level0,
            cells_in_view=0 if plan is None else len(plan.target),
            holes=self._picture.holes(self._tree, self._failed, self._camera),
            hole_frames=self._picture.hole_frames,
            oscillations=self._switches.oscillations,
            tau_px=0.0 if plan is None else float(plan.tau_px),
            bytes_read=self._traffic.bytes_read,
            requests=self._traffic.requests,
            bytes_drawn=int(self._read_cost[drawn].sum()),
            wasted_bytes=self._traffic.wasted,
            refused_by_budget=0 if plan is None else plan.refused_by_budget,
            refused_by_memory=len(self._no_memory | self._no_rows),
            failed=int(self._failed.sum()) + len(self._failed_values) + len(self._unread),
            vertices_not_finite=sum(self._not_finite.values()),
            plan_ms_p95=float(np.percentile(self._plan_ms, 95)) if self._plan_ms else 0.0,
            plans=len(self._plan_ms),
            queued=len(self._loads.queued),
            in_flight=len(self._loads.in_flight),
            limited_by=limited_by,
            reason=reason_text(limited_by, self._settings),
            waiting_for=waiting_for,
            settled=not waiting_for,
            attribute=self._attribute,
            attribute_pending=len(self._without_values(drawn)),
            cache_bytes=self._cache.used + self._cache.promised,
            buffer_rows=self._card.used,
        )

    # planning

    @property
    def _rested_s(self) -> float:
        """Seconds since the camera's last move."""
        return np.inf if self._moved_at is None else self._clock() - self._moved_at + _SLACK_S

    @property
    def _is_moving(self) -> bool:
        """Nothing coarsens meanwhile; without hysteresis nothing is held back."""
        return self._settings.hysteresis > 0 and self._rested_s < COARSEN_AFTER_S

    def _plan_due(self, now: float) -> bool:
        if self._plan is None or self._fresh:
            return True
        if self._dirty:
            return now - self._plan_at >= PLAN_EVERY_S - _SLACK_S
        return self._rest_plan_due(now)

    def _rest_plan_due(self, now: float) -> bool:
        """Whether the camera has come to rest since the last plan."""
        if self._moved_at is None:
            return False
        before, rested = self._plan_at - self._moved_at + _SLACK_S, now - self._moved_at + _SLACK_S
        ends = (FINAL_PLAN_S, COARSEN_AFTER_S)
        return any(before < end <= rested for end in ends)

    def _make_plan(self, now: float) -> None:
        started = self._clock()
        if self._rested_s >= FINAL_PLAN_S:
            self._motion.stopped()
        previous = None if self._fresh else self._plan
        self._plan = plan = self._solve(previous)
        self._plan_at, self._dirty, self._fresh, self._changed = now, False, False, True
        self._needed[:] = False
        self._needed[plan.target] = True
        self._needed[plan.floor] = True
        stand_ins = self._stand_ins_for_failed(plan)
        self._needed[stand_ins] = True
        self._take_back(self._loads.ask(self._jobs(plan, stand_ins), cancel=self._settings.cancel))
        self._trim_cache(now)
        self._plan_ms.append((self._clock() - started) * 1e3)

    def _solve(self, previous: ViewPlan | None) -> ViewPlan:
        """The plan, within the rows of the layer too."""
        assert self._camera is not None  # noqa: S101 - tick() has looked
        moving = self._is_moving
        motion = Motion(self._motion.px_per_s, moving=moving, eta_s=self._eta_s())
        known = self._cache.held | self._failed
        budget = self._settings.budget
        spare = int(self._traffic.bytes_read * AHEAD_SHARE) - self._traffic.wasted
        capacity = self._card.capacity
        whole = pages_of(self._tree.count) <= capacity
        room = capacity if whole else int(capacity * BUFFER_SHARE)
        vertices = budget.vertices if whole else min(budget.vertices, room)
        self._buffer_limits = vertices < budget.vertices
        for _ in range(4):
            settings = replace(self._settings, budget=replace(budget, vertices=max(vertices, 1)))
            plan = plan_view(
                self._tree,
                self._scene,
                self._camera,
                settings,
                known,
                previous,
                motion=motion,
                spare_bytes=0 if moving else max(spare, 0),
            )
            counts = self._tree.count[np.union1d(plan.target, plan.floor)]
            rows = pages_of(counts)
            if rows <= room:
                break
            self._buffer_limits = True
            vertices = int(min(vertices, counts.sum()) * room / rows * 0.98)
        return plan

    def _eta_s(self) -> float:
        """Seconds until a cell asked for now is there."""
        rate = self._traffic.bytes_per_s
        waiting = [job.cell for job in self._loads.queued if job.tier <= Tier.TARGET]
        if not rate or not waiting:
            return 0.0
        return float(self._tree.fetch_bytes[waiting].sum()) / rate

    def _stand_ins_for_failed(self, plan: ViewPlan) -> Int:
        """The cells to draw where a target cell cannot be read."""
        lost = plan.target[self._failed[plan.target]]
        above = nearest_above(self._tree, lost, ~self._failed)
        return np.unique(above[above >= 0])

    def _jobs(self, plan: ViewPlan, stand_ins: Int) -> list[Job]:
        """All there is to load, best first."""
        attribute = self._attribute
        # A cell under way comes with the values it was asked for with; others are added later.
        coming = {j.cell: j.attribute for j in self._loads.in_flight if not j.values_only}
        wanted = {request.cell: request.tier for request in plan.requests}
        for cell in stand_ins[~self._cache.held[stand_ins]].tolist():
            wanted.setdefault(cell, Tier.TARGET)
        jobs = [Job(cell, tier, coming.get(cell, attribute)) for cell, tier in wanted.items()]
        if attribute is not None:
            shown = np.flatnonzero((self._drawn | self._needed) & self._cache.held)
            jobs += [
                Job(cell, Tier.ATTRIBUTE, attribute, values_only=True)
                for cell in self._without_values(shown)
            ]
        return sorted(jobs, key=lambda job: job.tier)

    def _without_values(self, cells: Int) -> list[int]:
        """Those of the cells in memory whose values are to come."""
        if self._attribute is None:
            return []
        name, code = self._attribute, self._attributes[self._attribute]
        lacking = cells[self._cached_attribute[cells] != code]
        return [cell for cell in lacking.tolist() if (cell, name) not in self._failed_values]

    # loading

    def _submit(self, now: float) -> None:
        refused = self._loads.start(lambda job: self._admit(job, now))
        self._loads.forget(job for job in refused if not self._is_due(job))
        left = [job for job in refused if self._is_due(job)]
        if left and not self._loads.in_flight and not self._waiting_uploads:
            refused = self._loads.start(lambda job: self._admit(job, now, by_force=True))
            left = [job for job in refused if self._is_due(job)]
        stuck = left if not self._loads.in_flight and not self._waiting_uploads else []
        self._no_memory = frozenset(job.cell for job in stuck)

    def _is_due(self, job: Job) -> bool:
        return job.tier <= Tier.ATTRIBUTE or bool(self._needed[job.cell])

    def _admit(self, job: Job, now: float, *, by_force: bool = False) -> bool:
        """Set memory aside for a load, letting go of other cells where that is allowed."""
        cell = job.cell
        if job.values_only:
            if cell not in self._cache:
                return False
            arrays = self._cache[cell]
            nbytes = 4 * len(arrays)
            self._reader.expect(job, RowOrder(arrays.order, self._unread.get(cell, ())))
        else:
            nbytes = int(self._tree.nbytes[cell])
        if self._cache.promise(job.key, nbytes):
            return True
        if not self._is_due(job):
            return False
        keep = self._needed.copy()
        keep[cell] = True
        if not self._free_memory(nbytes - self._cache.room, keep, now, by_force=by_force):
            return False
        return self._cache.promise(job.key, nbytes)

    def _free_memory(self, wanted: int, keep: Bool, now: float, *, by_force: bool) -> bool:
        gone = make_room(
            self._tree,
            self._cache.held,
            keep,
            self._drawn,
            self._visible,
            now - self._cache.last_used,
            self._cache.sizes,
            wanted,
            by_force=by_force,
        )
        if gone is None:
            return False
        self._forget_cells(gone)
        return True

    @property
    def _visible(self) -> Bool:
        return self._needed if self._plan is None else self._plan.visible

    def _trim_cache(self, now: float) -> None:
        """Fit a cap that was lowered."""
        over = -self._cache.room
        if over > 0 and not self._free_memory(over, self._needed, now, by_force=True):
            spare = np.flatnonzero(self._cache.held & ~self._needed)
            self._forget_cells(spare.tolist())

    def _forget_cells(self, cells: list[int]) -> None:
        """Let go of cells in memory and in the layer."""
        if cells:
            self._cache.remove(cells)
            self._card.drop(cells)
            self._cached_attribute[cells] = NO_VALUES
            for cell in cells:
                self._traffic.gone(cell)
            self._changed = True

    def _take_back(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._cache.withdraw(job.key)
            self._reader.forget(job)

    def _on_outcome(self, outcome: Outcome[Loaded]) -> None:
        job = outcome.job
        self._reader.forget(job)
        self._cache.withdraw(job.key)
        if outcome.result is None:
            self._on_failure(job, outcome.error)
            return
        loaded = outcome.result
        self._traffic.fetched(job.cell, loaded.fetched_bytes, loaded.requests)
        if loaded.arrays is not None:
            self._on_cell(job, loaded, loaded.arrays)
        elif loaded.values is not None:
            self._on_values(job, loaded.values)
        self._changed = True

    def _on_failure(self, job: Job, error: BaseException | None) -> None:
        if job.values_only:
            self._failed_values.add((job.cell, job.attribute or ""))
        else:
            self._failed[job.cell] = True
        self._dirty = self._changed = True
        if isinstance(error, (ZVError, OSError)):
            self._report(job.cell, str(error))
        else:
            self._raised = error

    def _report(self, cell: int, message: str) -> None:
        level = self._scene.levels[int(self._tree.level[cell])].index
        self.failures.append(Failure(cell, level, message))

    def _on_cell(self, job: Job, loaded: Loaded, arrays: CellArrays) -> None:
        cell = job.cell
        if loaded.unread:
            self._unread[cell] = loaded.unread
        for problem in loaded.problems:
            self._report(cell, problem)
        if loaded.not_finite and cell not in self._not_finite:
            self._report(
                cell,
                f"{loaded.not_finite} vertices of level "
                f"{self._scene.levels[int(self._tree.level[cell])].index} of {self._scene.url} "
                "have positions that are not finite; they are not drawn",
            )
        self._not_finite[cell] = loaded.not_finite
        self._correct_count(cell, arrays)
        if not self._cache.put(arrays):
            self._traffic.gone(cell)
            self._dirty = True
            return
        code = NO_VALUES if arrays.attribute is None else self._attributes[arrays.attribute]
        self._cached_attribute[cell] = code
        self._cache.touch(np.array([cell]), self._clock())
        self._read_cost[cell] = loaded.fetched_bytes
        if self._attribute is not None and code != self._attributes[self._attribute]:
            self._dirty = True

    def _on_values(self, job: Job, values: npt.NDArray[np.float32]) -> None:
        cell, name = job.cell, job.attribute
        if name is None or cell not in self._cache:
            self._traffic.gone(cell)
            return
        arrays = self._cache[cell]
        if len(values) != len(arrays):
            self._traffic.gone(cell)
            self._dirty = True
            return
        if self._cache.put(replace(arrays, values=values, attribute=name)):
            self._cached_attribute[cell] = self._attributes[name]
        else:
            self._dirty = True

    def _correct_count(self, cell: int, arrays: CellArrays) -> None:
        """Stores that do not record counts: the mean was planned with, now the number is known."""
        tree = self._tree
        exact = self._scene.levels[int(tree.level[cell])].counts_exact
        if exact or tree.count[cell] == len(arrays):
            return
        count, nbytes = tree.count.copy(), tree.nbytes.copy()
        count[cell], nbytes[cell] = len(arrays), arrays.nbytes
        if arrays.values is None:
            nbytes[cell] += 4 * len(arrays)
        self._tree = replace(tree, count=count, nbytes=nbytes)
        self._dirty = True

    # uploading and drawing

    def _blank_other_values(self, code: int) -> None:
        """Values of another attribute would be shown in the colours of this one."""
        card = self._card
        stale = card.held & (card.attribute != code) & (card.attribute != NO_VALUES)
        card.drop(np.flatnonzero(stale & ~self._drawn).tolist())
        for cell in np.flatnonzero(stale & self._drawn).tolist():
            self._put(cell)

    def _put(self, cell: int) -> None:
        """Give a cell to the layer with the values of the attribute coloured by, or with none."""
        arrays = self._cache[cell]
        if self._attribute is None:
            code = int(self._cached_attribute[cell])
        else:
            code = self._attributes[self._attribute]
            if self._cached_attribute[cell] != code:
                arrays, code = replace(arrays, values=None, attribute=None), NO_VALUES
        self._card.put(arrays, code)

    def _update_layer(self, now: float) -> None:
        plan = self._plan
        if plan is None:
            return
        ideal = draw_set(self._tree, plan, self._cache.held)
        self._upload(plan, ideal, now)
        draw = self._affordable(plan)
        if self._waits_for_first(plan, now):
            draw = replace(draw, items=())
        else:
            self._changed = self._waiting_uploads
        drops, puts = self._card.changes()
        is_new = draw.items != self._draw.items
        if drops or puts or is_new:
            self._sink.apply(LayerUpdate(drops, puts, draw.items if is_new else None))
        if is_new:
            self._on_drawn(plan, draw, now)
        self._draw = draw
        self._learn_limits(plan)
        asked = {job.cell for job in (*self._loads.queued, *self._loads.in_flight)}
        if not asked.issuperset(self._without_values(np.flatnonzero(self._drawn))):
            self._dirty = True

    def _upload(self, plan: ViewPlan, ideal: DrawSet, now: float) -> None:
        """Hand cells over, the coarsest in view first, as far as rows and bytes of a tick go."""
        wanted = self._needed.copy()
        wanted[[item.cell for item in ideal.items]] = True
        wanted &= self._cache.held
        stale = np.zeros(len(wanted), bool)
        if self._attribute is not None:
            code = self._attributes[self._attribute]
            stale = (self._cached_attribute == code) & (self._card.attribute != code)
        cells = np.flatnonzero(wanted & (~self._card.held | stale))
        is_root = self._tree.parent[cells] < 0
        order = np.lexsort((cells, stale[cells], ~is_root, ~plan.visible[cells]))
        budget, no_rows = UPLOAD_BYTES, []
        self._waiting_uploads = False
        for cell in cells[order].tolist():
            rows = len(self._cache[cell])
            if budget < UPLOAD_BYTES and rows * _ROW_BYTES > budget:
                self._waiting_uploads = True
                break
            if not self._find_rows(cell, page_rows(rows), wanted, now):
                no_rows.append(cell)
                continue
            self._put(cell)
            budget -= rows * _ROW_BYTES
        self._no_rows = frozenset(no_rows) if not self._waiting_uploads else frozenset()

    def _find_rows(self, cell: int, rows: int, wanted: Bool, now: float) -> bool:
        card = self._card
        short = rows - int(card.rows[cell]) - card.room
        if short <= 0:
            return True
        keep = wanted & self._needed
        keep[cell] = True
        gone = make_room(
            self._tree,
            card.held,
            keep,
            self._drawn | wanted,
            self._visible,
            now - self._cache.last_used,
            lambda cells: card.rows[cells],
            short,
        )
        if gone is None:
            return False
        card.drop(gone)
        return True

    def _affordable(self, plan: ViewPlan) -> DrawSet:
        """What to draw, stand-ins finer than planned left out while they break the vertex cap."""
        usable = self._card.held.copy()
        cap = self._settings.budget.vertices
        while True:
            draw = draw_set(self._tree, plan, usable)
            cells = np.array([item.cell for item in draw.items], np.int64)
            if self._picture.rows_of(self._tree, draw, self._cache) <= cap:
                return draw
            extra = cells[~self._needed[cells]]
            extra = extra[nearest_above(self._tree, extra, usable & self._needed) >= 0]
            if not len(extra):
                return draw
            largest = extra[np.argsort(-self._tree.count[extra], kind="stable")]
            usable[largest[: max(len(largest) // 4, 1)]] = False

    def _waits_for_first(self, plan: ViewPlan, now: float) -> bool:
        """Whether the first picture should wait for more of the coarsest cells in view."""
        if self._draw.items or not self._settings.floor:
            return False
        roots = plan.floor[(self._tree.parent[plan.floor] < 0) & plan.visible[plan.floor]]
        answered = self._card.held[roots] | self._failed[roots]
        if answered.all():
            return False
        if self._first_data_at is None:
            self._first_data_at = now
        return now - self._first_data_at < FIRST_WAIT_S

    def _on_drawn(self, plan: ViewPlan, draw: DrawSet, now: float) -> None:
        cells = np.array([item.cell for item in draw.items], np.int64)
        self._drawn[:] = False
        self._drawn[cells] = True
        self._picture.drawn(draw)
        self._traffic.used(cells)
        opened = opened_cells(self._tree, cells)
        self._cache.touch(np.flatnonzero((opened | self._drawn) & self._cache.held), now)
        self._switches.drawn(opened, plan.visible, now)

    def _learn_limits(self, plan: ViewPlan) -> None:
        """Limits from the coarsest cells, once all their values are there."""
        name = self._attribute
        if name is None or name in self._limits:
            return
        cells = plan.floor if len(plan.floor) else plan.target
        cells = cells[~self._failed[cells]]
        if not len(cells) or not self._cache.held[cells].all() or self._without_values(cells):
            return
        values = [self._cache[cell].values for cell in cells.tolist()]
        self._limits[name] = range_of([part for part in values if part is not None])

    # how things stand

    def _waiting_for(self) -> str:
        """What an unsettled picture waits for, or nothing."""
        plan = self._plan
        if plan is None or self._dirty or self._fresh:
            return "camera"
        if self._moved_at is not None and self._plan_at - self._moved_at + _SLACK_S < (
            COARSEN_AFTER_S if self._settings.hysteresis > 0 else 0.0
        ):
            return "camera"
        answered = self._no_memory
        waiting = [job for job in self._loads.queued if job.tier <= Tier.ATTRIBUTE]
        flying = [
            job
            for job in self._loads.in_flight
            if job.tier <= Tier.ATTRIBUTE and self._needed[job.cell]
        ]
        if flying or any(job.cell not in answered for job in waiting):
            return "values" if all(job.values_only for job in [*waiting, *flying]) else "loading"
        there = self._card.held | self._failed
        there[list(answered | self._no_rows)] = True
        if self._waiting_uploads or self._changed or not there[plan.target].all():
            return "upload"
        if set(self._without_values(np.flatnonzero(self._drawn))) - answered:
            return "values"
        return ""

    def _limited_by(self) -> str:
        plan = self._plan
        if plan is None:
            return ""
        if self._no_memory:
            return "memory"
        if self._no_rows or (self._buffer_limits and plan.limited_by == "vertices"):
            return "buffer"
        if self._failed[plan.target].any() and plan.limited_by == "finest":
            return "failed"
        return plan.limited_by
