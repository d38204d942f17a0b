"""What a store may draw and hold: settings asked for, the viewer's shared budget, its layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from zv_viewer.errors import InputError
from zv_viewer.layers.factory import rows_of_budget
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget, LodSettings, default_settings
from zv_viewer.session.automatic import MOST, AutomaticBudget
from zv_viewer.session.feed import Feed
from zv_viewer.session.room import left_on_card, rows_with_room
from zv_viewer.session.shared_budget import SharedBudget, shared_budget
from zv_viewer.session.swapping import with_vertices, within_ceiling

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Budgeting:
    """The budget of one store of a viewer.

    Args:
        feed: The store.
        settings: What is asked for; None: the machine's defaults, and an automatic budget.
        wake: Called when there is more to do.
    """

    def __init__(
        self, feed: Feed, settings: LodSettings | None, wake: Callable[[], object]
    ) -> None:
        self.feed = feed
        self._wake = wake
        self.asked = settings or default_settings()
        self._is_automatic = settings is None
        self._frames: AutomaticBudget | None = None
        self._shared: SharedBudget | None = None
        self._weight = 1.0
        self._planned: ViewPlan | None = None
        self._was_visible = True

    # what is asked for

    @property
    def automatic(self) -> bool:
        """Whether the vertex budget follows the time frames take."""
        return self._is_automatic

    @automatic.setter
    def automatic(self, on: bool) -> None:
        if on == self._is_automatic:
            return
        for one in self._together:
            one.time_frames(on)
        if self._frames is not None:
            self._use_vertices(self._frames.within.nearest(self.asked.budget.vertices))

    @property
    def weight(self) -> float:
        """How much errors of this store count beside those of others."""
        return self._weight

    @weight.setter
    def weight(self, weight: float) -> None:
        if not 0 < weight < float("inf"):
            raise InputError(f"a weight is a positive number, not {weight}")
        self._weight = weight
        if self._shared is not None:
            self._shared.look_again(self)

    def use(self, settings: LodSettings) -> None:
        """Ask for something else."""
        before, self.asked = self.asked, settings
        controller = self.feed.controller
        if controller is not None:
            more = settings.budget.vertices > before.budget.vertices
            other_card = settings.budget.card_bytes != before.budget.card_bytes
            self._share_out(settings.budget, room=more or other_card)
            controller.set_settings(self.given)
            self._wake()

    # what there is

    @property
    def share(self) -> Budget:
        """The part of the budget that this store may draw and hold."""
        return self.asked.budget if self._shared is None else self._shared.share(self)

    @property
    def given(self) -> LodSettings:
        """The settings with the share of this store, and no more vertices than its layer may."""
        return self._within_ceiling(replace(self.asked, budget=self.share))

    @property
    def frame_s(self) -> float | None:
        """Seconds nine of ten recent frames took; None while nobody times them."""
        return None if self._frames is None else self._frames.frame_s

    @property
    def pending(self) -> bool:
        """Whether shares are about to change."""
        return self._shared is not None and self._shared.pending

    # a store comes, is read anew, goes

    def meet(self, viewer: Viewer) -> Budget:
        """Settle with the stores that are there; returns the budget for the layer to make.

        The budget is that of the viewer: the one it has, unless this store came with its own.
        """
        shared = shared_budget(viewer, self.asked.budget)
        others = shared.stores
        if others and self._is_automatic:
            self.asked = replace(self.asked, budget=shared.total)
            self._is_automatic = others[0].automatic
        elif others:
            others[0].automatic = False
        budget = self.asked.budget
        if self._is_automatic:
            budget = replace(budget, vertices=max(budget.vertices, MOST.most))
        return left_on_card(budget, sum(one.feed.card_bytes for one in others))

    def begin(self, viewer: Viewer) -> LodSettings:
        """There is a layer: returns the settings until shares are worked out."""
        if self._is_automatic and not shared_budget(viewer, self.asked.budget).stores:
            self.asked = self._within_ceiling(self.asked)
        return self._within_ceiling(self.asked)

    def join(self, viewer: Viewer) -> None:
        """There is a controller: share from now on."""
        self._shared = shared_budget(viewer, self.asked.budget)
        self._shared.join(self, self._follow)
        self._share_out(self.asked.budget)

    def leave(self) -> None:
        """Share and time frames no more."""
        self._stop_timing()
        if self._shared is not None:
            shared, self._shared = self._shared, None
            shared.leave(self)

    def rows_anew(self, scene: SceneInfo) -> int:
        """Rows for the layer of a store that is read anew."""
        most = self._frames.within.most if self._frames is not None else 0
        budget = left_on_card(self._within_ceiling(self.asked).budget, self._taken)
        return rows_of_budget(scene, replace(budget, vertices=max(budget.vertices, most)))

    def use_levels(self, scene: SceneInfo) -> None:
        """Forget a locked level that the store no longer has."""
        lock = self.asked.level_lock
        if lock is not None and lock not in [level.index for level in scene.levels]:
            self.asked = replace(self.asked, level_lock=None)

    # its layer

    def time_frames(self, on: bool) -> None:
        """Let the vertex budget follow the frames, or not."""
        self._is_automatic = on
        self._stop_timing()
        viewer = self.feed.viewer
        if on and viewer is not None and self.feed.controller is not None:
            self._frames = AutomaticBudget(viewer, self.feed.layer, self._rows_drawn)
            self._make_room(with_vertices(self.asked, self._frames.within.most))

    def watch_layer(self, viewer: Viewer) -> None:
        """There is another layer: follow its frames where the budget does."""
        self._stop_timing()
        if self._is_automatic:
            self._frames = AutomaticBudget(viewer, self.feed.layer, self._rows_drawn)

    def fit_layer(self) -> None:
        """There is another layer, of another kind: use what it can draw."""
        if self._frames is not None:
            self.asked = with_vertices(self.asked, self._frames.within.most)
        self.use(self.asked)

    def make_room(self) -> None:
        """The layer gets the rows the settings need; its cells go up again from memory."""
        self._make_room(self.asked)

    # turns

    def look(self, plan: ViewPlan | None) -> None:
        """After each turn: another plan asks for another share."""
        if plan is not self._planned or not self._was_visible:
            self._planned, self._was_visible = plan, True
            if self._shared is not None:
                self._shared.look_again(self)
        if self._frames is not None:
            self._use_vertices(self._frames.first(self.asked.budget.vertices))

    def look_unseen(self) -> bool:
        """The layer is not to be seen: its share goes to others; whether it holds more yet."""
        if self._shared is None:
            return False
        if self._was_visible:
            self._was_visible = False
            self._shared.look_again(self)
        return self._shared.has_to_give(self)

    def follow_frames(self, now: float) -> None:
        """Now and then: the budget of the viewer follows its frames; ``now`` in seconds."""
        shared = self._shared
        if self._frames is not None and shared is not None and shared.leads(self):
            vertices = self.asked.budget.vertices
            self._use_vertices(self._frames.next(vertices, now, binding=shared.binding))

    # the rest

    @property
    def _together(self) -> list[Budgeting]:
        return [self] if self._shared is None else self._shared.stores

    @property
    def _taken(self) -> int:
        """Bytes of the graphics card that the other stores of the viewer have."""
        return sum(one.feed.card_bytes for one in self._together if one is not self)

    def _use_vertices(self, vertices: int) -> None:
        """Draw so many vertices at most, from the next plan on."""
        if vertices != self.asked.budget.vertices and self.feed.controller is not None:
            self._share_out(with_vertices(self.asked, vertices).budget)

    def _share_out(self, budget: Budget, *, room: bool = False) -> None:
        """This is the budget of the viewer from now on; ``room``: layers may need larger buffers.

        Where it follows the frames they have them.
        """
        for one in {*self._together, self}:
            one.asked = replace(one.asked, budget=budget)
        if self._shared is not None:
            self._shared.use(budget)
            for one in self._together if room else ():
                one.make_room()

    def _follow(self, share: Budget) -> None:
        """Draw and hold so much at most, from the next plan on."""
        if self.feed.controller is not None:
            settings = replace(self.asked, budget=share)
            self.feed.controller.follow_budget(self._within_ceiling(settings).budget)
            self._wake()

    def _within_ceiling(self, settings: LodSettings) -> LodSettings:
        ceiling = self.feed.layer.ceiling
        return within_ceiling(settings, ceiling, automatic=self._is_automatic)

    def _make_room(self, settings: LodSettings) -> None:
        layer, controller = self.feed.layer, self.feed.controller
        if controller is None or self.feed.held_back:  # it is about to get rows of its own
            return
        rows = rows_with_room(
            layer.scene,
            self._within_ceiling(settings).budget,
            taken=self._taken,
            stores=len(self._together),
            rows=layer.capacity,
        )
        if rows != layer.capacity:
            layer.set_capacity(rows)
            controller.forget_layer()

    def _rows_drawn(self) -> int:
        """Of all stores in the viewer: its frames draw them together."""
        drawn: int = self.feed.layer.rows_drawn
        return drawn if self._shared is None else self._shared.rows_drawn

    def _stop_timing(self) -> None:
        if self._frames is not None:
            self._frames.close()
            self._frames = None
