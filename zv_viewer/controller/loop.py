"""The loop between a camera and a layer: plan, load, upload, draw; no window and no clock here."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.arrivals import Arrivals
from zv_viewer.controller.by_cell import ByCell
from zv_viewer.controller.by_object import ByObject
from zv_viewer.controller.card import Card
from zv_viewer.controller.connection import Connection
from zv_viewer.controller.drawer import Drawer, DrawnCells
from zv_viewer.controller.jobs import plan_jobs
from zv_viewer.controller.loads import Loads
from zv_viewer.controller.planner import Planner
from zv_viewer.controller.reading import CellReader, Loaded
from zv_viewer.controller.standing import Standing
from zv_viewer.controller.stats import Failure, LodStats
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.uploads import Uploads
from zv_viewer.controller.values import Values
from zv_viewer.controller.view import View
from zv_viewer.loading.executors import Executor
from zv_viewer.loading.scheduler import Outcome
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.update import LayerSink, ObjectSink
from zv_viewer.planning import Caps, Demand, build_cells
from zv_viewer.rows import RowFilter
from zv_viewer.sources.base import ChunkSource

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


class LodController:
    """Shows one store in one layer. All calls come from one thread; reads run in the executor's.

    Args:
        source: The store; closed with the controller, after the last read.
        scene: Its description.
        sink: The layer.
        executor: Where reads run; closed with the controller.
        settings: Budget, quality, switches.
        clock: Seconds, never going back.
        tree: The cells of the scene where they are built already.
        chance: Numbers in [0, 1) that spread what is tried again over time.
    """

    def __init__(
        self,
        source: ChunkSource,
        scene: SceneInfo,
        sink: LayerSink,
        executor: Executor,
        settings: LodSettings,
        clock: Callable[[], float],
        *,
        tree: CellTree | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        tree = build_cells(scene) if tree is None else tree
        self._source, self._sink, self._scene = source, sink, scene
        self._settings, self._clock = settings, clock
        self._closed = False
        self._budget_after: Budget | None = None
        self._todo = todo = Todo()
        self._marks = marks = Marks(len(tree))
        self._view = view = View(tree)
        self._values = values = Values(scene, len(tree))
        self._troubles = troubles = Troubles(scene, tree)
        self._connection = connection = Connection(chance)
        self._stock = stock = Stock(tree, sink.capacity, settings.budget.bytes, values, marks, todo)
        self._planner = planner = Planner(scene, view, stock, troubles, marks, todo)
        self._reader = reader = CellReader(source, scene, tree)
        self._loads = loads = Loads(executor, reader, stock, troubles, connection, marks)
        self._arrivals = Arrivals(scene, stock, values, troubles, connection, marks, todo)
        self._uploads = uploads = Uploads(stock, values, marks)
        policy = ByObject(stock, len(scene.objects)) if scene.by_object else ByCell(stock, marks)
        self._drawer = drawer = Drawer(sink, scene, stock, policy, uploads, troubles, marks, todo)
        self._standing = Standing(
            view,
            values,
            troubles,
            connection,
            stock,
            planner,
            loads,
            uploads,
            drawer,
            marks,
            todo,
        )

    # what a user does

    @property
    def tree(self) -> CellTree:
        """The cells; counts are corrected as cells of older stores are read."""
        return self._stock.tree

    @property
    def source(self) -> ChunkSource:
        """The store."""
        return self._source

    def unread(self, cell: int) -> tuple[int, ...]:
        """Places among the chunks of a cell in memory that could not be read."""
        return self._troubles.unread(cell)

    def set_camera(self, camera: Camera) -> None:
        """Look from here; the same camera again is no move."""
        if self._view.look(camera, self._clock()):
            self._todo.plan = True
            self._todo.exposed |= self._view.exposed
            if self._view.leapt:
                self._drawer.leapt()

    @property
    def exposed(self) -> bool:
        """Whether much is in view that nothing is planned for yet."""
        return self._todo.exposed

    @property
    def camera(self) -> Camera | None:
        """The view that plans are made from."""
        return self._view.camera

    @property
    def held(self) -> bool:
        """Whether what is selected stays as it is, wherever the window's camera goes.

        What is under way still arrives. Settings, filters and attributes take effect, as seen from
        the view in force; a budget that nobody asked for waits.
        """
        return self._planner.held

    @held.setter
    def held(self, on: bool) -> None:
        self._planner.held = on
        if on:
            self._view.rest()
            return
        self._todo.plan = True
        waiting, self._budget_after = self._budget_after, None
        if waiting is not None:
            self.follow_budget(waiting)

    def plan_from(
        self,
        camera: Camera,
        previous: ViewPlan | None = None,
        **changes: Any,  # noqa: ANN401
    ) -> ViewPlan:
        """What would be planned from another view at rest; nothing changes by asking.

        May be called from any thread.

        Args:
            camera: The view.
            previous: The plan before it, for hysteresis.
            changes: Fields of the settings that are to be others, ``level_lock`` for instance.
        """
        return self._planner.fresh_plan(camera, replace(self._settings, **changes), previous)

    def set_settings(self, settings: LodSettings) -> None:
        """Use another budget, quality or lock from the next tick on."""
        self._budget_after = None
        if settings != self._settings:
            self._settings = settings
            self._stock.cache.max_bytes = settings.budget.bytes
            self._todo.plan = self._todo.fresh = True

    def follow_budget(self, budget: Budget) -> None:
        """Use another budget that nobody asked for: what is shown changes no more than it must.

        Where it is smaller, finer cells are drawn until the coarser ones in their place are there.
        """
        before, plan = self._settings.budget, self._planner.plan
        if self._planner.held:
            self._budget_after = budget
        elif budget != before:
            drawn = min(before.vertices, self._drawer.vertices)
            if budget.vertices < drawn and plan is not None:
                self._drawer.lend(drawn, plan, self._clock())
            self._settings = replace(self._settings, budget=budget)
            self._stock.cache.max_bytes = budget.bytes
            self._todo.plan = True

    def set_attribute(self, name: str | None) -> None:
        """Load and hand over values of this attribute, or of none.

        Raises:
            KeyError: The store has no such attribute.
        """
        if self._values.choose(name):
            self._todo.plan = self._todo.fresh = self._todo.draw = True
            if name is not None:
                self._uploads.blank_other_values()

    def size_by(self, name: str | None) -> None:
        """Load and hand over another attribute for the sizes of rows, or none.

        Raises:
            KeyError: The store has no such attribute.
        """
        if self._values.size_by(name):
            self._todo.plan = self._todo.fresh = self._todo.draw = True

    def tell_objects(self) -> None:
        """Have rows that nothing joins come with the objects they belong to, from now on."""
        if not self._scene.by_object and self._values.tell_objects():
            self._todo.plan = self._todo.fresh = self._todo.draw = True

    def set_filter(self, kept_by: RowFilter | None, worth: Bool | None = None) -> None:
        """Draw only rows that a filter keeps; cells that can hold none are not read.

        Until a cell in memory knows its rows by the new filter, it is drawn by the old one.

        Args:
            kept_by: The filter; None: every row is drawn.
            worth: (C,) cells worth reading for other reasons; None: all.
        """
        tree = self._stock.tree
        possible = None if kept_by is None else kept_by.may_hold(self._scene, tree.lo, tree.hi)
        if worth is not None:
            possible = worth if possible is None else possible & worth
        self._stock.forget(self._values.keep(kept_by, possible))
        self._stock.count_only(possible, by_object=self._scene.by_object)
        self._todo.plan = self._todo.fresh = self._todo.draw = True

    def select_objects(self, selected: SelectedObjects | None) -> None:
        """Draw these objects at the finest level whatever the view, as far as there is room.

        Where levels go by cells nothing is drawn otherwise.

        Args:
            selected: The objects, and the cells of the finest level they run through; None: none.
        """
        if selected is not self._planner.selected:
            self._planner.selected = selected
            self._todo.plan = True

    def retry(self) -> None:
        """Try again what could not be read."""
        self._values.lost.clear()
        partial = self._troubles.forgive()
        self._stock.forget([cell for cell in partial if cell in self._stock.cache])
        self._todo.plan = self._todo.fresh = True

    def forget_layer(self) -> None:
        """The layer was emptied, or has another capacity: fill it again."""
        self._stock.card = Card(self._sink.capacity, len(self._stock.tree))
        self._drawer.start_over()
        self._todo.plan = self._todo.draw = True

    def take_in(self, read: Iterable[Outcome[Loaded]]) -> None:
        """Hold cells that were read before there was a controller."""
        for outcome in read:
            self._arrivals.take(outcome, self._clock())

    def follow(self, old: LodController, kept: Int) -> None:
        """Take over what a user chose of a controller that showed the store as it was.

        The attribute coloured by and its limits, the filter, and cells in memory. What the store
        does not have any more is left out.

        Args:
            old: The controller; closed, or about to be.
            kept: Cells that are the same in both trees, with the same objects.
        """
        self._values.follow(old._values)
        kept_by = old._values.kept_by
        if kept_by is not None and self._knows(kept_by):
            self.set_filter(kept_by)
        for cell in kept.tolist():
            self._stock.take_over(cell, old._stock, self._clock())

    def _knows(self, kept_by: RowFilter) -> bool:
        names = {info.name for info in self._scene.attributes}
        return names.issuperset(kept_by.attributes)

    def use_layer(self, sink: LayerSink) -> None:
        """Draw in another layer from now on, an empty one."""
        self._sink = sink
        self._drawer.use_layer(sink)
        self.forget_layer()

    def draw_anew(self, sink: LayerSink) -> None:
        """Feed an empty layer with what the present view needs, and hold nothing else.

        What is drawn then depends on the view, the settings and the store alone, not on the views
        before; settings without hysteresis given.
        """
        camera, stock = self._view.camera, self._stock
        if camera is not None:
            self._todo.fresh = True
            self._make_plan(camera, self._clock())
            stock.forget(np.flatnonzero(stock.cache.held & ~self._marks.needed).tolist())
        self.use_layer(sink)

    @property
    def drawn(self) -> DrawnCells:
        """What the layer draws now."""
        return self._drawer.drawn

    # the loop

    def tick(self) -> None:
        """One turn: take in what was read, plan, ask for more, upload, draw."""
        camera = self._view.camera
        if self._closed or camera is None:
            return
        now = self._clock()
        sink = self._sink
        if not self._scene.by_object and isinstance(sink, ObjectSink) and sink.tells_objects:
            self.tell_objects()
        for outcome in self._loads.arrivals():
            self._loads.settle(outcome.job)
            self._arrivals.take(outcome, now)
            self._drawer.picture.recount()
        if self._planner.due(now):
            self._make_plan(camera, now)
            self._loads.suit(self._source.network())
        for job in self._loads.left_out():
            self._arrivals.leave_out(job, self._reader.nothing(job), now)
        self._loads.start(now, uploads_wait=self._uploads.waiting)
        if self._todo.draw:
            self._update_layer(now)
        self._stock.traffic.busy(bool(self._loads.in_flight), now)
        self._arrivals.raise_mistake()

    def on_frame(self, camera: Camera) -> None:
        """A frame was painted from ``camera`` with what the layer was last given."""
        if self._planner.held:  # of what was not planned for nothing is expected
            return
        self._drawer.picture.painted(self._stock.tree, self._troubles.lost, camera)

    def close(self) -> None:
        """Stop loading; the source is closed once no read runs any more."""
        if not self._closed:
            self._closed = True
            self._loads.close(self._source.close)

    # what a program asks

    @property
    def failures(self) -> list[Failure]:
        """All that could not be read, the oldest first; it only grows."""
        return self._troubles.failures

    @property
    def settled(self) -> bool:
        """Whether the picture is as planned, and nothing it needs is under way."""
        return not self._closed and not self._standing.waiting_for(self._settings)

    @property
    def idle(self) -> bool:
        """Whether nothing at all is left to do, loading ahead included, until something changes."""
        return self.settled and not self.loading

    @property
    def loading(self) -> bool:
        """Whether anything is being read, or waits for it."""
        return bool(self._loads.queued or self._loads.in_flight)

    def demand(self, total: Budget, layers: int) -> Demand | None:
        """What the present view asks of a budget that so many layers share; None before it."""
        camera = self._view.camera
        if camera is None:
            return None
        settings = replace(self._settings, budget=total)
        return self._planner.demand(camera, settings, layers, self._loads.eta_s, self._clock())

    @property
    def plan(self) -> ViewPlan | None:
        """The plan in force."""
        return self._planner.plan

    @property
    def in_use(self) -> Caps:
        """Vertices drawn, and bytes of memory held or promised to loads."""
        cache = self._stock.cache
        return Caps(self._drawer.vertices, cache.used + cache.promised)

    @property
    def value_limits(self) -> tuple[float, float] | None:
        """Limits for the attribute coloured by: recorded ones, else those of the coarsest cells.

        None until known; fixed from then on.
        """
        return self._values.limits

    @property
    def size_limits(self) -> tuple[float, float] | None:
        """Likewise for the attribute that says how large rows are drawn."""
        return self._values.size_limits

    def stats(self) -> LodStats:
        """The figures."""
        return self._standing.stats(
            self._settings, self._source.network(), self._clock(), closed=self._closed
        )

    # steps of a turn

    def _make_plan(self, camera: Camera, now: float) -> None:
        """Plan, and ask for what the plan lacks."""
        started = self._clock()
        plan, stand_ins = self._planner.make(camera, self._settings, self._loads.eta_s, now)
        marks, held = self._marks, self._stock.cache.held
        shown = np.flatnonzero((marks.drawn | marks.needed) & held)
        jobs = plan_jobs(
            plan,
            stand_ins,
            held,
            self._values.wanted,
            self._values.lacking(shown),
            self._loads.in_flight,
        )
        self._loads.ask(jobs, cancel=self._settings.cancel)
        self._stock.fit_cap(now)
        self._planner.took_ms.append((self._clock() - started) * 1e3)
        self._planner.plans += 1

    def _update_layer(self, now: float) -> None:
        """Upload and draw; values that nobody has asked for yet need another plan."""
        plan = self._planner.plan
        if plan is None:
            return
        self._drawer.update(plan, self._settings, now)
        coarsest = plan.floor if len(plan.floor) else plan.target
        coarsest = coarsest[~self._troubles.lost[coarsest]]
        self._values.learn_limits(coarsest, self._stock.cache)
        lacking = self._values.lacking(np.flatnonzero(self._marks.drawn))
        if not self._loads.cells.issuperset(cell for cell, _ in lacking):
            self._todo.plan = True
