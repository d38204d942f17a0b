"""Controls that set two levels of a store beside each other."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.errors import InputError
from zv_viewer.planning.switching import Switch
from zv_viewer.session import StoreSession
from zv_viewer.session.comparing import WAYS, Comparison
from zv_viewer.widgets.quality_see import plain_text

STEPS = 200
COMPARE = "Compare"
GO = "Go to where they change"
TOO_FEW = "the store has one level"


class ComparePanel(QWidget):
    """Compares two levels of one store at a time.

    Args:
        viewer: The viewer of the stores.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        super().__init__()
        self._viewer = viewer
        self._session: StoreSession | None = None
        self.comparison: Comparison | None = None
        self.fine, self.coarse, self.way = QComboBox(), QComboBox(), QComboBox()
        for way in WAYS:
            self.way.addItem(way, way)
        self.compare = QPushButton(COMPARE)
        self.compare.setCheckable(True)
        self.wipe = QSlider(Qt.Orientation.Horizontal)
        self.wipe.setRange(0, STEPS)
        self.wipe.setValue(STEPS // 2)
        self.flip, self.go = QPushButton("Swap"), QPushButton(GO)
        self.differ = QPushButton("Measure the difference")
        self.shown, self.found = plain_text(), plain_text()
        self._lay_out()
        self.compare.toggled.connect(self._on_compare)
        self.fine.currentIndexChanged.connect(self._on_levels)
        self.coarse.currentIndexChanged.connect(self._on_levels)
        self.way.currentIndexChanged.connect(self._on_way)
        self.wipe.valueChanged.connect(self._on_wipe)
        self.flip.clicked.connect(self._on_flip)
        self.go.clicked.connect(self._on_go)
        self.differ.clicked.connect(self._on_differ)
        self.show_session(None)

    def _lay_out(self) -> None:
        levels = QHBoxLayout()
        levels.addWidget(self.fine)
        levels.addWidget(QLabel("and"))
        levels.addWidget(self.coarse)
        column, form = QVBoxLayout(self), QFormLayout()
        column.addLayout(form)
        column.addStretch()
        form.addRow("Levels", levels)
        form.addRow(self.compare)
        form.addRow("Way", self.way)
        form.addRow("Wipe", self.wipe)
        form.addRow("", self.flip)
        form.addRow("Shown", self.shown)
        form.addRow(self.go)
        form.addRow(self.differ)
        form.addRow("", self.found)

    def show_session(self, session: StoreSession | None) -> None:
        """Be about this session; what was compared of another one is as before."""
        if self.comparison is not None and session is self.comparison.other:
            return
        if session is not self._session:
            self._end()
            if self._session is not None:
                self._session.layer_changed.disconnect(self._enable)
            if session is not None:
                session.layer_changed.connect(self._enable)
        self._session = session
        scene = None if session is None else session.scene
        numbers = [] if scene is None else [level.index for level in scene.levels]
        for box, chosen in ((self.fine, 0), (self.coarse, 1)):
            box.clear()
            for number in numbers:
                box.addItem(f"level {number}", number)
            box.setCurrentIndex(min(chosen, len(numbers) - 1))
        self.found.setText("" if session is None or len(numbers) > 1 else TOO_FEW)
        self._enable()

    def _enable(self, *_: object) -> None:
        there = self._session is not None and self.coarse.count() > 1
        self.compare.setEnabled(there)
        on, way = self.comparison is not None, self.way.currentData()
        self.go.setEnabled(on)
        self.differ.setEnabled(on)
        self.wipe.setEnabled(on and way == "wipe")
        self.flip.setEnabled(on and way == "flicker")
        self.compare.blockSignals(True)
        self.compare.setChecked(on)
        self.compare.blockSignals(False)
        self._show()

    def _show(self, *_: object) -> None:
        now = self.comparison
        words = "" if now is None else ", ".join(f"level {number}" for number in now.shown)
        self.shown.setText(words)

    def _on_compare(self, on: bool) -> None:
        if not on:
            self._end()
        elif self._session is not None:
            self.found.setText("")
            levels = self.fine.currentData(), self.coarse.currentData()
            fine, coarse = min(levels), max(levels)
            try:
                self.comparison = Comparison(self._session, self._viewer, (fine, coarse))
            except InputError as error:
                self.found.setText(str(error))
            else:
                self.comparison.changed.connect(self._show)
                self.comparison.switched.connect(self._on_switched)
                self.comparison.ended.connect(self._on_ended)
                self._on_way()
                self._on_wipe()
        self._enable()

    def _end(self) -> None:
        if self.comparison is not None:
            self.comparison.end()

    def _on_ended(self) -> None:
        self.comparison = None
        self._enable()

    def _on_levels(self) -> None:
        if self.comparison is not None:
            self._end()
            self._on_compare(True)

    def _on_way(self) -> None:
        if self.comparison is not None:
            self.comparison.way = self.way.currentData()
        self._enable()

    def _on_wipe(self) -> None:
        if self.comparison is not None:
            self.comparison.wipe = self.wipe.value() / STEPS

    def _on_flip(self) -> None:
        if self.comparison is not None:
            self.comparison.flip()

    def _on_go(self) -> None:
        if self.comparison is not None:
            self.found.setText("looking for it...")
            self.comparison.go_to_switch()

    def _on_differ(self) -> None:
        if self.comparison is None:
            return
        try:
            found = self.comparison.difference()
        except InputError as error:
            self.found.setText(str(error))
        else:
            self.found.setText(
                f"{found.share:.2%} of the canvas differs, {found.of_drawn:.1%} of what is drawn"
            )

    def _on_switched(self, switch: Switch | None) -> None:
        now = self.comparison
        if now is None or now.session.scene is None:
            return
        if switch is None:
            self.found.setText(f"level {now.levels[1]} is never left for a finer one here")
            return
        levels = now.session.scene.levels
        coarse, fine = levels[switch.coarse].index, levels[switch.fine].index
        zoom = float(self._viewer.scene.camera.zoom)
        back = zoom * switch.farther / switch.nearer
        self.found.setText(
            f"coming nearer, level {fine} takes the place of level {coarse} here, at "
            f"{zoom:.4g} px per unit; going away, level {coarse} is back at {back:.4g}"
        )
