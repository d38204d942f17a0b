"""One level for all in view: its laws, on random scenes, views, budgets and pasts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import BYTES_SHARE, Motion, build_cells, plan_view, visible_cells
from zv_viewer.planning.one_level import level_errors
from zv_viewer.planning.plan import AROUND_SHARE, BESIDE_SLAB, MARGIN_PX, around_px
from zv_viewer.testing.cameras import look_at, orthographic, zoomed
from zv_viewer.testing.scenes import grid_scene, level, random_camera, random_scene, scene_of

MUCH = Budget(10**12, 10**15)
FINE = LodSettings(MUCH, density_max=1e9)
SEEDS = st.integers(0, 2**32 - 1)
BUDGETS = st.sampled_from([1, 100, 1_000, 3_000, 10_000, 30_000, 10**6])


def law(test):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=60, deadline=None, suppress_health_check=checks)(test)


def of_lines(scene):
    return replace(scene, geometry="polyline", link_width=2)


def make(seed):
    rng = np.random.default_rng(seed)
    scene = of_lines(random_scene(rng))
    return rng, scene, build_cells(scene), random_camera(rng, scene)


def some_settings(rng, vertices=10**12, **changes):
    return replace(
        LodSettings(
            Budget(vertices, int(rng.choice([10**15, vertices * 30 + 1]))),
            quality_px=float(rng.choice([0.5, 1.5, 8.0])),
            density_max=float(rng.choice([0.01, 1.0, 1e9])),
            floor=bool(rng.random() < 0.7),
        ),
        **changes,
    )


def some_motion(rng):
    return Motion(float(rng.choice([0.0, 3000.0])), moving=bool(rng.random() < 0.3))


def cut(tree, visible, at):
    """Cells of a level, by the book: each branch the cell nearest to it, the coarser of two."""
    shown = []

    def walk(cell):
        children = [child for child in tree.children(cell) if visible[child]]
        away = [abs(tree.level[child] - at) for child in children]
        if tree.level[cell] > at and children and min(away) < tree.level[cell] - at:
            for child in children:
                walk(child)
        else:
            shown.append(cell)

    for root in np.flatnonzero((tree.parent < 0) & visible):
        walk(root)
    return sorted(shown)


def around(tree, camera, motion=None):
    """Cells that are planned from a view."""
    margin = around_px(camera, motion or Motion())
    return visible_cells(tree, camera, margin, cells_beyond=BESIDE_SLAB)


def refused_roots(tree, plan, near):
    roots = np.flatnonzero((tree.parent < 0) & near)
    return plan.level == len(tree.cell_shape) - 1 and len(plan.target) < len(roots)


@law
@given(SEEDS, BUDGETS)
def test_all_in_view_has_one_level_where_there_are_cells_of_it(seed, vertices):
    rng, scene, tree, camera = make(seed)
    before = plan_view(tree, scene, random_camera(rng, scene), some_settings(rng))
    for past in (None, before):
        wanted, motion = some_settings(rng, vertices), some_motion(rng)
        plan = plan_view(tree, scene, camera, wanted, previous=past, motion=motion)
        near = around(tree, camera, motion)
        assert near[plan.visible].all()
        if refused_roots(tree, plan, near):
            assert plan.refused_by_budget > 0
            assert (tree.parent[plan.target] < 0).all()
        else:
            assert plan.target.tolist() == cut(tree, near, plan.level)
            roots = (tree.parent < 0) & near
            assert not wanted.floor or np.isin(np.flatnonzero(roots), plan.floor).all()


@law
@given(SEEDS, BUDGETS, st.booleans())
def test_caps_hold_whatever_the_past(seed, vertices, locked):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices, level_lock=0 if locked else None)
    past = plan_view(tree, scene, random_camera(rng, scene), some_settings(rng))
    for before in (None, past):
        for motion in (Motion(), Motion(2000.0, moving=True)):
            plan = plan_view(tree, scene, camera, wanted, previous=before, motion=motion)
            held = np.union1d(plan.target, plan.floor)
            assert tree.count[held].sum() <= wanted.budget.vertices
            assert tree.nbytes[held].sum() <= wanted.budget.bytes * BYTES_SHARE


@law
@given(SEEDS, BUDGETS)
def test_same_input_same_plan(seed, vertices):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices)
    again = make(seed)
    first = plan_view(tree, scene, camera, wanted)
    second = plan_view(again[2], again[1], again[3], wanted)
    assert first.target.tolist() == second.target.tolist()
    assert first.floor.tolist() == second.floor.tolist()
    assert first.requests == second.requests
    assert (first.level, first.limited_by) == (second.level, second.limited_by)
    assert first.tau_px == second.tau_px


@law
@given(SEEDS, BUDGETS, st.floats(1, 20), st.booleans())
def test_a_larger_budget_is_never_coarser(seed, vertices, factor, with_past):
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
    assert plans[1].level <= plans[0].level
    if plans[1].level == plans[0].level:
        assert np.isin(plans[0].target, plans[1].target).all()


@law
@given(SEEDS, BUDGETS)
def test_it_is_the_finest_wanted_that_fits_and_says_why(seed, vertices):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, vertices, density_max=1e9)
    plan = plan_view(tree, scene, camera, wanted)
    short = plan.limited_by in ("vertices", "bytes")
    assert short == (plan.refused_by_budget > 0)
    if short or not len(plan.target):
        return
    errors = level_errors(tree)
    if plan.level:
        assert plan.error_px.min() <= wanted.quality_px or errors[plan.level] == 0
    if plan.limited_by == "finest":
        assert (np.diff(tree.child_start)[plan.target] == 0).all()
    else:
        assert plan.limited_by == "quality"
        assert plan.level > 0
    free = plan_view(tree, scene, camera, replace(wanted, budget=MUCH))
    assert free.level == plan.level


@law
@given(SEEDS, st.floats(0, 6000))
def test_nothing_coarsens_while_moving(seed, speed):
    rng, scene, tree, camera = make(seed)
    wanted = some_settings(rng, budget=MUCH)
    before = plan_view(tree, scene, camera, wanted)
    away = zoomed(camera, 0.2 + rng.random(), tuple(rng.normal(size=2) * 100))
    after = plan_view(tree, scene, away, wanted, previous=before, motion=Motion(speed, moving=True))
    assert after.level <= before.level


@law
@given(SEEDS, st.floats(1, 5))
def test_zooming_in_on_a_parallel_view_never_coarsens(seed, factor):
    rng, scene, tree, _ = make(seed)
    wanted = some_settings(rng, budget=MUCH, density_max=1e9)
    center = scene.bounds[0] + rng.random(scene.ndim) * np.diff(scene.bounds, axis=0)[0]
    zoom = 600 / float(np.diff(scene.bounds, axis=0).max()) * 2.0 ** rng.uniform(-4, 4)
    camera = orthographic(center, zoom, thickness=1e6)
    before = plan_view(tree, scene, camera, wanted)
    after = plan_view(tree, scene, zoomed(camera, factor), wanted)
    assert after.level <= before.level or not len(after.target)


@law
@given(SEEDS, BUDGETS)
def test_a_locked_level_is_the_only_one(seed, vertices):
    rng, scene, tree, camera = make(seed)
    number = int(rng.choice([info.index for info in scene.levels]))
    plan = plan_view(tree, scene, camera, some_settings(rng, vertices, level_lock=number))
    assert plan.level == number
    assert (tree.level[plan.target] == number).all()
    seen = int(((tree.level == number) & around(tree, camera)).sum())
    assert len(plan.target) + plan.refused_by_budget == seen


def walk(scene, tree, cameras, wanted, plan=None):
    """The level of each view after the other, each given the one before."""
    seen = []
    for camera in cameras:
        plan = plan_view(tree, scene, camera, wanted, previous=plan)
        seen.append(plan.level)
    return seen


@pytest.fixture(scope="module")
def flat():
    """Two axes, 16 x 16 chunks at level 0, three coarser levels, 100 vertices a chunk."""
    scene = of_lines(grid_scene(16, 4, 100, ndim=2))
    return scene, build_cells(scene)


def test_a_tenth_to_and_fro_where_the_quality_switches_changes_nothing(flat):
    scene, tree = flat
    views = [1.1, 0.9] * 5
    for at in (1, 2, 3):
        zoom = FINE.quality_px / scene.levels[at].error
        cameras = [orthographic((8, 8), zoom * factor) for factor in views]
        assert walk(scene, tree, cameras, FINE) == [at - 1] * 10
        assert walk(scene, tree, cameras[1:], FINE) == [at] * 9
        free = walk(scene, tree, cameras, replace(FINE, hysteresis=0.0))
        assert free == [at - 1, at] * 5


def test_nor_where_neighbouring_levels_hardly_differ():
    scene = grid_scene(16, 4, 100, ndim=2)
    alike = [0.0, 1.0, 1.3, 1.69]
    levels = [replace(info, error=e) for info, e in zip(scene.levels, alike, strict=True)]
    scene = of_lines(replace(scene, levels=tuple(levels)))
    tree = build_cells(scene)
    for at in (1, 2, 3):
        zoom = FINE.quality_px / alike[at]
        cameras = [orthographic((8, 8), zoom * factor) for factor in [1.1, 0.9] * 5]
        assert walk(scene, tree, cameras, FINE) == [at - 1] * 10
        assert walk(scene, tree, cameras[1:], FINE) == [at] * 9


def test_nor_where_density_does(flat):
    scene, tree = flat
    wanted = replace(FINE, density_max=0.01, quality_px=0.01)
    # All 16 x 16 cells of level 1 or finer hold 100 vertices on one square unit of level 0's size.
    zoom = (25 / wanted.density_max) ** 0.5
    cameras = [orthographic((8, 8), zoom * factor) for factor in [1.1, 0.9] * 5]
    seen = walk(scene, tree, cameras, wanted)
    assert seen == [0] * 10
    assert walk(scene, tree, cameras[1:], wanted) == [1] * 9
    assert plan_view(tree, scene, cameras[1], wanted).limited_by == "density"


def test_a_budget_only_just_large_enough_does_not_flicker(flat):
    scene, tree = flat
    wanted = replace(FINE, quality_px=0.01, floor=False)
    zooms = np.array([1.0, 1.1] * 5) * 100
    cameras = [orthographic((8, 8), zoom) for zoom in zooms]
    counts = [plan_view(tree, scene, camera, wanted).vertices for camera in cameras[:2]]
    assert counts[1] < counts[0]
    between = replace(wanted, budget=Budget(sum(counts) // 2, 10**15))
    assert walk(scene, tree, cameras, between) == [1] * 10
    assert walk(scene, tree, cameras[1:], between) == [0] + [1] * 8
    free = walk(scene, tree, cameras, replace(between, hysteresis=0.0))
    assert free == [1, 0] * 5


def test_a_trembling_camera_in_space_keeps_its_level():
    scene = of_lines(grid_scene(16, 5, 512))
    tree = build_cells(scene)
    rng = np.random.default_rng(0)
    changed, seen = 0, set()
    for distance in np.geomspace(3, 5000, 20):
        cameras = []
        for factor in [1.0, 1.05, 0.95] * 3:
            eye = np.array([8.0, 8, 8 + distance * factor]) + rng.normal(size=3) * 0.01
            cameras.append(look_at(eye, (8, 8, 8), up=(0, 1, 0)))
        levels = walk(scene, tree, cameras, replace(FINE, budget=Budget(10**6)))
        changed += levels[2:] != levels[2:3] * 7
        seen.update(levels)
    assert changed == 0
    assert len(seen) > 3


def test_a_fast_camera_refines_less(flat):
    scene, tree = flat
    away = plan_view(tree, scene, orthographic((8, 8), 1.0), FINE)
    camera = orthographic((8, 8), 40.0)
    moving = Motion(4500.0, moving=True)
    slow = plan_view(tree, scene, camera, FINE, previous=away)
    fast = plan_view(tree, scene, camera, FINE, previous=away, motion=moving)
    assert (away.level, slow.level, fast.level) == (3, 0, 1)


def test_branches_without_the_level_show_the_nearest_they_have():
    rows = np.array([[n, 0] for n in range(8)])
    levels = [
        level(0, [1, 1], [1, 1], rows, [10] * 8, 0.0),
        level(1, [2, 1], [2, 1], rows[[0, 1]], [10] * 2, 1.0),
        level(2, [4, 1], [2, 1], rows[[1]], [10], 2.0),
    ]
    scene = of_lines(scene_of(levels, np.array([[0.0, 0.0], [8.0, 1.0]])))
    tree = build_cells(scene)
    shown = {}
    for zoom in (0.5, 1.0, 100.0):
        plan = plan_view(tree, scene, orthographic((4, 0.5), zoom), FINE)
        shown[plan.level] = tree.level[plan.target].tolist()
    # A root of level 2 over the right half, two of level 1 over the left one.
    assert shown == {2: [2, 1, 1], 1: [2, 1, 1], 0: [0] * 4}


def test_nearest_coarsest_cells_first_where_not_even_they_fit():
    scene = of_lines(grid_scene(8, 1, 100, ndim=2))
    tree = build_cells(scene)
    plan = plan_view(tree, scene, orthographic((4, 4), 60.0), LodSettings(Budget(950, 10**15)))
    assert len(plan.target) == 9
    assert (plan.refused_by_budget, plan.limited_by) == (64 - 9, "vertices")
    away = np.linalg.norm((tree.lo + tree.hi) / 2 - 4, axis=1)
    assert away[plan.target].max() <= np.delete(away, plan.target).min() + 1.0


def test_cells_the_camera_comes_to_are_planned_before_they_are_in_view(flat):
    scene, tree = flat
    camera = orthographic((8, 8), 150.0)
    counts = []
    for speed, eta in [(0.0, 0.0), (200.0, 0.0), (200.0, 0.6), (9e9, 0.6)]:
        moving = Motion(speed, moving=speed > 0, eta_s=eta)
        plan = plan_view(tree, scene, camera, FINE, motion=moving)
        seen = visible_cells(tree, camera, MARGIN_PX)
        assert np.array_equal(plan.visible, seen)
        counts.append(len(plan.target))
    assert counts == sorted(counts)
    assert counts[0] < counts[2]
    most = visible_cells(tree, camera, MARGIN_PX + AROUND_SHARE * min(camera.viewport))
    assert counts[3] == (most & (tree.level == plan.level)).sum()


def test_clouds_have_a_level_for_each_cell():
    scene = grid_scene(8, 2, 100, ndim=2)
    plan = plan_view(build_cells(scene), scene, orthographic((4, 4), 60.0), FINE)
    assert plan.level is None


def test_a_moving_camera_does_not_start_on_what_hardly_fits():
    scene = of_lines(grid_scene(8, 3, 100))
    tree = build_cells(scene)
    camera = orthographic((4, 4, 4), 60.0, displayed=(0, 1, 2))
    roomy = replace(FINE, budget=Budget(10**9, 10**12), quality_px=1e-9)
    whole = plan_view(tree, scene, camera, roomy)
    assert whole.level == 0
    needed = int(tree.count[whole.cells].sum())
    there, moving = np.ones(len(tree), bool), Motion(300.0, moving=True)
    there[whole.target[:3]] = False
    tight = replace(roomy, budget=Budget(int(needed * 1.1), 10**12))

    def level(resident, motion, settings=tight, previous=whole):
        return plan_view(tree, scene, camera, settings, resident, previous, motion=motion).level

    assert level(there, moving) == 1
    assert level(there, Motion()) == 0  # at rest there is time
    assert level(np.ones(len(tree), bool), moving) == 0  # it is there
    assert level(there, moving, replace(tight, budget=Budget(needed * 2, 10**12))) == 0
    there[whole.target[: len(whole.target) // 2]] = False
    assert level(there, moving) == 0  # to leave what is under way would be waste
    coarse = plan_view(tree, scene, camera, replace(roomy, level_lock=2))
    assert level(there, moving, previous=coarse) == 1
    assert level(there, moving, replace(tight, level_lock=0)) == 0
