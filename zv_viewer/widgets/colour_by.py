"""Controls for colouring: by what of vertices or objects, the colormap, and limits that stay."""

from __future__ import annotations

from typing import Literal, TypeAlias

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from zv_viewer.drawing.colours import ColourSpec, mode_of
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.objects import GROUP, ID, keys_of
from zv_viewer.objects.colours import colour_keys
from zv_viewer.objects.columns import column_of, title_of
from zv_viewer.widgets.numbers import wide_number

Of: TypeAlias = Literal["vertex", "object"]
PLAIN = "(plain)"
BY_OBJECT = "object"
COLORMAPS = ("viridis", "magma", "inferno", "plasma", "turbo", "gray", "PiYG", "twilight_shifted")


class ColourBy(QWidget):
    """``chosen(of, key, colormap, limits)`` when the user changes anything.

    ``of`` says whether ``key`` is an attribute of vertices (None: plain) or a column of objects;
    colormap and limits may be None.
    """

    chosen = Signal(object, object, object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: SceneInfo | None = None
        self._table: ObjectTable | None = None
        self._quiet = False
        self.attribute = QComboBox()
        self.attribute.setObjectName("color_by")
        self.colormap = QComboBox()
        self.colormap.addItems(COLORMAPS)
        self.low, self.high = wide_number(), wide_number()
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
        self._enable()

    def offer(
        self, scene: SceneInfo | None, table: ObjectTable | None = None, *, by_object: bool = False
    ) -> None:
        """Offer what a store has: attributes of its vertices, and columns of its objects.

        Args:
            scene: The store.
            table: Its objects, where they are read.
            by_object: Whether objects can have colours of their own.
        """
        self._scene, self._table = scene, table
        self._quiet = True
        self.attribute.clear()
        self.attribute.addItem(PLAIN, ("vertex", None))
        for info in () if scene is None else scene.attributes:
            title = f"{info.name} ({info.unit})" if info.unit else info.name
            self.attribute.addItem(title, ("vertex", info.name))
        if by_object:
            self.attribute.addItem(BY_OBJECT, ("object", ID))
        if table is not None:
            for key in (*keys_of(table)[1:], *colour_keys(table)):
                self.attribute.addItem(f"{BY_OBJECT}: {title_of(table, key)}", ("object", key))
        self._quiet = False
        self._enable()

    def show_spec(self, spec: ColourSpec | None, of_objects: str | None = None) -> None:
        """Show the colouring in force: that of rows, or the column that colours objects."""
        self._quiet = True
        name = None if spec is None else spec.attribute
        place = self._place("vertex", name) if of_objects is None else -1
        if of_objects is not None:
            place = self._place("object", of_objects)
        self.attribute.setCurrentIndex(max(place, 0))
        limits = None if spec is None else spec.limits
        if of_objects is not None:
            limits = self._full_range()
        elif spec is not None and spec.colormap is not None:
            self.colormap.setCurrentText(spec.colormap)
        if limits is not None:
            self.low.setValue(limits[0])
            self.high.setValue(limits[1])
        self._quiet = False
        self._enable()

    def _place(self, of: Of, key: str | None) -> int:
        found = (place for place in range(self.attribute.count()) if self._at(place) == (of, key))
        return next(found, -1)

    def _at(self, place: int) -> tuple[Of, str | None]:
        found: tuple[Of, str | None] | None = self.attribute.itemData(place)
        return found or ("vertex", None)

    def _chosen(self) -> tuple[Of, str | None]:
        return self._at(self.attribute.currentIndex())

    def _full_range(self) -> tuple[float, float] | None:
        """Limits of the column of objects chosen."""
        of, key = self._chosen()
        if of == "vertex" or key is None or self._table is None or not self._is_numeric():
            return None
        return column_of(self._table, key).limits

    def _is_numeric(self) -> bool:
        of, key = self._chosen()
        if key is None or self._scene is None:
            return False
        if of == "vertex":
            info = self._scene.attribute(key)
            return mode_of(info) == "scalar" and info.columns == 1
        table = self._table
        if table is None or key in (ID, GROUP) or key not in keys_of(table):
            return False
        return column_of(table, key).categories is None

    def _enable(self) -> None:
        numeric = self._is_numeric()
        for widget in (self.colormap, self.low, self.high, self.reset):
            widget.setEnabled(numeric)

    def _on_attribute(self) -> None:
        if not self._quiet:
            self._enable()
            self.chosen.emit(*self._chosen(), self.colormap.currentText(), None)

    def _on_style(self) -> None:
        if self._quiet or not self._is_numeric():
            return
        limits = (self.low.value(), self.high.value())
        if limits[0] < limits[1]:
            self.chosen.emit(*self._chosen(), self.colormap.currentText(), limits)
