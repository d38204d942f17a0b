"""Choose the cells a view should show: refine where the error in pixels is largest, up to a cap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning.budget import Caps
from zv_viewer.planning.demand import Demand
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.ragged import gather
from zv_viewer.planning.steps import Selection, Steps
from zv_viewer.planning.viewed import FIRST, NONE, Viewed, cost, union

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_HELD_TAU = 0.1
_RELEASE = 0.95
_IN_USE = 0.85  # of a budget that is short, whatever the past; the rest is left against flicker


class LevelPerCell(Viewed):
    """Cells of any level, each refined where that is worth most.

    Every refinement of a cell into its visible children costs vertices and bytes and has a key: the
    screen error of the cell times the attention it gets, never above its parent's. Those whose
    error exceeds the quality wanted, and whose vertices are not yet denser than pixels, are taken
    by falling key until one does not fit. Of the plan before, refinements stay within the
    hysteresis band.
    """

    def __init__(
        self,
        tree: CellTree,
        visible: Bool,
        camera: Camera,
        settings: LodSettings,
        previous: ViewPlan | None,
        motion: Motion,
    ) -> None:
        super().__init__(tree, visible, camera, settings, previous, motion)
        size = len(tree)
        self.density = np.zeros(size)
        self.key, self.held_key = np.zeros(size), np.zeros(size)
        self.stays = np.zeros(size, bool)
        self.may, self.held_may = np.ones(size, bool), np.ones(size, bool)
        self.by_density = np.zeros(size, bool)
        self.inertia = self._inertia()

    def _inertia(self) -> Float:
        """(C,) factors on refining a cell: above 1 where the previous plan did."""
        refining = np.ones(len(self.tree))
        if self.previous is not None:
            refining /= self.motion.coarsening
            h = self.settings.hysteresis
            refining[self.previous.visible] /= 1 + h
            refining[self.opened_before] = FIRST if self.motion.moving else 1 / (1 - h)
        return refining

    def look(self, cells: Int) -> None:
        """Measure cells; their parents were measured before."""
        super().look(cells)
        self.density[cells] = self.in_slab[cells] / self.area[cells]
        self.key[cells] = self.error_px[cells] * self.focus[cells]
        self.held_key[cells] = self.key[cells] * self.inertia[cells]
        below = cells[self.tree.parent[cells] >= 0]
        above = self.tree.parent[below]
        for key in (self.key, self.held_key):
            key[below] = np.minimum(key[below], key[above])

    def steps(self, cells: Int) -> Steps:
        """The refinements of ``cells`` that are wanted, plainly or given the previous plan."""
        tree, settings = self.tree, self.settings
        cells = cells[tree.child_start[cells + 1] > tree.child_start[cells]]
        child, owner = gather(tree.child_start, tree.child, cells)
        seen = self.visible[child]
        shown, n = owner[seen], len(cells)
        vertices = np.bincount(shown, weights=tree.count[child[seen]], minlength=n)
        nbytes = np.bincount(shown, weights=tree.nbytes[child[seen]], minlength=n)
        all_seen = np.bincount(shown, minlength=n) == np.bincount(owner, minlength=n)
        if settings.floor:
            self.stays[cells] = ~all_seen | (tree.parent[cells] < 0)
        leaves = ~self.stays[cells]
        vertices = np.maximum(vertices - leaves * tree.count[cells], 0).astype(np.int64)
        nbytes = np.maximum(nbytes - leaves * tree.nbytes[cells], 0).astype(np.int64)
        coarse, held = self.error_px[cells], self.error_px[cells] * self.inertia[cells]
        slack = np.clip(self.inertia[cells], 1 - settings.hysteresis, None)
        wanted = (coarse > settings.quality_px) & (self.density[cells] < settings.density_max)
        held_wanted = (held > settings.quality_px) & (
            self.density[cells] < settings.density_max * slack
        )
        self.by_density[cells] = (held > settings.quality_px) & ~held_wanted
        above = tree.parent[cells]
        wanted &= self.may[above] | (above < 0)
        held_wanted &= self.held_may[above] | (above < 0)
        self.may[cells], self.held_may[cells] = wanted, held_wanted
        both = wanted | held_wanted
        return Steps(cells[both], vertices[both], nbytes[both], wanted[both], held_wanted[both])

    def explored(self, roots: Int, caps: Caps) -> Steps:
        """Refinements from the coarsest cells down, looked at only where they may be taken."""
        tree, steps, cells = self.tree, Steps.none(), roots
        while len(cells):
            found = self.steps(cells)
            steps = steps.joined(found)
            promising = np.zeros(len(tree), bool)
            promising[steps.plain(self.key, caps)[0]] = True
            promising[steps.held(self.held_key, caps, 0.0)[0]] = True
            grow = found.cells[promising[found.cells]]
            cells, _ = gather(tree.child_start, tree.child, grow)
            cells = cells[self.visible[cells]]
            self.look(cells)
        return steps

    def unlocked_demand(self, layers: int) -> Demand:
        """What is asked for of caps that so many layers share."""
        self.look(self.roots)
        floor = Caps(*cost(self.tree, self.roots))
        around = self.around(self.roots, self.caps.part(1 / layers))
        if not self.caps.hold(floor.vertices, floor.bytes):
            return Demand.of_floor(floor, around)
        left = self.caps.less(floor.vertices, floor.bytes)
        steps = self.explored(self.roots, left)
        key = self.held_key if self.motion.moving else self.key
        at = steps.held_wanted
        return Demand(floor, around, key[steps.cells[at]], steps.vertices[at], steps.nbytes[at])

    def unlocked(self) -> Selection:
        """Take the refinements that are worth most."""
        tree = self.tree
        self.look(self.roots)
        roots, refused, over = self.nearest_first(self.roots, self.caps)
        # While a coarsest cell is refused nothing is refined: more budget must never show less.
        caps, around = self.reserve(roots) if not refused else (Caps(0, 0), NONE)
        steps = self.explored(roots, caps)
        _, tau, plain_over, full = steps.plain(self.key, caps)
        tau = self._tau(tau, full)
        taken, held_over = steps.held(self.held_key, caps, tau, _IN_USE / self.motion.coarsening)
        shown, _ = gather(tree.child_start, tree.child, np.sort(taken))
        shown = np.concatenate([roots, shown[self.visible[shown]]])
        opened = np.zeros(len(tree), bool)
        opened[taken] = True
        target = np.sort(shown[~opened[shown]])
        left = steps.cells[steps.held_wanted & ~opened[steps.cells]]
        left = left[np.isin(left, target)]
        over = over or held_over or (plain_over if len(left) else "")
        if len(left) and not over:
            over = self.previous.limited_by if self.previous is not None else "vertices"
        return self.selection(
            target,
            union(roots, around, taken[self.stays[taken]]) if self.settings.floor else NONE,
            float(self.key[left].max()) if len(left) else self.worst(target),
            refused + len(left),
            over or self._why(target),
        )

    def _tau(self, tau: float, full: float) -> float:
        """The key refinements must reach; the previous one while it hardly moves; 0: no limit."""
        before = self.previous
        if before is None or before.limited_by not in ("vertices", "bytes"):
            return tau
        if not self.settings.hysteresis or not before.tau_px > 0:
            return tau
        if tau > 0:
            return before.tau_px if abs(tau / before.tau_px - 1) <= _HELD_TAU else tau
        return before.tau_px if full > _RELEASE else 0.0

    def _why(self, target: Int) -> str:
        """Why cells that no cap held back are not finer."""
        if self.by_density[target].any():
            return "density"
        return "finest" if self.without_finer(target) else "quality"
