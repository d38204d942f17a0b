"""Drawing an outline on the canvas with the mouse, above whatever the canvas does with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

FEWEST = 3
"""Corners of an outline."""

STEP_PX = 2.0
"""Corners are this far apart at least."""


class Lasso(QWidget):
    """Lies over a canvas until an outline is drawn.

    ``drawn(corners)`` with (K, 2) x and y from -1 to 1 (y up) when the button is let go,
    ``given_up()`` on Escape, or where the outline has no extent.

    Args:
        canvas: The widget to lie over.
    """

    drawn = Signal(object)
    given_up = Signal()

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._corners: list[QPointF] = []
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setGeometry(canvas.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def mousePressEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's
        """Begin an outline."""
        self._corners = [_place(event)]

    def mouseMoveEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's
        """Go on with it."""
        place = _place(event)
        if self._corners and (place - self._corners[-1]).manhattanLength() >= STEP_PX:
            self._corners.append(place)
            self.update()

    def mouseReleaseEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's
        """The outline is drawn."""
        del event
        size = np.array([self.width(), self.height()], float)
        corners = np.array([(place.x(), place.y()) for place in self._corners]).reshape(-1, 2)
        self._end()
        if len(corners) >= FEWEST and np.ptp(corners, axis=0).min() > 0:
            self.drawn.emit((corners / size * 2 - 1) * (1, -1))
        else:
            self.given_up.emit()

    def keyPressEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's
        """Give up on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self._end()
            self.given_up.emit()

    def paintEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's
        """Show the outline."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 160), 4), (QColor(255, 217, 0), 2)):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(QPolygonF(self._corners))
        painter.end()

    def _end(self) -> None:
        self.hide()
        self.deleteLater()


def canvas_of(viewer: Any) -> QWidget:  # noqa: ANN401 - a napari viewer
    """The widget a viewer draws on."""
    window = getattr(viewer, "__wrapped__", viewer).window
    return window._qt_viewer.canvas.native  # noqa: SLF001 - no public word for it


def _place(event: Any) -> QPointF:  # noqa: ANN401 - Qt 5 and 6 call it differently
    position = getattr(event, "position", None)
    return QPointF(position() if position is not None else event.localPos())
