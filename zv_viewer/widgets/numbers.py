"""Boxes for numbers, alike in all docks."""

from __future__ import annotations

import math

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


def number_in(text: str, empty: float) -> float | None:
    """The number a user typed; ``empty`` for nothing, None for what is no number."""
    text = text.strip()
    if not text:
        return empty
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value
