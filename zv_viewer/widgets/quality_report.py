"""The findings of a report as a list, each with the way to its place."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from zv_viewer.qa.report import Finding, Report
from zv_viewer.session.reporting import Reporting, reporting_of
from zv_viewer.widgets.quality_see import plain_text
from zv_viewer.widgets.quality_work import WorkPanel

COLUMNS = ("", "Finding", "Level", "Where")
MOST = 5_000
"""Findings listed."""
FINDING = Qt.ItemDataRole.UserRole
NOT_YET = "Inspect reads the whole store, in the background"


class ReportPanel(WorkPanel[Reporting]):
    """Makes the report on one store at a time, or opens one, and goes to what it found.

    Args:
        viewer: The viewer of the stores.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a napari viewer
        super().__init__(viewer, reporting_of, "Inspect")
        self._listed: Report | None = None
        self.open = QPushButton("Open a report...")
        self.details = plain_text()
        self.findings = QTreeWidget()
        self.go = QPushButton("Go to")
        self.lock = QCheckBox("at its level")
        self.lock.setChecked(True)
        self._lay_out()
        self.open.clicked.connect(self._ask_file)
        self.findings.currentItemChanged.connect(self._show_details)
        self.findings.itemDoubleClicked.connect(self._on_go)
        self.go.clicked.connect(self._on_go)
        self.show_session(None)

    def _lay_out(self) -> None:
        findings = self.findings
        findings.setHeaderLabels(COLUMNS)
        findings.setRootIsDecorated(False)
        findings.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        findings.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        flags = Qt.TextInteractionFlag.TextSelectableByMouse
        self.details.setTextInteractionFlags(
            flags | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        column = QVBoxLayout(self)
        for widgets in ((self.run, self.cancel, self.open), (self.go, self.lock)):
            row = QHBoxLayout()
            for widget in widgets:
                row.addWidget(widget)
            column.addLayout(row)
        column.insertWidget(1, self.progress)
        column.insertWidget(2, self.told)
        column.insertWidget(3, findings, stretch=1)
        column.addWidget(self.details)

    @property
    def _report(self) -> Report | None:
        return None if self._work is None else self._work.report

    def begin(self, work: Reporting) -> None:
        """Look at the whole store."""
        work.run()

    def answer(self) -> str:
        """What the report says in short."""
        report = self._report
        return NOT_YET if report is None else summary(report)

    def show_answer(self, *, running: bool) -> None:
        """List the findings, where they are others than those listed."""
        self.open.setEnabled(not running)
        report = self._report
        if report is not self._listed:
            self._listed = report
            self._list(() if report is None else report.findings)

    def _list(self, findings: tuple[Finding, ...]) -> None:
        self.findings.clear()
        for finding in findings[:MOST]:
            kind = finding.kind.replace("_", " ")
            line = QTreeWidgetItem(
                [finding.severity, kind, str(finding.level), place_text(finding)]
            )
            line.setData(0, FINDING, finding)
            self.findings.addTopLevelItem(line)
        if findings:
            self.findings.setCurrentItem(self.findings.topLevelItem(0))
        self._show_details()

    def _finding(self) -> Finding | None:
        line = self.findings.currentItem()
        return None if line is None else line.data(0, FINDING)

    def _show_details(self, *_: object) -> None:
        finding = self._finding()
        self.go.setEnabled(finding is not None)
        self.details.setText("" if finding is None else f"{finding.message}\n\n{finding.fix}")

    def _on_cancel(self) -> None:
        super()._on_cancel()
        if self._work is not None and self._work.running:
            self.cancel.setEnabled(False)
            self.told.setText("stopping...")

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "Open a report", "", "Reports (*.json)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.open_file)
        dialog.open()

    def open_file(self, path: str) -> None:
        """Show a report that was written before."""
        if self._work is not None:
            self._work.open(path)

    def _on_go(self, *_: object) -> None:
        finding = self._finding()
        if self._work is not None and finding is not None:
            self._work.go_to(finding, lock=self.lock.isChecked())


def summary(report: Report) -> str:
    """How many findings there are, and the error of each level."""
    counts = {"error": 0, "warning": 0, "info": 0}
    for finding in report.findings:
        counts[finding.severity] += 1
    listed = "" if len(report.findings) <= MOST else f" (the first {MOST:,} are listed)"
    whole = "" if report.complete else ", stopped before the end"
    words = (("error", "error"), ("warning", "warning"), ("info", "note"))
    said = [f"{counts[kind]:,} {word}{'' if counts[kind] == 1 else 's'}" for kind, word in words]
    lines = [f"{', '.join(said)}{listed}{whole}"]
    lines += [
        f"level {level.level}: {level.vertices:,} vertices, 95 % of level 0 within "
        f"{level.error_p95:.4g}"
        for level in report.levels
        if level.error_p95 is not None
    ]
    return "\n".join(lines)


def place_text(finding: Finding) -> str:
    """Where a finding is, in words."""
    position = finding.where.position
    words = str(finding.where)
    if words or position is None:
        return words
    return "at " + ", ".join(f"{x:.4g}" for x in position)
