"""The camera's moves and rests."""

import numpy as np
import pytest

from zv_viewer.controller.view import (
    COARSEN_AFTER_S,
    FINAL_PLAN_S,
    View,
    exposes,
    leaps,
    settling_s,
)
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import build_cells
from zv_viewer.testing.cameras import look_at, orthographic, shifted, zoomed
from zv_viewer.testing.simulate import simulation
from zv_viewer.testing.sources import make_cloud

HERE = look_at((-90.0, 32.0, 32.0), (32.0, 32.0, 32.0))


@pytest.fixture
def view():
    return View(build_cells(make_cloud(500, 2, seed=1).scene))


def test_the_first_camera_is_no_move_and_the_same_one_neither(view):
    assert view.look(HERE, 1.0)
    assert view.rested_s(1.0) == np.inf
    assert not view.look(HERE, 2.0)
    assert view.rested_s(2.0) == np.inf
    assert view.look(shifted(HERE, 5, 0), 3.0)
    assert view.rested_s(3.5) == pytest.approx(0.5)


def test_each_rest_is_noticed_once(view):
    view.look(HERE, 0.0)
    assert not view.has_come_to_rest(0.0, 9.0)
    view.look(shifted(HERE, 5, 0), 1.0)
    assert not view.has_come_to_rest(1.0, 1.0 + FINAL_PLAN_S / 2)
    assert view.has_come_to_rest(1.0, 1.0 + FINAL_PLAN_S)
    assert not view.has_come_to_rest(1.0 + FINAL_PLAN_S, 1.0 + COARSEN_AFTER_S - 0.01)
    assert view.has_come_to_rest(1.0 + FINAL_PLAN_S, 1.0 + COARSEN_AFTER_S)
    assert not view.has_come_to_rest(1.0 + COARSEN_AFTER_S, 99.0)


def test_speed_is_that_of_the_picture_until_it_rests(view):
    camera = HERE
    for step in range(60):
        view.look(camera, step * 0.01)
        camera = shifted(camera, 10, 0)
    assert view.px_per_s(0.6) == pytest.approx(1000, rel=0.05)
    assert view.px_per_s(0.6 + FINAL_PLAN_S) == 0.0


def test_without_hysteresis_nothing_is_held_back():
    assert settling_s(LodSettings(hysteresis=0.0)) == 0.0
    assert settling_s(LodSettings(hysteresis=0.25)) == COARSEN_AFTER_S


def test_a_view_laid_to_rest_waits_for_nothing(view):
    view.look(HERE, 0.0)
    view.look(shifted(HERE, 5, 0), 1.0)
    view.rest()
    assert view.rested_s(1.0) == np.inf
    assert not view.has_come_to_rest(1.0, 9.0)


def test_a_leap_leaves_nothing_of_the_picture_before() -> None:
    for before in (
        orthographic((5.0, 5.0, 5.0), 40.0, displayed=(1, 2, 0), viewport=(600.0, 400.0)),
        orthographic((5.0, 5.0), 40.0, viewport=(600.0, 400.0)),
        look_at((-20.0, 5.0, 5.0), (5.0, 5.0, 5.0), viewport=(600.0, 400.0)),
    ):
        for x, y, far in ((590.0, 0.0, False), (610.0, 0.0, True), (0.0, -410.0, True)):
            assert leaps(before, shifted(before, x, y)) == far
            assert leaps(shifted(before, x, y), before) == far
        # Far out, a place that was outside is well within the canvas.
        assert not leaps(zoomed(shifted(before, 700.0), 0.1), before)


def test_much_comes_into_view_at_once() -> None:
    for before in (
        orthographic((5.0, 5.0, 5.0), 40.0, displayed=(1, 2, 0), viewport=(600.0, 400.0)),
        orthographic((5.0, 5.0), 40.0, viewport=(600.0, 400.0)),
        look_at((-20.0, 5.0, 5.0), (5.0, 5.0, 5.0), viewport=(600.0, 400.0)),
    ):
        for x, y, much in ((290.0, 0.0, False), (310.0, 0.0, True), (0.0, -210.0, True)):
            assert exposes(before, shifted(before, x, y)) == much
        assert exposes(before, zoomed(before, 0.4))
        assert not exposes(before, zoomed(before, 0.6))
        assert not exposes(zoomed(before, 0.4), before)


def test_what_comes_into_view_by_a_sudden_zoom_out_is_planned_at_once() -> None:
    sim = simulation(make_cloud(2000, 3, 1), LodSettings(Budget(5000, 1 << 24)))
    sim.look(HERE)
    assert sim.settle()
    planned = sim.controller.plan
    sim.look(zoomed(HERE, 0.9))
    assert not sim.controller.exposed
    sim.look(zoomed(HERE, 0.1))
    assert sim.controller.exposed
    sim.controller.tick()
    assert sim.controller.plan is not planned
    assert not sim.controller.exposed


def test_a_leap_is_planned_at_once() -> None:
    sim = simulation(make_cloud(2000, 3, 1), LodSettings(Budget(5000, 1 << 24)))
    sim.look(HERE)
    assert sim.settle()
    plans = []
    for away in (5.0, 9.0, 4000.0):
        sim.look(shifted(HERE, away))
        sim.tick()
        plans.append(sim.controller.plan)
    assert plans[0] is plans[1] is not plans[2]
