"""Where a region is set up: the corners of a box, a ball, an outline drawn on the canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from zv_viewer.widgets.numbers import number_in

Float = npt.NDArray[np.float64]

NOT_DRAWN_YET = "no outline yet"


class BoxEnds(QWidget):
    """Two ends for each axis; an empty one is open.

    Args:
        names: Of the axes.
        bounds: (2, D) shown where nothing is typed.
    """

    changed = Signal()

    def __init__(self, names: Sequence[str], bounds: Float) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.low, self.high = [QLineEdit() for _ in names], [QLineEdit() for _ in names]
        for axis, name in enumerate(names):
            grid.addWidget(QLabel(name), axis, 0)
            for column, edits in ((1, self.low), (2, self.high)):
                edits[axis].setPlaceholderText(f"{bounds[column - 1, axis]:.6g}")
                edits[axis].textChanged.connect(self.changed)
                grid.addWidget(edits[axis], axis, column)

    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Lower and upper ends; None while nothing is typed or something is no number."""
        low = [number_in(edit.text(), -math.inf) for edit in self.low]
        high = [number_in(edit.text(), math.inf) for edit in self.high]
        ends = [*low, *high]
        if any(end is None for end in ends) or all(math.isinf(end or 0.0) for end in ends):
            return None
        return tuple(e for e in low if e is not None), tuple(e for e in high if e is not None)


class Ball(QWidget):
    """A centre and a radius; an axis without a number does not count.

    Args:
        names: Of the axes.
        centre: D numbers to begin with; NaN for an axis that does not count.
    """

    changed = Signal()

    def __init__(self, names: Sequence[str], centre: Float) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.centre = [QLineEdit() for _ in names]
        self.radius = QLineEdit()
        for axis, name in enumerate(names):
            if np.isfinite(centre[axis]):
                self.centre[axis].setText(f"{centre[axis]:.6g}")
            grid.addWidget(QLabel(name), axis, 0)
            grid.addWidget(self.centre[axis], axis, 1)
        grid.addWidget(QLabel("radius"), len(names), 0)
        grid.addWidget(self.radius, len(names), 1)
        for edit in (*self.centre, self.radius):
            edit.textChanged.connect(self.changed)

    def ball(self) -> tuple[tuple[float, ...], float] | None:
        """Centre, NaN where an axis does not count, and radius; None while there is none."""
        centre = [number_in(edit.text(), math.nan) for edit in self.centre]
        radius = number_in(self.radius.text(), math.nan)
        if radius is None or not radius >= 0 or any(number is None for number in centre):
            return None
        numbers = tuple(number for number in centre if number is not None)
        return None if all(math.isnan(number) for number in numbers) else (numbers, radius)


class Outline(QWidget):
    """A button that asks for an outline on the canvas; ``asked()`` when it is pressed."""

    changed = Signal()
    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("Draw on the canvas")
        self.told = QLabel(NOT_DRAWN_YET)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.button)
        column.addWidget(self.told)
        self.drawn: object = None
        self.button.clicked.connect(lambda: self.asked.emit(self))

    def set_drawn(self, drawn: object, corners: int) -> None:
        """Use an outline drawn in a view."""
        self.drawn = drawn
        self.told.setText(f"an outline of {corners} corners, as seen then")
        self.changed.emit()
