"""Saving the present view and showing one that was saved."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from zv_viewer.views.saving import ViewFiles


class FileLine(QLineEdit):
    """A line for the name of a file; a button beside it, :attr:`browse`, picks one.

    Args:
        hint: Shown while it is empty.
        kinds: Files to pick from, as Qt writes them.
    """

    def __init__(self, hint: str, kinds: str) -> None:
        super().__init__()
        self._kinds = kinds
        self.setPlaceholderText(hint)
        self.browse = QPushButton("...")
        self.browse.setMaximumWidth(32)
        self.browse.clicked.connect(self._on_browse)

    @property
    def path(self) -> Path | None:
        """What was typed or picked; None where that is nothing."""
        text = self.text().strip()
        return Path(text).expanduser() if text else None

    def _on_browse(self) -> None:
        dialog = QFileDialog(self, self.placeholderText(), "", self._kinds)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.setText)
        dialog.open()


def said() -> QLabel:
    """A label for a sentence."""
    label = QLabel("")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


class ViewPanel(QWidget):
    """A file, and buttons to save the view there or to show what it holds.

    Args:
        files: Does so.
    """

    def __init__(self, files: ViewFiles) -> None:
        super().__init__()
        self._files = files
        self.file = FileLine("view.json", "Views (*.json)")
        self.save, self.open = QPushButton("Save view"), QPushButton("Open view")
        self.force = QPushButton("Show it anyway")
        self.force.setToolTip("with the stores as they are now")
        self.told = said()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.file, 0, 0, 1, 2)
        grid.addWidget(self.file.browse, 0, 2)
        grid.addWidget(self.save, 1, 0)
        grid.addWidget(self.open, 1, 1, 1, 2)
        grid.addWidget(self.told, 2, 0, 1, 3)
        grid.addWidget(self.force, 3, 0, 1, 3)
        self.save.clicked.connect(self._on_save)
        self.open.clicked.connect(self._on_open)
        self.force.clicked.connect(self._on_force)
        self.file.textChanged.connect(self._enable)
        files.saved.connect(lambda path: self._tell(f"saved as {path}"))
        files.begun.connect(lambda _: self._tell("opening the view"))
        files.shown.connect(self._on_shown)
        files.failed.connect(self._tell)
        self._tell("")
        self._enable()

    def _on_save(self) -> None:
        if self.file.path is not None:
            self._tell("saving the view")
            self._files.save(self.file.path)

    def _on_open(self) -> None:
        if self.file.path is not None:
            self._tell("reading the view")
            self._files.open(self.file.path)

    def _on_force(self) -> None:
        self._files.force()

    def _on_shown(self, notes: tuple[str, ...]) -> None:
        self._tell("; ".join(notes) or "the view is shown")

    def _tell(self, text: str) -> None:
        self.told.setText(text)
        self.told.setVisible(bool(text))
        self.force.setVisible(self._files.can_force)

    def _enable(self) -> None:
        for button in (self.save, self.open):
            button.setEnabled(self.file.path is not None)
