"""Asking for a store: a folder on disk or the URL of one elsewhere."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


class OpenStoreDialog(QDialog):
    """One line for a path or URL, with a button to pick a folder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open a Zarr Vectors store")
        self.place = QLineEdit()
        self.place.setPlaceholderText("folder.zarrvectors, s3://..., https://...")
        self.place.setMinimumWidth(420)
        browse = QPushButton("Folder...")
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.addWidget(self.place)
        line.addWidget(browse)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("A store is a folder (or its address) that holds a zarr.json."))
        layout.addLayout(line)
        layout.addWidget(buttons)

    def path(self) -> str:
        """What was typed or picked."""
        return str(self.place.text()).strip()

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Zarr Vectors store")
        if folder:
            self.place.setText(folder)
