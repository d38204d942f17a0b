"""Controls for colouring by an attribute: which one, the colormap, and limits that stay put."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from zv_viewer.drawing.colours import ColourSpec
from zv_viewer.model.scene import AttributeInfo, SceneInfo

PLAIN = "(plain)"
COLORMAPS = ("viridis", "magma", "inferno", "plasma", "turbo", "gray", "PiYG", "twilight_shifted")


class ColourBy(QWidget):
    """``chosen(attribute, colormap, limits)``, each or None, when the user changes anything."""

    chosen = Signal(object, object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: SceneInfo | None = None
        self._quiet = False
        self.attribute = QComboBox()
        self.attribute.setObjectName("color_by")
        self.colormap = QComboBox()
        self.colormap.addItems(COLORMAPS)
        self.low, self.high = _number(), _number()
        self.reset = QPushButton("Full range")
        limits = QHBoxLayout()
        for widget in (self.low, self.high, self.reset):
            limits.addWidget(widget)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Color by", self.attribute)
        form.addRow("Colormap", self.colormap)
        form.addRow("Limits", limits)
        self.attribute.currentIndexChanged.connect(self._on_attribute)
        self.colormap.currentIndexChanged.connect(self._on_style)
        self.low.editingFinished.connect(self._on_style)
        self.high.editingFinished.connect(self._on_style)
        self.reset.clicked.connect(self._on_attribute)
        self._enable(None)

    def set_scene(self, scene: SceneInfo | None) -> None:
        """Offer the attributes of a store."""
        self._scene = scene
        self._quiet = True
        self.attribute.clear()
        self.attribute.addItem(PLAIN)
        if scene is not None:
            self.attribute.addItems([info.name for info in scene.attributes])
        self._quiet = False
        self._enable(None)

    def show_spec(self, spec: ColourSpec | None) -> None:
        """Show the colouring in force."""
        self._quiet = True
        name = None if spec is None else spec.attribute
        self.attribute.setCurrentText(name or PLAIN)
        if spec is not None and spec.limits is not None:
            self.low.setValue(spec.limits[0])
            self.high.setValue(spec.limits[1])
        self._quiet = False
        self._enable(self._info())

    def _info(self) -> AttributeInfo | None:
        name = self.attribute.currentText()
        if self._scene is None or name in ("", PLAIN):
            return None
        return self._scene.attribute(name)

    def _enable(self, info: AttributeInfo | None) -> None:
        numeric = info is not None and info.categories is None and info.columns == 1
        for widget in (self.colormap, self.low, self.high, self.reset):
            widget.setEnabled(numeric)

    def _on_attribute(self) -> None:
        if not self._quiet:
            info = self._info()
            self._enable(info)
            self.chosen.emit(None if info is None else info.name, self.colormap.currentText(), None)

    def _on_style(self) -> None:
        info = self._info()
        if self._quiet or info is None:
            return
        limits = (self.low.value(), self.high.value())
        if limits[0] < limits[1]:
            self.chosen.emit(info.name, self.colormap.currentText(), limits)


def _number() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(-1e300, 1e300)
    box.setDecimals(4)
    box.setKeyboardTracking(False)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(70)
    return box
