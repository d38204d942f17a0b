"""The dock shows what is true and sets what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zv_viewer.session.session import VERTICES_IN_SOFTWARE
from zv_viewer.widgets.show_store import DOCK, show_store

pytestmark = pytest.mark.gui


@pytest.fixture
def shown(make_napari_viewer: Callable, qtbot, small_store: Path):
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, small_store)
    assert session.wait(20)
    return viewer, session, viewer.window.dock_widgets[DOCK]


def test_figures_and_first_colours(shown) -> None:
    _, session, dock = shown
    assert dock.shown.text() == "all 5,000 vertices in view, exact"
    assert dock.quality.text() == "exact"
    assert dock.activity.text() == "settled"
    assert dock.trouble.text() == "none"
    assert "requests" in dock.traffic.text()
    assert session.colours.attribute == dock.colours.attribute.currentText() == "cell_type"


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
    _, session, dock = shown
    dock.colours.attribute.setCurrentText("intensity")
    assert session.wait(20)
    full = session.colours.limits
    assert (dock.colours.low.value(), dock.colours.high.value()) == pytest.approx(full, abs=1e-3)
    dock.colours.low.setValue(0.5)
    dock.colours.low.editingFinished.emit()
    chosen = session.layer.colouring.limits
    assert chosen[0] == pytest.approx(0.5)
    dock.level.setCurrentIndex(dock.level.findData(2))
    assert session.wait(20)
    assert session.layer.colouring.limits == chosen
    dock.colours.reset.click()
    assert session.colours.limits == full


def test_without_a_card_fewer_vertices_are_drawn_until_somebody_says_so(shown) -> None:
    _, session, dock = shown
    if session.layer.in_software:
        assert session.settings.budget.vertices == VERTICES_IN_SOFTWARE
        assert dock.vertices.value() == VERTICES_IN_SOFTWARE
    dock.vertices.setValue(777_000)
    assert session.wait(20)
    assert session.settings.budget.vertices == 777_000
