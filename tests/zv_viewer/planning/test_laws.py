"""The laws of planning, on random scenes, views, budgets and resident sets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from zv_viewer.model.camera import Camera
from zv_viewer.model.plan import Tier
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import (
    BYTES_SHARE,
    Motion,
    build_cells,
    covered_cells,
    draw_set,
    holes,
    items_in_view,
    plan_view,
    visible_cells,
)
from zv_viewer.testing.cameras import shifted, zoomed
from zv_viewer.testing.scenes import random_camera, random_scene

MUCH = Budget(10**12, 10**15)
SEEDS = st.integers(0, 2**32 - 1)
BUDGETS = st.sampled_from([1, 100, 1_000, 3_000, 10_000, 30_000])


def law(test):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=60, deadline=None, suppress_health_check=checks)(test)


def make(seed):
    rng = np.random.default_rng(seed)
    scene = random_scene(rng)
    return rng, scene, build_cells(scene), random_camera(rng, scene)


def some_settings(rng, vertices=10**12, **changes):
    return replace(
        LodSettings(
            Budget(vertices, int(rng.choice([10**15, vertices * 30 + 1]))),
            quality_px=float(rng.choice([0.5, 1.5, 8.0])),
            density_max=float(rng.choice([0.01, 1.0, 1e9])),
            foveation=bool(rng.random() < 0.7),
            floor=bool(rng.random() < 0.7),
        ),
        **changes,
    )


def leaves(tree):
    return np.flatnonzero(np.diff(tree.child_start) == 0)


def marked_above(tree, marked, cells):
    """How many marked cells there are on the way from each cell to its root."""
    found = np.zeros(len(cells), int)
    while (cells >= 0).any():
        found += np.where(cells >= 0, marked[cells], 0)
        cells = np.where(cells >= 0, tree.parent[cells], -1)
    return found


def level_shown(tree, target, cells):
    """Level of the target cell above each cell, -1 where there is none."""
    in_target = np.zeros(len(tree), bool)
    in_target[target] = True
    level = np.full(len(cells), -1)
    while (cells >= 0).any():
        here = (cells >= 0) & in_target[cells]
        level[here] = tree.level[cells[here]]
        cells = np.where(cells >= 0, tree.parent[cells], -1)
    return level


def same(a, b):
    return (
        np.array_equal(a.visible, b.visible)
        and np.array_equal(a.target, b.target)
        and np.array_equal(a.floor, b.floor)
        and a.requests == b.requests
        and a.refused_by_budget == b.refused_by_budget
        and a.limited_by == b.limited_by
    )


@law
@given(SEEDS, BUDGETS)
def test_same_input_same_plan(seed, vertices):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices)
    resident = rng.random(len(tree)) < 0.3
    again = make(seed)
    first = plan_view(tree, scene, camera, wanted, resident)
    second = plan_view(again[2], again[1], again[3], wanted, resident)
    assert same(first, second)
    assert first.tau_px == second.tau_px
    assert np.array_equal(first.error_px, second.error_px)


@law
@given(SEEDS, BUDGETS)
def test_target_tiles_what_is_seen_of_the_data(seed, vertices):
    rng, scene, tree, camera = make(seed)
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices))
    ends = leaves(tree)
    chosen = np.zeros(len(tree), bool)
    chosen[plan.target] = True
    count = marked_above(tree, chosen, ends)
    assert (count <= 1).all()
    roots = np.flatnonzero((tree.parent < 0) & plan.visible)
    if set(roots) <= set(plan.target) | set(np.unique(_roots_of(tree, plan.target))):
        assert (count[plan.visible[ends]] == 1).all()
    else:
        assert plan.refused_by_budget > 0
        assert plan.limited_by in ("vertices", "bytes")
    assert plan.visible[plan.target].all()


def _roots_of(tree, cells):
    while (tree.parent[cells] >= 0).any():
        cells = np.where(tree.parent[cells] >= 0, tree.parent[cells], cells)
    return cells


@law
@given(SEEDS, BUDGETS, st.booleans())
def test_target_and_floor_fit_the_budget(seed, vertices, locked):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices, level_lock=0 if locked else None)
    previous = plan_view(tree, scene, random_camera(rng, scene), wanted)
    for before in (None, previous):
        for motion in (Motion(), Motion(2000.0, moving=True)):
            plan = plan_view(tree, scene, camera, wanted, previous=before, motion=motion)
            held = np.union1d(plan.target, plan.floor)
            assert tree.count[held].sum() <= wanted.budget.vertices
            assert tree.nbytes[held].sum() <= wanted.budget.bytes * BYTES_SHARE
            assert plan.vertices == tree.count[plan.target].sum()
            assert plan.nbytes == tree.nbytes[plan.target].sum()


@law
@given(SEEDS)
def test_without_a_budget_zooming_in_never_coarsens(seed):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, budget=MUCH)
    factor = 1 + 4 * rng.random()
    about = (rng.random(2) - 0.5) * camera.viewport
    near = zoomed(camera, factor, tuple(about))
    before = plan_view(tree, scene, camera, wanted)
    after = plan_view(tree, scene, near, wanted)
    ends = leaves(tree)
    ends = ends[before.visible[ends] & after.visible[ends]]
    assert (level_shown(tree, after.target, ends) <= level_shown(tree, before.target, ends)).all()


@law
@given(SEEDS, BUDGETS, st.floats(1, 20), st.booleans())
def test_a_larger_budget_never_coarsens(seed, vertices, factor, with_past):
    rng, scene, tree, camera = make(seed)
    small = some_settings(rng, vertices)
    more = Budget(int(vertices * factor), int(small.budget.bytes * factor))
    past = None
    if with_past:
        past = plan_view(tree, scene, random_camera(rng, scene), some_settings(rng, vertices))
    plans = [
        plan_view(tree, scene, camera, replace(small, budget=budget), previous=past)
        for budget in (small.budget, more)
    ]
    ends = leaves(tree)
    ends = ends[plans[0].visible[ends]]
    before, after = (level_shown(tree, plan.target, ends) for plan in plans)
    assert (after[before >= 0] >= 0).all()
    assert (after <= before)[before >= 0].all()


@law
@given(SEEDS, BUDGETS, st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
def test_nothing_is_drawn_twice(seed, vertices, share):
    rng, scene, tree, camera = make(seed)
    lock = int(rng.choice([level.index for level in scene.levels])) if rng.random() < 0.3 else None
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices, level_lock=lock))
    resident = rng.random(len(tree)) < share
    draw = draw_set(tree, plan, resident)
    assert [item.cell for item in draw.items] == sorted({item.cell for item in draw.items})
    assert all(resident[item.cell] for item in draw.items)
    assert (marked_above(tree, covered_cells(tree, draw), leaves(tree)) <= 1).all()


@law
@given(SEEDS, BUDGETS, st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.booleans())
def test_drawing_covers_at_least_what_resident_coarsest_cells_cover(
    seed, vertices, share, resident_floor
):
    rng, scene, tree, camera = make(seed)
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices, floor=True))
    resident = rng.random(len(tree)) < share
    roots = tree.parent < 0
    if resident_floor:
        resident |= roots
    draw = draw_set(tree, plan, resident)
    ends = leaves(tree)
    covered = marked_above(tree, covered_cells(tree, draw), ends) == 1
    coarsest = np.zeros(len(tree), bool)
    coarsest[plan.floor] = True
    expected = marked_above(tree, coarsest & roots & resident, ends) == 1
    assert covered[expected].all()
    if resident_floor:
        assert not len(draw.holes)


@law
@given(SEEDS, BUDGETS, st.sampled_from([0.0, 0.3, 0.8]))
def test_holes_are_the_target_cells_with_nothing_drawn(seed, vertices, share):
    rng, scene, tree, camera = make(seed)
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices))
    draw = draw_set(tree, plan, rng.random(len(tree)) < share)
    covered = covered_cells(tree, draw)
    below = np.zeros(len(tree), bool)
    cells = np.flatnonzero(covered)
    while len(cells):
        below[cells] = True
        cells = tree.parent[cells]
        cells = cells[cells >= 0]
    drawn = below[plan.target] | (marked_above(tree, covered, plan.target) > 0)
    assert draw.holes.tolist() == plan.target[~drawn].tolist()


@law
@given(SEEDS, BUDGETS)
def test_what_was_asked_for_settles_the_view(seed, vertices):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices)
    plan = plan_view(tree, scene, camera, wanted)
    resident = np.zeros(len(tree), bool)
    resident[[request.cell for request in plan.requests]] = True
    draw = draw_set(tree, plan, resident)
    assert draw.settled
    assert not len(draw.holes)
    assert [item.cell for item in items_in_view(tree, plan.visible, draw)] == plan.target.tolist()
    assert not plan_view(tree, scene, camera, wanted, resident).requests


@law
@given(SEEDS, BUDGETS)
def test_with_the_whole_floor_there_no_move_reveals_a_hole(seed, vertices):
    rng, scene, tree, camera = make(seed)
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices, floor=True))
    roots = np.flatnonzero(tree.parent < 0)
    assume(np.isin(roots, plan.floor).all())
    resident = rng.random(len(tree)) < 0.6
    resident[roots] = True
    draw = draw_set(tree, plan, resident)
    elsewhere = visible_cells(tree, random_camera(rng, scene))
    assert not len(holes(tree, elsewhere, draw))


@law
@given(SEEDS, BUDGETS, st.integers(-20, 20))
def test_powers_of_two_change_nothing(seed, vertices, exponent):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices)
    scale = 2.0**exponent
    levels = tuple(
        replace(
            level,
            chunk_shape=level.chunk_shape * scale,
            bin_shape=level.bin_shape * scale,
            error=level.error * scale,
        )
        for level in scene.levels
    )
    larger = replace(scene, bounds=scene.bounds * scale, levels=levels)
    matrix = camera.matrix.copy()
    matrix[:, :3] /= scale
    view = Camera(
        matrix, camera.viewport, camera.displayed, camera.slab_lo * scale, camera.slab_hi * scale
    )
    first = plan_view(tree, scene, camera, wanted)
    second = plan_view(build_cells(larger), larger, view, wanted)
    assert same(first, second)
    assert first.tau_px == second.tau_px


@law
@given(SEEDS, BUDGETS)
def test_a_move_of_less_than_a_pixel_keeps_the_plan(seed, vertices):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices)
    first = plan_view(tree, scene, camera, wanted)
    plan, view = first, camera
    for _ in range(3):
        view = zoomed(shifted(camera, *(rng.random(2) - 0.5)), 1 + 1e-4 * rng.normal())
        plan = plan_view(tree, scene, view, wanted, previous=plan)
        roots = np.flatnonzero((tree.parent < 0) & plan.visible)
        assume(np.array_equal(plan.visible, first.visible))
        assume(np.isin(roots, np.append(_roots_of(tree, plan.target), -1)).all())
        assert np.array_equal(plan.target, first.target)


@law
@given(SEEDS, st.floats(0, 6000))
def test_nothing_coarsens_while_moving(seed, speed):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, budget=MUCH)
    before = plan_view(tree, scene, camera, wanted)
    away = zoomed(camera, 0.2 + rng.random(), tuple(rng.normal(size=2) * 100))
    after = plan_view(tree, scene, away, wanted, previous=before, motion=Motion(speed, moving=True))
    ends = leaves(tree)
    ends = ends[before.visible[ends] & after.visible[ends]]
    assert (level_shown(tree, after.target, ends) <= level_shown(tree, before.target, ends)).all()


@law
@given(SEEDS, BUDGETS)
def test_a_locked_level_is_the_only_one(seed, vertices):
    rng, scene, tree, camera = make(seed)
    number = int(rng.choice([level.index for level in scene.levels]))
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices, level_lock=number))
    at = tree.level == number
    assert at[plan.target].all()
    seen = int((at & plan.visible).sum())
    assert len(plan.target) + plan.refused_by_budget == seen
    assert plan.limited_by in ("locked", "vertices", "bytes")
    resident = np.ones(len(tree), bool)
    shown = items_in_view(tree, plan.visible, draw_set(tree, plan, resident))
    assert [item.cell for item in shown] == plan.target.tolist()


def test_a_level_that_is_not_there_cannot_be_locked():
    _, scene, tree, camera = make(1)
    with pytest.raises(ValueError, match="has no level 9"):
        plan_view(tree, scene, camera, LodSettings(level_lock=9))


@law
@given(SEEDS, BUDGETS, st.sampled_from([0.0, 0.2, 0.7]), st.sampled_from([0, 5_000, 10**9]))
def test_requests_ask_once_for_all_that_is_missing_best_first(seed, vertices, share, spare):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices)
    resident = rng.random(len(tree)) < share
    plan = plan_view(tree, scene, camera, wanted, resident, spare_bytes=spare)
    asked = [request.cell for request in plan.requests]
    assert len(asked) == len(set(asked))
    assert not resident[asked].any()
    needed = np.union1d(plan.target, plan.floor)
    assert set(needed[~resident[needed]]) <= set(asked)
    ahead = [cell for cell in asked if cell not in set(needed)]
    assert tree.fetch_bytes[ahead].sum() <= spare
    held = np.union1d(needed, ahead).astype(int)
    if ahead:
        assert tree.nbytes[held].sum() <= wanted.budget.bytes * BYTES_SHARE
    tiers = {request.cell: request.tier for request in plan.requests}
    assert all(tiers[cell] >= Tier.ZOOM_OUT for cell in ahead)
    order = [tier for tier in tiers.values() if tier <= Tier.TARGET]
    assert order == sorted(order)
