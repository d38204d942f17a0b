"""A vertex budget that follows the time frames take; pure.

Where a frame takes a + c n seconds for n vertices, with a and c unknown and not negative, a frame
of n vertices in t < AIM_S says that n AIM_S / t vertices are drawn within AIM_S, and one with
t > AIM_S that fewer are not drawn faster than AIM_S. The budget grows no further than the first
and shrinks no further than the second. So what has grown is never shrunk again, and what has shrunk
never grown, while a and c stay; however late the picture follows the budget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FAST_S = 0.020
"""Frames this fast leave room for more vertices; the frames of a 60 Hz display are."""

AIM_S = 0.028
"""What the budget is worked out for."""

SLOW_S = 0.040
"""Frames slower than this are felt; between here and ``FAST_S`` the budget stays."""

GROWS = 1.1
SHRINKS = 0.8
"""Factors of one step, at most."""

QUANTILE = 0.9
LEAST_VERTICES = 100_000


@dataclass(frozen=True, slots=True)
class Range:
    """The budget stays in here, ends included."""

    least: int
    most: int

    def nearest(self, vertices: int) -> int:
        """The budget within the range that is nearest to ``vertices``."""
        return max(min(vertices, self.most), self.least)


def frame_time(seconds: npt.ArrayLike) -> float:
    """What nine of ten frames take at most; (N,) seconds, N > 0."""
    times = np.sort(np.asarray(seconds, float))
    return float(times[_most_of(len(times)) - 1])


def next_budget(
    budget: int,
    seconds: npt.ArrayLike,
    rows: npt.ArrayLike,
    within: Range,
    *,
    binding: bool,
) -> int:
    """The budget after some frames.

    Args:
        budget: Vertices, so far.
        seconds: (N,) time of each frame, N > 0.
        rows: (N,) vertices drawn in each.
        within: What the budget may be.
        binding: Whether the picture would be finer with a larger budget; else it does not grow.

    Returns:
        A smaller budget where nine of ten frames are not done in ``SLOW_S``, a larger one where
        they are in ``FAST_S``, else the same. Frames of fewer vertices than the least budget say
        nothing against a larger one: whatever made them slow, it was not the budget.
    """
    budget = within.nearest(budget)
    times, drawn = np.asarray(seconds, float), np.asarray(rows, float)
    order = np.argsort(times, kind="stable")
    most = _most_of(len(order))
    time = times[order[most - 1]]
    if time > SLOW_S:
        slow = order[most - 1 :]
        if np.median(drawn[slow]) < within.least:
            return budget
        fit = int(np.ceil(_fit(times[slow], drawn[slow])))
        return min(budget, max(int(np.ceil(budget * SHRINKS)), fit, within.least))
    if time < FAST_S and binding:
        fast = order[:most]
        fit = int(_fit(times[fast], drawn[fast]))
        return max(budget, min(int(budget * GROWS), fit, within.most))
    return budget


def _most_of(frames: int) -> int:
    """Nine of ten, rounded up."""
    return math.ceil(QUANTILE * frames)


def _fit(seconds: npt.NDArray[np.float64], rows: npt.NDArray[np.float64]) -> float:
    """Vertices for ``AIM_S``, going by each frame; the median of them."""
    return float(np.median(rows * AIM_S / np.maximum(seconds, 1e-6)))
