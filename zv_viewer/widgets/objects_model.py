"""The table of objects for Qt: rows in the order asked, cells written only when they are seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from zv_viewer.model.objects import Int, ObjectTable
from zv_viewer.objects.columns import GROUP, LEVELS, keys_of, title_of
from zv_viewer.widgets.object_words import cell

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ObjectsModel(QAbstractTableModel):
    """Rows of an object table through a permutation."""

    def __init__(self) -> None:
        super().__init__()
        self._table: ObjectTable | None = None
        self._rows: Int = np.zeros(0, np.int64)
        self._keys: tuple[str, ...] = ()
        self._numeric: tuple[bool, ...] = ()

    def set_table(self, table: ObjectTable | None, rows: Int | None = None) -> None:
        """Show another table: these of its rows in this order, or all of it by id."""
        self.beginResetModel()
        self._table = table
        self._keys = () if table is None else keys_of(table)
        self._rows = np.arange(0 if table is None else len(table)) if rows is None else rows
        words = {column.name for column in table.columns if column.categories} if table else set()
        self._numeric = tuple(key not in words | {GROUP, LEVELS} for key in self._keys)
        self.endResetModel()

    def set_rows(self, rows: Int) -> None:
        """Show these rows of the table, in this order."""
        if rows is self._rows or np.array_equal(rows, self._rows):
            self._rows = rows
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    @property
    def rows(self) -> Int:
        """(n,) rows of the table, as they are listed."""
        return self._rows

    def key(self, column: int) -> str:
        """Key of a column."""
        return self._keys[column]

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's
        """Objects listed."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's
        """Columns there are."""
        return 0 if parent.isValid() else len(self._keys)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """Text of a cell, and on which side it stands."""
        if self._table is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(self._table, self._keys[index.column()], int(self._rows[index.row()]))
        if role == Qt.ItemDataRole.TextAlignmentRole and self._numeric[index.column()]:
            return RIGHT
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:  # noqa: ANN401 - Qt's
        """Names of the columns."""
        if role != Qt.ItemDataRole.DisplayRole or self._table is None:
            return None
        if orientation == Qt.Orientation.Horizontal:
            return title_of(self._table, self._keys[section])
        return None
