"""Filters one below the other: what those of vertices and those of objects have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

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

from zv_viewer.objects import Filter
from zv_viewer.rows import RowRule
from zv_viewer.widgets.object_editors import Choice, Ends, Names
from zv_viewer.widgets.rule_line import RuleLine

Rule = RowRule | Filter

MOST_CHECKED = 200
"""Categories offered as check boxes; more are typed."""


class FilterLine(QWidget):
    """One filter: what it looks at, include or exclude, and its values.

    ``changed()`` when the user edits it, ``removed(line)`` when the user takes it away.

    Args:
        targets: What can be looked at, by its title.
        first: Which of them to begin with.
    """

    changed = Signal()
    removed = Signal(object)

    def __init__(self, targets: Iterable[tuple[str, object]], first: int = 0) -> None:
        super().__init__()
        self.target = QComboBox()
        for title, target in targets:
            self.target.addItem(title, target)
        self.target.setCurrentIndex(first)
        self.way = QComboBox()
        self.way.addItem("include", True)
        self.way.addItem("exclude", False)
        self.remove = QToolButton()
        self.remove.setText("\N{MULTIPLICATION SIGN}")
        self.remove.setToolTip("Remove this filter")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        top = QHBoxLayout()
        top.addWidget(self.target, stretch=1)
        top.addWidget(self.way)
        top.addWidget(self.remove)
        self._grid.addLayout(top, 0, 0)
        self.editor: Any = Ends(None)
        self._grid.addWidget(self.editor, 1, 0)
        self.target.currentIndexChanged.connect(self._on_target)
        self.way.currentIndexChanged.connect(self.changed)
        self.remove.clicked.connect(lambda: self.removed.emit(self))
        self._on_target()

    @property
    def include(self) -> bool:
        """Whether what meets the filter is kept; else it is left out."""
        return bool(self.way.currentData())

    def rule(self) -> Rule | None:
        """The filter; None while its values say nothing."""
        raise NotImplementedError

    def make_editor(self) -> QWidget:
        """What takes the values for the present target; its ``changed`` tells."""
        raise NotImplementedError

    def _on_target(self) -> None:
        self._grid.removeWidget(self.editor)
        self.editor.hide()
        self.editor.deleteLater()
        self.editor = self.make_editor()
        self.editor.changed.connect(self.changed)
        self._grid.addWidget(self.editor, 1, 0)
        self.changed.emit()


def names_editor(categories: tuple[str, ...]) -> Choice | Names:
    """What chooses among categories."""
    return Names(len(categories)) if len(categories) > MOST_CHECKED else Choice(categories)


class FilterLines(QWidget):
    """All filters and a button that adds one; ``changed(rules)`` when they are others."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[Rule, ...] = ()
        self.lines: list[FilterLine | RuleLine] = []
        self.add = QPushButton("Add filter")
        self.add.setEnabled(False)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.add)
        self.add.clicked.connect(self.add_line)

    def new_line(self) -> FilterLine | None:
        """A filter that says nothing yet; None where there is nothing to filter."""
        raise NotImplementedError

    def words_of(self, rule: Any) -> str:  # noqa: ANN401 - a rule of the kind listed
        """What a rule says."""
        raise NotImplementedError

    def add_line(self) -> None:
        """Add a filter that says nothing yet."""
        line = self.new_line()
        if line is not None:
            line.changed.connect(self._on_change)
            line.removed.connect(self._on_removed)
            self._put(line)

    def rules(self) -> tuple[Rule, ...]:
        """Those that say something."""
        return tuple(rule for line in self.lines if (rule := line.rule()) is not None)

    def show_rules(self, rules: Sequence[Rule]) -> None:
        """Show rules that were set elsewhere, in words, unless they are those of the lines."""
        if tuple(rules) == self.rules():
            return
        lines = [RuleLine(rule, self.words_of(rule)) for rule in rules]
        for line in lines:
            line.removed.connect(self._on_removed)
        self.show_lines(lines)

    def show_lines(self, lines: Sequence[FilterLine | RuleLine]) -> None:
        """Show these lines; those shown before are left to whoever keeps them."""
        for line in self.lines:
            self._column.removeWidget(line)
            line.setParent(None)
        self.lines = []
        for line in lines:
            self._put(line)
            line.show()
        self._told = self.rules()

    def _put(self, line: FilterLine | RuleLine) -> None:
        self.lines.append(line)
        self._column.insertWidget(self._column.count() - 1, line)

    def _on_change(self) -> None:
        rules = self.rules()
        if rules != self._told:
            self._told = rules
            self.changed.emit(rules)

    def _on_removed(self, line: FilterLine | RuleLine) -> None:
        self.lines.remove(line)
        self._column.removeWidget(line)
        line.hide()
        line.deleteLater()
        self._on_change()
