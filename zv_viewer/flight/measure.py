"""What a flight measures: time inside paint, and time the GUI thread was away outside paint."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class FrameLog:
    """Paint durations and event-loop gaps, in seconds; the clock is the caller's.

    A frame is one canvas paint. A stall is the gap between two beats of the event loop less the
    paint time inside it, so what drawing costs is never counted twice.
    """

    frames: list[float] = field(default_factory=list)
    loading: list[bool] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    _last_beat: float | None = None
    _painted_since_beat: float = 0.0

    def frame(self, seconds: float, *, loading: bool) -> None:
        """One canvas paint took ``seconds``; ``loading``: cells were under way."""
        self.frames.append(seconds)
        self.loading.append(loading)
        self._painted_since_beat += seconds

    def beat(self, now: float, period: float) -> None:
        """The event loop came round; it was asked to every ``period`` seconds."""
        if self._last_beat is not None:
            gap = now - self._last_beat - self._painted_since_beat
            self.stalls.append(max(gap - period, 0.0))
        self._last_beat = now
        self._painted_since_beat = 0.0

    def summary(self) -> dict[str, float | int | None]:
        """Figures in milliseconds; None where nothing was measured."""
        pairs = zip(self.frames, self.loading, strict=True)
        busy = [seconds for seconds, loading in pairs if loading]
        return {
            "frames": len(self.frames),
            "frame_ms_p50": percentile_ms(self.frames, 50),
            "frame_ms_p95": percentile_ms(self.frames, 95),
            "frame_ms_p95_loading": percentile_ms(busy, 95),
            "gui_stall_ms_p99": percentile_ms(self.stalls, 99),
            "gui_stall_ms_max": percentile_ms(self.stalls, 100),
        }


def percentile_ms(seconds: list[float], q: float) -> float | None:
    """The ``q``-th percentile of durations, in milliseconds; None when there are none."""
    return round(float(np.percentile(seconds, q)) * 1e3, 3) if seconds else None
