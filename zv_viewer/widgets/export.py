"""Exporting what is visible or selected of a store."""

from __future__ import annotations

from threading import Event
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QProgressBar, QPushButton, QWidget

from zarr_vectors.exceptions import Cancelled, ZVError
from zv_viewer.errors import InputError
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import Copied
from zv_viewer.views.exporting import export_of
from zv_viewer.widgets.store_choice import StoreChoice
from zv_viewer.widgets.view_panel import FileLine, said

VISIBLE, SELECTED = "what is visible", "the objects selected"


class ExportPanel(QWidget):
    """A store, what of it, and a file; writing goes on in a worker and can be given up.

    Args:
        viewer: The napari viewer.
    """

    _share = Signal(float)

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - see above
        super().__init__()
        self._viewer = viewer
        self._lane = Latest("zv-export")
        self._stop = Event()
        self._busy = False
        self.stores = StoreChoice(viewer, keeps=True)
        self.what = QComboBox()
        self.what.addItem(VISIBLE, "visible")
        self.what.addItem(SELECTED, "selected")
        self.file = FileLine(
            "rows.csv, rows.parquet or part.zarrvectors", "Tables (*.csv *.parquet)"
        )
        self.export, self.cancel = QPushButton("Export"), QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.told = said()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.stores, 0, 0, 1, 3)
        grid.addWidget(self.what, 1, 0, 1, 3)
        grid.addWidget(self.file, 2, 0, 1, 2)
        grid.addWidget(self.file.browse, 2, 2)
        grid.addWidget(self.export, 3, 0)
        grid.addWidget(self.cancel, 3, 1, 1, 2)
        grid.addWidget(self.progress, 4, 0, 1, 3)
        grid.addWidget(self.told, 5, 0, 1, 3)
        self.export.clicked.connect(self._on_export)
        self.cancel.clicked.connect(self._on_cancel)
        self.file.textChanged.connect(self._enable)
        self._share.connect(lambda share: self.progress.setValue(round(1000 * share)))
        self.stores.chosen.connect(self._enable)
        self.stores.list_stores()

    def _on_export(self) -> None:
        session, out = self.stores.session, self.file.path
        if session is None or out is None:
            return
        try:
            export = export_of(self._viewer, session, self.what.currentData())
        except InputError as error:
            self._tell(str(error))
            return
        self._stop = stop = Event()

        def progress(share: float) -> None:
            if stop.is_set():
                raise Cancelled("the export was given up")
            self._share.emit(share)

        def done(copied: Copied) -> None:
            self._end(
                "\n".join([f"{copied.vertices:,} vertices are in {out}", copied.lost]).strip()
            )

        def failed(error: Exception) -> None:
            if not isinstance(error, ZVError | InputError | OSError):
                raise error
            self._end(str(error))

        self._busy = True
        self.progress.setValue(0)
        self._tell("")
        self._enable()
        self._lane.ask(lambda: export.run(out, progress), done, failed)

    def _on_cancel(self) -> None:
        self._stop.set()

    def _end(self, text: str) -> None:
        self._busy = False
        self._tell(text)
        self._enable()

    def _tell(self, text: str) -> None:
        self.told.setText(text)
        self.told.setVisible(bool(text))

    def _enable(self, *_: object) -> None:
        ready = self.stores.session is not None and self.file.path is not None
        self.export.setEnabled(ready and not self._busy)
        self.cancel.setVisible(self._busy)
        self.progress.setVisible(self._busy)
