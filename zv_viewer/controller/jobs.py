"""What a plan makes there is to load; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.tree_marks import nearest_above
from zv_viewer.loading.queue import Job
from zv_viewer.model.cells import CellTree
from zv_viewer.model.extras import PLAIN_ROWS, Extras
from zv_viewer.model.plan import Tier, ViewPlan

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """What cells are to come with, beside their rows.

    Args:
        attribute: The attribute coloured by.
        extras: What is wanted beside it, the filter of rows among it.
        possible: (C,) cells that may hold a row the filter keeps; None: all.
    """

    attribute: str | None = None
    extras: Extras = PLAIN_ROWS
    possible: Bool | None = None

    def job(self, cell: int, tier: Tier) -> Job:
        """To load a cell."""
        left_out = self.possible is not None and not self.possible[cell]
        return Job(cell, tier, self.attribute, extras=self.extras, left_out=left_out)

    def more(self, cell: int, *, values: bool) -> Job:
        """To load what a cell in memory lacks: ``values``, or only extras."""
        job = self.job(cell, Tier.ATTRIBUTE)
        return replace(job, attribute=self.attribute if values else None, values_only=True)


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
    wanted: Wanted,
    without_values: Iterable[tuple[int, bool]],
    in_flight: Iterable[Job],
) -> list[Job]:
    """All there is to load, best first.

    Args:
        plan: The plan.
        stand_ins: (N,) cells drawn for what of it cannot be read.
        held: (C,) cells in memory.
        wanted: What cells are to come with.
        without_values: Cells in memory that lack something, and whether that is values.
        in_flight: Loads under way.
    """
    # A cell under way comes with the values it was asked for with; others are added later.
    coming = {job.cell: job for job in in_flight if not job.values_only}
    tiers = {request.cell: request.tier for request in plan.requests}
    for cell in stand_ins[~held[stand_ins]].tolist():
        tiers.setdefault(cell, Tier.TARGET)
    jobs = [
        replace(coming[cell], tier=tier) if cell in coming else wanted.job(cell, tier)
        for cell, tier in tiers.items()
    ]
    jobs += [wanted.more(cell, values=values) for cell, values in without_values]
    return sorted(jobs, key=lambda job: job.tier)
