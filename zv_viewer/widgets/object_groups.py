"""The list of groups: a colour for each, and whether it is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QAbstractListModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor

from zv_viewer.model.objects import ObjectGroups
from zv_viewer.objects import GREY, UNGROUPED

ON, OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class GroupsModel(QAbstractListModel):
    """Groups and, last, the objects in none; ``switched(groups off)`` when the user changes one."""

    switched = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._groups = ObjectGroups()
        self._colours: npt.NDArray[np.uint8] = np.zeros((0, 3), np.uint8)
        self._off: frozenset[int] = frozenset()

    def set_groups(self, groups: ObjectGroups, colours: npt.NDArray[np.uint8]) -> None:
        """Show these groups in these colours, (G, 3)."""
        self.beginResetModel()
        self._groups, self._colours = groups, colours
        self.endResetModel()

    def clear(self) -> None:
        """Show none."""
        self.set_groups(ObjectGroups(), np.zeros((0, 3), np.uint8))

    def set_off(self, groups_off: frozenset[int]) -> None:
        """Show which are not seen."""
        if groups_off != self._off:
            self._off = groups_off
            self._all_changed()

    def set_colours(self, colours: npt.NDArray[np.uint8]) -> None:
        """Other colours."""
        self._colours = colours
        self._all_changed()

    def group(self, place: int) -> int:
        """Number of the group at a place in the list."""
        return place if place < len(self._groups) else UNGROUPED

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's
        """Groups, and one line for what is in none."""
        return 0 if parent.isValid() or not len(self._groups) else len(self._groups) + 1

    def flags(self, index: QModelIndex) -> Any:  # noqa: ANN401 - Qt's
        """Each can be switched."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """Name and size, colour, check mark."""
        if not index.isValid():
            return None
        group = self.group(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            if group == UNGROUPED:
                return "in no group"
            return f"{self._groups.names[group]} ({len(self._groups.rows(group)):,})"
        if role == Qt.ItemDataRole.DecorationRole:
            colour = GREY if group == UNGROUPED else self._colours[group].tolist()
            return QColor(*colour)
        if role == Qt.ItemDataRole.CheckStateRole:
            return OFF if group in self._off else ON
        return None

    def setData(
        self,
        index: QModelIndex,
        value: Any,  # noqa: ANN401 - Qt's
        role: int = Qt.ItemDataRole.EditRole,
    ) -> bool:
        """A group is switched on or off."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        on = Qt.CheckState(value) == ON
        group = frozenset({self.group(index.row())})
        self._off = self._off - group if on else self._off | group
        self.dataChanged.emit(index, index)
        self.switched.emit(self._off)
        return True

    def _all_changed(self) -> None:
        if self.rowCount():
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))
