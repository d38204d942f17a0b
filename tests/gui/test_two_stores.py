"""Two stores in one window share one budget, as a user sees it."""

from dataclasses import replace

import pytest

from zv_viewer.errors import InputError
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.session import open_store
from zv_viewer.session.shared_budget import _of_viewers
from zv_viewer.widgets.lod import LodWidget

pytestmark = [pytest.mark.gui, pytest.mark.once]

VERTICES = 1200
FINE = LodSettings(Budget(VERTICES, 1 << 20), quality_px=0.25, density_max=1e9)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=False)


def settle(*sessions):
    for session in sessions:
        assert session.wait(30)
    assert all(session.settled for session in sessions)


def caps_hold(*sessions):
    """What is drawn and held together is within the budget of the viewer."""
    stats = [session.stats() for session in sessions]
    budget = sessions[0].settings.budget
    seen = [session.layer.visible for session in sessions]
    drawn = [each.vertices_drawn for each, yes in zip(stats, seen, strict=True) if yes]
    assert sum(drawn) <= budget.vertices
    assert sum(each.cache_bytes for each in stats) <= budget.bytes
    return drawn


def test_two_stores_share_one_budget(viewer, small_store):
    first = open_store(viewer, small_store, settings=FINE)
    settle(first)
    alone = first.stats().vertices_drawn
    assert first.share == FINE.budget
    second = open_store(viewer, small_store, settings=FINE)
    settle(first, second)
    drawn = caps_hold(first, second)
    assert min(drawn) > 0.3 * max(drawn)
    assert first.share.vertices + second.share.vertices <= VERTICES
    first.weight = 8.0
    settle(first, second)
    assert first.share.vertices > second.share.vertices
    assert min(caps_hold(first, second)) > 0
    with pytest.raises(InputError, match="positive"):
        first.weight = 0.0
    first.weight = 1.0
    second.layer.visible = False
    settle(first)
    assert first.share.vertices > 0.9 * VERTICES
    caps_hold(first, second)
    second.layer.visible = True
    settle(first, second)
    assert min(caps_hold(first, second)) > 0
    viewer.layers.remove(second.layer)
    settle(first)
    assert first.share == FINE.budget
    assert first.stats().vertices_drawn == alone
    viewer.layers.remove(first.layer)
    assert viewer not in _of_viewers


def test_the_budget_is_the_viewers(viewer, small_store):
    """Set for one store it is set for all; the dock shows it, the share and the weight."""
    first = open_store(viewer, small_store, settings=FINE)
    settle(first)
    second = open_store(viewer, small_store)
    settle(first, second)
    assert second.settings.budget == FINE.budget
    assert not second.automatic
    second.settings = replace(FINE, budget=Budget(2000, 1 << 21))
    settle(first, second)
    assert first.settings.budget == second.settings.budget == Budget(2000, 1 << 21)
    caps_hold(first, second)
    dock = LodWidget(viewer)
    assert dock.weight.isEnabled()
    dock.weight.setValue(4.0)
    assert second.weight == 4.0
    settle(first, second)
    assert second.share.vertices > first.share.vertices
    dock.deleteLater()
