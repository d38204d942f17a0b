"""The dock that lists planes, lines, spheres and the like of a viewer's stores."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from zv_viewer.model.shapes import ParametricObject
from zv_viewer.session import StoreSession
from zv_viewer.session.shapes import ShapesOfSession
from zv_viewer.widgets.store_choice import StoreChoice

SHAPES_DOCK = "Shapes"
COLUMNS = ("name", "kind", "numbers", "groups")
DIGITS = 6


class ShapesDock(QWidget):
    """A row for each, with its attributes; a tick shows or hides it."""

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._quiet = False
        self._shapes: ShapesOfSession | None = None
        self.stores = StoreChoice(napari_viewer, lists=has_shapes)
        self.table = QTableWidget()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stores)
        column.addWidget(self.table, stretch=1)
        self.stores.chosen.connect(self._show)
        self.table.itemChanged.connect(self._on_tick)
        self.stores.list_stores()

    def _show(self, session: StoreSession | None) -> None:
        shapes = self._shapes = None if session is None else session.shapes
        objects = () if shapes is None else shapes.objects
        names = list(dict.fromkeys(name for one in objects for name in one.attributes))
        self._quiet = True
        self.table.clear()
        self.table.setRowCount(len(objects))
        self.table.setColumnCount(len(COLUMNS) + len(names))
        self.table.setHorizontalHeaderLabels([*COLUMNS, *names])
        for row, one in enumerate(objects):
            for place, text in enumerate(texts(one, names)):
                self.table.setItem(row, place, QTableWidgetItem(text))
            if shapes is not None:
                self._dress(self.table.item(row, 0), shapes, row)
        self.table.resizeColumnsToContents()
        self._quiet = False

    def _dress(self, item: QTableWidgetItem, shapes: ShapesOfSession, row: int) -> None:
        """A tick and a colour for what is drawn; why, for what is not."""
        why = shapes.why_not_drawn(row)
        if why:
            item.setToolTip(f"not drawn: {why}")
            for place in range(self.table.columnCount()):
                self.table.item(row, place).setForeground(QColor("gray"))
            return
        shown = Qt.CheckState.Checked if shapes.is_shown(row) else Qt.CheckState.Unchecked
        item.setCheckState(shown)
        patch = QPixmap(12, 12)
        patch.fill(QColor(*shapes.colour(row)))
        item.setIcon(QIcon(patch))

    def _on_tick(self, item: QTableWidgetItem) -> None:
        if not self._quiet and self._shapes is not None and item.column() == 0:
            shown = item.checkState() == Qt.CheckState.Checked
            self._shapes.show(item.row(), shown=shown)


def has_shapes(session: StoreSession) -> bool:
    """Whether a session's store lists any, as far as it is read."""
    return session.shapes is not None and len(session.shapes.objects) > 0


def texts(one: ParametricObject, attributes: list[str]) -> list[str]:
    """What the table says of an object, column by column."""
    pairs = zip(one.names, one.coefficients, strict=True)
    numbers = ", ".join(f"{name} {number:.{DIGITS}g}" for name, number in pairs)
    groups = ", ".join(map(str, one.groups))
    values = [_text(one.attributes.get(name)) for name in attributes]
    return [one.name, one.kind, numbers, groups, *values]


def _text(value: Any) -> str:  # noqa: ANN401 - a number, or several
    if value is None:
        return ""
    return ", ".join(f"{part:.{DIGITS}g}" for part in np.atleast_1d(value).tolist())
