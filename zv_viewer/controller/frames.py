"""When the vertex budget follows the time frames take: few frames decide nothing, nor old ones."""

from __future__ import annotations

from collections import deque

from zv_viewer.planning.frame_budget import Range, frame_time, next_budget

FRAMES = 6
"""A decision takes at least so many frames, painted since the one before."""

FRAMES_KEPT = 30

SHRINK_EVERY_S = 0.25
GROW_EVERY_S = 1.0


class FrameBudget:
    """Watches frames and says what the budget should be. The clock is the caller's.

    Args:
        within: What the budget may be.
    """

    def __init__(self, within: Range) -> None:
        self.within = within
        self._frames: deque[tuple[float, int]] = deque(maxlen=FRAMES_KEPT)
        self._changed_at: float | None = None

    @property
    def frame_s(self) -> float | None:
        """Seconds nine of ten recent frames take at most; None before the first."""
        return frame_time([seconds for seconds, _ in self._frames]) if self._frames else None

    def painted(self, seconds: float, rows: int) -> None:
        """A frame of so many vertices took so long."""
        if rows > 0:
            self._frames.append((seconds, rows))

    def budget(self, budget: int, now: float, *, binding: bool) -> int:
        """The budget from now on.

        Args:
            budget: Vertices, so far.
            now: Seconds, never going back.
            binding: Whether the picture would be finer with a larger budget.
        """
        if self._changed_at is None:
            self._changed_at = now
        waited = now - self._changed_at
        if len(self._frames) < FRAMES or waited < SHRINK_EVERY_S:
            return budget
        seconds, rows = zip(*self._frames, strict=True)
        may_grow = binding and waited >= GROW_EVERY_S
        changed = next_budget(budget, seconds, rows, self.within, binding=may_grow)
        if changed != budget:
            self._changed_at = now
            self._frames.clear()
        return changed
