"""The objects dock of a viewer: the panel for the objects of one store at a time."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from zv_viewer.session import StoreSession, registry, sessions_in
from zv_viewer.session.jumping import look_at
from zv_viewer.widgets.objects import ObjectsPanel

OBJECTS_DOCK = "Objects"


class ObjectsDock(QWidget):
    """Stores that have objects, and the panel of the one chosen; its table is read when shown."""

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._viewer = napari_viewer
        self._quiet = False
        self._session: StoreSession | None = None
        self.stores = QComboBox()
        self.panel = ObjectsPanel()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stores)
        column.addWidget(self.panel, stretch=1)
        self.stores.currentIndexChanged.connect(self._on_store)
        self.panel.jump_asked.connect(self._on_jump)
        registry.signals.added.connect(self._on_added)
        registry.signals.removed.connect(self._list_stores)
        self._list_stores()

    def _on_added(self, session: StoreSession) -> None:
        self._list_stores()
        if session.objects is not None and session in self._listed():
            self.stores.setCurrentIndex(self._listed().index(session))

    def _listed(self) -> list[StoreSession]:
        return [self.stores.itemData(place) for place in range(self.stores.count())]

    def _list_stores(self, *_: object) -> None:
        found = [one for one in sessions_in(self._viewer.layers) if one.objects is not None]
        self._quiet = True
        self.stores.clear()
        for session in found:
            self.stores.addItem(session.layer.name, session)
        self._quiet = False
        kept = found.index(self._session) if self._session in found else len(found) - 1
        self.stores.setCurrentIndex(kept)
        self.stores.setVisible(len(found) > 1)
        self._show(found[kept] if found else None)

    def _on_store(self) -> None:
        if not self._quiet:
            self._show(self.stores.currentData())

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
