"""Filters a user sets up: a line for each, all of which an object must meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.model.objects import ObjectTable
from zv_viewer.objects import (
    GROUP,
    ID,
    AttributeRange,
    CategorySet,
    Filter,
    GroupSet,
    IdSet,
    RandomShare,
    column_of,
    keys_of,
)
from zv_viewer.objects.columns import title_of
from zv_viewer.widgets.object_editors import Choice, Ends, Names, Numbers, Share
from zv_viewer.widgets.rule_line import RuleLine, object_rule_words

SHARE = "(random share)"
MOST_CHECKED = 200
"""Categories offered as check boxes; more are typed."""

Editor = Ends | Choice | Names | Numbers | Share


class FilterLine(QWidget):
    """One filter: what it looks at, include or exclude, and its values.

    ``changed()`` when the user edits it, ``removed(line)`` when the user takes it away.
    """

    changed = Signal()
    removed = Signal(object)

    def __init__(self, table: ObjectTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.column = QComboBox()
        for key in keys_of(table):
            self.column.addItem(title_of(table, key), key)
        self.column.addItem("random share", SHARE)
        self.way = QComboBox()
        self.way.addItem("include", True)
        self.way.addItem("exclude", False)
        self.remove = QToolButton()
        self.remove.setText("\N{MULTIPLICATION SIGN}")
        self.remove.setToolTip("Remove this filter")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        top = QHBoxLayout()
        top.addWidget(self.column, stretch=1)
        top.addWidget(self.way)
        top.addWidget(self.remove)
        self._grid.addLayout(top, 0, 0)
        self.editor: Editor = Ends(None)
        self._grid.addWidget(self.editor, 1, 0)
        self.column.currentIndexChanged.connect(self._on_column)
        self.way.currentIndexChanged.connect(self.changed)
        self.remove.clicked.connect(lambda: self.removed.emit(self))
        keys = keys_of(table)
        if len(keys) > 1:
            self.column.setCurrentIndex(1)
        self._on_column()

    @property
    def key(self) -> str:
        """Key of the column it looks at."""
        return str(self.column.currentData())

    def rule(self) -> Filter | None:
        """The filter; None while its values say nothing."""
        include, editor = bool(self.way.currentData()), self.editor
        if isinstance(editor, Share):
            return RandomShare(editor.share(), editor.seed(), include)
        if isinstance(editor, Numbers):
            ids = editor.numbers()
            return IdSet(ids, include) if ids else None
        if isinstance(editor, Names):
            return self._named(editor.names(), include=include)
        if isinstance(editor, Choice):
            chosen = editor.chosen()
            if not chosen:
                return None
            if self.key == GROUP:
                return GroupSet(chosen, include)
            categories = column_of(self._table, self.key).categories or ()
            return CategorySet(self.key, frozenset(categories[i] for i in chosen), include)
        ends = editor.ends()
        return None if ends is None else AttributeRange(self.key, *ends, include)

    def _named(self, names: frozenset[str], *, include: bool) -> Filter | None:
        if not names:
            return None
        if self.key != GROUP:
            return CategorySet(self.key, names, include)
        known = enumerate(self._table.groups.names)
        return GroupSet(frozenset(group for group, name in known if name in names), include)

    def _on_column(self) -> None:
        self._grid.removeWidget(self.editor)
        self.editor.deleteLater()
        self.editor = self._editor()
        self.editor.changed.connect(self.changed)
        self._grid.addWidget(self.editor, 1, 0)
        self.changed.emit()

    def _editor(self) -> Editor:
        if self.key == SHARE:
            return Share()
        if self.key == ID:
            return Numbers()
        column = column_of(self._table, self.key)
        if column.categories is None:
            return Ends(column.limits)
        if len(column.categories) > MOST_CHECKED:
            return Names(len(column.categories))
        return Choice(column.categories)


class FilterList(QWidget):
    """All filters and a button that adds one; ``changed(filters)`` when they are others."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: ObjectTable | None = None
        self._told: tuple[Filter, ...] = ()
        self.lines: list[FilterLine | RuleLine] = []
        self.add = QPushButton("Add filter")
        self.add.setEnabled(False)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.add)
        self.add.clicked.connect(self.add_line)

    def set_table(self, table: ObjectTable | None) -> None:
        """Offer the columns of another table; filters set up go."""
        for line in self.lines:
            line.deleteLater()
        self.lines, self._told, self._table = [], (), table
        self.add.setEnabled(table is not None and len(table) > 0)

    def show_filters(self, filters: Sequence[Filter]) -> None:
        """Show filters that were set elsewhere, in words, unless they are those of the lines."""
        if self._table is None or tuple(filters) == self.filters():
            return
        names = self._table.groups.names
        self.set_table(self._table)
        for rule in filters:
            line = RuleLine(rule, object_rule_words(rule, names))
            line.removed.connect(self._on_removed)
            self.lines.append(line)
            self._column.insertWidget(self._column.count() - 1, line)
        self._told = self.filters()

    def add_line(self) -> None:
        """Add a filter that says nothing yet."""
        if self._table is not None:
            line = FilterLine(self._table)
            line.changed.connect(self._on_change)
            line.removed.connect(self._on_removed)
            self.lines.append(line)
            self._column.insertWidget(self._column.count() - 1, line)

    def filters(self) -> tuple[Filter, ...]:
        """Those that say something."""
        found = (line.rule() for line in self.lines)
        return tuple(cast("Filter", rule) for rule in found if rule is not None)

    def _on_change(self) -> None:
        filters: Sequence[Filter] = self.filters()
        if filters != self._told:
            self._told = tuple(filters)
            self.changed.emit(self._told)

    def _on_removed(self, line: FilterLine | RuleLine) -> None:
        self.lines.remove(line)
        self._column.removeWidget(line)
        line.deleteLater()
        self._on_change()
