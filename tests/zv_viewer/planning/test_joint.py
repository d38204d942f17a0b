"""The laws of caps that several layers share."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import Caps, Demand, build_cells, plan_view, view_demand
from zv_viewer.planning.demand import NOTHING
from zv_viewer.planning.joint import ALIKE, HOLD, fair, granted, joint_shares, worth
from zv_viewer.planning.viewed import cost
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.scenes import grid_scene, random_camera, random_scene

SEEDS = st.integers(0, 2**32 - 1)


def law(test):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=60, deadline=None, suppress_health_check=checks)(test)


def random_demand(rng):
    steps = int(rng.integers(0, 12))
    key = np.sort(rng.lognormal(1, 2, steps))[::-1].copy()
    small = Caps(*(int(x) for x in rng.integers(1, 400, 2)))
    around = Caps(*(int(x) for x in rng.integers(0, 200, 2)))
    cost = rng.integers(0, 3000, (2, steps))
    return Demand(small, around, key, cost[0], cost[1])


def random_case(seed):
    rng = np.random.default_rng(seed)
    demands = [random_demand(rng) for _ in range(int(rng.integers(2, 6)))]
    weights = rng.choice([0.0, 0.5, 1.0, 2.0, 4.0], len(demands)).tolist()
    total = Budget(int(rng.integers(10, 20_000)), int(rng.integers(40, 20_000)))
    return rng, demands, weights, total


def sums(shares):
    return sum(share.vertices for share in shares), sum(share.bytes for share in shares)


def needs(demand):
    """Vertices and bytes of a demand together."""
    vertices = demand.floor.vertices + demand.around.vertices + int(demand.vertices.sum())
    return vertices, demand.floor.bytes + demand.around.bytes + int(demand.nbytes.sum())


@law
@given(seed=SEEDS)
def test_the_caps_hold_together(seed):
    _, demands, weights, total = random_case(seed)
    vertices, nbytes = sums(joint_shares(demands, weights, total))
    assert vertices <= total.vertices
    assert nbytes <= total.bytes


@law
@given(seed=SEEDS)
def test_nobody_is_starved(seed):
    """Where all floors fit all get them; else each gets its part of the caps, or all it wants."""
    _, demands, weights, total = random_case(seed)
    weights = [weight or 1.0 for weight in weights]
    shares = joint_shares(demands, weights, total)
    fits = sum(max(each.floor.vertices, 1) for each in demands) <= total.vertices
    for demand, weight, share in zip(demands, weights, shares, strict=True):
        own = int(total.vertices * weight / sum(weights))
        least = demand.floor.vertices if fits else min(demand.floor.vertices, own)
        assert share.vertices >= least


@law
@given(seed=SEEDS)
def test_what_all_want_all_get_when_it_fits(seed):
    _, demands, weights, _ = random_case(seed)
    weights = [weight or 1.0 for weight in weights]
    vertices, nbytes = np.sum([needs(each) for each in demands], axis=0).tolist()
    shares = joint_shares(demands, weights, Budget(vertices, int(nbytes / 0.8) + 20 * len(demands)))
    for demand, share in zip(demands, shares, strict=True):
        assert Caps.of(share).hold(*needs(demand))


def one_by_one(demands, weights, vertices, nbytes):
    """Steps of each layer taken by falling worth; a layer whose step does not fit takes no more."""
    steps = [
        (-key * weight, layer, nth)
        for layer, (each, weight) in enumerate(zip(demands, weights, strict=True))
        for nth, key in enumerate(worth(each))
    ]
    taken = [[0, 0] for _ in demands]
    stopped = set()
    for _, layer, nth in sorted(steps):
        step = int(demands[layer].vertices[nth]), int(demands[layer].nbytes[nth])
        if layer in stopped or step[0] > vertices or step[1] > nbytes:
            stopped.add(layer)
            continue
        vertices, nbytes = vertices - step[0], nbytes - step[1]
        taken[layer][0] += step[0]
        taken[layer][1] += step[1]
    return taken


@law
@given(seed=SEEDS)
def test_steps_are_taken_down_to_one_error(seed):
    _, demands, weights, total = random_case(seed)
    weights = [weight or 1.0 for weight in weights]
    kept = [each.floor.vertices + each.around.vertices for each in demands]
    taken = one_by_one(demands, weights, total.vertices, 10**12)
    total = Budget(total.vertices + sum(kept), 10**12)
    shares = joint_shares(demands, weights, total)
    for share, own, more in zip(shares, kept, taken, strict=True):
        assert share.vertices >= own + more[0]


@law
@given(seed=SEEDS)
def test_shares_hold_while_they_move_little(seed):
    rng, demands, weights, total = random_case(seed)
    weights = [weight or 1.0 for weight in weights]
    before = joint_shares(demands, weights, total)
    assert joint_shares(demands, weights, total, before) == before
    moved = [
        Demand(
            each.floor,
            each.around,
            each.key * np.exp(rng.normal(0, 0.1)),
            (each.vertices * rng.uniform(0.9, 1.1)).astype(np.int64),
            each.nbytes,
        )
        for each in demands
    ]
    after, plain = (joint_shares(moved, weights, total, old) for old in (before, None))
    step = max(
        max(abs(b.vertices - a.vertices) / a.vertices, abs(b.bytes - a.bytes) / a.bytes)
        for a, b in zip(before, plain, strict=True)
    )
    whole = all(Caps.of(a).hold(*needs(each)) for a, each in zip(before, moved, strict=True))
    if step > HOLD:
        assert after == plain
    elif whole:
        assert after == before
    assert after in (before, plain)
    assert joint_shares(moved, weights, total, after) == after


@law
@given(seed=SEEDS)
def test_steps_of_a_layer_keep_their_order(seed):
    rng = np.random.default_rng(seed)
    demand = random_demand(rng)
    spread = worth(demand)
    assert (np.diff(spread) <= 0).all()
    assert (spread <= demand.key * ALIKE).all()
    assert (spread >= demand.key / ALIKE).all()


def test_steps_that_are_alike_take_turns():
    """Two layers that look alike but for a hundredth are refined alike."""
    steps = np.full(100, 10)
    layers = [Demand(Caps(10, 10), NOTHING, np.full(100, key), steps, steps) for key in (5.0, 5.05)]
    shares = joint_shares(layers, [1.0, 1.0], Budget(1020, 10**6))
    assert shares[0].vertices == pytest.approx(shares[1].vertices, rel=0.15)


def test_one_layer_has_it_all():
    total = Budget(1000, 1000)
    floor = Caps(5000, 10)
    assert joint_shares([Demand.of_floor(floor)], [3.0], total) == (total,)


def test_the_layer_that_needs_less_leaves_the_rest_to_the_other():
    small = Demand.of_rungs(Caps(10, 10), NOTHING, [(5.0, 90, 90)])
    large = Demand.of_rungs(Caps(10, 10), NOTHING, [(5.0, 800, 800), (3.0, 100_000, 100_000)])
    shares = joint_shares([small, large], [1.0, 1.0], Budget(1000, 2000))
    assert shares[0].vertices == 100
    assert shares[1].vertices == 900
    again = joint_shares([small, small], [1.0, 1.0], Budget(1000, 2000))
    assert [share.vertices for share in again] == [500, 500]


def test_memory_that_nobody_lacks_goes_to_all():
    small = Demand.of_rungs(Caps(10, 10), NOTHING, [(5.0, 90, 90)])
    large = Demand.of_rungs(Caps(10, 10), NOTHING, [(5.0, 800, 800), (3.0, 100_000, 100_000)])
    shares = joint_shares([small, large], [1.0, 1.0], Budget(1000, 10**6))
    assert [share.vertices for share in shares] == [100, 900]
    assert min(share.bytes for share in shares) > 0.49 * 10**6


def test_a_heavier_layer_is_finer():
    rungs = [(8.0, 400, 400), (4.0, 800, 800), (2.0, 1600, 1600)]
    each = Demand.of_rungs(Caps(100, 100), NOTHING, rungs)
    equal = joint_shares([each, each], [1.0, 1.0], Budget(2000, 10**6))
    assert equal[0].vertices == equal[1].vertices == 1000
    heavy = joint_shares([each, each], [4.0, 1.0], Budget(2500, 10**6))
    assert heavy[0].vertices >= 1700
    assert heavy[1].vertices >= 100


def test_a_hidden_layer_gives_its_share_back():
    rungs = [(8.0, 400, 400), (4.0, 2000, 2000)]
    each = Demand.of_rungs(Caps(100, 100), NOTHING, rungs)
    hidden = Demand.of_floor(Caps(20, 20))
    shares = joint_shares([hidden, each], [0.0, 1.0], Budget(2000, 10**6))
    assert shares[0].vertices == 20
    assert shares[1].vertices == 1980


def test_fair_parts():
    assert fair(np.array([100, 100, 5]), np.ones(3), 65).tolist() == [30, 30, 5]
    assert fair(np.array([100, 100]), np.array([1.0, 3.0]), 40).tolist() == [10, 30]
    assert fair(np.array([10, 10]), np.array([0.0, 1.0]), 15).tolist() == [5, 10]


@law
@given(seed=SEEDS)
def test_who_grows_waits_for_who_shrinks(seed):
    """Whatever is used, and may be used from now on, is within the caps; in the end all have it."""
    rng, demands, weights, total = random_case(seed)
    layers = len(demands)
    now = joint_shares(demands, weights, total)
    goal = joint_shares([random_demand(rng) for _ in demands], weights, total)
    used = [
        Caps(int(rng.integers(0, each.vertices + 1)), int(rng.integers(0, each.bytes + 1)))
        for each in now
    ]
    for _ in range(2 * layers):
        now = granted(goal, now, used, total)
        for i in ("vertices", "bytes"):
            both = [max(getattr(a, i), getattr(b, i)) for a, b in zip(now, used, strict=True)]
            assert sum(both) <= getattr(total, i)
        shrinking = int(rng.integers(layers))
        used[shrinking] = Caps(
            min(used[shrinking].vertices, now[shrinking].vertices),
            min(used[shrinking].bytes, now[shrinking].bytes),
        )
    used = [
        Caps(min(u.vertices, n.vertices), min(u.bytes, n.bytes))
        for u, n in zip(used, now, strict=True)
    ]
    assert granted(goal, now, used, total) == goal


@law
@given(seed=SEEDS)
def test_plans_take_what_was_asked_for(seed):
    """Each layer, planned within its share, is as fine as the one error they were solved to."""
    rng = np.random.default_rng(seed)
    scenes = [random_scene(rng) for _ in range(2)]
    trees = [build_cells(scene) for scene in scenes]
    cameras = [random_camera(rng, scene) for scene in scenes]
    total = Budget(int(rng.choice([500, 2000, 10_000])), 10**9)
    wanted = LodSettings(total, density_max=1e9, quality_px=0.5)
    demands = [
        view_demand(tree, scene, camera, wanted, layers=2)
        for tree, scene, camera in zip(trees, scenes, cameras, strict=True)
    ]
    shares = joint_shares(demands, [1.0, 1.0], total)
    plans = [
        plan_view(tree, scene, camera, LodSettings(share, density_max=1e9, quality_px=0.5))
        for tree, scene, camera, share in zip(trees, scenes, cameras, shares, strict=True)
    ]
    used = [
        cost(tree, np.union1d(plan.target, plan.floor))[0]
        for tree, plan in zip(trees, plans, strict=True)
    ]
    assert sum(used) <= total.vertices
    floors = [demand.floor.vertices for demand in demands]
    if sum(floors) <= total.vertices:
        for tree, plan in zip(trees, plans, strict=True):
            roots = np.flatnonzero((tree.parent < 0) & plan.visible)
            assert np.isin(roots, plan.floor).all()


def test_two_views_of_one_store_come_out_alike():
    scene = grid_scene(8, 4, 100, ndim=2)
    tree = build_cells(scene)
    near, far = orthographic((4, 4), 120.0), orthographic((4, 4), 30.0)
    total = Budget(3000, 10**9)
    wanted = LodSettings(total, density_max=1e9, foveation=False)
    for cameras, finer in (((near, near), None), ((near, far), 0)):
        demands = [view_demand(tree, scene, camera, wanted, layers=2) for camera in cameras]
        shares = joint_shares(demands, [1.0, 1.0], total)
        plans = [
            plan_view(tree, scene, camera, LodSettings(share, density_max=1e9, foveation=False))
            for camera, share in zip(cameras, shares, strict=True)
        ]
        levels = [tree.level[plan.target].mean() for plan in plans]
        if finer is None:
            assert levels[0] == pytest.approx(levels[1], abs=0.3)
        else:
            assert levels[0] < levels[1]
