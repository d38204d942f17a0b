"""Controls for sizes by an attribute of its own: which one, limits, and pixels at both ends."""

from __future__ import annotations

from typing import Literal, TypeAlias

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.objects.columns import title_of
from zv_viewer.session.sizing import SizeSpec, columns_of, numbers_of
from zv_viewer.widgets.numbers import wide_number

Of: TypeAlias = Literal["vertex", "object"]
NOTHING = "(no attribute)"


class SizeBy(QWidget):
    """``chosen(of, key, limits)`` when the user changes anything; ``key`` None: no attribute.

    ``limits`` is None where another attribute was chosen.
    """

    chosen = Signal(object, object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = False
        self.attribute = QComboBox()
        self.attribute.setObjectName("size_by")
        self.low, self.high = wide_number(), wide_number()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.attribute)
        ends = QHBoxLayout()
        for box in (self.low, self.high):
            ends.addWidget(box)
            box.editingFinished.connect(self._on_limits)
        column.addLayout(ends)
        self.attribute.currentIndexChanged.connect(self._on_attribute)

    def offer(self, scene: SceneInfo | None, table: ObjectTable | None) -> None:
        """Offer the numbers a store has, of its vertices and of its objects."""
        before = self._chosen()
        self._quiet = True
        self.attribute.clear()
        self.attribute.addItem(NOTHING, None)
        for info in numbers_of(scene):
            title = f"{info.name} ({info.unit})" if info.unit else info.name
            self.attribute.addItem(title, ("vertex", info.name))
        for key in columns_of(table):
            if table is not None:
                self.attribute.addItem(f"object: {title_of(table, key)}", ("object", key))
        self.attribute.setCurrentIndex(self._place(before))
        self._quiet = False

    def show_spec(self, spec: SizeSpec | None) -> None:
        """Show what is in force."""
        self._quiet = True
        self.attribute.setCurrentIndex(self._place(None if spec is None else (spec.of, spec.key)))
        for box, place in ((self.low, 0), (self.high, 1)):
            box.setEnabled(spec is not None)
            if spec is not None and spec.limits is not None:
                box.setValue(spec.limits[place])
        self._quiet = False

    def _chosen(self) -> tuple[Of, str] | None:
        found: tuple[Of, str] | None = self.attribute.currentData()
        return found

    def _place(self, wanted: tuple[Of, str] | None) -> int:
        places = range(self.attribute.count())
        return next((at for at in places if self.attribute.itemData(at) == wanted), 0)

    def _tell(self, limits: tuple[float, float] | None) -> None:
        chosen = self._chosen()
        if not self._quiet:
            self.chosen.emit(*(chosen or ("vertex", None)), limits)

    def _on_attribute(self) -> None:
        self._tell(None)

    def _on_limits(self) -> None:
        limits = (self.low.value(), self.high.value())
        if self._chosen() is not None and limits[0] != limits[1]:
            self._tell(limits)
