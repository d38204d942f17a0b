"""One store in one viewer: a timer carries camera moves in and layer updates out."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.exceptions import StoreUnreachable, ZVError
from zv_viewer.controller import LodController, LodStats
from zv_viewer.controller.stats import trouble_text
from zv_viewer.drawing.colours import ColourSpec
from zv_viewer.drawing.density import stands_for
from zv_viewer.drawing.first_look import first_look
from zv_viewer.errors import InputError
from zv_viewer.layers.camera import camera_of, settle_centre
from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.factory import Backend, make_layer, rows_of_budget, rows_on_card
from zv_viewer.layers.points import CellPoints
from zv_viewer.loading.executors import ThreadExecutor
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget, LodSettings, default_settings
from zv_viewer.model.update import LayerSink
from zv_viewer.objects import ID
from zv_viewer.rows import RowFilter
from zv_viewer.session import registry
from zv_viewer.session.attaching import Listeners, has_no_layer, show_whole
from zv_viewer.session.automatic import MOST, AutomaticBudget
from zv_viewer.session.colouring import Colouring
from zv_viewer.session.full_selection import FullSelection
from zv_viewer.session.objects import ObjectsOfSession, objects_of
from zv_viewer.session.opening import Opened, Opening
from zv_viewer.session.reloading import Handover, is_like, same_cells
from zv_viewer.session.shapes import ShapesOfSession, shapes_of
from zv_viewer.session.shared_budget import SharedBudget, shared_budget
from zv_viewer.session.swapping import (
    Copied,
    copy_shown,
    show_instead,
    with_vertices,
    within_ceiling,
)
from zv_viewer.session.watching import StoreWatch
from zv_viewer.sources.base import ChunkSource, KnowsShapes, Watched

if TYPE_CHECKING:
    from napari.viewer import Viewer

log = logging.getLogger(__name__)

TICK_MS = 16
STATS_EVERY_S = 0.2


def open_store(
    viewer: Viewer,
    path: StoreLike,
    *,
    settings: LodSettings | None = None,
    name: str | None = None,
    opening: Opening | None = None,
    layers: Backend = "auto",
    **options: Any,  # noqa: ANN401 - each kind of place has options of its own
) -> StoreSession:
    """Show a store in a viewer; returns at once, the store opens in the background.

    Args:
        viewer: The napari viewer.
        path: Path or URL of a Zarr Vectors store, or a Zarr or obstore store that holds one.
        settings: Budget, quality, locked level; the machine's defaults when None.
        name: Name of the layer; the store's name when None.
        opening: An opening of the same path already under way.
        layers: ``fast``, ``standard`` (layers of napari's own), or ``auto``: fast where this napari
            allows it.
        options: Passed to :func:`zarr_vectors.open_zv`, such as ``backend``, ``region``,
            ``endpoint`` or ``skip_signature``. They are not kept.

    Returns:
        The session: ``session.layer`` once opened, ``session.wait()`` to wait for the settled
        view, ``session.failed`` when it cannot be opened (the window shows the reason too, and a
        mistake in the program is logged and raised by ``session.wait()``).
    """
    return StoreSession(viewer, opening or Opening(path, **options), settings, name, layers)


class StoreSession(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Feeds one layer from one store for as long as the layer is in the viewer.

    Signals: ``opened(session)``, ``failed(message)``, ``changed(LodStats)`` at most five times a
    second, ``problem(message)`` for each chunk that cannot be read, ``layer_changed(session)`` when
    another layer shows the store, ``reloaded(session)`` when it shows what somebody else wrote to
    the store, ``recoloured()`` when something else gives the colours, or their
    limits have become known, ``closed(session)``.
    """

    opened = Signal(object)
    failed = Signal(str)
    changed = Signal(object)
    problem = Signal(str)
    layer_changed = Signal(object)
    reloaded = Signal(object)
    recoloured = Signal()
    closed = Signal(object)

    def __init__(
        self,
        viewer: Viewer,
        opening: Opening,
        settings: LodSettings | None = None,
        name: str | None = None,
        layers: Backend = "auto",
    ) -> None:
        super().__init__()
        viewer = getattr(viewer, "__wrapped__", viewer)
        self._viewer = weakref.ref(viewer)
        self._opening: Opening | None = opening
        self._settings = settings or default_settings()
        self._is_automatic = settings is None
        self._automatic: AutomaticBudget | None = None
        self._shared: SharedBudget | None = None
        self._weight = 1.0
        self._planned: ViewPlan | None = None
        self._was_visible = True
        self._name = name
        self._backend = layers
        self._clock: Callable[[], float] = time.perf_counter
        self._camera_moved = True
        self._again: Opening | None = None
        self._handover: Handover | None = None
        self._watch_store: StoreWatch | None = None
        self._stats_at = 0.0
        self._told = 0
        self._listeners = Listeners()
        self._colouring = Colouring()
        self.path = opening.path
        self.started = opening.started
        self.error: str | None = None
        self.mistake: Exception | None = None
        self.layer: Any = None
        self.scene: SceneInfo | None = None
        self.controller: LodController | None = None
        self.objects: ObjectsOfSession | None = None
        self._full: FullSelection | None = None
        self.shapes: ShapesOfSession | None = None
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        registry.keep(self)
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.close)

    # what a user sets

    @property
    def settings(self) -> LodSettings:
        """Budget, quality and locked level asked for; setting them ends an automatic budget.

        The budget is that of all stores in the viewer together; see :attr:`share`. A layer of
        napari's own is given fewer vertices where its ceiling is lower.
        """
        return self._settings

    @settings.setter
    def settings(self, settings: LodSettings) -> None:
        self.automatic = False
        self._use(settings)

    def update_settings(self, **changes: Any) -> None:  # noqa: ANN401 - fields of LodSettings
        """Change single fields of :attr:`settings`; other vertices end an automatic budget."""
        settings = replace(self._settings, **changes)
        if settings.budget.vertices != self._settings.budget.vertices:
            self.automatic = False
        self._use(settings)

    @property
    def automatic(self) -> bool:
        """Whether the vertex budget follows the time frames take; so until somebody sets one."""
        return self._is_automatic

    @automatic.setter
    def automatic(self, on: bool) -> None:
        if on == self._is_automatic:
            return
        for session in [self] if self._shared is None else self._shared.sessions:
            session._time_frames(on)  # noqa: SLF001 - one of us
        if self._automatic is not None:
            within = self._automatic.within
            self._use_vertices(within.nearest(self._settings.budget.vertices))

    def _time_frames(self, on: bool) -> None:
        """Let the vertex budget follow the frames, or not."""
        self._is_automatic = on
        if self._automatic is not None:
            self._automatic.close()
            self._automatic = None
        viewer = self._viewer()
        if on and viewer is not None and self.is_open:
            self._automatic = AutomaticBudget(viewer, self.layer, self._rows_drawn)
            self._make_room(with_vertices(self._settings, self._automatic.within.most))

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card; those of napari's own layers are not known."""
        return int(getattr(self.layer, "card_bytes", 0))

    @property
    def share(self) -> Budget:
        """The part of the budget that this store may draw and hold; all of it where it is alone."""
        shared = self._shared
        return self._settings.budget if shared is None else shared.share(self)

    @property
    def weight(self) -> float:
        """How much errors of this store count beside those of others in the viewer; 1 unless set.

        Raises:
            InputError: Set to what is no positive number.
        """
        return self._weight

    @weight.setter
    def weight(self, weight: float) -> None:
        if not 0 < weight < float("inf"):
            raise InputError(f"a weight is a positive number, not {weight}")
        self._weight = weight
        if self._shared is not None:
            self._shared.look_again(self)

    @property
    def frame_s(self) -> float | None:
        """Seconds nine of ten recent frames took; None while nobody times them."""
        return None if self._automatic is None else self._automatic.frame_s

    def color_by(
        self,
        attribute: str | None,
        *,
        colormap: str | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Colour by an attribute, or plainly (None).

        Args:
            attribute: A vertex attribute of the store.
            colormap: A napari/vispy colormap name; ``viridis`` for numbers, a palette for
                categories.
            limits: Values at the ends of the colormap; the store's recorded range when None. They
                stay as they are whatever level is drawn.

        Raises:
            KeyError: The store has no such attribute.
        """
        scene, controller = self._need_open()
        self._colouring.choose(scene, attribute, colormap, limits)
        controller.set_attribute(attribute)
        if self.objects is not None and self.objects.coloured_by is not None:
            self.objects.colour_by(None)
        self._colouring.learn_limits(controller, self.layer)
        self._colouring.apply(self.layer)
        self.recoloured.emit()
        self._wake()

    def set_filter(
        self, kept_by: RowFilter | None, worth: npt.NDArray[np.bool_] | None = None
    ) -> None:
        """Draw only vertices a filter keeps, and read only cells that may hold one.

        Args:
            kept_by: The filter; None: every vertex is drawn.
            worth: (C,) cells of the controller's tree that are worth reading; None: all.
        """
        _, controller = self._need_open()
        controller.set_filter(kept_by, worth)
        self._wake()

    def first_colours(self) -> None:
        """Colour so that the picture tells something, before anybody chose."""
        scene, _ = self._need_open()
        objects = self.objects
        can = objects is not None and objects.can_hide
        look = first_look(scene, objects=can)
        if objects is not None and look.by_object:
            objects.colour_by(ID)
        elif look.attribute is not None:
            self.color_by(look.attribute)

    @property
    def layers(self) -> Backend:
        """The kind of layers asked for: ``fast``, ``standard`` or ``auto``."""
        return self._backend

    def use_layers(self, backend: Backend) -> None:
        """Show the store in a layer of another kind, in the place of the present one.

        Name, place in the list, visibility, transforms, colours and looks stay as they are.

        Raises:
            InputError: Fast layers are asked for, and this napari allows none.
        """
        if self._handover is not None:
            self._handover.land()
        scene, controller = self._need_open()
        viewer, old = self._viewer(), self.layer
        new = make_layer(scene, self._settings.budget, name=old.name, backend=backend)
        self._backend = backend
        if viewer is None or type(new) is type(old):
            return
        self._listeners.close()
        show_instead(viewer, old, new)
        self.layer = new
        registry.move(old.unique_id, new.unique_id)
        controller.use_layer(new)
        if self.objects is not None:
            self.objects.use_layer(new)
        self._weigh()
        self._watch(viewer)
        if self._automatic is not None:
            self._settings = with_vertices(self._settings, self._automatic.within.most)
        self._use(self._settings)
        self._on_camera()
        self.layer_changed.emit(self)

    def reload(self) -> None:
        """Read the store anew; returns at once, ``reloaded`` tells when the picture is the new one.

        Camera, colours, filters, selection and settings stay, and the picture too until then; or
        for good, with a ``problem``, where the store cannot be read. So does what comes of it when
        somebody else writes to the store, without being asked.

        Raises:
            InputError: The store is of a kind that cannot be read anew.
        """
        _, controller = self._need_open()
        source = controller.source
        if not isinstance(source, Watched):
            raise InputError(f"{self.path} cannot be read anew")
        if self._again is None:
            self._again = Opening(self.path, lambda _: source.again())
            self._wake()

    @property
    def reloading(self) -> bool:
        """Whether the store is being read anew."""
        return self._again is not None or self._handover is not None

    def copy_shown(self) -> Copied:
        """Add an ordinary layer of napari's with what is drawn now, to be edited and saved."""
        _, controller = self._need_open()
        viewer = self._viewer()
        copied = copy_shown(controller, self.layer, self.colours)
        if viewer is not None:
            viewer.add_layer(copied.layer)
        return copied

    # what a program asks

    @property
    def colours(self) -> ColourSpec | None:
        """How the store is coloured; None until somebody chose."""
        return self._colouring.spec

    @property
    def is_open(self) -> bool:
        """Whether the layer is there and fed."""
        return self.controller is not None

    @property
    def settled(self) -> bool:
        """Whether the picture is the one asked for and nothing is under way."""
        if self.controller is None or (self.shapes is not None and self.shapes.busy):
            return False
        if self._shared is not None and self._shared.pending:
            return False
        return not self._camera_moved and not self.reloading and self.controller.settled

    def stats(self) -> LodStats | None:
        """Figures of the present picture; None before the store is open."""
        return None if self.controller is None else self.controller.stats()

    def wait(self, timeout: float = 60.0) -> bool:
        """Run the event loop until settled; False when time ran out or opening failed.

        Raises:
            Exception: Opening failed by a mistake in the program, which is raised as it was.
        """
        end = self._clock() + timeout
        while not self.settled and self.error is None and self._clock() < end:
            QApplication.processEvents()
            time.sleep(0.002)
        self.raise_mistake()
        return self.settled

    def raise_mistake(self) -> None:
        """Raise what opening raised, if it was neither the store's fault nor the user's."""
        if self.mistake is not None:
            raise self.mistake

    def on_frame(self) -> None:
        """Tell the controller that a frame was painted with the present camera."""
        viewer = self._viewer()
        if viewer is not None and self.controller is not None:
            self.controller.on_frame(camera_of(viewer, self.layer))

    def close(self) -> None:
        """Stop loading, let go of the store; the layer stays until it is removed."""
        if self._timer is None:
            return
        self._timer.stop()
        self._timer.timeout.disconnect(self._tick)
        self._timer = None
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.disconnect(self.close)
        self._listeners.close()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._watch_store is not None:
            self._watch_store.close()
            self._watch_store = None
        if self._automatic is not None:
            self._automatic.close()
            self._automatic = None
        if self._shared is not None:
            shared, self._shared = self._shared, None
            shared.leave(self)
        if self.controller is not None:
            self.controller.close()
        if self._full is not None:
            self._full.close()
        if self.objects is not None:
            self.objects.close()
        if self.shapes is not None:
            self.shapes.close(self._viewer())
        registry.let_go(self)
        if self.layer is not None:
            registry.remove(self.layer.unique_id)
        self.closed.emit(self)

    # the loop

    def _tick(self) -> None:
        viewer = self._viewer()
        if viewer is None:
            self.close()
            return
        if self._opening is not None:
            if self._opening.done():
                self._finish_opening(viewer, self._opening)
            return
        if self._again is not None and self._again.done():
            self._finish_reading_anew(viewer, self._again)
        controller = self.controller
        if controller is None:
            return
        if self._handover is not None and self._handover.is_due(
            settled=not self.layer.visible or (not self._camera_moved and controller.settled)
        ):
            self._handover.land()
            self._make_room(self._settings)
        if not self.layer.visible and self._again is None:
            self._rest_unseen(controller)
            return
        if self._camera_moved:
            self._camera_moved = False
            controller.set_camera(camera_of(viewer, self.layer))
        controller.tick()
        if controller.plan is not self._planned or not self._was_visible:
            self._planned, self._was_visible = controller.plan, True
            if self._shared is not None:
                self._shared.look_again(self)
        if self._automatic is not None:
            self._use_vertices(self._automatic.first(self._settings.budget.vertices))
        if self._colouring.learn_limits(controller, self.layer):
            self.recoloured.emit()
        self._tell(controller)
        rests = controller.idle and not self._camera_moved and not self.reloading
        if rests and not settle_centre(viewer, self.layer):
            self.changed.emit(controller.stats())
            self._timer.stop()
        self._pace()

    def _pace(self) -> None:
        """Turns are as far apart as the layer needs to be filled and the window to answer."""
        pause = max(TICK_MS, round(1e3 * self.layer.pause_s))
        if self._timer is not None and self._timer.interval() != pause:
            self._timer.setInterval(pause)

    def _use(self, settings: LodSettings) -> None:
        before, self._settings = self._settings, settings
        if self.controller is not None:
            more = settings.budget.vertices > before.budget.vertices
            other_card = settings.budget.card_bytes != before.budget.card_bytes
            self._share_out(settings.budget, room=more or other_card)
            self.controller.set_settings(self._given(settings))
            self._wake()

    def _rest_unseen(self, controller: LodController) -> None:
        """The layer is not to be seen: give its share to others, then do nothing."""
        if self._shared is not None and self._was_visible:
            self._was_visible = False
            self._shared.look_again(self)
        if self._shared is not None and self._shared.has_to_give(self):
            controller.tick()
        else:
            self._timer.stop()

    def _use_vertices(self, vertices: int) -> None:
        """Draw so many vertices at most, from the next plan on."""
        if vertices != self._settings.budget.vertices and self.controller is not None:
            self._share_out(with_vertices(self._settings, vertices).budget)

    def _share_out(self, budget: Budget, *, room: bool = False) -> None:
        """This is the budget of the viewer from now on; ``room``: layers may need larger buffers.

        Where it follows the frames they have them.
        """
        self._settings = replace(self._settings, budget=budget)
        if self._shared is not None:
            for session in self._shared.sessions:
                session._settings = replace(session._settings, budget=budget)  # noqa: SLF001
            self._shared.use(budget)
            for session in self._shared.sessions if room else ():
                session._make_room(session._settings)  # noqa: SLF001 - one of us

    def _follow(self, share: Budget) -> None:
        """Draw and hold so much at most, from the next plan on."""
        if self.controller is not None:
            settings = replace(self._settings, budget=share)
            self.controller.follow_budget(self._within_ceiling(settings).budget)
            self._wake()

    def _given(self, settings: LodSettings) -> LodSettings:
        """The settings with the share of this store, and no more vertices than its layer may."""
        return self._within_ceiling(replace(settings, budget=self.share))

    def _within_ceiling(self, settings: LodSettings) -> LodSettings:
        return within_ceiling(settings, self.layer.ceiling, automatic=self._is_automatic)

    def _rows_drawn(self) -> int:
        """Of all stores in the viewer: its frames draw them together."""
        drawn: int = self.layer.rows_drawn if self._shared is None else self._shared.rows_drawn
        return drawn

    def _on_card(self, budget: Budget) -> Budget:
        """A budget with what the other stores of the viewer leave on the graphics card."""
        others = [] if self._shared is None else self._shared.sessions
        taken = sum(one.card_bytes for one in others if one is not self)
        return replace(budget, card_bytes=max(budget.card_bytes - taken, 1))

    def _make_room(self, settings: LodSettings) -> None:
        """A larger budget may need a larger buffer, a lower cap of the card a smaller one.

        Its cells go up again from memory. Where a cap is lowered no store gets less than its part.
        """
        if self._handover is not None:  # the layer is about to get rows of its own
            return
        scene, budget = self.layer.scene, self._within_ceiling(settings).budget
        left = self._on_card(budget)
        if rows_on_card(scene, left.card_bytes) < self.layer.capacity:
            stores = 1 if self._shared is None else len(self._shared.sessions)
            part = max(left.card_bytes, budget.card_bytes // stores)
            rows = rows_of_budget(scene, replace(budget, card_bytes=part))
        else:
            rows = max(rows_of_budget(scene, left), self.layer.capacity)
        if rows != self.layer.capacity and self.controller is not None:
            self.layer.set_capacity(rows)
            self.controller.forget_layer()

    def _tell(self, controller: LodController) -> None:
        for failure in controller.failures[self._told :]:
            self.problem.emit(failure.message)
        self._told = len(controller.failures)
        now = self._clock()
        if now - self._stats_at >= STATS_EVERY_S:
            self._stats_at = now
            stats = controller.stats()
            shared = self._shared
            if self._automatic is not None and shared is not None and shared.leads(self):
                vertices = self._settings.budget.vertices
                self._use_vertices(self._automatic.next(vertices, now, binding=shared.binding))
            self.changed.emit(stats)

    def _wake(self, *_: object) -> None:
        if self._timer is not None and not self._timer.isActive():
            self._timer.start(TICK_MS)

    def _on_camera(self, *_: object) -> None:
        self._camera_moved = True
        self._wake()

    def _finish_opening(self, viewer: Viewer, opening: Opening) -> None:
        self._opening = None
        try:
            self._attach(viewer, opening.result(0))
        except StoreUnreachable as error:
            self._fail(f"{self.path} cannot be reached: {trouble_text(error.trouble)}; {error}")
        except (ZVError, InputError) as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"{self.path} cannot be opened: {error}")
        except Exception as error:
            log.exception("a mistake in the program while opening %s", self.path)
            self.mistake = error
            what = f"{type(error).__name__}: {error}"
            self._fail(f"{self.path} cannot be opened by a mistake in the program: {what}")
        else:
            self._tick()

    def _fail(self, message: str) -> None:
        viewer = self._viewer()
        self.error = message
        self._timer.stop()
        self.failed.emit(message)
        self.close()
        if viewer is not None and self.layer is not None and self.layer in viewer.layers:
            viewer.layers.remove(self.layer)

    def _attach(self, viewer: Viewer, opened: Opened) -> None:
        scene = opened.scene
        first = has_no_layer(viewer)
        self.scene = scene
        shared = self._joined(viewer)
        with ExitStack() as on_failure:
            on_failure.callback(opened.source.close)
            budget = self._settings.budget
            if self._is_automatic:
                budget = replace(budget, vertices=max(budget.vertices, MOST.most))
            taken = sum(one.card_bytes for one in shared.sessions)
            budget = replace(budget, card_bytes=max(budget.card_bytes - taken, 1))
            self.layer = make_layer(scene, budget, name=self._name, backend=self._backend)
            viewer.add_layer(self.layer)
            on_failure.pop_all()
        if self._is_automatic and not shared.sessions:
            self._settings = self._within_ceiling(self._settings)
        self.controller = LodController(
            opened.source,
            scene,
            self.layer,
            ThreadExecutor(),
            self._within_ceiling(self._settings),
            self._clock,
            tree=opened.tree,
        )
        self.controller.take_in(opened.coarsest)
        self._stands_for = stands_for(opened.tree)
        self._weigh()
        self.objects = objects_of(opened.source, scene, self.layer)
        if self.objects is not None:
            self.objects.colours_changed.connect(self.recoloured)
            self._full = FullSelection(self.objects, self._need_open, self._wake, self.problem.emit)
        if first:
            show_whole(viewer, scene)
        self.shapes = shapes_of(opened.source, scene, self._backend)
        if self.shapes is not None:
            self.shapes.failed.connect(self.problem)
            self.shapes.load(viewer)
        self._watch(viewer)
        self._watch_changes(opened.source)
        self._colouring.apply(self.layer)
        self.controller.set_camera(camera_of(viewer, self.layer))
        self._shared = shared
        shared.join(self, self._follow)
        self._share_out(self._settings.budget)
        self.opened.emit(self)
        registry.add(self.layer.unique_id, self)

    def _finish_reading_anew(self, viewer: Viewer, opening: Opening) -> None:
        self._again = None
        try:
            opened = opening.result(0)
        except (ZVError, InputError, OSError) as error:
            self.problem.emit(f"the picture of {self.path} stays as it was: {error}")
        else:
            self._exchange(viewer, opened)

    def _exchange(self, viewer: Viewer, opened: Opened) -> None:
        """Plan, load and keep for the layer what was read anew, until there is a picture of it."""
        before, old = self._need_open()
        scene = self.scene = opened.scene
        lock = self._settings.level_lock
        if lock is not None and lock not in [level.index for level in scene.levels]:
            self._settings = replace(self._settings, level_lock=None)
        most = self._automatic.within.most if self._automatic is not None else 0
        budget = self._on_card(self._within_ceiling(self._settings).budget)
        rows = rows_of_budget(scene, replace(budget, vertices=max(budget.vertices, most)))
        self._handover = Handover(rows, partial(self._land, viewer, scene, rows), self._clock)
        old.close()
        self.controller = LodController(
            opened.source,
            scene,
            self._handover,
            ThreadExecutor(),
            self._given(self._settings),
            self._clock,
            tree=opened.tree,
        )
        attribute = old.stats().attribute
        kept = same_cells(before, old.tree, scene, opened.tree, opened.source, attribute)
        self.controller.follow(old, kept)
        self._stands_for = stands_for(opened.tree)
        self._told = 0
        self._camera_moved = True
        if self._watch_store is not None and isinstance(opened.source, Watched):
            self._watch_store.use(opened.source)

    def _land(self, viewer: Viewer, scene: SceneInfo, rows: int) -> LayerSink:
        """Empty the layer for a store read anew, or put another in its place."""
        old, self._handover = self.layer, None
        _, controller = self._need_open()
        if isinstance(old, CellLayer) and is_like(old.scene, scene):
            old.use_scene(scene, rows)
        else:
            self._listeners.close()
            self.layer = make_layer(scene, rows, name=old.name, backend=self._backend)
            name = old.name
            show_instead(viewer, old, self.layer)
            self.layer.name = name
            registry.move(old.unique_id, self.layer.unique_id)
            self._watch(viewer)
        self._colouring.follow(scene)
        self._colouring.apply(self.layer)
        self._weigh()
        self._renew_objects(viewer, controller.source, scene)
        self._on_camera()
        if self.layer is not old:
            self.layer_changed.emit(self)
        self.reloaded.emit(self)
        return cast("LayerSink", self.layer)

    def _renew_objects(self, viewer: Viewer, source: ChunkSource, scene: SceneInfo) -> None:
        if self.objects is not None:
            self.objects.use_store(source, scene, self.layer)
        if self.shapes is not None and isinstance(source, KnowsShapes):
            self.shapes.use_store(viewer, source, scene)

    def _watch_changes(self, source: ChunkSource) -> None:
        """Read the store anew when somebody else has written to it."""
        if isinstance(source, Watched) and source.may_change:
            watch = self._watch_store = StoreWatch(source)
            watch.changed.connect(self.reload)
            watch.lost.connect(
                lambda why: self.problem.emit(f"the picture of {self.path} stays as it was: {why}")
            )
            watch.back.connect(self._on_back)

    def _on_back(self) -> None:
        if self.controller is not None:
            self.controller.retry()
            self._wake()

    def _weigh(self) -> None:
        """Tell a layer of points what its rows stand for."""
        if isinstance(self.layer, CellPoints):
            self.layer.set_stands_for(self._stands_for)

    def _watch(self, viewer: Viewer) -> None:
        """Follow the camera and the layer, and their frames where the budget does."""
        self._listeners.listen(viewer, self.layer, self._on_camera, self._on_removed)
        if self._automatic is not None:
            self._automatic.close()
            self._automatic = None
        if self._is_automatic:
            self._automatic = AutomaticBudget(viewer, self.layer, self._rows_drawn)

    def _joined(self, viewer: Viewer) -> SharedBudget:
        """The budget of the viewer: the one it has, unless this store came with one of its own."""
        shared = shared_budget(viewer, self._settings.budget)
        others = shared.sessions
        if others and self._is_automatic:
            self._settings = replace(self._settings, budget=shared.total)
            self._is_automatic = others[0].automatic
        elif others:
            others[0].automatic = False
        return shared

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401 - a napari event
        if event.value is self.layer:
            self.close()

    def _need_open(self) -> tuple[SceneInfo, LodController]:
        if self.scene is None or self.controller is None:
            raise RuntimeError(f"{self.path} is not open yet; wait for the `opened` signal")
        return self.scene, self.controller
