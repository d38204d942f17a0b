"""Controls that try another pyramid for a part of a store, and print what builds it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from zv_viewer.drawing.tints import bytes_text
from zv_viewer.errors import InputError
from zv_viewer.session import StoreSession
from zv_viewer.session.trying import Trying, trying_of
from zv_viewer.what_if import (
    MOST_VERTICES,
    Question,
    Trial,
    TrialLevel,
    command,
    parse_steps,
    python_call,
)
from zv_viewer.what_if.question import STRATEGIES
from zv_viewer.widgets.quality_see import plain_text

COLUMNS = (
    "Level",
    "Vertices",
    "Objects",
    "Bytes",
    "Error p50",
    "p95",
    "max",
    "Switch",
)
SWITCH = "pixels per unit at which, coming nearer, a finer level takes the place of this one"


class WhatIfPanel(QWidget):
    """Tries pyramids for one store at a time.

    Args:
        viewer: The viewer of the stores.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        super().__init__()
        self._viewer = viewer
        self._session: StoreSession | None = None
        self._trying: Trying | None = None
        self._asked: Question | None = None
        self.coarsening, self.sparsity = QLineEdit("2 2 2"), QLineEdit()
        self.sparsity.setPlaceholderText("1: every level keeps all objects")
        self.chunks = QLineEdit()
        self.chunks.setPlaceholderText("chosen by the builder")
        self.strategy = QComboBox()
        self.strategy.setEditable(True)
        self.strategy.addItems(STRATEGIES)
        self.most = QSpinBox()
        self.most.setRange(1_000, 100_000_000)
        self.most.setSingleStep(100_000)
        self.most.setGroupSeparatorShown(True)
        self.most.setValue(MOST_VERTICES // 4)
        self.ask, self.cancel = QPushButton("Try around here"), QPushButton("Cancel")
        self.progress, self.told = QProgressBar(), plain_text()
        self.table, self.call = QTableWidget(0, len(COLUMNS)), QPlainTextEdit()
        self._lay_out()
        self.ask.clicked.connect(self._on_ask)
        self.cancel.clicked.connect(self._on_cancel)
        for edit in (self.coarsening, self.sparsity, self.chunks):
            edit.textChanged.connect(self._show_call)
        self.strategy.currentTextChanged.connect(self._show_call)
        self.show_session(None)

    def _lay_out(self) -> None:
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.horizontalHeaderItem(len(COLUMNS) - 1).setToolTip(SWITCH)
        self.table.verticalHeader().setVisible(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        fit = QHeaderView.ResizeMode.ResizeToContents
        self.table.horizontalHeader().setSectionResizeMode(fit)
        self.call.setReadOnly(True)
        self.call.setMaximumHeight(120)
        buttons = QHBoxLayout()
        buttons.addWidget(self.ask)
        buttons.addWidget(self.cancel)
        form = QFormLayout(self)
        form.addRow("Coarsening", self.coarsening)
        form.addRow("Sparsity", self.sparsity)
        form.addRow("Chunks grow by", self.chunks)
        form.addRow("Objects kept", self.strategy)
        form.addRow("Vertices tried", self.most)
        form.addRow(buttons)
        form.addRow(self.progress)
        form.addRow(self.told)
        form.addRow(self.table)
        form.addRow(self.call)

    def show_session(self, session: StoreSession | None) -> None:
        """Be about this session."""
        if self._trying is not None:
            self._trying.changed.disconnect(self.refresh)
            self._trying.progress.disconnect(self._on_progress)
            self._trying.failed.disconnect(self._on_failed)
        self._session = session
        self._trying = None if session is None else trying_of(session, self._viewer)
        if self._trying is not None:
            self._trying.changed.connect(self.refresh)
            self._trying.progress.connect(self._on_progress)
            self._trying.failed.connect(self._on_failed)
        self.refresh()
        self._show_call()

    def refresh(self, *_: object) -> None:
        """Show how things stand."""
        trying = self._trying
        running = trying is not None and trying.running
        self.setEnabled(trying is not None)
        self.ask.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.progress.setVisible(running)
        trial = None if trying is None else trying.trial
        self._show_table(trial, 1.0 if trying is None else trying.zoom)
        if not running:
            self.told.setText("" if trial is None else trial_text(trial))

    def _show_table(self, trial: Trial | None, zoom: float) -> None:
        levels = () if trial is None else trial.levels
        self.table.setRowCount(len(levels))
        for row, level in enumerate(levels):
            for column, text in enumerate(row_of(level, zoom)):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)

    def _question(self) -> Question:
        return parse_steps(
            self.coarsening.text(),
            self.sparsity.text(),
            self.chunks.text(),
            self.strategy.currentText().strip() or STRATEGIES[0],
        )

    def _show_call(self, *_: object) -> None:
        if self._session is None or self._trying is None:
            self.call.setPlainText("")
            return
        try:
            question = self._question()
        except InputError as error:
            self.call.setPlainText(str(error))
            return
        path, levels = self._session.path, self._trying.level_numbers
        self.call.setPlainText(
            f"{python_call(path, question, levels)}\n\n{command(path, question, levels)}"
        )

    def _on_ask(self) -> None:
        if self._trying is None:
            return
        self.progress.setRange(0, 0)
        try:
            self._trying.ask(self._question(), self.most.value())
        except InputError as error:
            self._on_failed(str(error))

    def _on_cancel(self) -> None:
        if self._trying is not None:
            self._trying.cancel()

    def _on_progress(self, done: int, total: int, text: str) -> None:
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)
        self.told.setText(text)

    def _on_failed(self, message: str) -> None:
        self.told.setText(message)


def row_of(level: TrialLevel, zoom: float) -> tuple[str, ...]:
    """A line of the table; ``zoom`` is that of the view the switch's factors are of."""
    errors = (level.error_p50, level.error_p95, level.error_max)
    switch = level.switch
    return (
        str(level.level),
        f"{level.vertices:,}",
        f"{level.objects:,}" if level.objects else "-",
        bytes_text(level.nbytes),
        *("-" if error is None else f"{error:.4g}" for error in errors),
        "-" if switch is None else f"{switch.nearer * zoom:.4g}",
    )


def trial_text(trial: Trial) -> str:
    """What a trial was made with."""
    share = trial.vertices / max(trial.of, 1)
    lines = [f"tried with {trial.vertices:,} of {trial.of:,} vertices ({share:.1%})"]
    return "\n".join([*lines, *trial.notes])
