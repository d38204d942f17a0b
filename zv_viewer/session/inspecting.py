"""What a window shows of how a store is drawn: colours of cells, outlines, a frozen selection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from zv_viewer.controller import LodController
from zv_viewer.drawing.drawn import DrawnLevel
from zv_viewer.drawing.outlines import Boxes
from zv_viewer.drawing.tints import (
    EXACT,
    Entry,
    Quantity,
    byte_colours,
    byte_legend,
    error_colours,
    error_legend,
    level_colours,
    level_legend,
)
from zv_viewer.errors import InputError
from zv_viewer.layers.cells import CellLayer
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning.error import measure
from zv_viewer.session.drawn_looks import Looked, Outline, look
from zv_viewer.session.latest import Latest

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Int = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]


class Inspecting(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Shows how one store is drawn; used in the GUI thread.

    Signals: ``changed()`` when the legend or the outlines are others.

    Args:
        session: Open.
    """

    changed = Signal()

    def __init__(self, session: StoreSession) -> None:
        super().__init__()
        self._session = session
        self._lane = Latest("zv-inspecting")
        self._quantity: Quantity | None = None
        self._outline: Outline = "none"
        self._asked: tuple[object, ...] = ()
        self._levels: dict[int, DrawnLevel] = {}
        self._levels_of: UInt8 | None = None
        self._byte_limits = (1, 1)
        self.legend: tuple[Entry, ...] = ()
        """What the colours stand for."""
        self.boxes: Boxes | None = None
        """What is outlined; None where nothing is."""
        session.changed.connect(self._refresh)
        session.layer_changed.connect(self._on_layer)
        session.reloaded.connect(self._on_layer)
        session.closed.connect(self.close)

    # what a user sets

    @property
    def quantity(self) -> Quantity | None:
        """What cells are coloured by; None where rows have their own colours."""
        return self._quantity

    def colour_by(self, quantity: Quantity | None) -> None:
        """Colour every cell drawn by its level, its error on the canvas, or its bytes.

        No row is uploaded again; None gives rows their own colours back.

        Raises:
            InputError: The layer is one of napari's own.
        """
        if quantity is not None:
            self._need_cells()
        self._quantity = quantity
        self._on_layer()

    @property
    def outline(self) -> Outline:
        """What is outlined of what is drawn."""
        return self._outline

    def show_outlines(self, outline: Outline) -> None:
        """Outline the chunks, or the bins, that what is drawn lies in.

        Raises:
            InputError: The layer is one of napari's own.
        """
        if outline != "none":
            self._need_cells()
        self._outline = outline
        self._on_layer()

    @property
    def frozen(self) -> bool:
        """Whether what is selected stays as it is while the camera goes elsewhere."""
        return self._session.frozen

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._session.frozen = on
        self._on_layer()

    @property
    def busy(self) -> bool:
        """Whether outlines are being worked out."""
        return self._lane.busy

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._lane.close()
        _known.pop(self._session, None)

    # what follows from it

    def _need_cells(self) -> None:
        if not isinstance(self._session.layer, CellLayer):
            raise InputError("layers of napari's own cannot show how they are drawn")

    def _on_layer(self, *_: object) -> None:
        layer = self._session.layer
        self._asked = ()
        if isinstance(layer, CellLayer):
            if self._quantity is not None:
                self._learn_limits()
            layer.set_tints(None if self._quantity is None else self._colours)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        session, layer = self._session, self._session.layer
        controller, scene = session.controller, session.scene
        if controller is None or scene is None or session.reloading:
            return
        if not isinstance(layer, CellLayer):
            self.legend, self.boxes, self._asked = (), None, ()
            self.changed.emit()
            return
        if self._quantity is not None:
            self._learn_limits()
            layer.tint_anew()
        self._look(scene, controller)
        self.legend = self._legend(scene)
        self.changed.emit()

    def _look(self, scene: SceneInfo, controller: LodController) -> None:
        """Find out in a thread what is drawn, where that is wanted and is something else."""
        camera, outlined = controller.camera, self._outline != "none" or self.frozen
        if camera is None or not (outlined or self._quantity == "level"):
            self.boxes, self._asked = None, ()
            self._session.layer.outlines = None
            return
        drawn = controller.drawn
        self._levels_of = drawn.object_levels  # kept, so that its id stays its own
        wanted = (self._outline, self.frozen, camera.displayed)
        now = (*wanted, drawn.items, id(drawn.object_levels), controller)
        if now != self._asked:
            self._asked = now
            task = partial(look, scene, controller.tree, drawn, camera, *wanted[:2])
            self._lane.ask(task, partial(self._have, now), self._lost)

    def _colours(self, cells: Int) -> UInt8:
        """(N, 3) colours of cells, asked for by the layer."""
        controller = self._session.controller
        if controller is None or self._session.reloading:  # cells of the store as it was
            return np.full((len(cells), 3), EXACT, np.uint8)
        tree, camera = controller.tree, controller.camera
        if self._quantity == "level" or camera is None:
            return level_colours(tree.level[cells])
        if self._quantity == "bytes":
            return byte_colours(tree.fetch_bytes[cells], self._byte_limits)
        scale = measure(camera, tree.lo[cells], tree.hi[cells]).px_per_unit
        return error_colours(tree.error[cells] * scale, self._session.settings.quality_px)

    def _learn_limits(self) -> None:
        controller = self._session.controller
        if controller is not None:
            cells = np.array([item.cell for item in controller.drawn.items], np.int64)
            nbytes = controller.tree.fetch_bytes[cells]
            least, most = nbytes.min(initial=1 << 62), nbytes.max(initial=1)
            self._byte_limits = (int(min(least, most)), int(most))

    def _legend(self, scene: SceneInfo) -> tuple[Entry, ...]:
        if self._quantity == "error":
            return error_legend(self._session.settings.quality_px)
        if self._quantity == "bytes":
            return byte_legend(self._byte_limits)
        if self._quantity is None:
            return ()
        return level_legend(
            {at: f"level {scene.levels[at].index}: {one.text}" for at, one in self._levels.items()}
        )

    def _have(self, asked: tuple[object, ...], found: Looked) -> None:
        layer, scene = self._session.layer, self._session.scene
        if asked == self._asked and isinstance(layer, CellLayer) and scene is not None:
            self._levels, self.boxes = found.levels, found.boxes
            layer.outlines = found.outlines
            self.legend = self._legend(scene)
            self.changed.emit()

    def _lost(self, error: Exception) -> None:
        self._asked = ()
        raise error


_known: WeakKeyDictionary[Any, Inspecting] = WeakKeyDictionary()


def inspecting_of(session: StoreSession) -> Inspecting:
    """What shows how a session's store is drawn; always the same one."""
    if session not in _known:
        _known[session] = Inspecting(session)
    return _known[session]
