"""Choose the cells a view should show: refine where the error in pixels is largest, up to a cap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning.budget import Caps, longest_prefix
from zv_viewer.planning.error import measure
from zv_viewer.planning.frustum import frustum_test, planes
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.ragged import gather
from zv_viewer.planning.slab import slab_share
from zv_viewer.planning.steps import Selection, Steps

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

FLOOR_SHARE = 0.25
"""Part of the caps that coarsest cells outside the view may take, so that a pan finds them."""

_NONE = np.empty(0, np.int64)
_REACH = 0.5
_HELD_TAU = 0.1
_RELEASE = 0.95
_IN_USE = 0.85  # of a budget that is short, whatever the past; the rest is left against flicker
_FIRST = 1e12  # above every key: what is shown while the camera moves stays first


def opened_cells(tree: CellTree, target: Int) -> Bool:
    """(C,) the ancestors of ``target``: cells a plan refined."""
    opened = np.zeros(len(tree), bool)
    cells = tree.parent[target]
    while True:
        cells = np.unique(cells[cells >= 0])
        cells = cells[~opened[cells]]
        if not len(cells):
            return opened
        opened[cells] = True
        cells = tree.parent[cells]


def _union(*cells: Int) -> Int:
    """Ascending ids, each once."""
    return np.unique(np.concatenate(cells))


def _cost(tree: CellTree, cells: Int) -> tuple[int, int]:
    """Vertices and bytes of cells together."""
    return int(tree.count[cells].sum()), int(tree.nbytes[cells].sum())


class _Solver:
    """One selection under way: what was measured, and the refinements wanted so far."""

    def __init__(
        self,
        tree: CellTree,
        visible: Bool,
        camera: Camera,
        settings: LodSettings,
        previous: ViewPlan | None,
        motion: Motion,
    ) -> None:
        size = len(tree)
        self.tree, self.visible, self.camera, self.settings = tree, visible, camera, settings
        self.motion, self.previous = motion, previous
        self.error_px, self.focus = np.zeros(size), np.zeros(size)
        self.area_in_view, self.size_px = np.zeros(size), np.zeros(size)
        self.density = np.zeros(size)
        self.key, self.held_key = np.zeros(size), np.zeros(size)
        self.px_per_unit = np.zeros(size)
        self.stays = np.zeros(size, bool)
        self.may, self.held_may = np.ones(size, bool), np.ones(size, bool)
        self.by_density = np.zeros(size, bool)
        self.inertia, self.shown_before = self._inertia()
        self.caps = Caps.of(settings.budget)
        roots = np.flatnonzero(tree.parent < 0)
        self.roots, self.outside = roots[visible[roots]], roots[~visible[roots]]

    def _inertia(self) -> tuple[Float, Float]:
        """(C,) factors on refining and showing a cell: above 1 where the previous plan did."""
        refining, showing = np.ones(len(self.tree)), np.ones(len(self.tree))
        if self.previous is not None:
            refining /= self.motion.coarsening
            h = self.settings.hysteresis
            opened = opened_cells(self.tree, self.previous.target)
            kept = _FIRST if self.motion.moving else 1 / (1 - h)
            refining[self.previous.visible] /= 1 + h
            refining[opened] = kept
            showing[opened] = kept
            showing[self.previous.target] = kept
        return refining, showing

    def look(self, cells: Int) -> None:
        """Measure cells; their parents were measured before."""
        tree = self.tree
        lo, hi = tree.lo[cells], tree.hi[cells]
        on = measure(self.camera, lo, hi, foveation=self.settings.foveation)
        self.px_per_unit[cells] = on.px_per_unit
        self.error_px[cells] = tree.error[cells] * on.px_per_unit
        self.focus[cells] = on.focus
        self.area_in_view[cells] = on.area_in_view
        self.size_px[cells] = np.sqrt(on.area)
        self.density[cells] = tree.count[cells] * slab_share(self.camera, lo, hi) / on.area
        self.key[cells] = self.error_px[cells] * on.focus
        self.held_key[cells] = self.key[cells] * self.inertia[cells]
        below = cells[tree.parent[cells] >= 0]
        above = tree.parent[below]
        for key in (self.key, self.held_key):
            key[below] = np.minimum(key[below], key[above])

    def nearest_first(self, cells: Int, caps: Caps) -> tuple[Int, int, str]:
        """The cells that fit, how many do not, and the cap they are over."""
        worth = self.px_per_unit[cells] * self.focus[cells] * self.shown_before[cells]
        fit = longest_prefix(worth, self.tree.count[cells], self.tree.nbytes[cells], caps)
        return np.sort(cells[fit.taken]), len(cells) - len(fit.taken), fit.over

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

    def solve(self) -> Selection:
        """Refine from the coarsest cells down, looking only below refinements that may be taken."""
        tree = self.tree
        self.look(self.roots)
        roots, refused, over = self.nearest_first(self.roots, self.caps)
        # While a coarsest cell is refused nothing is refined: more budget must never show less.
        caps, around = self.reserve(roots) if not refused else (Caps(0, 0), _NONE)
        steps = Steps.none()
        cells = roots
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
        return self._selection(
            target,
            _union(roots, around, taken[self.stays[taken]]) if self.settings.floor else _NONE,
            float(self.key[left].max()) if len(left) else self._worst(target),
            refused + len(left),
            over or self._why(target),
        )

    def locked(self, level: int) -> Selection:
        """The visible cells of one level, nearest first while they fit."""
        tree = self.tree
        ids = tree.ids_of_level(level)
        cells = np.arange(ids.start, ids.stop, dtype=np.int64)
        cells = cells[self.visible[cells]]
        self.look(self.roots)
        self.look(cells)
        target, refused, over = self.nearest_first(cells, self.caps)
        roots = np.setdiff1d(_union(self.roots, self.outside), target)
        left = self.caps.less(*_cost(tree, target))
        fits = self.settings.floor and left.hold(*_cost(tree, roots))
        floor = roots if fits and self.caps.hold(*_cost(tree, roots), FLOOR_SHARE) else _NONE
        return self._selection(target, floor, self._worst(target), refused, over or "locked")

    def reserve(self, roots: Int) -> tuple[Caps, Int]:
        """What is left for refining, and the coarsest cells outside the view that stay."""
        tree = self.tree
        left = self.caps.less(*_cost(tree, roots))
        if not self.settings.floor:
            return left, _NONE
        vertices, nbytes = _cost(tree, self.outside)
        # A store that fits altogether, one without coarser levels for instance, stays altogether.
        fits = self.caps.hold(int(tree.count.sum()), int(tree.nbytes.sum()))
        share = 1.0 if fits else FLOOR_SHARE
        room = Caps(
            min(vertices, int(self.caps.vertices * share), left.vertices),
            min(nbytes, int(self.caps.bytes * share), left.bytes),
        )
        kept = self.outside
        if not room.hold(vertices, nbytes):
            lo, hi = tree.lo[kept], tree.hi[kept]
            axes = list(self.camera.displayed)
            faces = planes(self.camera, _REACH * max(self.camera.viewport))
            kept = kept[frustum_test(faces, lo[:, axes], hi[:, axes])[0]]
            self.look(kept)
            kept, _, _ = self.nearest_first(kept, room)
        return left.less(room.vertices, room.bytes), kept

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

    def _worst(self, target: Int) -> float:
        return float(self.error_px[target].max()) if len(target) else 0.0

    def _why(self, target: Int) -> str:
        """Why cells that no cap held back are not finer."""
        if self.by_density[target].any():
            return "density"
        leaf = self.tree.child_start[target + 1] == self.tree.child_start[target]
        return "finest" if leaf.all() else "quality"

    def _selection(
        self, target: Int, floor: Int, tau_px: float, refused: int, limited_by: str
    ) -> Selection:
        return Selection(
            target=target,
            floor=floor,
            error_px=self.error_px,
            px_per_unit=self.px_per_unit,
            focus=self.focus,
            area_in_view=self.area_in_view,
            size_px=self.size_px,
            tau_px=tau_px,
            refused=refused,
            limited_by=limited_by,
        )


def select(
    tree: CellTree,
    visible: Bool,
    camera: Camera,
    settings: LodSettings,
    *,
    locked: int | None = None,
    previous: ViewPlan | None = None,
    motion: Motion | None = None,
) -> Selection:
    """Choose the cells to show.

    Every refinement of a cell into its visible children costs vertices and bytes and has a key: the
    screen error of the cell times the attention it gets, never above its parent's. Those whose
    error exceeds the quality wanted, and whose vertices are not yet denser than pixels, are taken
    by falling key until one does not fit.

    Args:
        tree: The cells.
        visible: (C,) from ``visible_cells``.
        camera: The view.
        settings: Caps, quality and switches.
        locked: Show this level (position in ``SceneInfo.levels``) and no other.
        previous: The plan before; its refinements stay within the hysteresis band.
        motion: How the camera moves.

    Returns:
        The selection.
    """
    solver = _Solver(tree, visible, camera, settings, previous, motion or Motion())
    return solver.solve() if locked is None else solver.locked(locked)
