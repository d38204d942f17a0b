"""Controls for how a layer looks, its colours aside: opacity, sizes, widths, shading."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QWidget

from zv_viewer.layers.linked import NODE_PX, CellLines, CellMesh
from zv_viewer.layers.points import CellPoints
from zv_viewer.session.sizing import PIXELS, SizeSpec
from zv_viewer.widgets.numbers import number
from zv_viewer.widgets.size_by import SizeBy

BY_SPACING, FIXED, BY_VALUE = "as far apart as they are", "the same", "by the value coloured by"
BY_ATTRIBUTE = "by an attribute"
WIDTHS = "This driver draws lines of %g to %g pixels"
SIZES = (BY_SPACING, FIXED, BY_VALUE, BY_ATTRIBUTE)


class LookPanel(QWidget):
    """What can be set of one layer at a time; rows that do not concern it are hidden.

    ``sized(of, key, limits, pixels)`` when sizes are to be by an attribute, or not any more: then
    ``key`` is None.
    """

    sized = Signal(object, object, object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: Any = None
        self._quiet = False
        self.opacity = number(0.01, 1.0, 0.05)
        self.density = QCheckBox("as dense as level 0")
        self.density.setToolTip(
            "A vertex that stands for others is as opaque as these over one another"
        )
        self.nodes = QCheckBox("as points, too")
        self.nodes.setToolTip("Without it only vertices that no edge joins to another are points")
        self.sizes = QComboBox()
        self.sizes.addItems(SIZES)
        self.least, self.most = number(0.1, 100.0, 0.5), number(0.1, 100.0, 0.5)
        self.factor = number(0.05, 20.0, 0.1)
        self.factor.setPrefix("x ")
        self.size_by = SizeBy()
        self._sized: SizeSpec | None = None
        self._waits = False
        self.round = QCheckBox("round")
        self.width = number(0.1, 64.0, 0.5)
        self.shaded = QCheckBox("darker where it turns away")
        for pixels in (self.least, self.most, self.width):
            pixels.setSuffix(" px")
        self._lay_out()
        self._connect()
        self.set_layer(None)

    def set_layer(self, layer: Any) -> None:  # noqa: ANN401 - a layer of ours, or None
        """Show and set the look of another layer."""
        if self._layer is not None:
            for event in self._events(self._layer):
                event.disconnect(self._show)
        self._layer = layer
        if layer is not None:
            for event in self._events(layer):
                event.connect(self._show)
        self._show()

    def show_sizes(self, spec: SizeSpec | None) -> None:
        """Show the attribute that sizes are by; None: they are by none."""
        self._sized = spec
        self._waits &= spec is None
        self.size_by.show_spec(spec)
        self._show()

    @staticmethod
    def _events(layer: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as above
        return layer.events.look, layer.events.opacity

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        ends = QHBoxLayout()
        for widget in (self.factor, self.least, self.most):
            ends.addWidget(widget)
        self._ends = QWidget()
        self._ends.setLayout(ends)
        ends.setContentsMargins(0, 0, 0, 0)
        self._form = form
        form.addRow("Opacity", self.opacity)
        form.addRow("", self.density)
        form.addRow("Nodes", self.nodes)
        form.addRow("Point size", self.sizes)
        form.addRow("", self.size_by)
        form.addRow("", self._ends)
        form.addRow("", self.round)
        form.addRow("Line width", self.width)
        form.addRow("Faces", self.shaded)

    def _connect(self) -> None:
        self.opacity.valueChanged.connect(self._on_opacity)
        self.density.toggled.connect(self._on_look)
        self.sizes.currentIndexChanged.connect(self._on_look)
        for box in (self.factor, self.least, self.most, self.width):
            box.valueChanged.connect(self._on_look)
        self.round.toggled.connect(self._on_look)
        self.nodes.toggled.connect(self._on_look)
        self.size_by.chosen.connect(self._on_size_by)
        self.shaded.toggled.connect(self._on_look)

    def _show(self, *_: object) -> None:
        """Say what is; rows that do not concern the layer are hidden."""
        if self._quiet:
            return
        self._quiet = True
        layer = self._layer
        points, lines = isinstance(layer, CellPoints), isinstance(layer, CellLines)
        sized = points or (lines and layer.has_points)
        self._row(self.density, points)
        self._row(self.nodes, lines)
        self._row(self.sizes, sized)
        self._row(self._ends, sized)
        self._row(self.size_by, False)
        self._row(self.round, points)
        self._row(self.width, lines)
        self._row(self.shaded, isinstance(layer, CellMesh))
        self.setEnabled(layer is not None)
        if layer is not None:
            self.opacity.setValue(float(layer.opacity))
        if isinstance(layer, CellPoints):
            self._show_points(layer)
            self._show_size(layer, SIZES)
        elif isinstance(layer, CellLines):
            self.nodes.setChecked(layer.nodes)
            if sized:
                self._show_size(layer, SIZES[1:])
            self.width.setValue(layer.line_width)
            self.width.setToolTip("" if layer.line_widths is None else WIDTHS % layer.line_widths)
        elif isinstance(layer, CellMesh):
            self.shaded.setChecked(layer.shaded)
        self._quiet = False

    def _show_points(self, layer: CellPoints) -> None:
        self.density.setChecked(layer.density_true)
        self.round.setChecked(layer.round_points)

    def _show_size(self, layer: CellPoints | CellLines, ways: tuple[str, ...]) -> None:
        if [self.sizes.itemText(at) for at in range(self.sizes.count())] != list(ways):
            self.sizes.clear()
            self.sizes.addItems(ways)
        factor, least, most = getattr(layer, "adaptive_size", (1.0, NODE_PX, NODE_PX))
        how = FIXED if layer.point_size is not None else BY_SPACING
        if layer.value_size is not None:
            how, (least, most) = BY_VALUE, layer.value_size
        if self._sized is not None:
            how, (least, most) = BY_ATTRIBUTE, self._sized.pixels
        elif self._waits:
            how, (least, most) = BY_ATTRIBUTE, self._pixels
        self._row(self.size_by, how == BY_ATTRIBUTE)
        self.sizes.setCurrentText(how)
        self.factor.setValue(factor)
        fixed = layer.point_size if how == FIXED else None
        self.least.setValue(least if fixed is None else fixed)
        self.most.setValue(most)
        self.factor.setVisible(how == BY_SPACING)
        self.most.setVisible(how != FIXED)

    def _on_size_by(self, of: str, key: str | None, limits: tuple[float, float] | None) -> None:
        self._waits = key is None
        self.sized.emit(of, key, limits, self._pixels)

    @property
    def _pixels(self) -> tuple[float, float]:
        return self.least.value(), self.most.value()

    def _row(self, widget: QWidget, shown: bool) -> None:
        label = self._form.labelForField(widget)
        widget.setVisible(shown)
        if label is not None:
            label.setVisible(shown)

    def _on_opacity(self, opacity: float) -> None:
        if not self._quiet and self._layer is not None:
            self._layer.opacity = opacity

    def _on_look(self, *_: object) -> None:
        layer = self._layer
        if self._quiet:
            return
        self._quiet = True
        if isinstance(layer, CellPoints):
            self._set_points(layer)
        elif isinstance(layer, CellLines):
            layer.nodes = self.nodes.isChecked()
            if layer.nodes:
                self._set_sizes(layer)
            least, most = layer.line_widths or (0.0, self.width.maximum())
            layer.line_width = min(max(self.width.value(), least), most)
        elif isinstance(layer, CellMesh):
            layer.shaded = self.shaded.isChecked()
        self._quiet = False
        self._show()

    def _set_points(self, layer: CellPoints) -> None:
        self._set_sizes(layer)
        layer.density_true = self.density.isChecked()
        layer.round_points = self.round.isChecked()

    def _set_sizes(self, layer: CellPoints | CellLines) -> None:
        how = self.sizes.currentText()
        least, most = sorted(self._pixels)
        waits = how == BY_ATTRIBUTE and self._sized is None
        if waits and not self._waits:
            self.least.setValue(PIXELS[0])
            self.most.setValue(PIXELS[1])
        self._waits = waits
        if self._sized is not None and how != BY_ATTRIBUTE:
            self.sized.emit("vertex", None, None, self._pixels)
        elif self._sized is not None and self._sized.pixels != self._pixels:
            spec = self._sized
            self.sized.emit(spec.of, spec.key, spec.limits, self._pixels)
        if how == BY_SPACING and isinstance(layer, CellPoints):
            layer.adaptive_size = (self.factor.value(), least, most)
        layer.value_size = (least, most) if how == BY_VALUE else None
        layer.point_size = self.least.value() if how == FIXED else None
