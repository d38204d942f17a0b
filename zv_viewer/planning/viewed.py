"""One view of a tree while cells are chosen for it: what was measured, and what stays around it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning.budget import Caps, longest_prefix
from zv_viewer.planning.demand import NOTHING, Demand
from zv_viewer.planning.error import measure
from zv_viewer.planning.frustum import frustum_test, planes
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.slab import slab_share, slab_test
from zv_viewer.planning.steps import Selection

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

FLOOR_SHARE = 0.25
"""Part of the caps that coarsest cells outside the view may take, so that a pan finds them."""

FIRST = 1e12
"""Above every key: what is shown while the camera moves stays first."""

NONE = np.empty(0, np.int64)
"""No cell."""

_REACH = 0.5


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


def union(*cells: Int) -> Int:
    """Ascending ids, each once."""
    every = np.sort(np.concatenate(cells))
    new = np.ones(len(every), bool)
    new[1:] = every[1:] != every[:-1]
    return every[new]


def cost(tree: CellTree, cells: Int) -> tuple[int, int]:
    """Vertices and bytes of cells together."""
    return int(tree.count[cells].sum()), int(tree.nbytes[cells].sum())


class Viewed(ABC):
    """A choice of cells under way: what is known of those looked at; (C,) arrays, zero elsewhere.

    Args:
        tree: The cells.
        visible: (C,) from ``visible_cells``.
        camera: The view.
        settings: Caps, quality and switches.
        previous: The plan before.
        motion: How the camera moves.
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
        size = len(tree)
        self.tree, self.visible, self.camera, self.settings = tree, visible, camera, settings
        self.motion, self.previous = motion, previous
        self.error_px, self.focus = np.zeros(size), np.zeros(size)
        self.area_in_view, self.size_px = np.zeros(size), np.zeros(size)
        self.area, self.px_per_unit = np.zeros(size), np.zeros(size)
        self.in_slab = np.zeros(size)
        self.opened_before = np.zeros(size, bool)
        self.shown_before = np.ones(size)
        if previous is not None:
            kept = FIRST if motion.moving else 1 / (1 - settings.hysteresis)
            self.opened_before = opened_cells(tree, previous.target)
            self.shown_before[self.opened_before] = kept
            self.shown_before[previous.target] = kept
        self.caps = Caps.of(settings.budget)
        roots = np.flatnonzero(tree.parent < 0)
        self.roots, self.outside = roots[visible[roots]], roots[~visible[roots]]

    def select(self, level: int | None) -> Selection:
        """The cells to show.

        Args:
            level: Show this one (position in ``SceneInfo.levels``) and no other; None: as wanted.
        """
        return self.unlocked() if level is None else self.locked(level)

    def demand(self, layers: int, level: int | None) -> Demand:
        """What :meth:`select` would take, where the caps are those of so many layers together."""
        return self.unlocked_demand(layers) if level is None else self.locked_demand(level, layers)

    @abstractmethod
    def unlocked(self) -> Selection:
        """The cells to show, of whatever level."""

    @abstractmethod
    def unlocked_demand(self, layers: int) -> Demand:
        """What :meth:`unlocked` would take of caps that so many layers share."""

    def look(self, cells: Int) -> None:
        """Measure cells."""
        tree = self.tree
        lo, hi = tree.lo[cells], tree.hi[cells]
        on = measure(self.camera, lo, hi, foveation=self.settings.foveation)
        self.px_per_unit[cells] = on.px_per_unit
        self.error_px[cells] = tree.error[cells] * on.px_per_unit
        self.focus[cells] = on.focus
        self.area_in_view[cells] = np.where(slab_test(self.camera, lo, hi)[0], on.area_in_view, 0.0)
        self.area[cells] = on.area
        self.size_px[cells] = np.sqrt(on.area)
        self.in_slab[cells] = tree.count[cells] * slab_share(self.camera, lo, hi)

    def nearest_first(self, cells: Int, caps: Caps) -> tuple[Int, int, str]:
        """The cells that fit, how many do not, and the cap they are over."""
        worth = self.px_per_unit[cells] * self.focus[cells] * self.shown_before[cells]
        fit = longest_prefix(worth, self.tree.count[cells], self.tree.nbytes[cells], caps)
        return np.sort(cells[fit.taken]), len(cells) - len(fit.taken), fit.over

    def locked(self, level: int) -> Selection:
        """The visible cells of one level, nearest first while they fit."""
        tree = self.tree
        ids = tree.ids_of_level(level)
        cells = np.arange(ids.start, ids.stop, dtype=np.int64)
        cells = cells[self.visible[cells]]
        self.look(self.roots)
        self.look(cells)
        target, refused, over = self.nearest_first(cells, self.caps)
        roots = np.setdiff1d(union(self.roots, self.outside), target)
        left = self.caps.less(*cost(tree, target))
        fits = self.settings.floor and left.hold(*cost(tree, roots))
        floor = roots if fits and self.caps.hold(*cost(tree, roots), FLOOR_SHARE) else NONE
        return self.selection(target, floor, self.worst(target), refused, over or "locked", level)

    def around(self, roots: Int, caps: Caps) -> Caps:
        """What the coarsest cells outside the view may take of caps, beside those in view."""
        if not self.settings.floor:
            return Caps(0, 0)
        tree = self.tree
        left = caps.less(*cost(tree, roots))
        vertices, nbytes = cost(tree, self.outside)
        # A store that fits altogether, one without coarser levels for instance, stays altogether.
        share = 1.0 if caps.hold(int(tree.count.sum()), int(tree.nbytes.sum())) else FLOOR_SHARE
        return Caps(
            max(min(vertices, int(caps.vertices * share), left.vertices), 0),
            max(min(nbytes, int(caps.bytes * share), left.bytes), 0),
        )

    def reserve(self, roots: Int) -> tuple[Caps, Int]:
        """What is left for refining, and the coarsest cells outside the view that stay."""
        tree = self.tree
        left = self.caps.less(*cost(tree, roots))
        if not self.settings.floor:
            return left, NONE
        vertices, nbytes = cost(tree, self.outside)
        room = self.around(roots, self.caps)
        kept = self.outside
        if not room.hold(vertices, nbytes):
            lo, hi = tree.lo[kept], tree.hi[kept]
            axes = list(self.camera.displayed)
            faces = planes(self.camera, _REACH * max(self.camera.viewport))
            kept = kept[frustum_test(faces, lo[:, axes], hi[:, axes])[0]]
            self.look(kept)
            kept, _, _ = self.nearest_first(kept, room)
        return left.less(room.vertices, room.bytes), kept

    def locked_demand(self, level: int, layers: int) -> Demand:
        """What :meth:`locked` would show of caps that several layers share."""
        tree = self.tree
        ids = tree.ids_of_level(level)
        cells = np.arange(ids.start, ids.stop, dtype=np.int64)
        cells = cells[self.visible[cells]]
        self.look(cells)
        roots = np.setdiff1d(union(self.roots, self.outside), cells)
        kept = Caps(*cost(tree, roots))
        if not (self.settings.floor and self.caps.part(1 / layers).hold(*cost(tree, roots))):
            kept = NOTHING
        key = tree.error.max() * self.px_per_unit[cells] * self.focus[cells]
        return Demand(NOTHING, kept, key, tree.count[cells], tree.nbytes[cells])

    def worst(self, target: Int) -> float:
        """Largest screen error shown."""
        return float(self.error_px[target].max()) if len(target) else 0.0

    def without_finer(self, target: Int) -> bool:
        """Whether nothing is below any of the cells."""
        tree = self.tree
        return bool((tree.child_start[target + 1] == tree.child_start[target]).all())

    def selection(
        self,
        target: Int,
        floor: Int,
        tau_px: float,
        refused: int,
        limited_by: str,
        level: int | None = None,
    ) -> Selection:
        """The outcome."""
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
            level=level,
        )
