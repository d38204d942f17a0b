"""A table whose selection is a mask of a million rows, not a list of cells."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier

ROWS_LOOKED_AT = 50
WIDEST = 200
"""Pixels of a column before the user makes it wider."""


class _Marked(QStyledItemDelegate):
    """Draws rows as selected where a function says so."""

    def __init__(self, parent: QWidget, is_marked: Callable[[int], bool]) -> None:
        super().__init__(parent)
        self._is_marked = is_marked

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        if self._is_marked(index.row()):
            option.state |= QStyle.StateFlag.State_Selected
            option.backgroundBrush = option.palette.highlight()


class ObjectsView(QTableView):
    """Rows are picked as in any list: click, with Ctrl or Shift, drag, arrow keys, Ctrl+A, Space.

    Signals: ``picked(first, last, how)``, places in the list and ``only``, ``add`` or ``toggle``;
    ``all_picked()``; ``activated_row(place)`` for a double click or Enter.

    Args:
        is_marked: Whether the row at a place is selected.
    """

    picked = Signal(int, int, str)
    all_picked = Signal()
    activated_row = Signal(int)

    def __init__(self, is_marked: Callable[[int], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._anchor = -1
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setItemDelegate(_Marked(self, is_marked))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        rows.hide()
        columns = self.horizontalHeader()
        columns.setSectionsClickable(True)
        columns.setSortIndicatorShown(True)
        columns.setHighlightSections(False)
        columns.setResizeContentsPrecision(ROWS_LOOKED_AT)

    def fit_columns(self) -> None:
        """As wide as the first rows need, within reason."""
        self.resizeColumnsToContents()
        for column in range(self.model().columnCount()):
            self.setColumnWidth(column, min(self.columnWidth(column), WIDEST))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click picks a row."""
        super().mousePressEvent(event)
        place = self.indexAt(event.pos()).row()
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self._pick(place, event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragging picks all rows on the way."""
        super().mouseMoveEvent(event)
        place = self.indexAt(event.pos()).row()
        dragging = event.buttons() & Qt.MouseButton.LeftButton
        if dragging and place >= 0 and 0 <= self._anchor != place:
            self._range(place, "only")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click goes to the object."""
        place = self.indexAt(event.pos()).row()
        if place >= 0:
            self.activated_row.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys move the current row; Space toggles it, Ctrl+A picks all, Enter goes there."""
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.all_picked.emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.activated_row.emit(self.currentIndex().row())
            return
        if event.key() == Qt.Key.Key_Space:
            if self.currentIndex().isValid():
                self._pick(self.currentIndex().row(), CONTROL)
            return
        before = self.currentIndex().row()
        super().keyPressEvent(event)
        place = self.currentIndex().row()
        if place >= 0 and place != before and not event.modifiers() & CONTROL:
            self._pick(place, event.modifiers())

    def forget_anchor(self) -> None:
        """The list has changed: the next range begins anew."""
        self._anchor = -1

    def _pick(self, place: int, modifiers: Qt.KeyboardModifier) -> None:
        if modifiers & SHIFT and self._anchor >= 0:
            self._range(place, "add" if modifiers & CONTROL else "only")
            return
        self._anchor = place
        self.picked.emit(place, place, "toggle" if modifiers & CONTROL else "only")

    def _range(self, place: int, how: str) -> None:
        self.picked.emit(min(place, self._anchor), max(place, self._anchor), how)
