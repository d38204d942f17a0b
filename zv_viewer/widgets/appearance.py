"""The appearance dock: colours, sizes and opacity of a store, slices and planes that cut it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QGroupBox, QScrollArea, QVBoxLayout, QWidget

from zv_viewer.session import StoreSession
from zv_viewer.session.sizing import Sizing, sizing_of
from zv_viewer.widgets.clip_planes import ClipPlanes
from zv_viewer.widgets.colour_by import ColourBy, Of
from zv_viewer.widgets.look import LookPanel
from zv_viewer.widgets.slab import SlabPanel
from zv_viewer.widgets.store_choice import StoreChoice

APPEARANCE_DOCK = "Appearance"


class AppearanceDock(QScrollArea):
    """How the stores in a viewer look, one store at a time."""

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._session: StoreSession | None = None
        self._sizing: Sizing | None = None
        self.stores = StoreChoice(self._viewer)
        self.colours = ColourBy()
        self.look = LookPanel()
        self.slab = SlabPanel(self._viewer)
        self.planes = ClipPlanes(self._viewer)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addWidget(self.stores)
        column.addWidget(_titled("Colors", self.colours))
        column.addWidget(_titled("Look", self.look))
        column.addWidget(self.slab)
        column.addWidget(_titled("Clipping planes", self.planes))
        column.addStretch()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.stores.chosen.connect(self._show)
        self.colours.chosen.connect(self._on_colours)
        self.look.sized.connect(self._on_sizes)
        self.stores.list_stores()

    def _show(self, session: StoreSession | None) -> None:
        if session is not self._session:
            self._leave(self._session)
            self._session = session
            if session is not None:
                session.recoloured.connect(self._show_colours)
                session.layer_changed.connect(self._show)
                self._sizing = sizing_of(session)
                self._sizing.changed.connect(self._show_sizes)
                if session.objects is not None:
                    session.objects.loaded.connect(self._offer)
        layer = None if session is None else session.layer
        for widget in (self.colours, self.planes):
            widget.setEnabled(session is not None)
        self.look.set_layer(layer)
        self.planes.set_layer(layer)
        self._offer()

    def _leave(self, session: StoreSession | None) -> None:
        if session is not None:
            session.recoloured.disconnect(self._show_colours)
            session.layer_changed.disconnect(self._show)
            if self._sizing is not None:
                self._sizing.changed.disconnect(self._show_sizes)
                self._sizing = None
            if session.objects is not None:
                session.objects.loaded.disconnect(self._offer)

    def _offer(self, *_: object) -> None:
        """Offer what there is to colour by: attributes of vertices, and of objects when read."""
        session = self._session
        objects = None if session is None else session.objects
        can = objects is not None and objects.can_hide
        self.colours.offer(
            None if session is None else session.scene,
            objects.table if can and objects is not None else None,
            by_object=can,
        )
        self.look.size_by.offer(
            None if session is None else session.scene,
            objects.table if can and objects is not None else None,
        )
        self._show_colours()
        self._show_sizes()

    def _show_sizes(self) -> None:
        self.look.show_sizes(None if self._sizing is None else self._sizing.spec)

    def _on_sizes(
        self,
        of: Of,
        key: str | None,
        limits: tuple[float, float] | None,
        pixels: tuple[float, float],
    ) -> None:
        if self._sizing is not None and key is None:
            self._sizing.clear()
        elif self._sizing is not None and key is not None:
            self._sizing.choose(of, key, limits=limits, pixels=pixels)

    def _show_colours(self, *_: object) -> None:
        session = self._session
        if session is not None:
            key = None if session.objects is None else session.objects.coloured_by
            self.colours.show_spec(session.colours, key)

    def _on_colours(
        self,
        of: Of,
        key: str | None,
        colormap: str | None,
        limits: tuple[float, float] | None,
    ) -> None:
        session = self._session
        if session is None:
            return
        if of == "object" and session.objects is not None:
            session.objects.colour_by(key, colormap=colormap, limits=limits)
        else:
            session.color_by(key, colormap=colormap, limits=limits)


def _titled(title: str, widget: QWidget) -> QGroupBox:
    box = QGroupBox(title)
    column = QVBoxLayout(box)
    column.addWidget(widget)
    return box
