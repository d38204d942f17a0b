"""Controls of the popping meter: a path, its measurement, and a bar for each place."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.errors import InputError
from zv_viewer.flight.popping import worst
from zv_viewer.session import StoreSession
from zv_viewer.session.latest import Latest
from zv_viewer.state.document import WindowView
from zv_viewer.views.capture import window_view
from zv_viewer.views.popping import (
    Place,
    PlacePop,
    PoppingMeter,
    go_to,
    place_views,
    views_of,
)
from zv_viewer.widgets.quality_see import plain_text

BAR, MARKED, AXIS = QColor(90, 150, 220), QColor(220, 120, 60), QColor(130, 130, 130)
NO_PATH = "add views to make a path, open one, or take the standard flight"


class PopBars(QWidget):
    """A bar for each place, as high as the part of the canvas that changed there.

    ``chosen(number)`` when one is clicked.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._shares: tuple[float, ...] = ()
        self._marked: int | None = None
        self.setMinimumHeight(90)

    def show_shares(self, shares: tuple[float, ...]) -> None:
        """Draw these."""
        self._shares, self._marked = shares, None
        self.update()

    def mark(self, number: int | None) -> None:
        """Draw one in another colour."""
        self._marked = number
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars."""
        painter = QPainter(self)
        width, height = self.width(), self.height() - 2
        painter.setPen(AXIS)
        painter.drawLine(0, height + 1, width, height + 1)
        most = max(self._shares, default=0.0) or 1.0
        each = width / max(len(self._shares), 1)
        for number, share in enumerate(self._shares):
            bar = QRectF(number * each, height * (1 - share / most), each * 0.85, height)
            painter.fillRect(bar, MARKED if number == self._marked else BAR)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the bar under the mouse."""
        if self._shares and event.button() == Qt.MouseButton.LeftButton:
            at = event.pos().x() * len(self._shares) // max(self.width(), 1)
            self.chosen.emit(min(max(at, 0), len(self._shares) - 1))


class PoppingPanel(QWidget):
    """Measures how much pops along a path, for all stores of a viewer.

    Args:
        viewer: The viewer.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        super().__init__()
        self._viewer = viewer
        self._session: StoreSession | None = None
        self._views: tuple[Place, ...] = ()
        self._own: list[WindowView] = []
        self._lane = Latest("zv-popping")
        self.meter = PoppingMeter(viewer)
        self.add, self.clear = QPushButton("Add this view"), QPushButton("Clear")
        self.open, self.standard = QPushButton("Open a path..."), QPushButton("Standard flight")
        self.steps = QSpinBox()
        self.steps.setRange(1, 1000)
        self.steps.setValue(20)
        self.measure, self.cancel = QPushButton("Measure"), QPushButton("Cancel")
        self.progress, self.bars = QProgressBar(), PopBars()
        self.path_text, self.result, self.place = plain_text(), plain_text(), plain_text()
        self._lay_out()
        self.add.clicked.connect(self._on_add)
        self.clear.clicked.connect(self._on_clear)
        self.open.clicked.connect(self._ask_file)
        self.standard.clicked.connect(lambda: self.use_file(None))
        self.steps.valueChanged.connect(self._on_steps)
        self.measure.clicked.connect(self._on_measure)
        self.cancel.clicked.connect(self.meter.cancel)
        self.bars.chosen.connect(self._on_place)
        self.meter.progress.connect(self._on_progress)
        self.meter.measured.connect(self._on_measured)
        self.meter.failed.connect(self.result.setText)
        self.destroyed.connect(self._lane.close)
        self.show_session(None)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        for widgets in (
            (self.add, self.clear),
            (self.open, self.standard),
            (QLabel("Steps between views"), self.steps),
            (self.measure, self.cancel),
        ):
            row = QHBoxLayout()
            for widget in widgets:
                row.addWidget(widget)
            column.addLayout(row)
        column.insertWidget(3, self.path_text)
        for widget in (self.progress, self.bars, self.place, self.result):
            column.addWidget(widget)
        column.addStretch()

    def show_session(self, session: StoreSession | None) -> None:
        """Be about this session's axes; the path stays."""
        self._session = session
        self._enable()

    def _enable(self) -> None:
        there, running = self._session is not None, self.meter.running
        for widget in (self.add, self.clear, self.open, self.standard, self.steps):
            widget.setEnabled(there and not running)
        self.measure.setEnabled(there and not running and len(self._views) > 1)
        self.cancel.setEnabled(running)
        self.progress.setVisible(running)
        self.path_text.setText(f"{len(self._views)} places" if self._views else NO_PATH)

    def _on_add(self) -> None:
        self._own.append(window_view(self._viewer))
        self._on_steps()

    def _on_clear(self) -> None:
        self._own.clear()
        self._views = ()
        self._enable()

    def _on_steps(self) -> None:
        if self._own:
            self._views = place_views(self._own, self.steps.value())
        self._enable()

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "Open a path of the camera", "", "Paths (*.json)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.use_file)
        dialog.open()

    def use_file(self, path: str | None) -> None:
        """Fly a path that was recorded; None: the one that fits any store."""
        scene = None if self._session is None else self._session.scene
        if scene is None:
            return
        height, width = (float(pixels) for pixels in self._viewer.canvas.size)
        steps = self.steps.value()
        self._lane.ask(
            lambda: views_of(path, steps, scene, (width, height)),
            self._use,
            lambda error: self.result.setText(str(error)),
        )

    def _use(self, views: tuple[Place, ...]) -> None:
        self._own.clear()
        self._views = views
        self.result.setText("")
        self._enable()

    def _on_measure(self) -> None:
        self.bars.show_shares(())
        self.result.setText("")
        self.place.setText("")
        try:
            self.meter.start(self._views)
        except InputError as error:
            self.result.setText(str(error))
        self._enable()

    def _on_progress(self, done: int, total: int) -> None:
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.bars.show_shares(tuple(one.pop.share for one in self.meter.places))

    def _on_measured(self, places: tuple[PlacePop, ...]) -> None:
        self._enable()
        self.bars.show_shares(tuple(one.pop.share for one in places))
        if places and not self.result.text():
            self.result.setText(summary(places))
        at = worst(one.pop for one in places)
        self.bars.mark(at)

    def _on_place(self, number: int) -> None:
        if self.meter.running or number >= len(self.meter.places):
            return
        place = self.meter.places[number]
        go_to(self._viewer, place.view)
        self.bars.mark(number)
        levels = ", ".join(map(str, place.levels))
        self.place.setText(
            f"place {number + 2}: {place.pop.share:.2%} of the canvas, {place.pop.of_drawn:.1%} of "
            f"what is drawn; {place.vertices:,} vertices of level {levels}"
        )


def summary(places: tuple[PlacePop, ...]) -> str:
    """What popped along a path."""
    shares = sorted(one.pop.share for one in places)
    changed = sum(share > 0 for share in shares)
    return (
        f"{len(places)} places, {changed} of them popped: {shares[len(shares) // 2]:.2%} of the "
        f"canvas in the middle one, {shares[-1]:.2%} at most; click a bar to go there"
    )
