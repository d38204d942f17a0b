"""Filters of vertices a user sets up: a line for each, all of which a vertex must meet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np
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

from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows import CategoryIs, InBall, InBox, InOutline, RandomRows, RowRule, ValueRange
from zv_viewer.widgets.object_editors import Choice, Ends, Names, Share
from zv_viewer.widgets.object_filters import MOST_CHECKED
from zv_viewer.widgets.row_editors import Ball, BoxEnds, Outline
from zv_viewer.widgets.rule_line import RuleLine, row_rule_words

BOX, BALL, LASSO, SHARE = "(box)", "(ball)", "(lasso)", "(share)"
TITLES = {BOX: "inside a box", BALL: "inside a ball", LASSO: "inside a lasso"}

Target = tuple[str, int]
"""An attribute and one of its columns, or one of the words above."""

Editor = Ends | Choice | Names | Share | BoxEnds | Ball | Outline


def targets(scene: SceneInfo) -> list[tuple[str, Target]]:
    """What can be looked at, by its title."""
    found: list[tuple[str, Target]] = []
    for info in scene.attributes:
        if info.computed:
            continue
        unit = f" ({info.unit})" if info.unit else ""
        for column in range(info.columns):
            part = f"[{column}]" if info.columns > 1 else ""
            found.append((f"{info.name}{part}{unit}", (info.name, column)))
    found += [(title, (key, 0)) for key, title in TITLES.items()]
    if (
        not scene.by_object
    ):  # of what is joined a share of the objects is meant, not of the vertices
        found.append(("random share", (SHARE, 0)))
    return found


class RowFilterLine(QWidget):
    """One filter: what it looks at, include or exclude, and its values.

    ``changed()`` when the user edits it, ``removed(line)`` when the user takes it away,
    ``outline_asked(editor)`` when an outline is to be drawn.
    """

    changed = Signal()
    removed = Signal(object)
    outline_asked = Signal(object)

    def __init__(self, scene: SceneInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = scene
        self.target = QComboBox()
        for title, target in targets(scene):
            self.target.addItem(title, target)
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
        self.editor: Editor = Ends(None)
        self._grid.addWidget(self.editor, 1, 0)
        self.target.currentIndexChanged.connect(self._on_target)
        self.way.currentIndexChanged.connect(self.changed)
        self.remove.clicked.connect(lambda: self.removed.emit(self))
        self._on_target()

    def rule(self) -> RowRule | None:
        """The rule; None while its values say nothing."""
        name, column = self.target.currentData()
        include, editor = bool(self.way.currentData()), self.editor
        if isinstance(editor, Share):
            return RandomRows(editor.share(), editor.seed(), include)
        if isinstance(editor, BoxEnds):
            box = editor.box()
            return None if box is None else InBox(*box, include)
        if isinstance(editor, Ball):
            ball = editor.ball()
            return None if ball is None else InBall(*ball, include)
        if isinstance(editor, Outline):
            drawn = editor.drawn
            if not isinstance(drawn, InOutline):
                return None
            return InOutline(drawn.matrix, drawn.displayed, drawn.outline, include)
        if isinstance(editor, Choice):
            chosen = editor.chosen()
            return CategoryIs(name, chosen, include) if chosen else None
        if isinstance(editor, Names):
            names, known = editor.names(), self._scene.attribute(name).categories or ()
            codes = frozenset(code for code, one in enumerate(known) if one in names)
            return CategoryIs(name, codes, include) if names else None
        ends = editor.ends()
        return None if ends is None else ValueRange(name, *ends, include, column)

    def _on_target(self) -> None:
        self._grid.removeWidget(self.editor)
        self.editor.hide()
        self.editor.deleteLater()
        self.editor = self._editor()
        self.editor.changed.connect(self.changed)
        self._grid.addWidget(self.editor, 1, 0)
        self.changed.emit()

    def _editor(self) -> Editor:
        name, _ = self.target.currentData()
        scene = self._scene
        if name == SHARE:
            return Share()
        if name == BOX:
            return BoxEnds(scene.axis_names, scene.bounds)
        if name == BALL:
            centre = scene.bounds.mean(axis=0)
            centre[list(scene.time_axes)] = np.nan
            return Ball(scene.axis_names, centre)
        if name == LASSO:
            outline = Outline()
            outline.asked.connect(self.outline_asked)
            return outline
        info = scene.attribute(name)
        if info.categories is None:
            return Ends(info.limits if info.columns == 1 else None)
        if len(info.categories) > MOST_CHECKED:
            return Names(len(info.categories))
        return Choice(info.categories)


class RowFilterList(QWidget):
    """All filters and a button that adds one; ``changed(rules)`` when they are others."""

    changed = Signal(object)
    outline_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: SceneInfo | None = None
        self._told: tuple[RowRule, ...] = ()
        self.lines: list[RowFilterLine | RuleLine] = []
        self.add = QPushButton("Add filter")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.add)
        self.add.clicked.connect(self.add_line)
        self.show_lines(None, [])

    def show_rules(self, rules: Sequence[RowRule]) -> None:
        """Show rules that were set elsewhere, in words, unless they are those of the lines."""
        scene = self._scene
        if scene is None or tuple(rules) == self.rules():
            return
        lines = [RuleLine(rule, row_rule_words(rule, scene)) for rule in rules]
        for line in lines:
            line.removed.connect(self._on_removed)
        self.show_lines(scene, lines)

    def show_lines(
        self, scene: SceneInfo | None, lines: Sequence[RowFilterLine | RuleLine]
    ) -> None:
        """Show the filters of another store; its lines are kept by whoever gives them."""
        for line in self.lines:
            self._column.removeWidget(line)
            line.setParent(None)
        self._scene, self.lines = scene, list(lines)
        for line in self.lines:
            self._column.insertWidget(self._column.count() - 1, line)
            line.show()
        self._told = self.rules()
        self.add.setEnabled(scene is not None)

    def add_line(self) -> None:
        """Add a filter that says nothing yet."""
        if self._scene is not None:
            line = RowFilterLine(self._scene)
            line.changed.connect(self._on_change)
            line.removed.connect(self._on_removed)
            line.outline_asked.connect(partial(self.outline_asked.emit))
            self.lines.append(line)
            self._column.insertWidget(self._column.count() - 1, line)

    def rules(self) -> tuple[RowRule, ...]:
        """Those that say something."""
        found = (line.rule() for line in self.lines)
        return tuple(cast("RowRule", rule) for rule in found if rule is not None)

    def _on_change(self) -> None:
        rules = self.rules()
        if rules != self._told:
            self._told = rules
            self.changed.emit(rules)

    def _on_removed(self, line: RowFilterLine | RuleLine) -> None:
        self.lines.remove(line)
        self._column.removeWidget(line)
        line.hide()
        line.deleteLater()
        self._on_change()
