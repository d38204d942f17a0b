"""The dock of views: saved and opened, ways of the camera, movies, rows for other programs."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFrame, QGroupBox, QScrollArea, QVBoxLayout, QWidget

from zv_viewer.views.saving import ViewFiles
from zv_viewer.widgets.camera_path import PathPanel
from zv_viewer.widgets.export import ExportPanel
from zv_viewer.widgets.view_panel import ViewPanel

VIEWS_DOCK = "Views"


class ViewsDock(QScrollArea):
    """Views of all stores of a viewer together.

    Args:
        napari_viewer: The viewer or its public proxy.
        files: Saves and shows its views.
    """

    def __init__(self, napari_viewer: Any, files: ViewFiles) -> None:  # noqa: ANN401 - see above
        super().__init__()
        viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.view = ViewPanel(files)
        self.path = PathPanel(viewer)
        self.export = ExportPanel(viewer)
        inside = QWidget()
        column = QVBoxLayout(inside)
        for title, panel in (
            ("View", self.view),
            ("Way of the camera", self.path),
            ("Export", self.export),
        ):
            box = QGroupBox(title)
            QVBoxLayout(box).addWidget(panel)
            column.addWidget(box)
        column.addStretch()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
