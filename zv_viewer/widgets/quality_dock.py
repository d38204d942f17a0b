"""The dock about the quality of pyramids: a page for each way to look at one."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from zv_viewer.session import StoreSession
from zv_viewer.widgets.quality_compare import ComparePanel
from zv_viewer.widgets.quality_popping import PoppingPanel
from zv_viewer.widgets.quality_report import ReportPanel
from zv_viewer.widgets.quality_see import SeePanel
from zv_viewer.widgets.quality_what_if import WhatIfPanel
from zv_viewer.widgets.store_choice import StoreChoice


class QualityDock(QWidget):
    """The stores of a viewer, and pages about the one chosen."""

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._session: StoreSession | None = None
        self.stores = StoreChoice(self._viewer, keeps=True)
        self.pages = QTabWidget()
        self.see, self.compare = SeePanel(), ComparePanel(self._viewer)
        self.report, self.popping = ReportPanel(self._viewer), PoppingPanel(self._viewer)
        self.what_if = WhatIfPanel(self._viewer)
        self._panels: dict[str, Any] = {
            "Drawn": self.see,
            "Two levels": self.compare,
            "Report": self.report,
            "Popping": self.popping,
            "What if": self.what_if,
        }
        for title, panel in self._panels.items():
            self.pages.addTab(panel, title)
        column = QVBoxLayout(self)
        column.addWidget(self.stores)
        column.addWidget(self.pages, stretch=1)
        self.stores.chosen.connect(self._show)
        self.stores.list_stores()

    def _show(self, session: StoreSession | None) -> None:
        if session is not self._session:
            self._session = session
            for panel in self._panels.values():
                panel.show_session(session)
