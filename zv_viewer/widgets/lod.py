"""The level-of-detail dock: how good the picture is, why it is not better, and what it may cost."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from zv_viewer.model.settings import LodSettings
from zv_viewer.session import StoreSession, sessions_in
from zv_viewer.widgets import status
from zv_viewer.widgets.drawn_by import DrawnBy
from zv_viewer.widgets.store_choice import StoreChoice

MEGABYTE = 10**6


class LodWidget(QWidget):
    """Figures and controls of the stores in a viewer, one store at a time.

    ``open_asked()`` when the user wants another store.
    """

    open_asked = Signal()

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        super().__init__()
        self._viewer = napari_viewer
        self._session: StoreSession | None = None
        self._shown: LodSettings | None = None
        self._quiet = False
        self.stores = StoreChoice(self._viewer, hides=False)
        self.open = QPushButton("Open a store...")
        self.shown, self.quality, self.reason = _text(), _text(), _text()
        self.activity, self.traffic, self.trouble = _text(), _text(), _text()
        self.network, self.notes = _text(), _text()
        self.trouble.setObjectName("trouble")
        self.tau = QDoubleSpinBox()
        self.tau.setRange(0.25, 64.0)
        self.tau.setSingleStep(0.25)
        self.tau.setSuffix(" px")
        self.vertices = _whole(1_000, 1_000_000_000, 100_000)
        self.automatic = QCheckBox(status.AUTOMATIC)
        self.memory = _whole(1, 1_000_000, 64)
        self.memory.setSuffix(" MB")
        self.card = _whole(1, 1_000_000, 64)
        self.card.setSuffix(" MB")
        self.reload = QPushButton("Reload")
        self.reload.setToolTip(
            "read the store anew; done by itself when somebody else writes to it"
        )
        self.used, self.on_card = _text(), _text()
        self.weight = QDoubleSpinBox()
        self.weight.setRange(0.1, 100.0)
        self.weight.setSingleStep(0.5)
        self.weight.setValue(1.0)
        self.weight.setToolTip("how much errors of this store count beside those of the others")
        self.share = _text()
        self.level = QComboBox()
        self.drawn_by = DrawnBy()
        self._lay_out()
        self._connect()
        self.stores.list_stores()

    def _lay_out(self) -> None:
        top = QVBoxLayout(self)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open, stretch=1)
        buttons.addWidget(self.reload)
        top.addLayout(buttons)
        form = QFormLayout()
        rows: list[tuple[str, QWidget]] = [
            ("Store", self.stores),
            ("Shown", self.shown),
            ("Error", self.quality),
            ("Not finer", self.reason),
            ("Now", self.activity),
            ("Read", self.traffic),
            ("Network", self.network),
            ("Memory", self.used),
            ("On the card", self.on_card),
            ("Trouble", self.trouble),
            ("Notes", self.notes),
            ("Quality", self.tau),
            ("Vertices at most", self.vertices),
            ("", self.automatic),
            ("Memory at most", self.memory),
            ("On the card at most", self.card),
            ("Weight", self.weight),
            ("Share", self.share),
            ("Level", self.level),
            ("Layers", self.drawn_by),
        ]
        for label, widget in rows:
            form.addRow(label, widget)
        top.addLayout(form)
        top.addStretch()

    def _connect(self) -> None:
        self.open.clicked.connect(self.open_asked)
        self.stores.chosen.connect(self._show)
        self.tau.valueChanged.connect(self._on_settings)
        self.vertices.valueChanged.connect(self._on_vertices)
        self.automatic.toggled.connect(self._on_automatic)
        self.memory.valueChanged.connect(self._on_settings)
        self.card.valueChanged.connect(self._on_settings)
        self.reload.clicked.connect(self._on_reload)
        self.weight.valueChanged.connect(self._on_weight)
        self.level.currentIndexChanged.connect(self._on_settings)

    def _show(self, session: StoreSession | None) -> None:
        if self._session is not None:
            self._session.changed.disconnect(self._on_stats)
            self._session.reloaded.disconnect(self._show)
        self._session = session
        self.drawn_by.show_session(session)
        scene = None if session is None else session.scene
        self.notes.setText("none" if scene is None else status.notes(scene.warnings))
        caps = (self.vertices, self.automatic, self.memory, self.card)
        settable = (self.reload, self.tau, *caps, self.weight)
        for widget in settable:
            widget.setEnabled(session is not None)
        self.level.setEnabled(session is not None)
        self._quiet = True
        self.level.clear()
        self.level.addItem(status.AUTOMATIC, None)
        if session is not None and scene is not None:
            for level in scene.levels:
                self.level.addItem(f"{level.index}: {level.vertex_count:,} vertices", level.index)
            self.weight.setValue(session.weight)
            self._show_settings(session.settings)
            session.changed.connect(self._on_stats)
            session.reloaded.connect(self._show)
            stats = session.stats()
            if stats is not None:
                self._on_stats(stats)
        else:
            figures = (self.shown, self.quality, self.reason, self.activity)
            for label in (
                *figures,
                *(self.traffic, self.network, self.share, self.used, self.on_card),
            ):
                label.setText("-")
            self.trouble.setText("none")
        self._quiet = False

    def _show_settings(self, settings: LodSettings) -> None:
        self._shown = settings
        quiet, self._quiet = self._quiet, True
        self.tau.setValue(settings.quality_px)
        self.vertices.setValue(settings.budget.vertices)
        self.memory.setValue(settings.budget.bytes // MEGABYTE)
        self.card.setValue(settings.budget.card_bytes // MEGABYTE)
        self.level.setCurrentIndex(max(self.level.findData(settings.level_lock), 0))
        self._quiet = quiet

    def _on_stats(self, stats: Any) -> None:  # noqa: ANN401 - LodStats, through a signal
        if self._session is not None:
            if self._session.settings != self._shown:
                self._show_settings(self._session.settings)
            self._show_budget(self._session)
            self.share.setText(status.share(self._session.share, self._session.settings.budget))
        self.shown.setText(status.completeness(stats))
        self.quality.setText(status.quality(stats))
        self.reason.setText(status.reason(stats))
        self.activity.setText(status.activity(stats))
        self.traffic.setText(status.traffic(stats))
        self.network.setText(status.network(stats))
        self._show_memory()
        self.network.setToolTip(html.escape(stats.last_trouble))
        self.trouble.setText(status.trouble(stats) or "none")

    def _show_memory(self) -> None:
        """What the stores of the viewer take together, and may."""
        if self._session is None:
            return
        sessions, budget = sessions_in(self._viewer.layers), self._session.settings.budget
        held = [one.stats() for one in sessions]
        self.used.setText(
            status.of(sum(one.cache_bytes for one in held if one is not None), budget.bytes)
        )
        on_card = sum(one.card_bytes for one in sessions)
        self.on_card.setText(status.of(on_card, budget.card_bytes))

    def _on_reload(self) -> None:
        if self._session is not None:
            self._session.reload()

    def _on_settings(self) -> None:
        if self._quiet or self._session is None:
            return
        budget = replace(
            self._session.settings.budget,
            bytes=self.memory.value() * MEGABYTE,
            card_bytes=self.card.value() * MEGABYTE,
        )
        self._session.update_settings(
            quality_px=self.tau.value(),
            budget=budget,
            level_lock=self.level.currentData(),
        )
        self._shown = self._session.settings

    def _on_vertices(self, vertices: int) -> None:
        if self._quiet or self._session is None:
            return
        budget = replace(self._session.settings.budget, vertices=vertices)
        self._session.update_settings(budget=budget)
        self._shown = self._session.settings
        self._show_budget(self._session)

    def _on_weight(self, weight: float) -> None:
        if not self._quiet and self._session is not None:
            self._session.weight = weight

    def _on_automatic(self, on: bool) -> None:
        if self._quiet or self._session is None:
            return
        self._session.automatic = on
        self._show_settings(self._session.settings)
        self._show_budget(self._session)

    def _show_budget(self, session: StoreSession) -> None:
        self.drawn_by.refresh()
        quiet, self._quiet = self._quiet, True
        automatic, vertices = session.automatic, session.settings.budget.vertices
        self.automatic.setChecked(automatic)
        self.automatic.setText(status.budget(vertices, session.frame_s, automatic=automatic))
        self._quiet = quiet


def _text() -> QLabel:
    label = QLabel("-")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _whole(low: int, high: int, step: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(False)
    return box
