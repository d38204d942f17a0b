"""When a budget follows frames, and what the picture makes of it."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.controller.frames import FRAMES, GROW_EVERY_S, SHRINK_EVERY_S, FrameBudget
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning.frame_budget import Range
from zv_viewer.testing.cameras import look_at, zoomed
from zv_viewer.testing.simulate import TICK_S, simulation
from zv_viewer.testing.sources import make_cloud

pytestmark = pytest.mark.once

WITHIN = Range(1000, 100_000)
HERE = look_at((-90.0, 32.0, 32.0), (32.0, 32.0, 32.0))


def fed(seconds, rows=5000, frames=FRAMES):
    watch = FrameBudget(WITHIN)
    assert watch.budget(5000, 0.0, binding=True) == 5000
    for _ in range(frames):
        watch.painted(seconds, rows)
    return watch


def test_few_frames_decide_nothing():
    assert fed(0.1, frames=FRAMES - 1).budget(5000, 9.0, binding=True) == 5000
    assert fed(0.1).budget(5000, 9.0, binding=True) == 4000


def test_it_shrinks_quickly_and_grows_slowly():
    assert fed(0.1).budget(5000, SHRINK_EVERY_S - 0.01, binding=True) == 5000
    assert fed(0.1).budget(5000, SHRINK_EVERY_S, binding=True) == 4000
    assert fed(0.001).budget(5000, GROW_EVERY_S - 0.01, binding=True) == 5000
    assert fed(0.001).budget(5000, GROW_EVERY_S, binding=True) == 5500
    assert fed(0.001).budget(5000, GROW_EVERY_S, binding=False) == 5000


def test_frames_before_a_change_do_not_count_after_it():
    watch = fed(0.1)
    assert watch.budget(5000, 1.0, binding=True) == 4000
    assert watch.frame_s is None
    assert watch.budget(4000, 9.0, binding=True) == 4000


def test_frames_of_nothing_are_not_timed():
    watch = fed(0.1, rows=0)
    assert watch.frame_s is None
    assert fed(0.1).frame_s == pytest.approx(0.1)


def fly(per_vertex_s, seconds=12.0, at_rest_s=0.002):
    """Sway in a view that the budget limits, on a machine of this speed; budgets and figures."""
    start = Budget(6000, 10**7)
    sim = simulation(
        make_cloud(40_000, 4, seed=1),
        LodSettings(start, quality_px=0.1, density_max=1e9),
        latency_s=0.05,
    )
    watch, budget, budgets = FrameBudget(Range(2000, 30_000)), start, []
    sim.look(HERE)
    assert sim.settle()
    for step in range(int(seconds / TICK_S)):
        sim.look(zoomed(HERE, 1 + 0.05 * np.sin(step / 20)))
        sim.tick()
        rows = sim.sink.rows_drawn
        watch.painted(at_rest_s + per_vertex_s * rows, rows)
        assert rows <= max(budgets, default=start.vertices)
        if step % 12 == 0:
            binding = sim.controller.stats().limited_by == "vertices"
            vertices = watch.budget(budget.vertices, sim.clock.now, binding=binding)
            budget = Budget(vertices, start.bytes)
            sim.controller.follow_budget(budget)
        budgets.append(budget.vertices)
    assert sim.settle()
    assert sim.sink.rows_drawn <= budget.vertices
    return np.array(budgets), sim.controller.stats()


@pytest.mark.parametrize("per_vertex_s", [1e-5, 2e-6, 5e-7])
def test_the_picture_follows_without_flicker_or_holes(per_vertex_s):
    budgets, stats = fly(per_vertex_s)
    steps = np.diff(budgets)
    assert (steps >= 0).all() or (steps <= 0).all()
    assert stats.oscillations == stats.hole_frames == 0
    assert budgets[0] != budgets[-1]
    assert 0.002 + per_vertex_s * stats.vertices_drawn <= 0.040


def test_cells_that_go_are_drawn_until_those_in_their_place_are_there():
    settings = LodSettings(Budget(6000, 10**7), quality_px=0.1, density_max=1e9)
    sim = simulation(make_cloud(40_000, 4, seed=1), settings, latency_s=0.3)
    sim.look(HERE)
    assert sim.settle()
    before = sim.sink.rows_drawn
    sim.controller.follow_budget(Budget(4000, 10**7))
    for _ in range(4):
        sim.tick()
    assert 4000 < sim.sink.rows_drawn <= before
    assert sim.settle()
    assert sim.sink.rows_drawn <= 4000
    sim.controller.set_settings(replace(settings, budget=Budget(2000, 10**7)))
    sim.tick()
    assert sim.sink.rows_drawn <= 2000


def test_a_machine_that_just_does_it_is_left_alone():
    budgets, _ = fly(4.5e-6)
    assert (budgets == budgets[0]).all()
