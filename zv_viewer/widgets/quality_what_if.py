"""Controls that try another pyramid for a part of a store, and tell what builds it."""

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
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
)

from zv_viewer.drawing.tints import bytes_text
from zv_viewer.errors import InputError
from zv_viewer.session import StoreSession
from zv_viewer.session.trying import Tried, Trying, trying_of
from zv_viewer.what_if import (
    MOST_VERTICES,
    BoxLevel,
    Question,
    command,
    parse_steps,
    python_call,
)
from zv_viewer.what_if.question import STRATEGIES
from zv_viewer.widgets.quality_work import WorkPanel

COLUMNS = ("Level", "", "Vertices", "Bytes", "95 %", "Switch", "Objects", "50 %", "Largest")
TIPS = {
    "Vertices": "of the chunks tried",
    "Bytes": "of the chunks tried, as stored; now: as large a part of the level as of its vertices",
    "95 %": "distance within which 95 % of the vertices of level 0 are represented; now: as "
    "recorded for the whole level",
    "Switch": "pixels per unit at which, coming nearer, a finer level takes the place of this one",
    "Objects": "of the chunks tried",
    "50 %": "as 95 %, for half of the vertices",
    "Largest": "the largest of these distances",
}
NOW, TRIED = "now", "tried"


class WhatIfPanel(WorkPanel[Trying]):
    """Tries pyramids for one store at a time, and shows them beside the one it has.

    Args:
        viewer: The viewer of the stores.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        super().__init__(viewer, trying_of, "Try around here")
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
        self.table, self.call = QTableWidget(0, len(COLUMNS)), QPlainTextEdit()
        self._lay_out()
        for edit in (self.coarsening, self.sparsity, self.chunks):
            edit.textChanged.connect(self._show_call)
        self.strategy.currentTextChanged.connect(self._show_call)
        self.show_session(None)

    def _lay_out(self) -> None:
        self.table.setHorizontalHeaderLabels(COLUMNS)
        for column, name in enumerate(COLUMNS):
            self.table.horizontalHeaderItem(column).setToolTip(TIPS.get(name, ""))
        self.table.verticalHeader().setVisible(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        fit = QHeaderView.ResizeMode.ResizeToContents
        self.table.horizontalHeader().setSectionResizeMode(fit)
        self.table.verticalHeader().setSectionResizeMode(fit)
        self.call.setReadOnly(True)
        self.call.setMaximumHeight(120)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run)
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
        super().show_session(session)
        self._show_call()

    def begin(self, work: Trying) -> None:
        """Try what was typed."""
        work.ask(self._question(), self.most.value())

    @property
    def _tried(self) -> Tried | None:
        return None if self._work is None else self._work.tried

    def answer(self) -> str:
        """What was tried, in words."""
        return "" if self._tried is None else tried_text(self._tried)

    def show_answer(self, *, running: bool) -> None:
        """List the levels there are, and those tried; what was tried before stays meanwhile."""
        del running
        lines = [] if self._tried is None else lines_of(self._tried)
        self.table.setRowCount(len(lines))
        for row, texts in enumerate(lines):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                font = item.font()
                font.setBold(texts[1] == TRIED)
                item.setFont(font)
                self.table.setItem(row, column, item)

    def _question(self) -> Question:
        return parse_steps(
            self.coarsening.text(),
            self.sparsity.text(),
            self.chunks.text(),
            self.strategy.currentText().strip() or STRATEGIES[0],
        )

    def _show_call(self, *_: object) -> None:
        if self._session is None or self._work is None:
            self.call.setPlainText("")
            return
        try:
            question = self._question()
        except InputError as error:
            self.call.setPlainText(str(error))
            return
        path, levels = self._session.path, self._work.level_numbers
        self.call.setPlainText(
            f"{python_call(path, question, levels)}\n\n{command(path, question, levels)}"
        )


def lines_of(tried: Tried) -> list[tuple[str, ...]]:
    """The lines of the table: each level as it is now, then as it was tried."""
    now = {level.level: level for level in tried.now}
    then = {level.level: level for level in tried.trial.levels}
    lines = []
    for number in sorted({*now, *then}):
        for word, levels in ((NOW, now), (TRIED, then)):
            if number in levels:
                lines.append(line_of(levels[number], word, tried.zoom))
    return lines


def line_of(level: BoxLevel, word: str, zoom: float) -> tuple[str, ...]:
    """A line of the table; ``zoom`` is that of the view the switch's factors are of."""
    switch = level.switch
    return (
        str(level.level),
        word,
        f"{level.vertices:,}",
        "-" if level.nbytes is None else bytes_text(level.nbytes),
        _length(level.error_p95),
        "-" if switch is None else f"{switch.nearer * zoom:.4g}",
        f"{level.objects:,}" if level.objects else "-",
        _length(level.error_p50),
        _length(level.error_max),
    )


def tried_text(tried: Tried) -> str:
    """What a pyramid was tried with, and what it comes to for the whole store."""
    trial = tried.trial
    share = trial.vertices / max(trial.of, 1)
    vertices = sum(level.vertices for level in trial.whole)
    nbytes = sum(level.nbytes for level in trial.whole)
    lines = [
        f"tried with {trial.vertices:,} of {trial.of:,} vertices ({share:.1%})",
        f"the whole store would have about {_rounded(vertices):,} vertices and "
        f"{bytes_text(round(nbytes))} above level 0",
    ]
    return "\n".join([*lines, *trial.notes])


def _length(error: float | None) -> str:
    return "-" if error is None else f"{error:.4g}"


def _rounded(count: float) -> int:
    """With three digits."""
    return int(float(f"{count:.3g}"))
