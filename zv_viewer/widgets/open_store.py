"""Asking for a store: a folder on disk or the URL of one elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


class OpenStoreDialog(QDialog):
    """One line for a path or URL, with those opened before and a button to pick a folder.

    Args:
        known: Addresses opened before, the latest first.
        parent: Widget it belongs to.
    """

    def __init__(self, known: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open a Zarr Vectors store")
        self.place = QComboBox()
        self.place.setEditable(True)
        self.place.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.know(known)
        self.place.lineEdit().setPlaceholderText("folder.zarrvectors, s3://..., https://...")
        self.place.setMinimumWidth(420)
        browse = QPushButton("Folder...")
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.addWidget(self.place, stretch=1)
        line.addWidget(browse)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(
            QLabel("A folder that holds a zarr.json, a zip file of one, or its address:")
        )
        layout.addLayout(line)
        layout.addWidget(
            QLabel("Keys for a bucket are taken from the environment and the usual files.")
        )
        layout.addWidget(buttons)

    def know(self, known: Sequence[str]) -> None:
        """Offer these addresses, the latest first; what was typed meanwhile stays."""
        typed = self.place.currentText()
        self.place.clear()
        self.place.addItems(list(known))
        self.place.setCurrentText(typed)

    def path(self) -> str:
        """What was typed or picked."""
        return str(self.place.currentText()).strip()

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Zarr Vectors store")
        if folder:
            self.place.setCurrentText(folder)
