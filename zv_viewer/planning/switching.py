"""Where the viewer changes from one level to the next: found by asking the planner, not a formula.

Levels are judged in the middle of the view. Coming nearer the finer level is taken later than the
coarser one is given up on the way back, as plans hold on to what they showed (hysteresis).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan

Float = npt.NDArray[np.float64]

PlanAt: TypeAlias = Callable[[Camera, ViewPlan | None], ViewPlan]
"""What would be planned from a view, after another plan or none."""

OCTAVES = 24
"""Views up to so many doublings nearer and farther are tried."""

STEPS = 14
"""Halvings of an octave: the zoom is right to 0.01 %."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A change between two levels.

    Args:
        coarse: Position of the level seen from afar.
        fine: Position of the one seen from near.
        nearer: Factor on the zoom of the view asked about at which who comes nearer gets it.
        farther: Factor at which who goes away loses it; not above ``nearer``.
    """

    coarse: int
    fine: int
    nearer: float
    farther: float


def magnified(camera: Camera, factor: float) -> Camera:
    """The view with another zoom: steps from its middle (w = 1) are so many times longer."""
    n = len(camera.displayed)
    matrix = camera.matrix.copy()
    home = np.array([0.0, 0.0, 0.0, 1.0])
    matrix[:, :n] *= factor
    matrix[:, 3] = factor * (camera.matrix[:, 3] - home) + home
    return replace(camera, matrix=matrix)


def level_in_middle(tree: CellTree, plan: ViewPlan, middle: Float) -> int | None:
    """The level planned at a place, or nearest to it; None where nothing is in view.

    Args:
        tree: The cells.
        plan: The plan.
        middle: (D,) the place, store axes; NaN on axes that do not count.
    """
    if plan.level is not None:
        return plan.level
    cells = plan.target
    if not len(cells):
        return None
    away = np.maximum(np.maximum(tree.lo[cells] - middle, middle - tree.hi[cells]), 0)
    distance = np.nansum(away**2, axis=1)
    return int(tree.level[cells[distance <= distance.min()]].min())


def switch_of(
    tree: CellTree, camera: Camera, middle: Float, level: int, plan_at: PlanAt
) -> Switch | None:
    """The zoom at which the viewer leaves a level for a finer one, and comes back to it.

    Args:
        tree: The cells.
        camera: A view; its direction and middle stay.
        middle: (D,) the place in the middle of it, NaN on hidden axes.
        level: Position of the coarser level.
        plan_at: The planner.

    Returns:
        None where it never does: the level is not shown in the middle at any zoom, or nothing finer
        is (budget, or the store has nothing finer there).
    """

    def shown(factor: float, previous: ViewPlan | None) -> tuple[int | None, ViewPlan]:
        plan = plan_at(magnified(camera, factor), previous)
        return level_in_middle(tree, plan, middle), plan

    def is_finer(factor: float, previous: ViewPlan | None) -> bool:
        now, _ = shown(factor, previous)
        return now is not None and now < level

    start = 1.0
    for _ in range(OCTAVES):
        if not is_finer(start, None):
            break
        start /= 2
    else:
        return None
    end = start
    for _ in range(2 * OCTAVES):
        start, end = end, end * 2
        if is_finer(end, None):
            break
    else:
        return None
    _, coarse = shown(start, None)
    while not is_finer(end, coarse):  # the hysteresis may reach beyond
        end *= 2
        if end > 2.0 ** (2 * OCTAVES):
            return None
    nearer = _halved(start, end, lambda factor: is_finer(factor, coarse))
    fine, after = shown(nearer, coarse)
    low = nearer
    for _ in range(OCTAVES):
        low /= 2
        if not is_finer(low, after):
            break
    farther = _halved(low, nearer, lambda factor: is_finer(factor, after))
    return None if fine is None else Switch(level, fine, nearer, farther)


def _halved(low: float, high: float, above: Callable[[float], bool]) -> float:
    """The least factor, nearly, between two at which something holds that holds at ``high``."""
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if above(middle) else (middle, high)
    return high
