"""Which layers show a store, ours or napari's own, and a copy of what they show."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from zv_viewer.errors import InputError
from zv_viewer.layers.factory import BACKENDS
from zv_viewer.session import StoreSession, sessions_in
from zv_viewer.widgets import status

COPY = "Copy what is shown to a napari layer"
TEXTS = {"auto": status.AUTOMATIC, "fast": "fast", "standard": "napari's own"}


class DrawnBy(QWidget):
    """Sets the layers of one session, and says what they are given at most."""

    def __init__(self) -> None:
        super().__init__()
        self._session: StoreSession | None = None
        self.choice = QComboBox()
        for backend in BACKENDS:
            self.choice.addItem(TEXTS[backend], backend)
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.copy = QPushButton(COPY)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        for widget in (self.choice, self.text, self.copy):
            box.addWidget(widget)
        self.choice.activated.connect(self._on_choice)
        self.copy.clicked.connect(self._on_copy)
        self.show_session(None)

    def show_session(self, session: StoreSession | None) -> None:
        """Be about this session."""
        if self._session is not None:
            self._session.layer_changed.disconnect(self.refresh)
        self._session = session
        if session is not None:
            session.layer_changed.connect(self.refresh)
        self.setEnabled(session is not None)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show how things stand."""
        session = self._session
        if session is None:
            self.text.setText("-")
            return
        self.choice.setCurrentIndex(self.choice.findData(session.layers))
        self.text.setText(status.layers(session.layer, automatic=session.automatic))

    def _on_choice(self, index: int) -> None:
        if self._session is None:
            return
        try:
            self._session.use_layers(self.choice.itemData(index))
        except InputError as error:
            show_warning(str(error))
        self.refresh()

    def _on_copy(self) -> None:
        if self._session is not None:
            copy_and_say(self._session)


def copy_and_say(session: StoreSession) -> Layer:
    """Copy what a session shows to a layer of napari's own, and say how much that is."""
    copied = session.copy_shown()
    show_info(copied.text)
    return copied.layer


def copy_selected(viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
    """Copy what each store of the selected layers shows; say so where there is none."""
    sessions = sessions_in(viewer.layers.selection)
    for session in sessions:
        copy_and_say(session)
    if not sessions:
        show_info("select the layer of a Zarr Vectors store first")
