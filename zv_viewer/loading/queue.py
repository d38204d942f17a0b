"""Which loads wait, in which order; rebuilt from every plan; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from zv_viewer.model.extras import PLAIN_ROWS, Extras
from zv_viewer.model.plan import Tier

JobKey = tuple[int, str | None, bool, Extras, bool]


@dataclass(frozen=True, slots=True)
class Job:
    """Something to load.

    Args:
        cell: Of which cell.
        tier: How urgent; not part of what it is.
        attribute: The attribute to load values of, or None.
        values_only: The cell's rows are there; only values are missing, or extras.
        extras: What rows come with beside them.
        left_out: The filter keeps no row of the cell; nothing is to be read.
    """

    cell: int
    tier: Tier
    attribute: str | None = None
    values_only: bool = False
    extras: Extras = PLAIN_ROWS
    left_out: bool = False

    @property
    def key(self) -> JobKey:
        """What is loaded, however urgent."""
        return self.cell, self.attribute, self.values_only, self.extras, self.left_out


def next_queue(
    waiting: Sequence[Job],
    wanted: Iterable[Job],
    under_way: Collection[JobKey],
    *,
    cancel: bool = True,
) -> tuple[Job, ...]:
    """The queue after a new plan.

    Args:
        waiting: The queue so far.
        wanted: What the plan asks for, best first.
        under_way: What is being loaded already.
        cancel: Forget what the plan does not ask for; else it keeps its place ahead of what is new.

    Returns:
        Jobs, none twice and none that is under way.
    """
    seen = set(under_way)
    queue = []
    for job in [*(() if cancel else waiting), *wanted]:
        if job.key not in seen:
            seen.add(job.key)
            queue.append(job)
    return tuple(queue)
