"""Choose one level for all that a view shows, so that no object is cut where levels meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.planning.budget import Caps
from zv_viewer.planning.demand import Demand
from zv_viewer.planning.ragged import gather
from zv_viewer.planning.steps import Selection
from zv_viewer.planning.viewed import FIRST, NONE, Viewed, cost, union

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

SCALE_SHARE = 0.95
"""Part of what is covered of the canvas whose scale is not above the one errors are judged at."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What the previous plan does to one step: factors on error and density, share of the caps."""

    error: float = 1.0
    density: float = 1.0
    caps: float = 1.0


class OneLevel(Viewed):
    """One level for all cells in view, so that an object can be drawn at it from end to end.

    It is the finest whose cells fit the caps, and no finer than wanted: a level is left for the
    next finer one while its error on the canvas exceeds the quality wanted and its vertices are not
    yet denser than pixels. Errors are judged at the scale of the nearest cells: the one that
    ``SCALE_SHARE`` of what is covered of the canvas is not above. Where a branch of the tree has no
    cell of the level, the one nearest to it is shown, the coarser of two as near.

    The floor of a selection is the coarsest cells. Where not even those in view fit, the nearest of
    them are shown and nothing is refined. Of the plan before, the level stays within the hysteresis
    band.
    """

    def unlocked(self) -> Selection:
        """Walk from the coarsest level down while the next one is wanted and fits."""
        tree, coarsest = self.tree, len(self.tree.cell_shape) - 1
        self.look(self.roots)
        cells, refused, over = self.nearest_first(self.roots, self.caps)
        pinned = cells if self.settings.floor else NONE
        if refused:
            return self.selection(cells, pinned, self.worst(cells), refused, over, coarsest)
        if not len(cells):
            _, around = self.reserve(cells)
            before = self.previous
            level = coarsest if before is None or before.level is None else before.level
            return self.selection(cells, around, 0.0, 0, "finest", level)
        room, around = self.reserve(cells)
        errors = level_errors(tree)
        used = cost(tree, cells)
        why, tau = "quality", 0.0
        level = coarsest
        while level > 0:
            if self.stays(level):
                why = self.previous.limited_by if self.previous is not None else why
                break
            held = self.held(errors, level)
            error = float(errors[level]) * self.scale(cells)
            if not error * held.error > self.settings.quality_px:
                break
            if not self.density(cells) < self.settings.density_max * held.density:
                why = "density"
                break
            opened = self.opened(cells, level - 1)
            finer = self.refined(cells, opened)
            now = cost(tree, union(finer, pinned))
            more = Caps(max(now[0] - used[0], 0), max(now[1] - used[1], 0))
            caps = room.part(held.caps)
            if not caps.hold(more.vertices, more.bytes):
                why = "vertices" if more.vertices > caps.vertices else "bytes"
                refused, tau = len(opened), error
                break
            self.look(finer)
            cells, level = finer, level - 1
        if not refused and self.without_finer(cells):
            why = "finest"
        floor = union(pinned, around) if self.settings.floor else NONE
        return self.selection(cells, floor, tau or self.worst(cells), refused, why, level)

    def unlocked_demand(self, layers: int) -> Demand:
        """What is asked for of caps that so many layers share: the levels, one after the other."""
        tree, cells, level = self.tree, self.roots, len(self.tree.cell_shape) - 1
        self.look(cells)
        floor = Caps(*cost(tree, cells))
        around = self.around(cells, self.caps.part(1 / layers))
        rungs: list[tuple[float, int, int]] = []
        if not len(cells) or not self.caps.hold(floor.vertices, floor.bytes):
            return Demand.of_floor(floor, around)
        pinned = cells if self.settings.floor else NONE
        errors = level_errors(tree)
        while level > 0 and not self.stays(level):
            held = self.held(errors, level)
            error = float(errors[level]) * self.scale(cells)
            dense = not self.density(cells) < self.settings.density_max * held.density
            if dense or not error * held.error > self.settings.quality_px:
                break
            error *= held.error if self.motion.moving else 1.0
            cells, level = self.refined(cells, self.opened(cells, level - 1)), level - 1
            vertices, nbytes = cost(tree, union(cells, pinned))
            rungs.append((error, vertices - floor.vertices, nbytes - floor.bytes))
            if not self.caps.hold(vertices, nbytes):
                break
            self.look(cells)
        return Demand.of_rungs(floor, around, rungs)

    def opened(self, cells: Int, level: int) -> Int:
        """The cells above ``level`` that have a visible child nearer to it than themselves."""
        tree = self.tree
        cells = cells[tree.level[cells] > level]
        child, owner = gather(tree.child_start, tree.child, cells)
        seen = self.visible[child]
        away = np.full(len(cells), np.iinfo(np.int64).max)
        np.minimum.at(away, owner[seen], np.abs(tree.level[child[seen]] - level))
        return cells[away < tree.level[cells] - level]

    def refined(self, cells: Int, opened: Int) -> Int:
        """The cells with the visible children of ``opened`` in their place."""
        tree = self.tree
        child, _ = gather(tree.child_start, tree.child, opened)
        return union(np.setdiff1d(cells, opened, assume_unique=True), child[self.visible[child]])

    def scale(self, cells: Int) -> float:
        """Pixels of a world unit that ``SCALE_SHARE`` of what the cells cover is not above.

        The largest there is as soon as the nearest cells cover more than the rest of the share, and
        without a jump as they come in.
        """
        order = np.argsort(self.px_per_unit[cells], kind="stable")
        scales, weights = self.px_per_unit[cells[order]], self.area_in_view[cells[order]]
        if not weights.sum() > 0:
            return float(scales[-1])
        middle = (np.cumsum(weights) - weights / 2) / weights.sum()
        return float(np.interp(SCALE_SHARE, middle, scales))

    def density(self, cells: Int) -> float:
        """Vertices in view per square pixel that the cells cover."""
        area, in_view = self.area[cells], self.area_in_view[cells]
        vertices = float((self.in_slab[cells] * np.minimum(in_view / area, 1)).sum())
        width, height = self.camera.viewport
        return vertices / max(min(float(in_view.sum()), width * height), 1.0)

    def stays(self, level: int) -> bool:
        """Whether this level must do for now: it is the previous plan's, or finer."""
        before = self.previous
        if self.motion.refines or before is None or before.level is None:
            return False
        return level <= before.level

    def held(self, errors: Float, level: int) -> _Held:
        """What the previous plan does to the step from ``level`` to the next finer one."""
        before, h = self.previous, self.settings.hysteresis
        if before is None or before.level is None:
            return _Held()
        band = min(h, _widest_band(errors, level))
        if before.level < level:
            if self.motion.moving:
                return _Held(FIRST, FIRST)
            return _Held(1 / (1 - band), 1 / (1 - h))
        # A level that was over a cap comes back when it fits with room to spare.
        short = before.limited_by in ("vertices", "bytes")
        return _Held(1 / (1 + band) / self.motion.coarsening, 1 - h, 1 - h if short else 1.0)


def _widest_band(errors: Float, level: int) -> float:
    """Half width at which the band of a step does not reach those of the steps beside it."""
    beside = errors[max(level - 1, 0) : level + 2]
    finer, coarser = beside[:-1], beside[1:]
    apart = (finer > 0) & (coarser > finer)
    ratio = float((coarser[apart] / finer[apart]).min(initial=np.inf))
    return (ratio - 1) / (ratio + 1) if np.isfinite(ratio) else 1.0


def level_errors(tree: CellTree) -> Float:
    """(L,) world error of each level; one without cells has that of the next finer one."""
    errors = np.zeros(len(tree.cell_shape))
    for level in range(len(errors)):
        ids = tree.ids_of_level(level)
        before = errors[level - 1] if level else 0.0
        errors[level] = tree.error[ids.start] if ids.stop > ids.start else before
    return errors
