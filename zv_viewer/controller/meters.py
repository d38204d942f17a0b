"""Oscillations, waste, and how fast the picture moves."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning.viewed import opened_cells

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Levels = npt.NDArray[np.uint8]

SWITCHES = 2
"""A cell may change its level so often within ``SWITCH_WINDOW_S``."""

SWITCH_WINDOW_S = 2.0
SMOOTHING_S = 0.1
FASTEST_PX_PER_S = 1e5


class SwitchMeter:
    """Counts cells in view that go back and forth between levels.

    Only while the same part of a cell is in view: a slab that moves on shows other vertices of a
    cell, which are coarse first and fine later, and that is loading.

    Args:
        tree: The cells.
    """

    def __init__(self, tree: CellTree) -> None:
        self.oscillations = 0
        self._tree = tree
        self._times: dict[int, deque[float]] = {}
        self._opened: Bool | None = None
        self._visible: Bool | None = None

    def forget(self) -> None:
        """Another place is in view."""
        self._times.clear()

    def drawn(self, opened: Bool, visible: Bool, now: float) -> None:
        """What is drawn has changed.

        Args:
            opened: (C,) cells drawn finer than themselves.
            visible: (C,) cells in view.
            now: Seconds.
        """
        if self._opened is not None and self._visible is not None:
            other = opened_cells(self._tree, np.flatnonzero(visible != self._visible))
            for cell in np.flatnonzero(other).tolist():
                self._times.pop(cell, None)
            switched = (opened != self._opened) & visible & self._visible & ~other
            for cell in np.flatnonzero(switched).tolist():
                times = self._times.setdefault(cell, deque())
                times.append(now)
                while times[0] < now - SWITCH_WINDOW_S:
                    times.popleft()
                if len(times) > SWITCHES:
                    self.oscillations += 1
                    times.clear()
        self._opened, self._visible = opened, visible


class ObjectSwitchMeter:
    """Counts objects in view that go back and forth between levels.

    Only while something of an object stays in view: where a camera leaps to another part of it,
    that is coarse first and fine later, and that is loading.

    Args:
        objects: How many there are, O.
    """

    def __init__(self, objects: int) -> None:
        self.oscillations = 0
        self._start: float | None = None
        self._last = np.full(objects, -np.inf, np.float32)
        self._turned = np.full(objects, -np.inf, np.float32)
        self._finer = np.zeros(objects, bool)

    def forget(self) -> None:
        """Another place is in view."""
        self._last[:] = self._turned[:] = -np.inf

    def drawn(self, levels: Levels, before: Levels, seen: Bool, now: float) -> None:
        """Objects are drawn at other levels than before.

        Args:
            levels: (O,) the level of each object.
            before: (O,) likewise, before.
            seen: (O,) objects in view, and so far by cells that were in view before.
            now: Seconds.
        """
        self._start = now if self._start is None else self._start
        self._last[~seen] = self._turned[~seen] = -np.inf
        at = np.float32(now - self._start)
        switched = (levels != before) & (levels != NOT_DRAWN) & (before != NOT_DRAWN) & seen
        which = np.flatnonzero(switched)
        finer, last, turned = levels[which] < before[which], self._last[which], self._turned[which]
        back = finer != self._finer[which]
        again = back & (turned >= at - SWITCH_WINDOW_S)
        self.oscillations += int(again.sum())
        self._finer[which] = finer
        self._last[which] = np.where(again, -np.inf, at)
        self._turned[which] = np.where(again, -np.inf, np.where(back, last, turned))


class Traffic:
    """Bytes fetched, and which of them were of use."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self.requests = 0
        self._lost = 0
        self._unused: dict[int, int] = {}
        self._busy_s = 0.0
        self._busy_since: float | None = None

    @property
    def wasted(self) -> int:
        """Bytes fetched for what was not drawn, so far."""
        return self._lost + sum(self._unused.values())

    @property
    def bytes_per_s(self) -> float:
        """Speed of loading while something was loading; 0 when unknown."""
        return self.bytes_read / self._busy_s if self._busy_s > 0 else 0.0

    def fetched(self, cell: int, nbytes: int, requests: int) -> None:
        """A load arrived."""
        self.bytes_read += nbytes
        self.requests += requests
        self._unused[cell] = self._unused.get(cell, 0) + nbytes

    def used(self, cells: Int) -> None:
        """Cells were drawn."""
        if self._unused:
            for cell in cells.tolist():
                self._unused.pop(cell, None)

    def gone(self, cell: int) -> None:
        """A cell was let go; what it cost and never gave is lost."""
        self._lost += self._unused.pop(cell, 0)

    def busy(self, is_busy: bool, now: float) -> None:
        """Called every tick: whether something is under way."""
        if self._busy_since is not None:
            self._busy_s += max(now - self._busy_since, 0.0)
        self._busy_since = now if is_busy else None


class MotionMeter:
    """How fast the picture moves, from one camera to the next."""

    def __init__(self, tree: CellTree) -> None:
        finest = tree.ids_of_level(0)
        step = max((finest.stop - finest.start) // 256, 1)
        ids = np.arange(finest.start, finest.stop, step)
        self._points = (tree.lo[ids] + tree.hi[ids]) / 2
        self._px_per_s = 0.0

    def moved(self, before: Camera, after: Camera, seconds: float) -> None:
        """The camera went from one view to another."""
        distance = self._distance(before, after)
        speed = min(distance / max(seconds, 1e-3), FASTEST_PX_PER_S)
        keep = float(np.exp(-seconds / SMOOTHING_S))
        self._px_per_s = keep * self._px_per_s + (1 - keep) * speed

    def stopped(self) -> None:
        """The camera rests."""
        self._px_per_s = 0.0

    @property
    def px_per_s(self) -> float:
        """Speed of the middle of the picture."""
        return self._px_per_s

    def _distance(self, before: Camera, after: Camera) -> float:
        if before.displayed != after.displayed or before.viewport != after.viewport:
            return 0.0
        (old, seen), (new, still) = self._project(before), self._project(after)
        both = seen & still
        if not both.any():
            return 0.0
        return float(np.median(np.hypot(*(new[both] - old[both]).T)))

    def _project(self, camera: Camera) -> tuple[Float, Bool]:
        axes = list(camera.displayed)
        rows = camera.matrix[:, [*range(len(axes)), 3]]
        clip = self._points[:, axes] @ rows[:, :-1].T + rows[:, -1]
        ahead = clip[:, 3] > 0
        w = np.where(ahead, clip[:, 3], 1.0)
        xy = clip[:, :2] / w[:, None]
        inside = ahead & (np.abs(xy) <= 1.5).all(axis=1)
        return xy * np.asarray(camera.viewport) / 2, inside
