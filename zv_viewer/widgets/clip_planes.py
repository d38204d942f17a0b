"""Controls for the planes that cut a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers.utils.plane import ClippingPlane
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QWidget,
)

from zv_viewer.layers.camera import affine_of
from zv_viewer.layers.clip_planes import part_of, plane_axes, position_of
from zv_viewer.layers.visual import PLANES

STEPS = 1000
HALF = 0.5
FACING = "facing the camera"


class ClipPlanes(QWidget):
    """Adds, moves, turns round and removes the planes of one layer; a tick switches one on."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:  # noqa: ANN401
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Any = None
        self._quiet = False
        self.direction = QComboBox()
        self.add, self.flip = QPushButton("Add plane"), QPushButton("Flip")
        self.remove = QPushButton("Remove")
        self.planes = QListWidget()
        self.planes.setMaximumHeight(90)
        self.place = QSlider(Qt.Orientation.Horizontal)
        self.place.setRange(0, STEPS)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.direction, 0, 0, 1, 2)
        grid.addWidget(self.add, 0, 2)
        grid.addWidget(self.planes, 1, 0, 1, 3)
        grid.addWidget(self.place, 2, 0)
        grid.addWidget(self.flip, 2, 1)
        grid.addWidget(self.remove, 2, 2)
        self.add.clicked.connect(self._on_add)
        self.flip.clicked.connect(self._on_flip)
        self.remove.clicked.connect(self._on_remove)
        self.place.valueChanged.connect(self._on_place)
        self.planes.currentRowChanged.connect(self._show_place)
        self.planes.itemChanged.connect(self._on_tick)
        viewer.dims.events.order.connect(self._show)
        viewer.dims.events.ndisplay.connect(self._show)
        self.set_layer(None)

    def set_layer(self, layer: Any) -> None:  # noqa: ANN401 - a layer of ours, or None
        """Cut another layer."""
        if self._layer is not None:
            self._layer.experimental_clipping_planes.events.disconnect(self._show)
        self._layer = layer
        if layer is not None:
            layer.experimental_clipping_planes.events.connect(self._show)
        self._show()

    def _names(self) -> list[str]:
        axes = plane_axes(self._layer)
        names = [self._layer.scene.axis_names[axis] for axis in axes]
        return [""] * (3 - len(names)) + names

    def _show(self, *_: object) -> None:
        if self._quiet:
            return
        self._quiet = True
        row, chosen = self.planes.currentRow(), self.direction.currentIndex()
        self.planes.clear()
        self.direction.clear()
        layer = self._layer
        planes = [] if layer is None else list(layer.experimental_clipping_planes)
        if layer is not None:
            names = self._names()
            for axis in reversed(range(3)):
                if names[axis]:
                    self.direction.addItem(f"across {names[axis]}", axis)
            if self._viewer.dims.ndisplay == len(names):
                self.direction.addItem(FACING, None)
            self.direction.setCurrentIndex(max(min(chosen, self.direction.count() - 1), 0))
            for plane in planes:
                item = QListWidgetItem(words(plane.normal, names))
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                ticked = Qt.CheckState.Checked if plane.enabled else Qt.CheckState.Unchecked
                item.setCheckState(ticked)
                self.planes.addItem(item)
        self.planes.setCurrentRow(min(max(row, 0), len(planes) - 1))
        self.add.setEnabled(layer is not None and len(planes) < PLANES)
        for widget in (self.flip, self.remove, self.place, self.planes):
            widget.setEnabled(bool(planes))
        self._quiet = False
        self._show_place()

    def _show_place(self, *_: object) -> None:
        plane = self._plane()
        if plane is not None and not self._quiet:
            self._quiet = True
            self.place.setValue(round(STEPS * part_of(self._layer, plane)))
            self._quiet = False

    def _plane(self) -> Any:  # noqa: ANN401 - napari's plane, or None
        planes = [] if self._layer is None else self._layer.experimental_clipping_planes
        row = self.planes.currentRow()
        return planes[row] if 0 <= row < len(planes) else None

    def _on_add(self) -> None:
        axis = self.direction.currentData()
        normal = self._ahead() if axis is None else np.eye(3)[axis]
        position = position_of(self._layer, normal, HALF)
        plane = ClippingPlane(normal=tuple(normal), position=position)
        self._layer.experimental_clipping_planes.append(plane)
        self.planes.setCurrentRow(self.planes.count() - 1)

    def _ahead(self) -> Any:  # noqa: ANN401 - an array
        """Unit normal that points away from the camera, as the layer's axes run."""
        axes = list(plane_axes(self._layer))
        linear, _ = affine_of(self._viewer, self._layer)
        ahead = np.asarray(self._viewer.scene.camera.view_direction) @ linear[np.ix_(axes, axes)]
        return ahead / np.linalg.norm(ahead)

    def _on_flip(self) -> None:
        plane = self._plane()
        if plane is not None:
            plane.normal = tuple(-x for x in plane.normal)
            self._show()

    def _on_remove(self) -> None:
        if self._plane() is not None:
            del self._layer.experimental_clipping_planes[self.planes.currentRow()]

    def _on_place(self, value: int) -> None:
        plane = self._plane()
        if plane is not None and not self._quiet:
            self._quiet = True
            plane.position = position_of(self._layer, plane.normal, value / STEPS)
            self._quiet = False

    def _on_tick(self, item: QListWidgetItem) -> None:
        if not self._quiet:
            plane = self._layer.experimental_clipping_planes[self.planes.row(item)]
            self._quiet = True
            plane.enabled = item.checkState() == Qt.CheckState.Checked
            self._quiet = False


def words(normal: tuple[float, ...], names: list[str]) -> str:
    """Which side of a plane is kept, in words."""
    axis = int(np.argmax(np.abs(normal)))
    if np.isclose(abs(normal[axis]), 1.0):
        return f"larger {names[axis]} kept" if normal[axis] > 0 else f"smaller {names[axis]} kept"
    return "oblique: " + ", ".join(
        f"{part:+.2f} {name}" for part, name in zip(normal, names, strict=True) if name
    )
