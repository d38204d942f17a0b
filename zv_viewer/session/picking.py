"""A click on a layer: which row it means, and what is known of that, worked out in a thread."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from zv_viewer.controller.telling import WhatIsThis, what_is
from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.ring import Ring
from zv_viewer.model.camera import Camera
from zv_viewer.rows.drawn import Drawn
from zv_viewer.rows.picking import pick
from zv_viewer.session.latest import Latest

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Float = npt.NDArray[np.float64]

RADIUS_PX = 6.0
"""Canvas pixels around a click in which something is looked for."""

CLICK_PX = 3.0
"""A press that moves less is a click."""


@dataclass(frozen=True, eq=False, slots=True)
class Picked:
    """What a click meant, and why it is not drawn finer."""

    what: WhatIsThis
    reason: str


class Picking(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Listens to clicks on the layer of a session while that layer is selected.

    Signals: ``picked(Picked)``, or ``picked(None)`` where nothing is drawn near the click, and
    ``failed(message)``.

    Args:
        session: Open.
        viewer: The viewer of its layer.
    """

    picked = Signal(object)
    failed = Signal(str)

    def __init__(self, session: StoreSession, viewer: Any) -> None:  # noqa: ANN401 - napari's
        super().__init__()
        self._session = session
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._lane = Latest("zv-picking")
        self.last: Picked | None = None
        self._layer: Any = None
        self._ring: Ring | None = None
        self._listen()
        session.layer_changed.connect(self._listen)
        session.closed.connect(self.close)

    @property
    def busy(self) -> bool:
        """Whether a click is being answered."""
        return self._lane.busy

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._lane.close()
        self._mark(None)
        self._layer.mouse_drag_callbacks.remove(self._on_press)
        _known.pop(self._session, None)

    def _listen(self, *_: object) -> None:
        if self._layer is not None:
            self._mark(None)
            self._layer.mouse_drag_callbacks.remove(self._on_press)
        self._layer = self._session.layer
        self._layer.mouse_drag_callbacks.append(self._on_press)

    def at(self, x: float, y: float) -> None:
        """Answer a click on the canvas, canvas pixels from its upper left corner."""
        session = self._session
        controller, scene = session.controller, session.scene
        if controller is None or scene is None:
            return
        layer, now = session.layer, controller.drawn
        camera = camera_of(self._viewer, layer)
        ratio = camera.viewport[0] / float(self._viewer.canvas.size[1])
        drawn = Drawn(
            now.cells,
            now.items,
            now.object_levels,
            layer.object_looks if scene.has_objects else None,
            *clipping(layer),
        )
        task = partial(
            self._answer, camera, drawn, (x * ratio, y * ratio), RADIUS_PX * ratio, self._reason()
        )
        self._lane.ask(task, self._have, lambda error: self.failed.emit(str(error)))

    def _on_press(self, layer: Any, event: Any) -> Generator[None, None, None]:  # noqa: ANN401
        del layer
        start = np.asarray(event.pos, float)
        yield
        while event.type == "mouse_move":
            if np.abs(np.asarray(event.pos, float) - start).max() > CLICK_PX:
                return
            yield
        self.at(float(start[0]), float(start[1]))

    def _reason(self) -> str:
        stats = self._session.stats()
        if stats is None:
            return ""
        return f"still {stats.waiting_for}" if stats.waiting_for else stats.reason

    def _answer(
        self,
        camera: Camera,
        drawn: Drawn,
        pointer: tuple[float, float],
        radius_px: float,
        reason: str,
    ) -> Picked | None:
        controller, scene = self._session.controller, self._session.scene
        if controller is None or scene is None:
            return None
        tree, source = controller.tree, controller.source
        hit = pick(scene, tree, camera, drawn, pointer, radius_px)
        if hit is None:
            return None
        arrays = next(cell for cell in drawn.cells if cell.cell == hit.cell)
        unread = controller.unread(hit.cell)
        what = what_is(source, scene, tree, camera, controller.plan, arrays, unread, hit)
        return Picked(what, reason)

    def _have(self, picked: Picked | None) -> None:
        self.last = picked
        self._mark(None if picked is None else picked.what.shown.position)
        objects = self._session.objects
        if picked is not None and objects is not None and objects.table is not None:
            number = picked.what.shown.object_id
            objects.select([] if number is None else [number])
        self.picked.emit(picked)

    def _mark(self, position: tuple[float, ...] | None) -> None:
        """A ring around what was picked; napari's own layers get one in a layer of its own."""
        if isinstance(self._layer, CellLayer):
            self._layer.marked = position
            return
        layers = self._viewer.layers
        if self._ring is not None and self._ring in layers:
            layers.remove(self._ring)
        self._ring = None
        if position is not None and self._layer in layers:
            selected, active = set(layers.selection), layers.selection.active
            self._ring = Ring(position, self._layer)
            self._viewer.add_layer(self._ring)
            layers.selection = selected
            layers.selection.active = active


def clipping(layer: Any) -> tuple[Float, Float]:  # noqa: ANN401 - a napari layer
    """(P, D) normals of the planes that clip a layer, and (P,) how far along them it begins.

    Planes lie in the last three axes of the order of axes; distances are from the scene's origin.
    """
    planes = layer.experimental_clipping_planes.as_array()
    origin = layer.scene.origin
    axes = list(layer._slice_input.order)[-3:]  # noqa: SLF001 - napari has no public word for it
    normals, places = np.zeros((2, len(planes), len(origin)))
    if len(planes):
        normals[:, axes] = planes[:, 1, -len(axes) :]
        places[:, axes] = planes[:, 0, -len(axes) :]
    return normals, ((places - origin) * normals).sum(axis=1)


_known: WeakKeyDictionary[StoreSession, Picking] = WeakKeyDictionary()


def picking_of(session: StoreSession, viewer: Any) -> Picking:  # noqa: ANN401 - a napari viewer
    """What answers clicks on a session's layer; always the same one."""
    if session not in _known:
        _known[session] = Picking(session, viewer)
    return _known[session]
