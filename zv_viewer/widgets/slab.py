"""Controls for how thick the slice of each axis is that is not on the canvas."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QDoubleSpinBox, QFormLayout, QLabel, QWidget

from zv_viewer.layers.units import unit_text

THIN = "one step"


class SlabPanel(QWidget):
    """A thickness for each slider of a viewer, in the viewer's units; hidden where there is none.

    ``boxes`` maps the viewer's axes to their boxes.
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:  # noqa: ANN401
        super().__init__(parent)
        self._viewer = viewer
        self._quiet = False
        self.boxes: dict[int, QDoubleSpinBox] = {}
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        dims = viewer.dims.events
        for event in (dims.ndisplay, dims.order, dims.ndim, dims.axis_labels, dims.range):
            event.connect(self._list)
        dims.margin_left.connect(self._show)
        dims.margin_right.connect(self._show)
        self._list()

    def _list(self, *_: object) -> None:
        """A row for each axis that is not on the canvas."""
        while self._form.rowCount():
            self._form.removeRow(0)
        dims, units = self._viewer.dims, self._viewer.layers.units
        self.boxes = {}
        for axis in dims.not_displayed:
            extent = float(dims.range[axis].stop - dims.range[axis].start)
            box = QDoubleSpinBox()
            box.setDecimals(4)
            box.setRange(0.0, max(2 * extent, 0.0))
            box.setSingleStep(float(dims.range[axis].step) or 1.0)
            box.setKeyboardTracking(False)
            box.setSpecialValueText(THIN)
            unit = "" if units is None else unit_text(units[axis])
            box.setSuffix(f" {unit}" if unit else "")
            box.valueChanged.connect(lambda width, axis=axis: self._on_width(axis, width))
            self.boxes[axis] = box
            self._form.addRow(QLabel(f"Slice of {dims.axis_labels[axis]}"), box)
        self.setVisible(bool(self.boxes))
        self._show()

    def _show(self, *_: object) -> None:
        quiet, self._quiet = self._quiet, True
        dims = self._viewer.dims
        for axis, box in self.boxes.items():
            box.setValue(dims.margin_left[axis] + dims.margin_right[axis])
        self._quiet = quiet

    def _on_width(self, axis: int, width: float) -> None:
        if self._quiet:
            return
        dims = self._viewer.dims
        left, right = list(dims.margin_left), list(dims.margin_right)
        left[axis] = right[axis] = width / 2
        dims.margin_left, dims.margin_right = tuple(left), tuple(right)
