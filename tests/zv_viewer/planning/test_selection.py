"""What decides a plan, on scenes small enough to know the answer."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.model.plan import DrawItem, Tier
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import Motion, build_cells, draw_set, plan_view
from zv_viewer.planning.budget import Caps, longest_prefix
from zv_viewer.testing.cameras import look_at, orthographic
from zv_viewer.testing.scenes import grid_scene, level, scene_of

MUCH = Budget(10**12, 10**15)
FINE = LodSettings(MUCH, density_max=1e9, foveation=False)


@pytest.fixture(scope="module")
def flat():
    """Two axes, 8 x 8 chunks at level 0, three coarser levels, 100 vertices a chunk."""
    scene = grid_scene(8, 4, 100, ndim=2)
    return scene, build_cells(scene)


def levels_of(tree, plan):
    return sorted(set(tree.level[plan.target].tolist()))


def test_wishes_are_taken_best_first_up_to_the_first_misfit():
    key = np.array([1.0, 5, 5, 3, 4])
    cost = np.array([1, 2, 2, 1, 9])
    fit = longest_prefix(key, cost, cost, Caps(6, 100))
    assert fit.taken.tolist() == [1, 2]
    assert (fit.first_refused, fit.over) == (4, "vertices")
    fit = longest_prefix(key, cost, cost, Caps(100, 13))
    assert fit.taken.tolist() == [1, 2, 4]
    assert (fit.first_refused, fit.over) == (3, "bytes")
    assert longest_prefix(key, cost, cost, Caps(100, 100)).first_refused == -1


def test_zooming_in_walks_down_the_levels(flat):
    scene, tree = flat
    shown = [
        levels_of(tree, plan_view(tree, scene, orthographic((3.3, 3.3), zoom), FINE))
        for zoom in (1.0, 2.5, 4.0, 8.0, 30.0, 300.0)
    ]
    assert shown == [[3], [3], [2], [1], [0], [0]]


@pytest.mark.parametrize(
    ("changes", "zoom", "reason"),
    [
        ({}, 300.0, "finest"),
        ({}, 7.0, "quality"),
        ({"density_max": 0.02}, 30.0, "density"),
        ({"budget": Budget(700, 10**15)}, 30.0, "vertices"),
        ({"budget": Budget(10**12, 24_000)}, 30.0, "bytes"),
        ({"level_lock": 2}, 30.0, "locked"),
    ],
)
def test_the_plan_says_why_it_is_not_finer(flat, changes, zoom, reason):
    scene, tree = flat
    plan = plan_view(tree, scene, orthographic((4, 4), zoom), replace(FINE, **changes))
    assert plan.limited_by == reason
    assert (plan.refused_by_budget > 0) == (reason in ("vertices", "bytes"))


def test_the_quality_reported_is_the_first_refinement_not_taken(flat):
    scene, tree = flat
    budget = Budget(700, 10**15)
    plan = plan_view(tree, scene, orthographic((4, 4), 30.0), replace(FINE, budget=budget))
    assert levels_of(tree, plan) == [2]
    assert plan.tau_px == pytest.approx(scene.levels[2].error * 30)
    assert plan.error_px == pytest.approx([plan.tau_px] * 4)
    assert plan.vertices == 400
    assert plan.vertices_in_view_level0 == 6400


def test_the_middle_of_the_canvas_is_refined_first(flat):
    scene, tree = flat
    budget = Budget(2400, 10**15)
    camera = orthographic((1.0, 1.0), 60.0)
    plan = plan_view(tree, scene, camera, replace(FINE, budget=budget, foveation=True))
    fine = plan.target[tree.level[plan.target] == 0]
    coarse = plan.target[tree.level[plan.target] > 0]
    assert len(fine)
    assert len(coarse)

    def away(cells):
        middle = (tree.lo[cells] + tree.hi[cells]) / 2
        return np.linalg.norm(middle - 1.0, axis=1)

    assert away(fine).max() <= away(coarse).max()
    assert away(fine).min() < away(coarse).min()


def test_coarsest_cells_that_do_not_fit_are_refused_from_the_outside_in(flat):
    scene, _ = flat
    alone = replace(scene, levels=scene.levels[:1])
    tree = build_cells(alone)
    wanted = LodSettings(Budget(950, 10**15))
    plan = plan_view(tree, alone, orthographic((4, 4), 60.0), wanted)
    assert len(plan.target) == 9
    assert plan.refused_by_budget == 64 - 9
    assert plan.limited_by == "vertices"
    distance = np.linalg.norm((tree.lo + tree.hi) / 2 - 4, axis=1)
    refused = np.setdiff1d(np.arange(64), plan.target)
    assert distance[plan.target].max() <= distance[refused].min() + 1.0
    draw = draw_set(tree, plan, np.ones(64, bool))
    assert [item.cell for item in draw.items] == plan.target.tolist()


def test_nothing_is_refined_while_a_coarsest_cell_is_refused():
    coarse = level(1, [2, 1], [2, 1], np.array([[0, 0], [1, 0]]), [10, 100], 1.0)
    rows = np.array([[0, 0], [1, 0], [2, 0], [3, 0]])
    fine = level(0, [1, 1], [1, 1], rows, [20, 20, 200, 200], 0.0)
    scene = scene_of([fine, coarse], np.array([[0.0, 0.0], [4.0, 1.0]]))
    tree = build_cells(scene)
    camera = orthographic((1.0, 0.5), 100.0)

    def plan(vertices):
        budget = Budget(vertices, 10**15)
        return plan_view(tree, scene, camera, replace(FINE, budget=budget, foveation=True))

    assert plan(60).target.tolist() == [0]
    assert plan(60).refused_by_budget == 2  # the other coarsest cell, and refining this one
    assert plan(120).target.tolist() == [0, 1]
    assert plan(160).target.tolist() == [1, 2]


@pytest.fixture(scope="module")
def around():
    """A camera inside data whose levels differ so little that nearness outweighs refinement."""
    scene = grid_scene(8, 4, 64)
    errors = (0.0, 1.0, 1.3, 1.69)
    levels = [replace(info, error=e) for info, e in zip(scene.levels, errors, strict=True)]
    scene = replace(scene, levels=tuple(levels))
    return scene, build_cells(scene), look_at((4.3, 3.8, 4.1), (8, 5, 4))


def assert_no_ancestors(tree, target):
    above = tree.parent[target]
    while (above >= 0).any():
        assert not np.isin(above[above >= 0], target).any()
        above = np.where(above >= 0, tree.parent[above], -1)


def test_a_child_is_never_refined_before_its_parent_whatever_the_budget(around):
    scene, tree, camera = around
    for vertices in range(64, 12_000, 96):
        wanted = replace(FINE, budget=Budget(vertices, 10**15))
        assert_no_ancestors(tree, plan_view(tree, scene, camera, wanted).target)


def test_a_child_is_never_refined_before_its_parent_whatever_the_past(around):
    scene, tree, camera = around
    qualities = np.geomspace(100, 20_000, 25)
    pasts = [plan_view(tree, scene, camera, replace(FINE, quality_px=q)) for q in qualities]
    seen = set()
    for quality in qualities:
        wanted = replace(FINE, quality_px=float(quality))
        for past in pasts:
            plan = plan_view(tree, scene, camera, wanted, previous=past)
            assert_no_ancestors(tree, plan.target)
            seen.add(len(plan.target))
    assert len(seen) > 3


def test_hysteresis_keeps_a_level_within_the_band_and_leaves_it_beyond(flat):
    scene, tree = flat
    at = FINE.quality_px / scene.levels[1].error  # the zoom at which level 1 just suffices

    def walk(zooms, settings):
        plan, seen = None, []
        for zoom in zooms:
            camera = orthographic((4, 4), at * zoom)
            plan = plan_view(tree, scene, camera, settings, previous=plan)
            seen.append(levels_of(tree, plan))
        return seen

    zooms = (0.9, 1.1, 0.9, 1.1, 1.3, 0.9, 0.8, 0.7)
    assert walk(zooms, FINE) == [[1], [1], [1], [1], [0], [0], [0], [1]]
    free = replace(FINE, hysteresis=0.0)
    assert walk(zooms, free) == [[1], [0], [1], [0], [0], [1], [1], [1]]


def test_a_budget_that_has_only_just_room_again_changes_nothing(flat):
    scene, tree = flat
    camera = orthographic((4, 4), 30.0)

    def plan(vertices, previous=None):
        budget = Budget(vertices, 10**15)
        return plan_view(tree, scene, camera, replace(FINE, budget=budget), previous=previous)

    short = plan(6499)
    assert short.refused_by_budget == 1
    assert plan(6600).refused_by_budget == 0
    assert np.array_equal(plan(6600, short).target, short.target)
    assert plan(7000, short).refused_by_budget == 0


def test_a_trembling_camera_at_a_full_budget_does_not_flicker():
    scene = grid_scene(16, 5, 512)
    tree = build_cells(scene)
    rng = np.random.default_rng(0)
    wanted = LodSettings(Budget(60_000, 10**15))
    plan, targets = None, []
    for _ in range(30):
        eye = np.array([8.0, 8, 30]) + rng.normal(size=3) * 0.01
        camera = look_at(eye, (8, 8, 8), up=(0, 1, 0))
        plan = plan_view(tree, scene, camera, wanted, previous=plan)
        assert plan.limited_by == "vertices"
        targets.append(plan.target.tolist())
    assert all(target == targets[0] for target in targets)
    free = replace(wanted, hysteresis=0.0)
    loose = []
    for _ in range(30):
        eye = np.array([8.0, 8, 30]) + rng.normal(size=3) * 0.01
        plan = plan_view(tree, scene, look_at(eye, (8, 8, 8), up=(0, 1, 0)), free, previous=plan)
        loose.append(plan.target.tolist())
    assert any(target != loose[0] for target in loose)


def test_a_fast_camera_refines_less_and_skips_what_it_leaves_behind(flat):
    scene, tree = flat
    camera = orthographic((4, 4), 30.0)
    slow = plan_view(tree, scene, camera, FINE)
    away = plan_view(tree, scene, orthographic((4, 4), 2.0), FINE)
    moving = Motion(4500.0, moving=True)
    fast = plan_view(tree, scene, camera, FINE, previous=away, motion=moving)
    assert levels_of(tree, away) == [3]
    assert levels_of(tree, slow) == [0]
    assert levels_of(tree, fast) == [1]
    assert levels_of(tree, plan_view(tree, scene, camera, FINE, motion=moving)) == [0]
    late = Motion(4500.0, moving=True, eta_s=1.0)
    asked = plan_view(tree, scene, camera, FINE, motion=late).requests
    assert [request.tier for request in asked] == [Tier.HOLE]


def test_cells_that_look_the_same_fill_the_budget_whatever_was_shown_before(flat):
    scene, tree = flat
    camera = orthographic((4, 4), 30.0)
    short = replace(FINE, budget=Budget(4000, 10**15))
    coarse = plan_view(tree, scene, orthographic((4, 4), 2.0), FINE)
    pasts = [None, coarse, replace(coarse, tau_px=1e3, limited_by="vertices")]
    for past in pasts:
        plan = plan_view(tree, scene, camera, short, previous=past)
        assert plan.limited_by == "vertices"
        assert tree.count[np.union1d(plan.target, plan.floor)].sum() > 0.75 * 4000
        held = plan_view(tree, scene, camera, short, previous=plan)
        assert np.array_equal(held.target, plan.target)


def test_holes_come_first_then_the_target_by_gain_per_byte(flat):
    scene, tree = flat
    camera = orthographic((1.2, 1.2), 150.0)
    plan = plan_view(tree, scene, camera, replace(FINE, foveation=True))
    tiers = [request.tier for request in plan.requests]
    assert tiers[0] is Tier.HOLE
    assert plan.requests[0].cell == 0
    assert set(tiers[1:]) == {Tier.TARGET}
    target = [r.cell for r in plan.requests if r.cell in set(plan.target.tolist())]
    first = target[0]
    assert (tree.lo[first] <= 1.2).all()
    assert (tree.hi[first] >= 1.2).all()


def test_parts_of_a_parent_stand_in_until_every_child_is_there(flat):
    scene, tree = flat
    plan = plan_view(tree, scene, orthographic((4, 4), 8.0), FINE)
    assert levels_of(tree, plan) == [1]
    resident = np.zeros(len(tree), bool)
    resident[0] = True
    assert draw_set(tree, plan, resident).items == (DrawItem(0),)
    quarter = tree.children(0)[2]
    resident[tree.children(quarter)[:3]] = True
    assert draw_set(tree, plan, resident).items == (DrawItem(0),)
    resident[tree.children(quarter)] = True
    draw = draw_set(tree, plan, resident)
    assert draw.items[0] == DrawItem(0, (0, 1, 3))
    assert [item.cell for item in draw.items[1:]] == tree.children(quarter).tolist()
    assert not draw.settled
    resident[plan.target] = True
    draw = draw_set(tree, plan, resident)
    assert draw.settled
    assert [item.cell for item in draw.items] == plan.target.tolist()


def test_finer_cells_stand_in_when_they_fill_the_place(flat):
    scene, tree = flat
    plan = plan_view(tree, scene, orthographic((4, 4), 2.0), FINE)
    assert plan.target.tolist() == [0]
    resident = tree.level == 1
    draw = draw_set(tree, plan, resident)
    assert [item.cell for item in draw.items] == np.flatnonzero(resident).tolist()
    assert not len(draw.holes)
    assert not draw.settled


def test_outside_the_view_the_coarser_cells_stay_drawn(flat):
    scene, tree = flat
    camera = orthographic((0.5, 0.5), 2000.0)
    plan = plan_view(tree, scene, camera, FINE)
    assert plan.target.tolist() == [tree.ids_of_level(0).start]
    chain = [0, int(tree.children(0)[0]), int(tree.children(tree.children(0)[0])[0])]
    assert plan.floor.tolist() == chain
    resident = np.zeros(len(tree), bool)
    resident[plan.target] = resident[plan.floor] = True
    draw = draw_set(tree, plan, resident)
    assert draw.items == (
        *(DrawItem(cell, (1, 2, 3)) for cell in chain),
        DrawItem(int(plan.target[0])),
    )
    without = plan_view(tree, scene, camera, replace(FINE, floor=False))
    assert not len(without.floor)
    assert draw_set(tree, without, resident).items[-1] == DrawItem(int(plan.target[0]))


def test_a_damaged_cell_outside_the_view_holds_nothing_back(flat):
    scene, tree = flat
    plan = plan_view(tree, scene, orthographic((0.5, 0.5), 2000.0), FINE)
    resident = np.zeros(len(tree), bool)
    resident[plan.target] = resident[plan.floor] = True
    broken = np.zeros(len(tree), bool)
    broken[plan.floor[-1]] = True
    waiting = draw_set(tree, plan, resident & ~broken)
    assert not waiting.settled
    assert not np.isin(plan.target, [item.cell for item in waiting.items]).any()
    draw = draw_set(tree, plan, resident & ~broken, broken)
    assert draw.settled
    assert draw.items[-1] == DrawItem(int(plan.target[0]))


def test_a_large_coarsest_level_is_kept_around_the_view_as_far_as_it_may():
    n = 40
    rows = np.stack(np.meshgrid(range(n), range(n), indexing="ij"), axis=-1).reshape(-1, 2)
    scene = scene_of(
        [level(0, [1, 1], [1, 1], rows, np.full(n * n, 100), 0.0)],
        np.array([[0.0, 0.0], [n, n]]),
    )
    tree = build_cells(scene)
    plan = plan_view(tree, scene, orthographic((20, 20), 200.0), LodSettings(Budget(20_000)))
    around = np.setdiff1d(plan.floor, plan.target)
    assert 0 < len(around) <= 50
    assert np.isin(plan.target, plan.floor).all()
    assert (np.abs((tree.lo[around] + tree.hi[around]) / 2 - 20) < 12).all()
    tiers = {request.cell: request.tier for request in plan.requests}
    assert {tiers[cell] for cell in around} == {Tier.ZOOM_OUT}
    assert {tiers[cell] for cell in plan.target} == {Tier.HOLE}
