"""The popping meter, as a user drives it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from zv_viewer.flight.path import save_flight
from zv_viewer.layers.view import read_view
from zv_viewer.session import open_store
from zv_viewer.widgets.quality_dock import QualityDock

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


def test_what_pops_along_a_path(
    make_napari_viewer: Callable, qtbot, either_store: Path, tmp_path: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, either_store)
    assert session.wait(60)
    dock = QualityDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    panel = dock.popping
    dock.pages.setCurrentWidget(panel)
    panel.steps.setValue(3)
    session.update_settings(quality_px=64.0)
    assert not panel.measure.isEnabled()
    home = read_view(viewer)
    qtbot.mouseClick(panel.add, LEFT)
    viewer.scene.camera.zoom *= 12
    near = read_view(viewer)
    qtbot.mouseClick(panel.add, LEFT)
    assert panel.path_text.text() == "4 places"

    def measured() -> list[float]:
        qtbot.mouseClick(panel.measure, LEFT)
        qtbot.waitUntil(lambda: not panel.meter.running, timeout=120_000)
        assert read_view(viewer) == near
        assert not session.frozen
        assert "3 places" in panel.result.text()
        return [one.pop.share for one in panel.meter.places]

    # with one level locked nothing but what comes into view can pop, and here all is in memory
    session.update_settings(level_lock=1)
    assert max(measured()) == 0
    assert "0 of them popped" in panel.result.text()
    session.update_settings(level_lock=None)
    shares = measured()
    levels = [one.levels for one in panel.meter.places]
    assert len(set(levels)) > 1
    assert max(shares) > 0
    assert panel.meter.places[0].vertices > 0

    # a bar leads to its place
    at = int(np.argmax(shares))
    bars = panel.bars
    qtbot.mouseClick(bars, LEFT, pos=QPoint(round((at + 0.4) * bars.width() / 3), 10))
    assert f"place {at + 2}" in panel.place.text()
    assert read_view(viewer).zoom == pytest.approx(panel.meter.places[at].view.zoom)
    if folder := os.environ.get("ZV_PICTURES"):
        dock.resize(420, 520)
        dock.grab().save(f"{folder}/popping.png")

    # given up, and paths of files
    panel.steps.setValue(30)
    qtbot.mouseClick(panel.measure, LEFT)
    qtbot.waitUntil(lambda: len(panel.meter.places) > 0, timeout=60_000)
    qtbot.mouseClick(panel.cancel, LEFT)
    assert not panel.meter.running
    assert 0 < len(panel.meter.places) < 30
    save_flight(tmp_path / "f.json", [home, near, home])
    panel.use_file(str(tmp_path / "f.json"))
    qtbot.waitUntil(lambda: panel.path_text.text() == "3 places", timeout=20_000)
    (tmp_path / "none.json").write_text("{}")
    panel.use_file(str(tmp_path / "none.json"))
    qtbot.waitUntil(lambda: "none.json" in panel.result.text(), timeout=20_000)
    qtbot.mouseClick(panel.standard, LEFT)
    qtbot.waitUntil(lambda: panel.path_text.text() not in ("", "3 places"), timeout=20_000)
    qtbot.mouseClick(panel.clear, LEFT)
    assert not panel.measure.isEnabled()
    viewer.layers.clear()
    assert not panel.add.isEnabled()
