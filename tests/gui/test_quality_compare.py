"""Two levels of a store beside each other, at the zoom where the viewer changes between them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.view import apply_view, read_view
from zv_viewer.model.settings import Budget
from zv_viewer.planning.switching import level_in_middle
from zv_viewer.session import open_store, sessions_in
from zv_viewer.session.comparing import view_middle
from zv_viewer.widgets.quality_dock import QualityDock

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


def picture(viewer, qtbot) -> np.ndarray:
    for session in sessions_in(viewer.layers):
        assert session.wait(60)
    qtbot.wait(20)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].max(axis=-1) > 20


def differing(half: np.ndarray, whole: np.ndarray) -> float:
    """Which part of the middle of a picture is not in half a canvas, to a pixel."""
    width = whole.shape[1]
    there = whole[:, width // 4 :][:, : width // 2]
    shifts = [np.roll(there, by, axis=1)[:, 16:-16] != half[:, 16:-16] for by in (-1, 0, 1)]
    return min(float(wrong.mean()) for wrong in shifts)


def test_two_levels_in_one_window(make_napari_viewer: Callable, qtbot, either_store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, either_store)
    assert session.wait(60)
    viewer.canvas.overlays.scale_bar.visible = False
    budget = Budget(200_000, 1 << 28)
    dock = QualityDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    dock.pages.setCurrentWidget(dock.compare)
    panel = dock.compare
    assert not panel.go.isEnabled()
    session.update_settings(budget=budget, level_lock=1)
    fine = picture(viewer, qtbot)
    session.update_settings(level_lock=2)
    coarse = picture(viewer, qtbot)
    session.update_settings(level_lock=None)
    assert (fine != coarse).sum() > 1000
    panel.fine.setCurrentIndex(1)
    panel.coarse.setCurrentIndex(2)
    qtbot.mouseClick(panel.compare, LEFT)
    comparison = panel.comparison
    qtbot.waitUntil(lambda: not comparison.busy, timeout=60_000)
    assert panel.shown.text() == "level 1, level 2"
    assert [one.settings.level_lock for one in sessions_in(viewer.layers)] == [1, 2]

    # the middle of the view, twice
    beside = picture(viewer, qtbot)
    width = beside.shape[1]
    halves = beside[:, : width // 2], beside[:, -(width // 2) :]
    wrong = np.array([[differing(half, whole) for whole in (fine, coarse)] for half in halves])
    assert (np.diag(wrong) < 0.5 * np.diag(wrong[:, ::-1])).all()
    if folder := os.environ.get("ZV_PICTURES"):
        dock.grab().save(f"{folder}/compare.png")
        viewer.screenshot(f"{folder}/compare-canvas.png", canvas_only=True, flash=False)
    panel.way.setCurrentText("wipe")
    for share in (0.25, 0.75):
        panel.wipe.setValue(round(200 * share))
        at = round(width * share)
        wiped = picture(viewer, qtbot)
        assert np.array_equal(wiped[:, :at], fine[:, :at])
        assert np.array_equal(wiped[:, at:], coarse[:, at:])
    panel.way.setCurrentText("flicker")
    comparison._flicker.stop()
    assert np.array_equal(picture(viewer, qtbot), fine)
    qtbot.mouseClick(panel.flip, LEFT)
    assert panel.shown.text() == "level 2"
    assert np.array_equal(picture(viewer, qtbot), coarse)
    comparison._flicker.start()
    qtbot.waitUntil(lambda: comparison.shown == (1,), timeout=10_000)

    qtbot.mouseClick(panel.differ, LEFT)
    assert "of the canvas differs" in panel.found.text()
    assert 0 < float(panel.found.text().split("%")[0]) < 50

    # where the viewer changes between them
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: "coming nearer" in panel.found.text(), timeout=60_000)
    assert "level 1 takes the place of level 2" in panel.found.text()
    view = read_view(viewer)
    qtbot.mouseClick(panel.compare, LEFT)
    assert panel.comparison is None
    assert len(viewer.layers) == 1
    assert session.settings.level_lock is None
    assert read_view(viewer).zoom == pytest.approx(view.zoom)
    tree = session.controller.tree
    middle = view_middle(viewer, session.layer)

    def middle_level(zoom: float, last) -> int:
        apply_view(viewer, replace(view, zoom=zoom))
        qtbot.waitUntil(
            lambda: camera_of(viewer, session.layer).same_as(session.controller.camera),
            timeout=20_000,
        )
        assert session.wait(60)
        return level_in_middle(tree, session.controller.plan, middle)

    seen = [middle_level(view.zoom * factor, None) for factor in (0.7, 0.97, 1.03)]
    assert seen == [2, 2, 1]
    back = float(panel.found.text().split()[-1])
    assert [middle_level(back * factor, None) for factor in (1.03, 0.97)] == [1, 2]

    # what ends a comparison
    qtbot.mouseClick(panel.compare, LEFT)
    qtbot.waitUntil(lambda: not panel.comparison.busy, timeout=60_000)
    viewer.layers.remove(panel.comparison.other.layer)
    assert panel.comparison is None
    assert not panel.compare.isChecked()
    qtbot.mouseClick(panel.compare, LEFT)
    viewer.layers.remove(session.layer)
    assert panel.comparison is None
    assert not len(viewer.layers)
