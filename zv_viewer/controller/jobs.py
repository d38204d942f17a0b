"""What a plan makes there is to load; pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.tree_marks import nearest_above
from zv_viewer.loading.queue import Job
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import Tier, ViewPlan

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


def stand_ins_for_lost(tree: CellTree, plan: ViewPlan, lost: Bool) -> Int:
    """The cells to draw where a target cell cannot be read.

    Args:
        tree: The cells.
        plan: The plan.
        lost: (C,) cells that cannot be read.

    Returns:
        (N,) ascending ids.
    """
    targets = plan.target[lost[plan.target]]
    above = nearest_above(tree, targets, ~lost)
    return np.unique(above[above >= 0])


def plan_jobs(
    plan: ViewPlan,
    stand_ins: Int,
    held: Bool,
    attribute: str | None,
    without_values: Iterable[int],
    in_flight: Iterable[Job],
) -> list[Job]:
    """All there is to load, best first.

    Args:
        plan: The plan.
        stand_ins: (N,) cells drawn for what of it cannot be read.
        held: (C,) cells in memory.
        attribute: The attribute coloured by.
        without_values: Cells in memory whose values are to come.
        in_flight: Loads under way.
    """
    # A cell under way comes with the values it was asked for with; others are added later.
    coming = {job.cell: job.attribute for job in in_flight if not job.values_only}
    wanted = {request.cell: request.tier for request in plan.requests}
    for cell in stand_ins[~held[stand_ins]].tolist():
        wanted.setdefault(cell, Tier.TARGET)
    jobs = [Job(cell, tier, coming.get(cell, attribute)) for cell, tier in wanted.items()]
    jobs += [Job(cell, Tier.ATTRIBUTE, attribute, values_only=True) for cell in without_values]
    return sorted(jobs, key=lambda job: job.tier)
