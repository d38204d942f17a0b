"""The filters dock of a viewer: which vertices of a store are drawn, and what a click meant."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.layers.camera import camera_of
from zv_viewer.rows import InOutline
from zv_viewer.session import StoreSession
from zv_viewer.session.filtering import Filtering, filtering_of
from zv_viewer.session.picking import Picked, picking_of
from zv_viewer.widgets.filter_lines import FilterLine
from zv_viewer.widgets.hidden_note import HiddenNotes
from zv_viewer.widgets.lasso import Lasso, canvas_of
from zv_viewer.widgets.row_editors import Outline
from zv_viewer.widgets.row_filters import RowFilterList
from zv_viewer.widgets.row_words import counted_words, picked_lines
from zv_viewer.widgets.rule_line import RuleLine
from zv_viewer.widgets.store_choice import StoreChoice

FILTERS_DOCK = "Filters"
CLICK_FIRST = "click on a vertex, a line or a face of the selected layer"
NOTHING = "nothing is drawn there"


class FiltersDock(QWidget):
    """Stores, filters for the vertices of the one chosen, and what was clicked on."""

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._viewer = napari_viewer
        self._session: StoreSession | None = None
        self._filtering: Filtering | None = None
        self._lines: WeakKeyDictionary[StoreSession, list[FilterLine | RuleLine]] = (
            WeakKeyDictionary()
        )
        self._heard: WeakSet[StoreSession] = WeakSet()
        self._hidden = HiddenNotes(napari_viewer)
        self.stores = StoreChoice(napari_viewer, keeps=True)
        self.filters = RowFilterList()
        self.counts, self.trouble = _text(), _text()
        self.exact = QPushButton("Count exactly")
        self.cancel = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.lasso: Lasso | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.what = QWidget()
        self.lines = QFormLayout(self.what)
        self._lay_out()
        self.stores.chosen.connect(self._on_store)
        self.filters.changed.connect(self._on_rules)
        self.filters.outline_asked.connect(self._draw_outline)
        self.exact.clicked.connect(self._on_exact)
        self.cancel.clicked.connect(self._on_cancel)
        self._tell_picked(CLICK_FIRST)
        self.stores.list_stores()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.exact)
        row.addWidget(self.cancel)
        row.addWidget(self.progress, stretch=1)
        box = QGroupBox("What is this")
        inside = QVBoxLayout(box)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self.what)
        inside.addWidget(area)
        column = QVBoxLayout(self)
        column.addWidget(self.stores)
        column.addWidget(self.filters)
        column.addWidget(self.counts)
        column.addLayout(row)
        column.addWidget(self.trouble)
        column.addWidget(box, stretch=1)

    # which store

    def _on_store(self, session: StoreSession | None) -> None:
        for one in self.stores.sessions:
            if one not in self._heard:
                self._heard.add(one)
                self._hidden.listen(one, filtering_of(one))
                picking = picking_of(one, self._viewer)
                picking.picked.connect(self._on_picked)
                picking.failed.connect(self._on_trouble)
        self._show(session)

    def _show(self, session: StoreSession | None) -> None:
        if session is self._session:
            return
        if self._session is not None:
            self._lines[self._session] = self.filters.lines
        if self._filtering is not None:
            self._filtering.changed.disconnect(self._on_changed)
            self._filtering.progress.disconnect(self._on_progress)
            self._filtering.failed.disconnect(self._on_trouble)
        self._session = session
        self._filtering = None if session is None else filtering_of(session)
        scene = None if session is None else session.scene
        self.filters.set_scene(scene, [] if session is None else self._lines.get(session, []))
        if self._filtering is not None:
            self._filtering.changed.connect(self._on_changed)
            self._filtering.progress.connect(self._on_progress)
            self._filtering.failed.connect(self._on_trouble)
        self._on_trouble("")
        self._tell_picked(CLICK_FIRST)
        self._on_changed()

    # filters

    def _on_rules(self, rules: Any) -> None:  # noqa: ANN401 - through a signal
        if self._filtering is not None:
            self._on_trouble("")
            self._filtering.set_rules(rules)

    def _on_exact(self) -> None:
        if self._filtering is not None:
            self.progress.setValue(0)
            self._filtering.count_exactly()

    def _on_cancel(self) -> None:
        if self._filtering is not None:
            self._filtering.cancel()

    def _on_changed(self) -> None:
        filtering = self._filtering
        if filtering is not None:
            self.filters.show_rules(filtering.rules)
        on = filtering is not None and bool(filtering.rules)
        self.counts.setVisible(on)
        self.exact.setVisible(on)
        counting = on and filtering is not None and filtering.exactly
        self.cancel.setVisible(counting)
        self.progress.setVisible(counting)
        if filtering is None or self._session is None or self._session.scene is None:
            return
        self.exact.setEnabled(not counting)
        self.counts.setText(counted_words(self._session.scene, filtering.counted))

    def _on_progress(self, share: float) -> None:
        self.progress.setValue(round(share * 1000))

    def _on_trouble(self, text: str) -> None:
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def _draw_outline(self, editor: Outline) -> None:
        session = self._session
        if session is None:
            return
        canvas = canvas_of(self._viewer)
        self.lasso = Lasso(canvas)

        def done(corners: Any) -> None:  # noqa: ANN401 - an array, through a signal
            viewer = getattr(self._viewer, "__wrapped__", self._viewer)
            rule = InOutline.of(camera_of(viewer, session.layer), corners)
            self.lasso = None
            editor.set_drawn(rule, len(corners))

        self.lasso.drawn.connect(done)

    # what was clicked on

    def _on_picked(self, picked: Picked | None) -> None:
        session = next((one for one in self.stores.sessions if self._is_of(one, picked)), None)
        if picked is None or session is None or session.scene is None:
            self._tell_picked(NOTHING)
            return
        table = None if session.objects is None else session.objects.table
        self._clear_picked()
        for name, text in picked_lines(session.scene, picked, table):
            value = _text()
            value.setText(text)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.lines.addRow(name, value)

    def _is_of(self, session: StoreSession, picked: Picked | None) -> bool:
        return picking_of(session, self._viewer).last is picked

    def _tell_picked(self, text: str) -> None:
        self._clear_picked()
        label = _text()
        label.setText(text)
        self.lines.addRow(label)

    def _clear_picked(self) -> None:
        while self.lines.rowCount():
            self.lines.removeRow(0)


def _text() -> QLabel:
    label = QLabel("")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
