"""Boxes for numbers, alike in all docks."""

from __future__ import annotations

from qtpy.QtWidgets import QDoubleSpinBox, QSizePolicy


def number(low: float, high: float, step: float) -> QDoubleSpinBox:
    """A box for a number between two others."""
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    return box


def wide_number() -> QDoubleSpinBox:
    """A box for any number, as narrow as need be."""
    box = QDoubleSpinBox()
    box.setRange(-1e300, 1e300)
    box.setDecimals(4)
    box.setKeyboardTracking(False)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(70)
    return box
