"""Filters of vertices a user sets up: a line for each, all of which a vertex must meet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Signal

from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows import CategoryIs, InBall, InBox, InOutline, RandomRows, RowRule, ValueRange
from zv_viewer.widgets.filter_lines import FilterLine, FilterLines, names_editor
from zv_viewer.widgets.object_editors import Choice, Ends, Names, Share
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


class RowFilterLine(FilterLine):
    """One filter of vertices; ``outline_asked(editor)`` when an outline is to be drawn.

    Args:
        scene: The store.
    """

    outline_asked = Signal(object)

    def __init__(self, scene: SceneInfo) -> None:
        self._scene = scene
        super().__init__(targets(scene))

    def rule(self) -> RowRule | None:
        """The rule; None while its values say nothing."""
        name, column = self.target.currentData()
        include = self.include
        editor: Editor = self.editor
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

    def make_editor(self) -> Editor:
        """What takes the values of the present target."""
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
        return names_editor(info.categories)


class RowFilterList(FilterLines):
    """Filters of the vertices of one store; ``outline_asked(editor)`` as its lines."""

    outline_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._scene: SceneInfo | None = None

    def set_scene(self, scene: SceneInfo | None, lines: Sequence[FilterLine | RuleLine]) -> None:
        """Show the filters of another store; its lines are kept by whoever gives them."""
        self._scene = scene
        self.show_lines(lines)
        self.add.setEnabled(scene is not None)

    def new_line(self) -> RowFilterLine | None:
        """A filter that says nothing yet; None while there is no store."""
        if self._scene is None:
            return None
        line = RowFilterLine(self._scene)
        line.outline_asked.connect(partial(self.outline_asked.emit))
        return line

    def words_of(self, rule: Any) -> str:  # noqa: ANN401 - a rule about vertices
        """What a rule says."""
        return "" if self._scene is None else row_rule_words(rule, self._scene)
