"""Controls for how a store is drawn: colours of cells, outlines, frozen and locked levels."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.drawing.outlines import Boxes
from zv_viewer.drawing.tints import Entry
from zv_viewer.layers.cells import CellLayer
from zv_viewer.session import StoreSession
from zv_viewer.session.inspecting import Inspecting, inspecting_of
from zv_viewer.widgets import status

COLOURS = (
    ("as set in Appearance", None),
    ("level drawn", "level"),
    ("error on the canvas", "error"),
    ("bytes of the cell", "bytes"),
)
OUTLINES = (("nothing", "none"), ("chunks drawn", "chunks"), ("bins drawn", "bins"))
FREEZE = "Freeze the selection"
FROZEN = "frozen: fly around; the white outline is the view it was made for"
NOT_FAST = "only the fast layers tell how they are drawn; see Layers in the first dock"


class SeePanel(QWidget):
    """Shows how one store at a time is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._session: StoreSession | None = None
        self._inspecting: Inspecting | None = None
        self._quiet = False
        self.colour, self.outline, self.level = QComboBox(), QComboBox(), QComboBox()
        for text, quantity in COLOURS:
            self.colour.addItem(text, quantity)
        for text, outline in OUTLINES:
            self.outline.addItem(text, outline)
        self.legend = QListWidget()
        self.legend.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.legend.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.legend.setMaximumHeight(140)
        self.legend.setWordWrap(True)
        self.legend.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.outlined, self.frozen = plain_text(), plain_text()
        self.freeze = QPushButton(FREEZE)
        self.freeze.setCheckable(True)
        column, form = QVBoxLayout(self), QFormLayout()
        column.addLayout(form)
        column.addStretch()
        form.addRow("Color cells by", self.colour)
        form.addRow("", self.legend)
        form.addRow("Outline", self.outline)
        form.addRow("", self.outlined)
        form.addRow("Level", self.level)
        form.addRow(self.freeze)
        form.addRow("", self.frozen)
        self.colour.currentIndexChanged.connect(self._on_colour)
        self.outline.currentIndexChanged.connect(self._on_outline)
        self.level.currentIndexChanged.connect(self._on_level)
        self.freeze.toggled.connect(self._on_freeze)
        self.show_session(None)

    def show_session(self, session: StoreSession | None) -> None:
        """Be about this session."""
        if self._inspecting is not None:
            self._inspecting.changed.disconnect(self.refresh)
        self._session = session
        self._inspecting = None if session is None else inspecting_of(session)
        if self._inspecting is not None:
            self._inspecting.changed.connect(self.refresh)
        self._quiet = True
        self.level.clear()
        self.level.addItem(status.AUTOMATIC, None)
        scene = None if session is None else session.scene
        for level in () if scene is None else scene.levels:
            self.level.addItem(f"{level.index}: {level.vertex_count:,} vertices", level.index)
        self._quiet = False
        self.setEnabled(session is not None)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show how things stand."""
        session, inspecting = self._session, self._inspecting
        if session is None or inspecting is None:
            self.legend.clear()
            self.outlined.setText("")
            self.frozen.setText("")
            return
        fast = isinstance(session.layer, CellLayer)
        self.colour.setEnabled(fast)
        self.outline.setEnabled(fast)
        self._quiet = True
        self.colour.setCurrentIndex(self.colour.findData(inspecting.quantity))
        self.outline.setCurrentIndex(self.outline.findData(inspecting.outline))
        self.level.setCurrentIndex(max(self.level.findData(session.settings.level_lock), 0))
        self.freeze.setChecked(inspecting.frozen)
        self._quiet = False
        self.frozen.setText(FROZEN if inspecting.frozen else "" if fast else NOT_FAST)
        self.outlined.setText(outlined_text(inspecting.outline, inspecting.boxes))
        self._show_legend(inspecting.legend)

    def _show_legend(self, entries: tuple[Entry, ...]) -> None:
        self.legend.setVisible(bool(entries))
        self.legend.clear()
        for entry in entries:
            swatch = QPixmap(14, 14)
            swatch.fill(QColor(*entry.colour))
            self.legend.addItem(QListWidgetItem(QIcon(swatch), entry.text))

    def _on_colour(self) -> None:
        if self._inspecting is not None and not self._quiet:
            self._inspecting.colour_by(self.colour.currentData())

    def _on_outline(self) -> None:
        if self._inspecting is not None and not self._quiet:
            self._inspecting.show_outlines(self.outline.currentData())

    def _on_level(self) -> None:
        if self._session is not None and not self._quiet:
            self._session.update_settings(level_lock=self.level.currentData())

    def _on_freeze(self, on: bool) -> None:
        if self._inspecting is not None and not self._quiet:
            self._inspecting.frozen = on


def outlined_text(outline: str, boxes: Boxes | None) -> str:
    """How many boxes are outlined, of how many."""
    if outline == "none" or boxes is None:
        return ""
    if len(boxes) == boxes.of and boxes.sure:
        return f"{boxes.of:,} {outline}"
    of = f"{boxes.of:,}" if boxes.sure else f"more than {boxes.of:,}"
    return f"the {len(boxes):,} nearest to the middle of {of} {outline}"


def plain_text() -> QLabel:
    """A label for words, over several lines."""
    label = QLabel("")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
