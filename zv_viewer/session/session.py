"""One store in one viewer: a timer carries camera moves in and layer updates out."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication

from zarr_vectors.core.backends import StoreLike
from zv_viewer.controller import LodController, LodStats
from zv_viewer.drawing.colours import ColourSpec
from zv_viewer.drawing.first_look import first_look
from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.factory import Backend, make_layer
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.objects import ID
from zv_viewer.rows import RowFilter
from zv_viewer.session import registry
from zv_viewer.session.attaching import attach
from zv_viewer.session.budgeting import Budgeting
from zv_viewer.session.colouring import Colouring
from zv_viewer.session.contents import Contents
from zv_viewer.session.feed import Feed
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.session.opening import Opened, Opening, is_expected, why_not_open
from zv_viewer.session.pulse import Pulse
from zv_viewer.session.reloading import Reloading
from zv_viewer.session.shapes import ShapesOfSession
from zv_viewer.session.swapping import Copied, copy_shown
from zv_viewer.session.turns import Turns

if TYPE_CHECKING:
    from napari.viewer import Viewer

log = logging.getLogger(__name__)


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
        self._feed = Feed(viewer, opening.path, layers)
        self._pulse = Pulse(self._tick, self._before_paint)
        self._budgeting = Budgeting(self._feed, settings, self._pulse.wake)
        self._reloading = Reloading(
            self._feed,
            self._budgeting,
            landed=self._show_anew,
            problem=self.problem.emit,
            wake=self._pulse.wake,
        )
        self._contents = Contents(
            self._feed,
            self._pulse.wake,
            recoloured=self.recoloured.emit,
            problem=self.problem.emit,
        )
        self._colouring = Colouring(self._feed, self._contents)
        self._turns = Turns(
            self._feed,
            self._pulse,
            self._budgeting,
            self._reloading,
            self._colouring,
            changed=self.changed.emit,
            problem=self.problem.emit,
            recoloured=self.recoloured.emit,
        )
        self._opening: Opening | None = opening
        self._name = name
        self.path = opening.path
        self.started = opening.started
        self.error: str | None = None
        self.mistake: Exception | None = None
        registry.keep(self)
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.close)

    # what there is

    @property
    def scene(self) -> SceneInfo | None:
        """What the store is; None until it is open."""
        return self._feed.scene

    @property
    def controller(self) -> LodController | None:
        """What loads the store; None until it is open."""
        return self._feed.controller

    @property
    def layer(self) -> Any:  # noqa: ANN401 - a layer of ours
        """What shows the store; None until it is open."""
        return self._feed.layer

    @property
    def objects(self) -> ObjectsOfSession | None:
        """The objects of the store; None where it has none, and until it is open."""
        return self._contents.objects

    @property
    def shapes(self) -> ShapesOfSession | None:
        """Its parametric objects; None where it can have none, and until it is open."""
        return self._contents.shapes

    # what a user sets

    @property
    def settings(self) -> LodSettings:
        """Budget, quality and locked level asked for; setting them ends an automatic budget.

        The budget is that of all stores in the viewer together; see :attr:`share`. A layer of
        napari's own is given fewer vertices where its ceiling is lower.
        """
        return self._budgeting.asked

    @settings.setter
    def settings(self, settings: LodSettings) -> None:
        self.automatic = False
        self._budgeting.use(settings)

    def update_settings(self, **changes: Any) -> None:  # noqa: ANN401 - fields of LodSettings
        """Change single fields of :attr:`settings`; other vertices end an automatic budget."""
        settings = replace(self.settings, **changes)
        if settings.budget.vertices != self.settings.budget.vertices:
            self.automatic = False
        self._budgeting.use(settings)

    @property
    def automatic(self) -> bool:
        """Whether the vertex budget follows the time frames take; so until somebody sets one."""
        return self._budgeting.automatic

    @automatic.setter
    def automatic(self, on: bool) -> None:
        self._budgeting.automatic = on

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card; those of napari's own layers are not known."""
        return self._feed.card_bytes

    @property
    def share(self) -> Budget:
        """The part of the budget that this store may draw and hold; all of it where it is alone."""
        return self._budgeting.share

    @property
    def weight(self) -> float:
        """How much errors of this store count beside those of others in the viewer; 1 unless set.

        Raises:
            InputError: Set to what is no positive number.
        """
        return self._budgeting.weight

    @weight.setter
    def weight(self, weight: float) -> None:
        self._budgeting.weight = weight

    @property
    def frame_s(self) -> float | None:
        """Seconds nine of ten recent frames took; None while nobody times them."""
        return self._budgeting.frame_s

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
        self._colouring.choose(attribute, colormap, limits)
        self.recoloured.emit()
        self._pulse.wake()

    def set_filter(
        self, kept_by: RowFilter | None, worth: npt.NDArray[np.bool_] | None = None
    ) -> None:
        """Draw only vertices a filter keeps, and read only cells that may hold one.

        Args:
            kept_by: The filter; None: every vertex is drawn.
            worth: (C,) cells of the controller's tree that are worth reading; None: all.
        """
        _, controller = self._feed.need()
        controller.set_filter(kept_by, worth)
        self._pulse.wake()

    def first_colours(self) -> None:
        """Colour so that the picture tells something, before anybody chose."""
        scene, _ = self._feed.need()
        objects = self.objects
        look = first_look(scene, objects=objects is not None and objects.can_hide)
        if objects is not None and look.by_object:
            objects.colour_by(ID)
        elif look.attribute is not None:
            self.color_by(look.attribute)

    @property
    def layers(self) -> Backend:
        """The kind of layers asked for: ``fast``, ``standard`` or ``auto``."""
        return self._feed.backend

    def use_layers(self, backend: Backend) -> None:
        """Show the store in a layer of another kind, in the place of the present one.

        Name, place in the list, visibility, transforms, colours and looks stay as they are.

        Raises:
            InputError: Fast layers are asked for, and this napari allows none.
        """
        self._reloading.land()
        scene, controller = self._feed.need()
        feed, viewer, old = self._feed, self._feed.viewer, self.layer
        new = make_layer(scene, self.settings.budget, name=old.name, backend=backend)
        feed.backend = backend
        if viewer is None or type(new) is type(old):
            return
        feed.show_instead(viewer, new)
        feed.sink = new
        controller.use_layer(new)
        self._contents.use_layer()
        feed.weigh()
        self._watch(viewer)
        self._budgeting.fit_layer()
        self._turns.look_again()
        self.layer_changed.emit(self)

    @property
    def frozen(self) -> bool:
        """Whether what is selected stays as it is, wherever the camera goes; see ``held``."""
        return self.controller is not None and self.controller.held

    @frozen.setter
    def frozen(self, on: bool) -> None:
        _, controller = self._feed.need()
        controller.held = on
        self._turns.look_again()

    def reload(self) -> None:
        """Read the store anew; returns at once, ``reloaded`` tells when the picture is the new one.

        Camera, colours, filters, selection and settings stay, and the picture too until then; or
        for good, with a ``problem``, where the store cannot be read. So does what comes of it when
        somebody else writes to the store, without being asked.

        Raises:
            InputError: The store is of a kind that cannot be read anew.
        """
        self._reloading.begin()

    def draw_anew(self) -> None:
        """Draw the picture again as if no other view had been shown before.

        With settings that have no hysteresis the same view of the same store then is the same
        picture, dot by dot, on one machine. Not ``settled`` until it is there.
        """
        self._reloading.draw_anew()

    @property
    def reloading(self) -> bool:
        """Whether the store is being read anew."""
        return self._reloading.busy

    def copy_shown(self) -> Copied:
        """Add an ordinary layer of napari's with what is drawn now, to be edited and saved."""
        _, controller = self._feed.need()
        viewer = self._feed.viewer
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
        return not self._contents.busy and self._turns.settled

    def stats(self) -> LodStats | None:
        """Figures of the present picture; None before the store is open."""
        return None if self.controller is None else self.controller.stats()

    def wait(self, timeout: float = 60.0) -> bool:
        """Run the event loop until settled; False when time ran out or opening failed.

        Raises:
            Exception: Opening failed by a mistake in the program, which is raised as it was.
        """
        end = time.perf_counter() + timeout
        while not self.settled and self.error is None and time.perf_counter() < end:
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
        viewer = self._feed.viewer
        if viewer is not None and self.controller is not None:
            self.controller.on_frame(camera_of(viewer, self.layer))

    def close(self) -> None:
        """Stop loading, let go of the store; the layer stays until it is removed."""
        if self._pulse.closed:
            return
        self._pulse.close()
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.disconnect(self.close)
        self._feed.listeners.close()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._reloading.close()
        self._budgeting.leave()
        if self.controller is not None:
            self.controller.close()
        self._contents.close()
        registry.let_go(self)
        if self.layer is not None:
            registry.remove(self.layer.unique_id)
        self.closed.emit(self)

    # the loop

    def _tick(self) -> None:
        viewer = self._feed.viewer
        if viewer is None:
            self.close()
            return
        if self._opening is not None:
            if self._opening.done():
                self._finish_opening(viewer, self._opening)
            return
        self._turns.take(viewer)

    def _before_paint(self) -> None:
        viewer = self._feed.viewer
        if viewer is not None and self._opening is None:
            self._turns.before_paint(viewer)

    def _finish_opening(self, viewer: Viewer, opening: Opening) -> None:
        self._opening = None
        try:
            self._attach(viewer, opening.result(0))
        except Exception as error:
            if not is_expected(error):
                log.exception("a mistake in the program while opening %s", self.path)
                self.mistake = error
            self._fail(why_not_open(self.path, error))
        else:
            self._tick()

    def _fail(self, message: str) -> None:
        viewer = self._feed.viewer
        self.error = message
        self._pulse.rest()
        self.failed.emit(message)
        self.close()
        if viewer is not None and self.layer is not None and self.layer in viewer.layers:
            viewer.layers.remove(self.layer)

    def _attach(self, viewer: Viewer, opened: Opened) -> None:
        feed = self._feed
        attach(viewer, opened, feed, self._budgeting, self._contents, self._name)
        self._watch(viewer)
        self._reloading.watch(opened.source)
        self._colouring.apply()
        _, controller = feed.need()
        controller.set_camera(camera_of(viewer, feed.layer))
        self._budgeting.join(viewer)
        self.opened.emit(self)
        registry.add(self.layer.unique_id, self)

    def _show_anew(self, viewer: Viewer, old: object) -> None:
        """The layer, which was ``old``, is empty, for the store as it was read anew."""
        scene, _ = self._feed.need()
        if self.layer is not old:
            self._watch(viewer)
        self._colouring.follow(scene)
        self._feed.weigh()
        self._contents.use_store(viewer)
        self._turns.look_again()
        if self.layer is not old:
            self.layer_changed.emit(self)
        self.reloaded.emit(self)

    def _watch(self, viewer: Viewer) -> None:
        """Follow the camera and the layer, and their frames where the budget does."""
        self._feed.listeners.listen(viewer, self.layer, self._turns.look_again, self._on_removed)
        self._budgeting.watch_layer(viewer)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401 - a napari event
        if event.value is self.layer:
            self.close()
