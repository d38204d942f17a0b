"""Stores whose cells all look the same: what a full budget shows must not depend on the past."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.cameras import orthographic, shifted
from zv_viewer.testing.simulate import simulation
from zv_viewer.testing.sources import make_cloud

pytestmark = pytest.mark.once

VERTICES = 6000


def even(ndim, *, foveation, vertices=VERTICES):
    """A view of a part of an evenly filled cube at 20 px a unit; the budget is short."""
    source = make_cloud(20_000, 4, 3, ndim=ndim)
    settings = LodSettings(Budget(vertices, 10**9), density_max=1e9, foveation=foveation)
    camera = orthographic((32.0,) * ndim, 20.0, thickness=100.0 if ndim == 3 else 0.0)
    return simulation(source, settings), settings, camera


def swinging(sim, camera, ticks, px=8.0):
    """Move the camera to and fro without a break; vertices drawn after each tick."""
    drawn = []
    for i in range(ticks):
        camera = shifted(camera, px * np.cos(i / 20))
        sim.look(camera)
        sim.tick()
        drawn.append(sim.controller.stats().vertices_drawn)
    return camera, drawn


@pytest.mark.parametrize(
    ("ndim", "foveation", "px"),
    [
        (2, False, 0.5),
        (2, False, 20.0),
        (2, True, 8.0),
        (3, False, 8.0),
        (3, True, 0.5),
        (3, True, 20.0),
    ],
)
def test_other_settings_while_the_camera_moves_take_nothing_away(ndim, foveation, px):
    sim, settings, camera = even(ndim, foveation=foveation)
    sim.look(camera)
    assert sim.settle()
    camera, before = swinging(sim, camera, 60, px)
    sim.controller.set_settings(replace(settings, quality_px=1.4))
    camera, after = swinging(sim, camera, 120, px)
    assert min(after[:10]) > 0.8 * before[-1]
    assert min(after) > 0.5 * min(before)
    assert sim.settle()
    assert sim.controller.stats().vertices_drawn > 0.8 * VERTICES


@pytest.mark.parametrize("foveation", [False, True])
def test_a_picture_gets_finer_where_the_budget_has_room_for_it(foveation):
    sim, settings, camera = even(2, foveation=foveation)
    sim.controller.set_settings(replace(settings, quality_px=1e6))
    sim.look(camera)
    assert sim.settle()
    coarse = sim.controller.stats().vertices_drawn
    assert coarse < 100
    sim.settings = replace(settings, budget=Budget(500, 10**9))
    sim.controller.set_settings(sim.settings)
    assert sim.settle()
    sim.controller.follow_budget(settings.budget)
    assert sim.settle()
    assert sim.controller.stats().vertices_drawn > 0.8 * VERTICES


@pytest.mark.parametrize("foveation", [False, True])
def test_what_came_into_view_gets_finer_once_the_camera_rests(foveation):
    sim, _, camera = even(3, foveation=foveation)
    sim.look(camera)
    assert sim.settle()
    for _ in range(12):
        camera = shifted(camera, 120.0)
        sim.look(camera)
        sim.tick()
    assert sim.settle()
    for _ in range(60):
        sim.tick()
    stats = sim.controller.stats()
    assert stats.limited_by != "vertices" or stats.vertices_drawn > 0.8 * VERTICES


@pytest.mark.parametrize("foveation", [False, True])
@pytest.mark.parametrize("vertices", [3000, 5000, 7000, 9000])
def test_a_trembling_camera_swaps_nothing_to_and_fro(vertices, foveation):
    rng = np.random.default_rng(vertices)
    sim, settings, camera = even(2, foveation=foveation, vertices=vertices)
    sim.look(camera)
    assert sim.settle()
    sim.controller.set_settings(replace(settings, quality_px=1.4))
    now, gone = {item.cell for item in sim.sink.items}, set()
    for _ in range(40):
        sim.look(shifted(camera, *rng.normal(size=2)))
        for _ in range(30):
            sim.tick()
        later = {item.cell for item in sim.sink.items}
        gone |= now - later
        assert not gone & later
        now = later
