"""Find objects, select them, and say how they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QColorDialog,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.objects import GROUP, UNGROUPED, keys_of
from zv_viewer.objects.colours import colour_keys
from zv_viewer.objects.columns import title_of
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.widgets.object_filters import ObjectFilterList
from zv_viewer.widgets.object_groups import GroupsModel
from zv_viewer.widgets.object_words import counts
from zv_viewer.widgets.objects_model import ObjectsModel
from zv_viewer.widgets.objects_view import ObjectsView

AS_ROWS = "(as the vertices)"
NO_OBJECTS = "no objects to show"
NOT_BY_OBJECT = "this layer is not drawn object by object"


class ObjectsPanel(QWidget):
    """Table, filters, groups and buttons for the objects of one layer.

    ``jump_asked(box)`` with a (2, D) box in world units when the user wants to go there.
    """

    jump_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._objects: ObjectsOfSession | None = None
        self._quiet = False
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search ids, names and groups")
        self.search.setClearButtonEnabled(True)
        self.filters = ObjectFilterList()
        self.counts, self.doing, self.trouble = _text(), _text(), _text()
        self.model, self.groups_model = ObjectsModel(), GroupsModel()
        self.view = ObjectsView(self._is_marked)
        self.view.setModel(self.model)
        self.groups = QListView()
        self.groups.setModel(self.groups_model)
        self.groups.setUniformItemSizes(True)
        self.groups.setToolTip("Double click for another colour")
        self.colour_by = QComboBox()
        self.jump = QPushButton("Jump to")
        self.hide_button = QPushButton("Hide")
        self.isolate = QPushButton("Isolate")
        self.ghost = QPushButton("Ghost the rest")
        self.show_all = QPushButton("Show all")
        self.invert = QPushButton("Invert")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._lay_out()
        self._connect()
        self.set_objects(None)

    def set_objects(self, objects: ObjectsOfSession | None) -> None:
        """Show the objects of another layer."""
        old, self._objects = self._objects, objects
        if old is not None:
            old.loaded.disconnect(self._on_loaded)
            old.changed.disconnect(self._on_changed)
            old.progress.disconnect(self._on_progress)
            old.failed.disconnect(self._on_trouble)
            old.colours_changed.disconnect(self._on_colours)
        self._on_progress("")
        self._on_trouble("")
        self._quiet = True
        self.search.setText("" if objects is None else objects.search)
        self._quiet = False
        if objects is not None:
            objects.loaded.connect(self._on_loaded)
            objects.changed.connect(self._on_changed)
            objects.progress.connect(self._on_progress)
            objects.failed.connect(self._on_trouble)
            objects.colours_changed.connect(self._on_colours)
        self._on_loaded(anew=True)

    def _lay_out(self) -> None:
        buttons = QGridLayout()
        order = (self.jump, self.hide_button, self.isolate, self.ghost, self.show_all, self.invert)
        for place, button in enumerate(order):
            buttons.addWidget(button, place // 3, place % 3)
        colours = QHBoxLayout()
        colours.addWidget(QLabel("Color objects by"))
        colours.addWidget(self.colour_by, stretch=1)
        above, below = QWidget(), QWidget()
        table, rest = QVBoxLayout(above), QVBoxLayout(below)
        for layout in (table, rest):
            layout.setContentsMargins(0, 0, 0, 0)
        table.addWidget(self.counts)
        table.addWidget(self.view, stretch=1)
        table.addLayout(buttons)
        rest.addLayout(colours)
        rest.addWidget(self.groups, stretch=1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(above)
        split.addWidget(below)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.filters)
        column.addWidget(split, stretch=1)
        column.addWidget(self.doing)
        column.addWidget(self.trouble)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._on_search)
        self.filters.changed.connect(self._on_filters)
        self.view.picked.connect(self._on_picked)
        self.view.all_picked.connect(self._do(ObjectsOfSession.select_listed))
        self.view.activated_row.connect(self._on_activated)
        self.view.horizontalHeader().sortIndicatorChanged.connect(self._on_sort)
        self.groups_model.switched.connect(self._on_groups)
        self.groups.doubleClicked.connect(lambda index: self._ask_colour(index.row()))
        self.colour_by.currentIndexChanged.connect(self._on_colour_by)
        self.jump.clicked.connect(self._on_jump)
        self.hide_button.clicked.connect(self._do(ObjectsOfSession.hide))
        self.isolate.clicked.connect(self._do(ObjectsOfSession.isolate))
        self.ghost.clicked.connect(self._do(ObjectsOfSession.ghost_rest))
        self.show_all.clicked.connect(self._do(ObjectsOfSession.show_all))
        self.invert.clicked.connect(self._do(ObjectsOfSession.invert))

    # what the objects tell

    def _on_loaded(self, *, anew: bool = False) -> None:
        table = None if self._objects is None else self._objects.table
        first = anew or not self.model.rowCount()
        if first:
            self.filters.set_table(table)
        self._quiet = True
        key = None if first else self.model.key(self.view.horizontalHeader().sortIndicatorSection())
        known = None if self._objects is None or table is None else self._objects.answer
        self.model.set_table(table, None if known is None else known.rows)
        if table is not None and self._objects is not None:
            keys = keys_of(table)
            place = keys.index(key) if key in keys else 0
            order = self.view.horizontalHeader().sortIndicatorOrder()
            way = Qt.SortOrder.AscendingOrder if first else order
            self.view.horizontalHeader().setSortIndicator(place, way)
            self.groups_model.set_groups(table.groups, self._objects.group_colours)
            self.colour_by.clear()
            self.colour_by.addItem(AS_ROWS, None)
            for key in (*keys, *colour_keys(table)):
                self.colour_by.addItem(title_of(table, key), key)
            self._on_trouble("\n".join(table.notes))
            if first:
                self.view.fit_columns()
        else:
            self.colour_by.clear()
            self.groups_model.clear()
        self._quiet = False
        self.groups.setVisible(self.groups_model.rowCount() > 0)
        self._on_colours()
        self._on_changed()

    def _on_progress(self, text: str) -> None:
        self.doing.setText(text)
        self.doing.setVisible(bool(text))

    def _on_trouble(self, text: str) -> None:
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def _on_changed(self) -> None:
        objects = self._objects
        answer = None if objects is None else objects.answer
        if objects is not None and answer is not None:
            self.filters.show_rules(objects.filters)
            if self.search.text().strip() != objects.search:
                self._quiet = True
                self.search.setText(objects.search)
                self._quiet = False
        if objects is None or objects.table is None or answer is None:
            self.counts.setText(NO_OBJECTS if objects is None else "")
        else:
            if answer.rows is not self.model.rows:
                self.model.set_rows(answer.rows)
                self.view.forget_anchor()
            self.groups_model.set_off(answer.question.showing.groups_off)
            self.counts.setText(counts(objects.table, answer))
        self.view.viewport().update()
        self._enable()

    def _on_colours(self) -> None:
        objects = self._objects
        self._quiet = True
        if objects is not None:
            place = self.colour_by.findData(objects.coloured_by)
            self.colour_by.setCurrentIndex(max(place, 0))
            self.groups_model.set_colours(objects.group_colours)
        self._quiet = False

    def _enable(self) -> None:
        objects = self._objects
        there = objects is not None and objects.answer is not None
        drawn = there and objects is not None and objects.can_hide
        some = there and objects is not None and objects.showing.any_selected
        why = "" if drawn or not there else NOT_BY_OBJECT
        self.hide_button.setEnabled(drawn and some)
        self.isolate.setEnabled(drawn and some)
        for widget in (self.ghost, self.show_all, self.groups, self.colour_by):
            widget.setEnabled(drawn)
        for widget in (self.hide_button, self.isolate, self.ghost, self.show_all):
            widget.setToolTip(why)
        self.invert.setEnabled(there)
        self.search.setEnabled(there)
        reason = "" if objects is None else objects.why_no_jump()
        self.jump.setEnabled(there and not reason)
        self.jump.setToolTip(reason)

    def _is_marked(self, place: int) -> bool:
        rows = self.model.rows
        return self._objects is not None and self._objects.is_selected(int(rows[place]))

    # what the user does

    def _do(self, what: Callable[[ObjectsOfSession], None]) -> Callable[..., None]:
        def do(*_: object) -> None:
            if self._objects is not None:
                what(self._objects)

        return do

    def _on_search(self, text: str) -> None:
        if self._objects is not None and not self._quiet:
            self._objects.set_search(text)

    def _on_filters(self, filters: Any) -> None:  # noqa: ANN401 - through a signal
        if self._objects is not None:
            self._on_trouble("")
            self._objects.set_filters(filters)

    def _on_sort(self, column: int, order: Any) -> None:  # noqa: ANN401 - Qt's
        if self._objects is not None and not self._quiet:
            down = order == Qt.SortOrder.DescendingOrder
            self._objects.sort(self.model.key(column), descending=down)

    def _on_picked(self, first: int, last: int, how: str) -> None:
        if self._objects is not None:
            self._objects.select_rows(self.model.rows[first : last + 1], how=how)

    def _on_activated(self, place: int) -> None:
        if self._objects is not None:
            self._objects.select_rows(self.model.rows[place : place + 1])
            self._on_jump()

    def _on_jump(self) -> None:
        if self._objects is None:
            return
        box = self._objects.jump_box()
        if box is not None:
            self.jump_asked.emit(box)
        else:
            why = self._objects.why_no_jump() or "the objects selected have no vertices"
            self._on_trouble(why)

    def _on_groups(self, groups_off: Any) -> None:  # noqa: ANN401 - through a signal
        if self._objects is not None:
            self._objects.set_groups_off(groups_off)

    def _on_colour_by(self) -> None:
        if self._objects is not None and not self._quiet:
            self._objects.colour_by(self.colour_by.currentData())

    def _ask_colour(self, place: int) -> None:
        group = self.groups_model.group(place)
        if self._objects is None or group == UNGROUPED:
            return
        dialog = QColorDialog(QColor(*self._objects.group_colours[group].tolist()), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda colour: self._use_colour(group, colour))
        dialog.open()

    def _use_colour(self, group: int, colour: QColor) -> None:
        if self._objects is not None:
            self._objects.set_group_colour(group, (colour.red(), colour.green(), colour.blue()))
            if self._objects.coloured_by != GROUP:
                self._objects.colour_by(GROUP)


def _text() -> QLabel:
    label = QLabel("")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
