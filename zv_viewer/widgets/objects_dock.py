"""The objects dock of a viewer: the panel for the objects of one store at a time."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from zv_viewer.session import StoreSession
from zv_viewer.session.jumping import look_at
from zv_viewer.widgets.objects import ObjectsPanel
from zv_viewer.widgets.store_choice import StoreChoice

OBJECTS_DOCK = "Objects"


class ObjectsDock(QWidget):
    """Stores that have objects, and the panel of the one chosen; its table is read when shown."""

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._viewer = napari_viewer
        self._session: StoreSession | None = None
        self.stores = StoreChoice(napari_viewer, lists=has_objects)
        self.panel = ObjectsPanel()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stores)
        column.addWidget(self.panel, stretch=1)
        self.stores.chosen.connect(self._show)
        self.panel.jump_asked.connect(self._on_jump)
        self.stores.list_stores()

    def _show(self, session: StoreSession | None) -> None:
        if session is self._session:
            return
        self._session = session
        objects = None if session is None else session.objects
        self.panel.set_objects(objects)
        if objects is not None:
            objects.load()

    def _on_jump(self, box: Any) -> None:  # noqa: ANN401 - an array, through a signal
        if self._session is not None:
            look_at(self._viewer, self._session.layer, box)


def has_objects(session: StoreSession) -> bool:
    """Whether a session's store tells of any."""
    return session.objects is not None
