"""Where the camera is, when it last moved, how fast: what there is to look at, and since when."""

from __future__ import annotations

import numpy as np

from zv_viewer.controller.meters import MotionMeter
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.settings import LodSettings

FINAL_PLAN_S = 0.1
"""A plan is made this long after the camera's last move: the picture has stopped."""

COARSEN_AFTER_S = 0.3
"""Nothing gets coarser until the camera has rested for so long."""

SLACK_S = 1e-9
"""Times this close are the same."""


def settling_s(settings: LodSettings) -> float:
    """How long after a move nothing coarsens; without hysteresis nothing is held back."""
    return COARSEN_AFTER_S if settings.hysteresis > 0 else 0.0


def leaps(before: Camera, after: Camera) -> bool:
    """Whether the middle of one picture is a whole canvas or more away from that of the other."""
    if before.displayed != after.displayed:
        return True
    return _away(before, after) >= 1 and _away(after, before) >= 1


def exposes(before: Camera, after: Camera) -> bool:
    """Whether a view shows more than half a canvas of what was beyond an edge of another."""
    if before.displayed != after.displayed:
        return True
    return max(_away(after, before, x, y) for x in (-1, 1) for y in (-1, 1)) > 1


def _away(one: Camera, other: Camera, x: int = 0, y: int = 0) -> float:
    """How many canvases a point of one view is from the middle of another; inf behind it.

    Args:
        one: The view the point is in, at the depth of its middle.
        other: The other.
        x: Where it is on the canvas of the first, -1 to 1.
        y: Likewise.
    """
    n = len(one.displayed)
    columns = [*range(n), 3]
    to_x, to_y, depth, w = one.matrix[:, columns]
    # In a parallel view every point has w = 1: the depth says which is meant.
    flat = not w[:n].any()
    rows = np.stack([to_x, to_y, depth if flat else w])
    asked = np.array([x, y, 0 if flat else 1])
    place = np.linalg.lstsq(rows[:, :n], asked - rows[:, n], rcond=None)[0]
    clip = other.matrix[:, columns] @ [*place, 1.0]
    return float(np.abs(clip[:2]).max() / clip[3] / 2) if clip[3] > 0 else np.inf


class View:
    """The camera and its moves.

    Args:
        tree: The cells; their middles are watched.
    """

    def __init__(self, tree: CellTree) -> None:
        self.camera: Camera | None = None
        self._camera_at = 0.0
        self._moved_at: float | None = None
        self.leapt = False
        """Whether at the last move nothing of the picture before stayed on the canvas."""
        self.exposed = False
        """Whether it showed much that was not on the canvas before."""
        self.lately_px_per_s = 0.0
        """Speed of the middle of the picture at the last move."""
        self._motion = MotionMeter(tree)

    def look(self, camera: Camera, now: float) -> bool:
        """Look from here; False when that is where the camera was. The first is no move."""
        before = self.camera
        if before is not None:
            if camera.same_as(before):
                return False
            self._motion.moved(before, camera, now - self._camera_at)
            self._moved_at = now
            self.leapt = leaps(before, camera)
            self.exposed = exposes(before, camera)
            self.lately_px_per_s = self._motion.px_per_s
        self.camera, self._camera_at = camera, now
        return True

    def rest(self) -> None:
        """What moved so far is over: nothing waits for the end of a move."""
        self._moved_at = None
        self._motion.stopped()

    def rested_s(self, now: float) -> float:
        """Seconds since the last move; infinite when there was none."""
        return np.inf if self._moved_at is None else now - self._moved_at + SLACK_S

    def has_come_to_rest(self, since: float, now: float) -> bool:
        """Whether, between two times, the camera had rested long enough for another plan."""
        before, rested = self.rested_s(since), self.rested_s(now)
        return any(before < end <= rested for end in (FINAL_PLAN_S, COARSEN_AFTER_S))

    def px_per_s(self, now: float) -> float:
        """Speed of the middle of the picture; a rest ends the motion, and the next starts anew."""
        if self.rested_s(now) >= FINAL_PLAN_S:
            self._motion.stopped()
        return self._motion.px_per_s
