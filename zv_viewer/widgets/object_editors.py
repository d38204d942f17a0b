"""Where the values of a filter are typed or ticked; each tells ``changed()``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.widgets.numbers import number_in

LINES_SEEN = 5


class Ends(QWidget):
    """Two ends of a range; an empty one is open.

    Args:
        limits: Smallest and largest value there is, shown where nothing is typed.
    """

    changed = Signal()

    def __init__(self, limits: tuple[float, float] | None) -> None:
        super().__init__()
        self.low, self.high = QLineEdit(), QLineEdit()
        row = _row(self)
        for edit, sign in (
            (self.low, "\N{GREATER-THAN OR EQUAL TO}"),
            (self.high, "\N{LESS-THAN OR EQUAL TO}"),
        ):
            row.addWidget(QLabel(sign))
            row.addWidget(edit, stretch=1)
            edit.textChanged.connect(self.changed)
        if limits is not None:
            self.low.setPlaceholderText(f"{limits[0]:.6g}")
            self.high.setPlaceholderText(f"{limits[1]:.6g}")

    def ends(self) -> tuple[float, float] | None:
        """Both ends; None where neither is typed, or one is no number."""
        ends = number_in(self.low.text(), -math.inf), number_in(self.high.text(), math.inf)
        if ends[0] is None or ends[1] is None or ends == (-math.inf, math.inf):
            return None
        return ends[0], ends[1]


class Choice(QWidget):
    """Names to tick."""

    changed = Signal()

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        for name in names:
            item = QListWidgetItem(name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.list.addItem(item)
        line = self.list.sizeHintForRow(0) if names else 20
        self.list.setFixedHeight(max(line, 14) * min(len(names), LINES_SEEN) + 6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        self.list.itemChanged.connect(lambda _: self.changed.emit())

    def chosen(self) -> frozenset[int]:
        """Places of those ticked."""
        items = (self.list.item(place) for place in range(self.list.count()))
        ticked = [item.checkState() == Qt.CheckState.Checked for item in items]
        return frozenset(place for place, on in enumerate(ticked) if on)


class Names(QWidget):
    """Names typed, separated by commas."""

    changed = Signal()

    def __init__(self, count: int) -> None:
        super().__init__()
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(f"some of {count:,} names, with commas between")
        _row(self).addWidget(self.edit)
        self.edit.textChanged.connect(self.changed)

    def names(self) -> frozenset[str]:
        """Those typed."""
        return frozenset(filter(None, (name.strip() for name in self.edit.text().split(","))))


class Numbers(QWidget):
    """Ids typed, separated by commas or spaces."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.edit = QLineEdit()
        self.edit.setPlaceholderText("ids, with commas or spaces between")
        _row(self).addWidget(self.edit)
        self.edit.textChanged.connect(self.changed)

    def numbers(self) -> frozenset[int]:
        """Those typed; what is no id is passed over."""
        words = self.edit.text().replace(",", " ").split()
        found = (int(word) for word in words if word.removeprefix("-").isdecimal())
        return frozenset(number for number in found if -(2**63) <= number < 2**63)


class Share(QWidget):
    """A share in percent, and the seed that says which objects."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.percent, self.number = QDoubleSpinBox(), QSpinBox()
        self.percent.setRange(0, 100)
        self.percent.setValue(10)
        self.percent.setSuffix(" %")
        self.number.setRange(0, 2**31 - 1)
        row = _row(self)
        row.addWidget(self.percent, stretch=1)
        row.addWidget(QLabel("seed"))
        row.addWidget(self.number)
        self.percent.valueChanged.connect(lambda _: self.changed.emit())
        self.number.valueChanged.connect(lambda _: self.changed.emit())

    def share(self) -> float:
        """0 to 1."""
        return float(self.percent.value()) / 100

    def seed(self) -> int:
        """The seed."""
        return int(self.number.value())


def _row(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    return row
