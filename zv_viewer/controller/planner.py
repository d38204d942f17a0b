"""When a plan is due, and the plan, within the rows of the layer too."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.jobs import stand_ins_for_lost
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.view import SLACK_S, View, settling_s
from zv_viewer.drawing.slots import pages_of
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning import HOLD_S, CellObjects, Demand, Motion, plan_view, view_demand

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

PLAN_EVERY_S = 1 / 30
"""Plans are at least this far apart, but where much comes into view at once."""

AHEAD_SHARE = 0.05
"""Part of all bytes read that may be spent on views to come."""

BUFFER_SHARE = 0.85
"""Part of the layer's rows a plan may fill; the rest holds cells that are being swapped."""


TIMED_PLANS = 4096
"""Plans whose times are kept."""


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """A plan, and whether the rows of the layer were less than the budget."""

    plan: ViewPlan
    buffer_limits: bool


def fitted_plan(
    tree: CellTree,
    scene: SceneInfo,
    camera: Camera,
    settings: LodSettings,
    known: Bool,
    previous: ViewPlan | None,
    motion: Motion,
    spare_bytes: int,
    capacity: int,
    selected: SelectedObjects | None = None,
    content: Mapping[int, CellObjects] | None = None,
) -> Fitted:
    """A plan whose cells fit the layer, page by page; the other arguments are ``plan_view``'s.

    Args:
        tree: The cells.
        scene: The scene.
        camera: From where.
        settings: Budget and quality.
        known: (C,) cells not to ask for: in memory, or lost.
        previous: The plan before.
        motion: How the camera moves.
        spare_bytes: For views to come.
        capacity: Rows of the layer.
        selected: Objects to be shown at the finest level.
        content: The objects of linked cells in memory.
    """
    budget = settings.budget
    whole = pages_of(tree.count) <= capacity
    room = capacity if whole else int(capacity * BUFFER_SHARE)
    vertices = budget.vertices if whole else min(budget.vertices, room)
    buffer_limits = vertices < budget.vertices
    for _ in range(4):
        plan = plan_view(
            tree,
            scene,
            camera,
            replace(settings, budget=replace(budget, vertices=max(vertices, 1))),
            known,
            previous,
            motion=motion,
            spare_bytes=spare_bytes,
            selected=selected,
            content=content,
        )
        counts = tree.count[plan.cells]
        rows = pages_of(counts)
        if rows <= room:
            break
        buffer_limits = True
        vertices = int(min(vertices, counts.sum()) * room / rows * 0.98)
    return Fitted(plan, buffer_limits)


