"""A filter that came with a view: said in words, to be taken away."""

from __future__ import annotations

import math

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from zv_viewer.model.scene import SceneInfo
from zv_viewer.objects import (
    AttributeRange,
    CategorySet,
    Filter,
    GroupSet,
    IdSet,
    RandomShare,
    TextSearch,
)
from zv_viewer.objects.columns import TITLES
from zv_viewer.objects.filters import LengthRange
from zv_viewer.rows import CategoryIs, InBall, InBox, InOutline, RandomRows, RowRule, ValueRange

MOST_NAMED = 4
"""Names that are told one by one."""


class RuleLine(QWidget):
    """A rule that is in force and cannot be edited here; ``removed(line)`` takes it away.

    Args:
        rule: The rule.
        words: What it says.
    """

    changed = Signal()
    removed = Signal(object)

    def __init__(self, rule: RowRule | Filter, words: str) -> None:
        super().__init__()
        self._rule = rule
        self.words = QLabel(words)
        self.words.setWordWrap(True)
        self.remove = QToolButton()
        self.remove.setText("\N{MULTIPLICATION SIGN}")
        self.remove.setToolTip("Remove this filter")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, stretch=1)
        row.addWidget(self.remove)
        self.remove.clicked.connect(lambda: self.removed.emit(self))

    def rule(self) -> RowRule | Filter:
        """The rule."""
        return self._rule


def row_rule_words(rule: RowRule, scene: SceneInfo) -> str:
    """What a rule about vertices says."""
    way = "" if rule.include else "not "
    if isinstance(rule, ValueRange):
        column = f"[{rule.column}]" if scene.attribute(rule.attribute).columns > 1 else ""
        return f"{way}{rule.attribute}{column} {_ends(rule.low, rule.high)}"
    if isinstance(rule, CategoryIs):
        known = scene.attribute(rule.attribute).categories or ()
        names = [known[code] if code < len(known) else str(code) for code in sorted(rule.codes)]
        return f"{way}{rule.attribute}: {_some(names)}"
    if isinstance(rule, InBox):
        ends = zip(scene.axis_names, rule.low, rule.high, strict=True)
        within = [
            f"{name} {_ends(a, b)}" for name, a, b in ends if math.isfinite(a) or math.isfinite(b)
        ]
        return f"{way}inside a box: {', '.join(within) or 'everywhere'}"
    if isinstance(rule, InBall):
        return f"{way}inside a ball of radius {rule.radius:g}"
    if isinstance(rule, InOutline):
        return f"{way}inside an outline of {len(rule.outline)} corners"
    if isinstance(rule, RandomRows):
        return f"{way}a random share of {rule.share:.3g}"
    return f"{way}{type(rule).__name__}"


def object_rule_words(rule: Filter, groups: tuple[str, ...]) -> str:
    """What a rule about objects says; ``groups`` are the names of theirs."""
    way = "" if rule.include else "not "
    if isinstance(rule, AttributeRange):
        return f"{way}{TITLES.get(rule.column, rule.column)} {_ends(rule.low, rule.high)}"
    if isinstance(rule, LengthRange):
        return f"{way}length {_ends(rule.low, rule.high)}"
    if isinstance(rule, CategorySet):
        return f"{way}{TITLES.get(rule.column, rule.column)}: {_some(sorted(rule.categories))}"
    if isinstance(rule, GroupSet):
        names = [groups[one] if one < len(groups) else str(one) for one in sorted(rule.groups)]
        return f"{way}in the groups {_some(names)}"
    if isinstance(rule, TextSearch):
        return f"{way}with {rule.text!r}"
    if isinstance(rule, IdSet):
        return f"{way}the ids {_some([str(one) for one in sorted(rule.ids)])}"
    if isinstance(rule, RandomShare):
        return f"{way}a random share of {rule.share:.3g}"
    return f"{way}{type(rule).__name__}"


def _ends(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at most {high:g}"
    return f"at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
