"""Objects that are drawn at the finest level whatever the view: laws, and which have room."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zv_viewer.model.plan import Tier
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning import Caps, build_cells, object_draw_set, plan_view, selected_objects
from zv_viewer.planning.selected import SELECTION_SHARE, affordable
from zv_viewer.planning.viewed import cost
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.objects import lay_objects
from zv_viewer.testing.scenes import grid_scene

SEEDS = st.integers(0, 2**32 - 1)


def law(test):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=40, deadline=None, suppress_health_check=checks)(test)


def through(tree, laid, ranks):
    """The cells of the finest level that objects run through."""
    ids = np.arange(len(tree))[tree.ids_of_level(0)]
    cells = [ids[laid.holds[ids, rank]] for rank in ranks]
    start = np.concatenate([[0], np.cumsum([len(each) for each in cells])]).astype(np.int64)
    return SelectedObjects(np.asarray(ranks, np.int64), start, np.concatenate([ids[:0], *cells]))


class Case:
    """Objects in a square, some of them selected, seen at a coarse level."""

    def __init__(self, seed, vertices=10**9):
        self.rng = rng = np.random.default_rng(seed)
        scene = grid_scene(8, 3, 64, ndim=2)
        self.scene = replace(scene, geometry="polyline", link_width=2)
        self.tree = build_cells(self.scene)
        self.laid = lay_objects(self.tree, rng, 12)
        self.ranks = np.flatnonzero(rng.random(12) < 0.4)
        self.selected = through(self.tree, self.laid, self.ranks)
        self.budget = Budget(vertices, 10**15)
        self.camera = orthographic(rng.uniform(1, 7, 2), float(rng.choice([60.0, 120.0])))
        self.settings = LodSettings(
            self.budget, quality_px=float(rng.choice([0.5, 60.0, 1e6])), density_max=1e9
        )
        self.plan = self.planned()

    def planned(self, selected="these", **more):
        chosen = self.selected if selected == "these" else selected
        return plan_view(self.tree, self.scene, self.camera, self.settings, selected=chosen, **more)

    def draw(self, resident, previous=None):
        content = {cell: self.laid.content[cell] for cell in np.flatnonzero(resident).tolist()}
        args = (self.tree, self.plan, resident, None, content, 12, previous)
        return object_draw_set(*args)

    def resident(self, share):
        resident = self.rng.random(len(self.tree)) < share
        resident[self.plan.floor] = True
        return resident

    def in_view(self, rank):
        """Finest cells in view that an object runs through."""
        finest = self.tree.level == 0
        return np.flatnonzero(finest & self.laid.holds[:, rank] & self.plan.visible)


@law
@given(seed=SEEDS, share=st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_a_selected_object_is_at_the_finest_level_as_soon_as_all_of_it_is_there(seed, share):
    case = Case(seed)
    resident = case.resident(share)
    _, levels = case.draw(resident)
    for rank in case.ranks.tolist():
        cells = case.in_view(rank)
        if len(cells) and resident[cells].all():
            assert levels[rank] == 0


@law
@given(seed=SEEDS, share=st.sampled_from([0.0, 0.5, 0.9]))
def test_selecting_changes_nothing_else(seed, share):
    """The others, and those selected that are not whole, are drawn as without a selection."""
    case = Case(seed)
    resident = case.resident(share)
    _, levels = case.draw(resident)
    with_selected, case.plan = case.plan, case.planned(None)
    assert np.array_equal(with_selected.target, case.plan.target)
    _, plain = case.draw(resident)
    changed = np.flatnonzero(levels != plain)
    assert np.isin(changed, case.ranks).all()
    assert (levels[changed] == 0).all()
    for rank in changed.tolist():
        assert resident[case.in_view(rank)].all()


@law
@given(seed=SEEDS, share=st.sampled_from([0.3, 0.9, 1.0]))
def test_an_object_is_drawn_from_all_its_cells_of_one_level(seed, share):
    case = Case(seed)
    resident = case.resident(share)
    draw, levels = case.draw(resident)
    drawn = draw.cells
    for rank in np.flatnonzero(levels != NOT_DRAWN).tolist():
        held = case.laid.holds[:, rank] & case.plan.visible & (case.tree.level == levels[rank])
        assert np.isin(np.flatnonzero(held & resident), drawn).all()
        if rank in case.ranks and levels[rank] == 0 != case.plan.level:
            assert resident[held].all()


@law
@given(seed=SEEDS, vertices=st.sampled_from([300, 1000, 2500, 10**9]))
def test_the_caps_hold_with_a_selection(seed, vertices):
    case = Case(seed, vertices)
    plan, tree = case.plan, case.tree
    assert cost(tree, plan.cells)[0] <= vertices
    assert not np.isin(plan.extra, plan.target).any()
    assert not np.isin(plan.extra, plan.floor).any()
    assert (tree.level[plan.extra] == 0).all()
    assert cost(tree, plan.extra)[0] <= vertices * SELECTION_SHARE
    assert len(plan.selected) + plan.selected_refused == len(case.ranks)
    if vertices == 10**9:
        assert plan.selected_refused == 0


@law
@given(seed=SEEDS, vertices=st.sampled_from([0, 200, 1000, 10**6]))
def test_as_many_objects_as_fit_the_smallest_first(seed, vertices):
    case = Case(seed)
    tree, asked = case.tree, case.selected
    fits = affordable(tree, asked, Caps(vertices, 10**15))
    own = [cost(tree, asked.taken(np.arange(len(asked)) == i).cells)[0] for i in range(len(asked))]
    assert cost(tree, np.unique(asked.taken(fits).cells))[0] <= vertices
    if fits.any() and not fits.all():
        assert np.max(np.array(own)[fits]) <= np.min(np.array(own)[~fits])
    if not fits.all():
        smallest = int(np.argmin(np.where(fits, np.inf, own)))
        more = fits | (np.arange(len(asked)) == smallest)
        assert cost(tree, np.unique(asked.taken(more).cells))[0] > vertices


def test_its_cells_are_asked_for_right_after_holes():
    case = Case(3)
    case.settings = replace(case.settings, quality_px=60.0)
    plan = case.planned()
    assert plan.level > 0
    tiers = [request.tier for request in plan.requests]
    asked = {request.cell for request in plan.requests if request.tier == Tier.SELECTION}
    assert set(plan.extra.tolist()) <= asked
    assert tiers == sorted(tiers)
    assert len({request.cell for request in plan.requests}) == len(plan.requests)


@pytest.mark.parametrize("lock", [0, 2])
def test_a_locked_level_is_the_only_one(lock):
    case = Case(3)
    case.settings = replace(case.settings, level_lock=lock)
    plan = case.planned()
    assert not len(plan.extra)
    assert plan.selected is None


def test_objects_by_their_chunks():
    case = Case(5)
    chunks = np.array([[0, 0], [7, 7], [0, 0], [99, 99], [1, 0]])
    found = selected_objects(case.scene, case.tree, np.array([2, 9]), np.array([0, 2, 5]), chunks)
    assert found.ranks.tolist() == [2, 9]
    assert found.start.tolist() == [0, 2, 4]
    corners = case.tree.lo[found.cells]
    assert sorted(map(tuple, corners[:2].tolist())) == [(0.0, 0.0), (7.0, 7.0)]
    assert sorted(map(tuple, corners[2:].tolist())) == [(0.0, 0.0), (1.0, 0.0)]