class Planner:
    """The plan in force and what it was made within.

    Args:
        scene: The scene.
        view: The camera.
        stock: The cells there are.
        troubles: The cells that cannot be read.
        marks: Told what is planned.
        todo: Says whether a plan is due; told when one was made.
    """

    def __init__(
        self,
        scene: SceneInfo,
        view: View,
        stock: Stock,
        troubles: Troubles,
        marks: Marks,
        todo: Todo,
    ) -> None:
        self.plan: ViewPlan | None = None
        self.planned_at = 0.0
        self.buffer_limits = False
        """Whether the rows of the layer were less than the budget."""
        self.held = False
        """Whether the plan stays as it is until somebody sets something else."""
        self.took_ms: deque[float] = deque(maxlen=TIMED_PLANS)
        self.plans = 0
        """Milliseconds each plan took."""
        self.selected: SelectedObjects | None = None
        """Objects to be shown at the finest level."""
        self._coarsened_at = float("-inf")
        self._scene = scene
        self._view = view
        self._stock = stock
        self._troubles = troubles
        self._marks = marks
        self._todo = todo

    def due(self, now: float) -> bool:
        """Whether to make a plan in this turn."""
        if self.plan is None or self._todo.fresh:
            return True
        if self._todo.plan:
            return self._todo.exposed or now - self.planned_at >= PLAN_EVERY_S - SLACK_S
        return self._view.has_come_to_rest(self.planned_at, now)

    def make(
        self, camera: Camera, settings: LodSettings, eta_s: float, now: float
    ) -> tuple[ViewPlan, Int]:
        """Make the plan.

        Args:
            camera: From where.
            settings: Budget and quality.
            eta_s: Seconds until a cell asked for now is there.
            now: Seconds.

        Returns:
            The plan, and (N,) the cells to draw for what of it cannot be read.
        """
        stock, todo = self._stock, self._todo
        if self.held and self.plan is not None and not todo.fresh:
            return self._in_force(self.plan, now)
        motion = self._motion(settings, eta_s, now)
        spare = int(stock.traffic.bytes_read * AHEAD_SHARE) - stock.traffic.wasted
        fitted = fitted_plan(
            stock.tree,
            self._scene,
            camera,
            settings,
            stock.cache.held | self._troubles.lost,
            None if todo.fresh else self.plan,
            motion,
            0 if motion.moving else max(spare, 0),
            stock.card.capacity,
            self.selected,
            stock.content,
        )
        if _is_coarser(fitted.plan, self.plan):
            self._coarsened_at = now
        self.plan, self.buffer_limits = fitted.plan, fitted.buffer_limits
        return self._in_force(fitted.plan, now)

    def _in_force(self, plan: ViewPlan, now: float) -> tuple[ViewPlan, Int]:
        """This is the plan from now on, with the cells to draw for what cannot be read."""
        todo = self._todo
        self.planned_at = now
        todo.plan, todo.fresh, todo.draw, todo.exposed = False, False, True, False
        stand_ins = stand_ins_for_lost(self._stock.tree, plan, self._troubles.lost)
        self._marks.planned(plan, stand_ins)
        return plan, stand_ins

    def fresh_plan(
        self, camera: Camera, settings: LodSettings, previous: ViewPlan | None = None
    ) -> ViewPlan:
        """The plan a camera at rest would get that came from ``previous``; none is put in force.

        May be called from any thread.
        """
        known = np.ones(len(self._stock.tree), bool)
        tree, capacity = self._stock.tree, self._stock.card.capacity
        return fitted_plan(
            tree,
            self._scene,
            camera,
            settings,
            known,
            previous,
            Motion(),
            0,
            capacity,
            self.selected,
        ).plan

    def demand(
        self, camera: Camera, settings: LodSettings, layers: int, eta_s: float, now: float
    ) -> Demand:
        """What a view asks of a budget that several layers share.

        Args:
            camera: From where.
            settings: The budget of all together; quality of this one.
            layers: How many there are.
            eta_s: Seconds until a cell asked for now is there.
            now: Seconds.
        """
        tree, budget = self._stock.tree, settings.budget
        if pages_of(tree.count) > self._stock.card.capacity:
            rows = int(self._stock.card.capacity * BUFFER_SHARE)
            budget = replace(budget, vertices=max(min(budget.vertices, rows), 1))
        return view_demand(
            tree,
            self._scene,
            camera,
            replace(settings, budget=budget),
            None if self._todo.fresh else self.plan,
            layers=layers,
            motion=self._motion(settings, eta_s, now),
            selected=self.selected,
        )

    def _motion(self, settings: LodSettings, eta_s: float, now: float) -> Motion:
        moving = self._view.rested_s(now) < settling_s(settings)
        refines = not moving or now - self._coarsened_at >= HOLD_S
        return Motion(
            self._view.px_per_s(now),
            moving=moving,
            eta_s=eta_s,
            lately_px_per_s=self._view.lately_px_per_s,
            refines=refines,
        )


def _is_coarser(plan: ViewPlan, before: ViewPlan | None) -> bool:
    """Whether the one level of whole objects is coarser than before."""
    if before is None or plan.level is None or before.level is None:
        return False
    return plan.level > before.level
