"""The dock shows what is true and sets what it says."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import Cloud, cloud, points_store
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning.frame_budget import Range
from zv_viewer.session import automatic, open_store
from zv_viewer.session.automatic import VERTICES_IN_SOFTWARE
from zv_viewer.widgets.appearance import APPEARANCE_DOCK
from zv_viewer.widgets.show_store import DOCK, make_dock, show_store

pytestmark = pytest.mark.gui


@pytest.fixture
def shown(make_napari_viewer: Callable, qtbot, small_store: Path):
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, small_store)
    assert session.wait(20)
    return viewer, session, viewer.window.dock_widgets[DOCK]


def colours_of(viewer):
    return viewer.window.dock_widgets[APPEARANCE_DOCK].colours


def test_figures_and_first_colours(shown) -> None:
    viewer, session, dock = shown
    in_view = session.stats().vertices_in_view_level0
    assert in_view > 4900
    assert dock.shown.text() == f"all {in_view:,} vertices in view, exact"
    assert dock.quality.text() == "exact"
    assert dock.activity.text() == "settled"
    assert dock.trouble.text() == "none"
    assert "requests" in dock.traffic.text()
    assert session.colours.attribute == colours_of(viewer).attribute.currentText() == "cell_type"


def test_levels_out_of_date_are_named(make_napari_viewer: Callable, qtbot, tmp_path: Path) -> None:
    points_store(tmp_path / "s", Cloud(cloud(500).positions, {}), levels=2)
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "s")
    assert session.wait(20)
    dock = viewer.window.dock_widgets[DOCK]
    assert dock.notes.text() == "none"
    viewer.layers.clear()
    with open_zv(tmp_path / "s") as store, store[0].writer() as writer:
        writer.append_vertices_sync(cloud(10, seed=1).positions)
    again = show_store(viewer, tmp_path / "s")
    assert again.wait(20)
    assert dock.notes.text().startswith("level 1 is out of date: ")


def test_a_budget_set_is_kept(shown) -> None:
    _, session, dock = shown
    dock.vertices.setValue(2000)
    assert session.wait(20)
    stats = session.stats()
    assert stats.vertices_drawn <= 2000
    assert "2,000" in dock.reason.text()
    assert "for 5,000 vertices" in dock.shown.text()
    dock.vertices.setValue(3_000_000)
    assert session.wait(20)
    assert session.stats().vertices_drawn == 5000


def test_a_level_is_locked_and_set_free(shown) -> None:
    _, session, dock = shown
    dock.level.setCurrentIndex(dock.level.findData(1))
    assert session.wait(20)
    assert set(session.stats().levels_drawn) == {1}
    assert "locked" in dock.reason.text()
    dock.level.setCurrentIndex(0)
    assert session.wait(20)
    assert set(session.stats().levels_drawn) == {0}


def test_limits_stay_when_the_level_changes(shown) -> None:
    viewer, session, dock = shown
    colours = colours_of(viewer)
    colours.attribute.setCurrentText("intensity")
    assert session.wait(20)
    full = session.colours.limits
    assert (colours.low.value(), colours.high.value()) == pytest.approx(full, abs=1e-3)
    colours.low.setValue(0.5)
    colours.low.editingFinished.emit()
    chosen = session.layer.colouring.limits
    assert chosen[0] == pytest.approx(0.5)
    dock.level.setCurrentIndex(dock.level.findData(2))
    assert session.wait(20)
    assert session.layer.colouring.limits == chosen
    colours.reset.click()
    assert session.colours.limits == full


def test_without_a_card_fewer_vertices_are_drawn_until_somebody_says_so(shown) -> None:
    _, session, dock = shown
    if session.layer.in_software:
        assert session.settings.budget.vertices == VERTICES_IN_SOFTWARE
        assert dock.vertices.value() == VERTICES_IN_SOFTWARE
    assert session.automatic
    dock.vertices.setValue(777_000)
    assert not session.automatic
    assert session.wait(20)
    assert session.settings.budget.vertices == 777_000


def sway(viewer, session, seconds: float, done: Callable[[], bool]) -> bool:
    """Turn the camera and let the window live on until ``done``."""
    end = time.perf_counter() + seconds
    while not done() and time.perf_counter() < end:
        viewer.scene.camera.angles = (0.0, 10 * np.sin(3 * time.perf_counter()), 90.0)
        QApplication.processEvents()
        time.sleep(0.002)
    return done()


def test_a_slow_canvas_gets_fewer_vertices_until_somebody_says_how_many(
    make_napari_viewer: Callable, qtbot, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "MOST", Range(500, 4000))
    monkeypatch.setattr(automatic, "VERTICES_IN_SOFTWARE", 4000)
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, small_store)
    assert session.wait(20)
    dock = viewer.window.dock_widgets[DOCK]
    assert session.automatic
    assert dock.automatic.isChecked()
    session.automatic = False
    session.update_settings(budget=replace(session.settings.budget, vertices=4000))
    assert session.wait(20)
    drawn = viewer.window._qt_viewer.canvas._scene_canvas.events.draw

    def slow_down(event: object) -> None:
        time.sleep(0.06)

    drawn.connect(slow_down, position="last")
    assert not sway(viewer, session, 1.0, lambda: session.settings.budget.vertices != 4000)
    dock.automatic.setChecked(True)
    assert session.automatic
    assert sway(viewer, session, 20.0, lambda: session.settings.budget.vertices < 2000)
    assert sway(viewer, session, 20.0, lambda: " ms" in dock.automatic.text())
    assert dock.automatic.text().startswith("automatic: ")
    assert dock.vertices.value() <= 4000
    assert session.stats().oscillations == 0
    dock.tau.setValue(3.0)
    assert session.automatic
    dock.vertices.setValue(3000)
    assert not session.automatic
    assert not dock.automatic.isChecked()
    assert dock.automatic.text() == "automatic"
    assert not sway(viewer, session, 1.0, lambda: session.settings.budget.vertices != 3000)


def test_a_program_that_gives_a_budget_keeps_it(
    make_napari_viewer: Callable, qtbot, small_store: Path
) -> None:
    session = open_store(
        make_napari_viewer(show=True), small_store, settings=LodSettings(Budget(3000, 10**7))
    )
    assert session.wait(20)
    assert not session.automatic
    assert session.frame_s is None
    session.update_settings(quality_px=3.0)
    assert session.settings.budget.vertices == 3000


def test_memory_and_card_are_shown_and_the_cap_of_the_card_is_held(
    make_napari_viewer: Callable, qtbot, small_store: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    cap = 200_000
    settings = LodSettings(Budget(100_000, 64 << 20, cap), quality_px=0.25, density_max=50.0)
    sessions = []
    for _ in range(2):  # the first to be open has the most of the card
        sessions.append(open_store(viewer, small_store, settings=settings))
        assert sessions[-1].wait(20)
    assert all(session.card_bytes for session in sessions)
    assert sum(session.card_bytes for session in sessions) <= cap
    widget = make_dock(viewer)
    qtbot.addWidget(widget)
    held = sum(session.stats().cache_bytes for session in sessions)
    assert widget.used.text() == f"{held / 1e6:,.0f} of {(64 << 20) / 1e6:,.0f} MB"
    assert widget.on_card.text() == "0 of 0 MB"
    sessions[0].update_settings(budget=replace(settings.budget, card_bytes=120_000))
    assert sessions[0].wait(20)
    assert sum(session.card_bytes for session in sessions) <= 120_000
    assert sessions[0].stats().holes == 0
