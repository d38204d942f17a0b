"""Two levels of a store in one window: side by side, with a wipe, or in turn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QTimer, Signal

from zv_viewer.errors import InputError
from zv_viewer.flight.popping import Pop, popped
from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.carrying import carry_look, carry_place
from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.tints import Part
from zv_viewer.layers.view import apply_view, read_view
from zv_viewer.planning.switching import Switch
from zv_viewer.session.filtering import filtering_of
from zv_viewer.session.latest import Latest
from zv_viewer.session.looking import find_switch, view_middle
from zv_viewer.session.opening import Opening
from zv_viewer.sources.base import Watched

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Float = npt.NDArray[np.float64]

Way: TypeAlias = Literal["side by side", "wipe", "flicker"]
WAYS: tuple[Way, ...] = get_args(Way)

FLICKER_MS = 600
"""How long each level is seen while they take turns."""

NOWHERE = Part(1.0, 1.0)


def parts_of(way: Way, wipe: float, *, first: bool) -> tuple[Part, Part]:
    """Where on the canvas each of two levels is drawn.

    Args:
        way: How they are compared.
        wipe: Share of the canvas, from the left, that the first one has.
        first: Whether it is the turn of the first one.
    """
    if way == "side by side":
        return Part(-1.0, 0.0, -0.5), Part(0.0, 1.0, 0.5)
    if way == "wipe":
        at = 2 * wipe - 1
        return Part(-1.0, at), Part(at, 1.0)
    return (Part(), NOWHERE) if first else (NOWHERE, Part())


class Comparison(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Two levels of one store under one camera: the store is shown a second time, at another level.

    Both are locked, the first layer at ``levels[0]``, the second at ``levels[1]``, and look alike.
    They share the budget of the window. Signals: ``changed()``, ``switched(Switch)`` or
    ``switched(None)`` when it is known where the viewer changes between the two, ``ended()``.

    Args:
        session: Of the store; open, drawn by the fast layers.
        viewer: The viewer.
        levels: Numbers of the finer and of the coarser level.

    Raises:
        InputError: The store has no such levels, cannot be read twice, or napari's own layers show
            it.
    """

    changed = Signal()
    switched = Signal(object)
    ended = Signal()

    def __init__(
        self,
        session: StoreSession,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        levels: tuple[int, int],
    ) -> None:
        super().__init__()
        from zv_viewer.session.session import StoreSession as Session

        scene, controller = session.scene, session.controller
        if scene is None or controller is None or not isinstance(session.layer, CellLayer):
            raise InputError("levels are compared in fast layers of a store that is open")
        known = [level.index for level in scene.levels]
        if levels[0] == levels[1] or not set(levels) <= set(known):
            raise InputError(f"two levels of {known} are compared, not {levels[0]} and {levels[1]}")
        source = controller.source
        if not isinstance(source, Watched):
            raise InputError(f"{session.path} cannot be opened twice")
        self.session, self.levels = session, levels
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._positions = (known.index(levels[0]), known.index(levels[1]))
        self._way: Way = "side by side"
        self._wipe, self._first = 0.5, True
        self._lock = session.settings.level_lock
        self._lane = Latest("zv-comparing")
        self._flicker = QTimer()
        self._flicker.setInterval(FLICKER_MS)
        self._flicker.timeout.connect(self.flip)
        opening = Opening(session.path, lambda _: source.again())
        name = f"{session.layer.name} (level {levels[1]})"
        self.other = Session(self._viewer, opening, None, name, session.layers)
        self.other.opened.connect(self._on_opened)
        self.other.closed.connect(self.end)
        session.closed.connect(self._on_closed)
        session.layer_changed.connect(self.end)
        session.reloaded.connect(self.end)
        session.update_settings(level_lock=levels[0])
        self._place()

    # what a user sets

    @property
    def way(self) -> Way:
        """How they are compared."""
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self._way, self._first = way, True
        if way == "flicker":
            self._flicker.start()
        else:
            self._flicker.stop()
        self._place()

    @property
    def wipe(self) -> float:
        """Share of the canvas, from the left, that shows the finer level."""
        return self._wipe

    @wipe.setter
    def wipe(self, wipe: float) -> None:
        self._wipe = min(max(wipe, 0.0), 1.0)
        self._place()

    def flip(self) -> None:
        """Let the other level have its turn."""
        self._first = not self._first
        self._place()

    @property
    def shown(self) -> tuple[int, ...]:
        """The levels that have a part of the canvas now, from left to right."""
        if self._way == "flicker":
            return (self.levels[0] if self._first else self.levels[1],)
        return self.levels

    def difference(self) -> Pop:
        """How much of the canvas the two levels draw otherwise, as they are drawn now.

        Raises:
            InputError: One of them is not drawn as asked yet.
        """
        if not (self.session.settled and self.other.is_open and self.other.settled):
            raise InputError("a level is still loading")
        pictures = []
        for first in (True, False):
            self._show(parts_of("flicker", self._wipe, first=first))
            picture = self._viewer.screenshot(canvas_only=True, flash=False)
            pictures.append(np.asarray(picture))
        self._place()
        return popped(*pictures)

    @property
    def busy(self) -> bool:
        """Whether the second layer is not there yet, or a switch is being looked for."""
        return self._lane.busy or not (self.other.is_open or self.other.error)

    def go_to_switch(self) -> None:
        """Move the camera to where the viewer, coming nearer, would take the finer level.

        Nothing is moved where it never does; ``switched`` tells.
        """
        controller, layer = self.session.controller, self.session.layer
        if controller is None:
            return
        camera = camera_of(self._viewer, layer)
        middle = view_middle(self._viewer, layer)
        task = partial(
            find_switch,
            controller,
            controller.tree,
            camera,
            middle,
            self._positions[1],
            {"budget": self.session.settings.budget},
        )
        zoom = float(self._viewer.scene.camera.zoom)
        self._lane.ask(task, partial(self._go, zoom), self._lost)

    def end(self, *_: object) -> None:
        """Show one level, as before."""
        if self.ending:
            return
        self.ending = True
        self._flicker.stop()
        self._lane.close()
        session, other = self.session, self.other
        session.closed.disconnect(self._on_closed)
        for signal in (session.layer_changed, session.reloaded, other.closed):
            signal.disconnect(self.end)
        layer = other.layer
        other.close()
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if isinstance(session.layer, CellLayer):
            session.layer.part = Part()
        if not self._gone:
            session.update_settings(level_lock=self._lock)
        self.ended.emit()

    ending = False
    """Whether it is over."""

    _gone = False

    # what follows

    def _on_closed(self, *_: object) -> None:
        self._gone = True
        self.end()

    def _on_opened(self, *_: object) -> None:
        session, other = self.session, self.other
        if other.shapes is not None:
            other.shapes.close(self._viewer)
        other.update_settings(level_lock=self.levels[1])
        carry_place(session.layer, other.layer)
        carry_look(session.layer, other.layer)
        colours = session.colours
        if colours is not None and colours.attribute is not None:
            other.color_by(colours.attribute, colormap=colours.colormap, limits=colours.limits)
        rules = filtering_of(session).rules
        if rules:
            filtering_of(other).set_rules(rules)
        self._viewer.layers.selection.active = session.layer
        self._place()

    def _place(self) -> None:
        self._show(parts_of(self._way, self._wipe, first=self._first))
        self.changed.emit()

    def _show(self, parts: tuple[Part, Part]) -> None:
        for session, part in zip((self.session, self.other), parts, strict=True):
            if isinstance(session.layer, CellLayer):
                session.layer.part = part

    def _go(self, zoom: float, switch: Switch | None) -> None:
        if switch is not None:
            view = read_view(self._viewer)
            apply_view(self._viewer, replace(view, zoom=zoom * switch.nearer))
        self.switched.emit(switch)

    def _lost(self, error: Exception) -> None:
        raise error
