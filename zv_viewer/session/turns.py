"""What is done every few milliseconds: the camera goes in, updates come out, news is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from zv_viewer.controller import LodController, LodStats
from zv_viewer.layers.camera import camera_of, settle_centre
from zv_viewer.session.budgeting import Budgeting
from zv_viewer.session.colouring import Colouring
from zv_viewer.session.feed import Feed
from zv_viewer.session.pulse import Pulse
from zv_viewer.session.reloading import Reloading

if TYPE_CHECKING:
    from napari.viewer import Viewer

STATS_EVERY_S = 0.2


class Turns:
    """The turns of one store that is open.

    Args:
        feed: The store.
        pulse: Asks for the turns.
        budgeting: Its budget.
        reloading: What reads it anew.
        colouring: Its colours.
        changed: Called with new figures, five times a second at most.
        problem: Called with a sentence for each chunk that cannot be read.
        recoloured: Called when the limits of colours have become known.
    """

    def __init__(
        self,
        feed: Feed,
        pulse: Pulse,
        budgeting: Budgeting,
        reloading: Reloading,
        colouring: Colouring,
        *,
        changed: Callable[[LodStats], object],
        problem: Callable[[str], object],
        recoloured: Callable[[], object],
    ) -> None:
        self._feed, self._pulse, self._budgeting = feed, pulse, budgeting
        self._reloading, self._colouring = reloading, colouring
        self._changed, self._problem, self._recoloured = changed, problem, recoloured
        self._controller: LodController | None = None
        self._camera_moved = True
        self._stats_at = 0.0
        self._told = 0

    @property
    def settled(self) -> bool:
        """Whether the picture is the one asked for and nothing is under way."""
        controller = self._feed.controller
        if controller is None or self._camera_moved or self._budgeting.pending:
            return False
        return not self._reloading.busy and controller.settled

    def look_again(self, *_: object) -> None:
        """The camera has moved, or the layer."""
        self._camera_moved = True
        self._pulse.look()

    def before_paint(self, viewer: Viewer) -> None:
        """Take a turn now if much is in view that nothing was planned for."""
        controller = self._feed.controller
        if controller is None or controller is not self._controller or controller.held:
            return
        if self._camera_moved and self._feed.layer.visible and not self._reloading.busy:
            controller.set_camera(camera_of(viewer, self._feed.layer))
            if controller.exposed:
                self._take_seen(viewer, controller)

    def take(self, viewer: Viewer) -> None:
        """Take a turn."""
        self._reloading.turn(viewer)
        controller = self._feed.controller
        if controller is None:
            return
        if controller is not self._controller:
            self._controller, self._told, self._camera_moved = controller, 0, True
        hidden = not self._feed.layer.visible
        at_rest = hidden or (not self._camera_moved and controller.settled)
        if self._reloading.is_due(settled=at_rest):
            self._reloading.land()
            self._budgeting.make_room()
        if hidden and not self._reloading.reading:
            self._take_unseen(controller)
        else:
            self._take_seen(viewer, controller)

    def _take_unseen(self, controller: LodController) -> None:
        """The layer is not to be seen: others get its share, then there is nothing to do."""
        if self._budgeting.look_unseen():
            controller.tick()
        else:
            self._pulse.rest()

    def _take_seen(self, viewer: Viewer, controller: LodController) -> None:
        layer = self._feed.layer
        if self._camera_moved:
            self._camera_moved = False
            if not controller.held:
                controller.set_camera(camera_of(viewer, layer))
        controller.tick()
        self._budgeting.look(controller.plan)
        if self._colouring.learn_limits():
            self._recoloured()
        self._tell(controller)
        rests = controller.idle and not self._camera_moved and not self._reloading.busy
        if rests and not settle_centre(viewer, layer):
            self._changed(controller.stats())
            self._pulse.rest()
        self._pulse.pace(self._feed.layer.pause_s)

    def _tell(self, controller: LodController) -> None:
        for failure in controller.failures[self._told :]:
            self._problem(failure.message)
        self._told = len(controller.failures)
        now = time.perf_counter()
        if now - self._stats_at >= STATS_EVERY_S:
            self._stats_at = now
            stats = controller.stats()
            self._budgeting.follow_frames(now)
            self._changed(stats)
