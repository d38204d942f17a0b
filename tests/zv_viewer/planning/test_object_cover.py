"""The laws of drawing whole objects, on random scenes, views, objects and resident sets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zv_viewer.model.links import LinkArrays, OpenLinks
from zv_viewer.model.plan import DrawItem, DrawSet
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning import Motion, build_cells, object_cover, plan_view
from zv_viewer.planning import plan as plan_module
from zv_viewer.planning.cell_objects import CellObjects
from zv_viewer.planning.known_objects import KnownObjects
from zv_viewer.planning.object_cover import affordable_object_draw_set, object_draw_set
from zv_viewer.planning.object_coverage import object_holes, shown_parts
from zv_viewer.planning.plan import MARGIN_PX
from zv_viewer.planning.ragged import offsets
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.objects import lay_along, lay_objects
from zv_viewer.testing.scenes import grid_scene, random_camera, random_scene, scene_of
from zv_viewer.testing.scenes import level as level_of

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])


def law(test):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=60, deadline=None, suppress_health_check=checks)(test)


def pyramid(rng):
    """A scene whose levels thin out, some of its coarser chunks missing now and then."""
    ndim, n_levels = int(rng.integers(2, 4)), int(rng.integers(2, 5))
    rows = np.unique(rng.integers(-4, 5, (int(rng.integers(8, 90)), ndim)), axis=0)
    middles = rows + 0.5
    gaps = rng.choice([0.0, 0.0, 0.2])
    levels = []
    for i in range(n_levels):
        size = 2.0**i
        chunks = np.unique(np.floor(middles / size), axis=0).astype(np.int64)
        if i:
            chunks = chunks[rng.random(len(chunks)) >= gaps]
        edge, counts = np.full(ndim, size), rng.integers(50, 100, len(chunks))
        levels.append(level_of(i, edge, edge / 8, chunks, counts, float(i and size)))
    return scene_of(levels, np.array([[-4.0] * ndim, [5.0] * ndim]))


class Case:
    """A random scene with objects in it, and a view of it at some level."""

    def __init__(self, seed, *, sparse=False):
        self.rng = rng = np.random.default_rng(seed)
        self.odd = rng.random() < 0.25
        scene = random_scene(rng) if self.odd else pyramid(rng)
        self.scene = replace(scene, geometry="polyline", link_width=2)
        self.tree = build_cells(self.scene)
        vertices = int(rng.choice([1_000, 3_000, 10**9, 10**9]))
        self.settings = LodSettings(Budget(vertices, 10**15), density_max=1e9)
        self.plan = self.planned()
        self.laid = lay_objects(self.tree, rng, 12, sparse=sparse)

    def planned(self, previous=None):
        """From anywhere, at the quality of some level."""
        rng, scene = self.rng, self.scene
        if self.odd or rng.random() < 0.3:
            camera = random_camera(rng, scene)
            quality = float(rng.choice([0.5, 8.0, 50.0]))
        else:
            camera = orthographic(rng.uniform(-2, 3, scene.ndim), 60.0, thickness=20.0)
            quality = 60.0 * float(rng.choice([info.error for info in scene.levels])) + 0.1
        wanted = replace(self.settings, quality_px=quality)
        return plan_view(self.tree, scene, camera, wanted, previous=previous)

    @property
    def count(self):
        return self.laid.count

    def resident(self, share, *, floor=True):
        resident = self.rng.random(len(self.tree)) < share
        if floor:
            resident[self.plan.floor] = True
        return resident

    def zoomed_out(self):
        """All finer cells are there, the floor, and half of what is planned."""
        resident = self.tree.level < self.plan.level
        resident[self.plan.target] = self.rng.random(len(self.plan.target)) < 0.5
        resident[self.plan.floor] = True
        return resident

    def has_coarsest(self):
        """Whether none of the coarsest cells in view is refused."""
        roots = np.flatnonzero((self.tree.parent < 0) & self.plan.visible)
        return np.isin(roots, self.plan.floor).all()

    def draw(self, resident, previous=None, failed=None):
        content = {cell: self.laid.content[cell] for cell in np.flatnonzero(resident).tolist()}
        args = (self.tree, self.plan, resident, failed, content, self.count, previous)
        return object_draw_set(*args)

    def cells_of_level(self, level):
        """Cells that objects are drawn from at a level: in view, and those planned."""
        if level == self.plan.level:
            return self.plan.target[self.tree.level[self.plan.target] == level]
        return np.flatnonzero(self.plan.visible & (self.tree.level == level))

    def missing(self, level, resident):
        """Cells in view that objects lack at a level."""
        cells = self.cells_of_level(level)
        return cells[~resident[cells] & self.plan.visible[cells]]

    def held(self, level, resident):
        """(O,) objects that cells hold at a level."""
        cells = self.cells_of_level(level)
        return self.laid.holds[cells[resident[cells]]].any(axis=0)

    def lacks(self, level, resident):
        """(O,) objects that cells missing in view would hold at a level."""
        return self.laid.holds[self.missing(level, resident)].any(axis=0)

    def whole(self, level, resident):
        """(O,) objects a level has all of in view."""
        return self.held(level, resident) & ~self.lacks(level, resident)

    @property
    def levels(self):
        return range(len(self.tree.cell_shape))

    def steps_away(self, level):
        """Place of a level in the order in which others stand in for the one planned."""
        at = self.plan.level
        return [at, *range(at - 1, -1, -1), *range(at + 1, len(self.levels)), NOT_DRAWN].index(
            int(level)
        )


def nearest_resident(tree, cell, resident):
    while cell >= 0 and not resident[cell]:
        cell = int(tree.parent[cell])
    return cell


def cells_of(draw):
    return np.array([item.cell for item in draw.items], np.int64)


def broken(case, resident, levels):
    """Objects drawn at a level that lacks some of them in view, though another has all."""
    found = []
    for rank in np.flatnonzero(levels != NOT_DRAWN).tolist():
        at = int(levels[rank])
        if case.lacks(at, resident)[rank] and case.held(at, resident)[rank]:
            found.append(rank)
    return found


@law
@given(SEEDS, SHARES, st.booleans())
def test_every_drawn_object_is_unbroken_once_the_coarsest_cells_are_there(seed, share, moved):
    case = Case(seed)
    resident, previous = case.resident(share), None
    if moved:
        _, previous = case.draw(case.resident(share))
        case.plan = case.planned(case.plan)
        resident[case.plan.floor] = True
    if not case.has_coarsest():
        return
    _, levels = case.draw(resident, previous)
    assert not broken(case, resident, levels)


@law
@given(SEEDS, SHARES, st.booleans(), st.booleans())
def test_items_are_the_resident_cells_objects_are_drawn_from(seed, share, floor, sparse):
    case = Case(seed, sparse=sparse)
    resident = case.resident(share, floor=floor)
    draw, levels = case.draw(resident)
    drawn = cells_of(draw)
    assert resident[drawn].all()
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert all(item.parts is None for item in draw.items)
    tree, holds = case.tree, case.laid.holds
    shown = holds & (levels[None, :] == tree.level[:, None])
    empty = np.isin(drawn, case.plan.target) & ~holds[drawn].any(axis=1)
    assert (shown[drawn].any(axis=1) | empty).all()
    for level in case.levels:
        cells = case.cells_of_level(level)
        cells = cells[resident[cells] & shown[cells].any(axis=1)]
        assert sparse or np.isin(cells, drawn).all()
    shown_at_all = np.zeros(case.count, bool)
    for cell in drawn:
        shown_at_all |= shown[cell]
    assert np.array_equal(shown_at_all, levels != NOT_DRAWN)


@law
@given(SEEDS, st.sampled_from([0.1, 0.5, 0.9]))
def test_an_object_all_there_is_drawn_as_planned(seed, share):
    case = Case(seed)
    resident = np.ones(len(case.tree), bool)
    resident[case.plan.target] = case.rng.random(len(case.plan.target)) < share
    missing = case.plan.target[~resident[case.plan.target]]
    above = case.tree.parent[missing]
    if not ((above < 0) | (case.tree.level[above] == case.tree.level[missing] + 1)).all():
        return
    _, levels = case.draw(resident)
    assert (levels[case.whole(case.plan.level, resident)] == case.plan.level).all()


@law
@given(SEEDS, SHARES, st.booleans())
def test_nothing_that_is_there_and_planned_is_undrawn(seed, share, sparse):
    case = Case(seed, sparse=sparse)
    resident = case.resident(share, floor=case.rng.random() < 0.5)
    _, levels = case.draw(resident)
    planned = np.union1d(case.plan.target, case.plan.floor).astype(int)
    held = case.laid.holds[planned[resident[planned]]].any(axis=0)
    assert (levels[held] != NOT_DRAWN).all()
    # What is there beside the plan stands in while a cell planned in its place is on its way.
    away = case.plan.target[(~resident & case.plan.visible)[case.plan.target]]
    way = case.laid.holds[away].any(axis=0)
    seen = case.laid.holds[resident & case.plan.visible].any(axis=0)
    if not sparse:
        assert (levels[way & seen] != NOT_DRAWN).all()


@law
@given(SEEDS, SHARES, st.booleans())
def test_loading_in_any_order_leads_to_the_plan_without_a_step_back(seed, share, zoomed_out):
    case = Case(seed)
    if not case.has_coarsest():
        return
    resident = case.zoomed_out() if zoomed_out else case.resident(share)
    final = np.zeros(len(case.tree), bool)
    final[case.plan.target] = final[case.plan.floor] = True
    wanted, goal = case.draw(final)
    assert wanted.settled
    assert not case.laid.holds[wanted.holes].any()
    _, levels = case.draw(resident)
    away = case.plan.target[~resident[case.plan.target]]
    for cell in case.rng.permutation(away).tolist():
        resident[cell] = True
        draw, after = case.draw(resident, levels)
        assert not case.laid.holds[draw.holes].any()
        for rank in np.flatnonzero(after != levels).tolist():
            if after[rank] != goal[rank]:
                assert levels[rank] != goal[rank]
                assert case.steps_away(after[rank]) < case.steps_away(levels[rank])
        levels = after
    draw, levels = case.draw(resident, levels)
    assert draw.settled
    assert draw.items == wanted.items
    assert np.array_equal(levels, goal)


@law
@given(SEEDS, SHARES, st.booleans())
def test_finer_cells_stand_in_for_objects_drawn_from_them_only(seed, share, zoomed_out):
    case = Case(seed)
    if not case.has_coarsest():
        return
    resident = case.zoomed_out() if zoomed_out else case.resident(share)
    previous = case.rng.choice([*case.levels, NOT_DRAWN], case.count).astype(np.uint8)
    _, levels = case.draw(resident, previous)
    at = case.plan.level
    came = (levels < at) & ~(previous < at)
    for cell in case.plan.target[resident[case.plan.target]].tolist():
        came &= ~(case.laid.holds[cell] & (levels == case.tree.level[cell]))
    content = {cell: case.laid.content[cell] for cell in np.flatnonzero(resident).tolist()}
    known = KnownObjects(case.tree, resident, content, case.count)
    for level in range(at + 1, len(case.levels)):
        whole = case.whole(level, resident) & ~known.in_the_way(case.missing(level, resident))
        assert not (came & whole).any()


@law
@given(SEEDS, SHARES, st.booleans())
def test_the_cap_is_kept(seed, share, zoomed_out):
    case = Case(seed)
    resident = case.zoomed_out() if zoomed_out else case.resident(share)
    content = {cell: case.laid.content[cell] for cell in np.flatnonzero(resident).tolist()}
    args = (case.tree, case.plan, resident, None, content, case.count)
    cap = case.settings.budget.vertices
    draw, levels = affordable_object_draw_set(*args, cap=cap)
    assert case.tree.count[cells_of(draw)].sum() <= cap
    free, all_levels = object_draw_set(*args)
    if case.tree.count[cells_of(free)].sum() <= cap:
        assert draw.items == free.items
    at_target = all_levels == case.plan.level
    assert (levels[at_target] == case.plan.level).all()
    for _ in range(3):
        before = levels
        draw, levels = affordable_object_draw_set(*args, before, cap=cap)
        assert case.tree.count[cells_of(draw)].sum() <= cap
    assert np.array_equal(levels, before)


@law
@given(SEEDS, SHARES)
def test_holes_are_the_target_cells_with_nothing_drawn(seed, share):
    case = Case(seed)
    resident = case.resident(share, floor=case.rng.random() < 0.5)
    draw, levels = case.draw(resident)
    tree = case.tree
    covered = np.zeros(len(tree), bool)
    for cell in cells_of(draw).tolist():
        inside = (tree.lo >= tree.lo[cell]).all(axis=1) & (tree.hi <= tree.hi[cell]).all(axis=1)
        around = (tree.lo <= tree.lo[cell]).all(axis=1) & (tree.hi >= tree.hi[cell]).all(axis=1)
        covered |= (inside & (tree.level <= tree.level[cell])) | (
            around & (tree.level >= tree.level[cell])
        )
    # What runs through a cell may be drawn at a level that has no cell in its place.
    drawn = (case.laid.holds & (levels != NOT_DRAWN)).any(axis=1)
    bare = case.plan.target[(~covered & case.plan.visible)[case.plan.target]]
    assert np.isin(draw.holes, bare).all()
    for cell in bare.tolist():
        above = nearest_resident(tree, cell, resident)
        empty = not case.laid.holds[cell].any()
        assert (cell in draw.holes) or (above >= 0 and (drawn[above] or empty))
        assert (cell not in draw.holes) or above < 0 or not drawn[cell]


@law
@given(SEEDS)
def test_objects_through_a_lost_cell_are_drawn_where_they_are_whole(seed):
    case = Case(seed)
    resident = case.resident(0.0)
    if not case.has_coarsest():
        return
    resident[case.plan.target] = True
    failed = np.zeros(len(case.tree), bool)
    failed[case.plan.target] = case.rng.random(len(case.plan.target)) < 0.3
    failed[case.tree.parent < 0] = False
    resident &= ~failed
    draw, levels = case.draw(resident, None, failed)
    assert not broken(case, resident, levels)
    assert draw.settled == (not failed.any())
    torn = case.laid.holds[failed].any(axis=0)
    planned = case.held(case.plan.level, resident) & ~torn
    assert (levels[planned] != NOT_DRAWN).all()


FINE = LodSettings(Budget(10**9, 10**15), density_max=1e9)


@pytest.fixture(scope="module")
def strip():
    """A row of eight cells along x, two coarser levels above, and the plan of its finest one."""
    scene = grid_scene(8, 3, 64, ndim=2)
    row = [info.chunks[:, 1] == 0 for info in scene.levels]
    kept = [
        replace(info, chunks=info.chunks[at], counts=info.counts[at])
        for info, at in zip(scene.levels, row, strict=True)
    ]
    scene = replace(scene, levels=tuple(kept), bounds=np.array([[0.0, 0.0], [8.0, 1.0]]))
    scene = replace(scene, geometry="polyline", link_width=2)
    tree = build_cells(scene)
    plan = plan_view(tree, scene, orthographic((4, 0.5), 150.0), FINE)
    assert plan.level == 0
    assert len(plan.target) == 8
    return tree, plan


def draw_strip(strip, laid, there, *, lost=(), previous=None):
    tree, plan = strip
    resident, failed = np.zeros(len(tree), bool), np.zeros(len(tree), bool)
    resident[there] = True
    failed[list(lost)] = True
    content = {cell: laid.content[cell] for cell in np.flatnonzero(resident).tolist()}
    return object_draw_set(tree, plan, resident, failed, content, laid.count, previous)


def test_where_nothing_is_whole_an_object_through_a_lost_cell_is_drawn_with_the_gap(strip):
    tree, plan = strip
    laid = lay_along(tree, [plan.target.tolist(), plan.target[:2].tolist()])
    there = np.delete(plan.target, 3)
    draw, levels = draw_strip(strip, laid, there, lost=[plan.target[3]])
    assert levels.tolist() == [0, 0]
    assert [item.cell for item in draw.items] == there.tolist()
    assert draw.holes.tolist() == [plan.target[3]]
    roots = np.flatnonzero(tree.parent < 0)
    draw, levels = draw_strip(strip, laid, np.r_[roots, there], lost=[plan.target[3]])
    assert levels.tolist() == [2, 0]
    assert [item.cell for item in draw.items] == [*roots, *plan.target[:2]]
    assert not len(draw.holes)


def test_objects_come_one_by_one_as_their_cells_do(strip):
    tree, plan = strip
    roots = np.flatnonzero(tree.parent < 0)
    paths = [plan.target[:2].tolist(), plan.target[1:4].tolist(), plan.target.tolist()]
    laid = lay_along(tree, paths)
    seen, previous = [], None
    for n in range(9):
        draw, previous = draw_strip(strip, laid, np.r_[roots, plan.target[:n]], previous=previous)
        seen.append(previous.tolist())
        assert np.isin(roots, [item.cell for item in draw.items]).all() == (n < 8)
    two, none, first, both = [2, 2, 2], [0, 0, 0], [0, 2, 2], [0, 0, 2]
    assert seen == [two, two, first, first, both, both, both, both, none]


def test_a_link_into_a_missing_cell_tells_of_an_object_coarser_rows_do_not(strip):
    tree, plan = strip
    roots = np.flatnonzero(tree.parent < 0)
    laid = lay_along(tree, [plan.target[:4].tolist()])
    content = dict(laid.content)
    # As where every other vertex is left out: no row of the root lies in the middle cells.
    above = int(roots[0])
    content[above] = replace(
        content[above], part_objects=np.zeros(1, np.uint32), part_start=np.array([0, 1, 1])
    )
    thin = replace(laid, content=content)
    draw, levels = draw_strip(strip, thin, np.r_[roots, plan.target[[0, 1, 3]]])
    assert levels.tolist() == [2]
    assert [item.cell for item in draw.items] == [above]


def test_zooming_out_finer_cells_stay_until_the_planned_ones_are_there(strip):
    tree, plan = strip
    laid = lay_along(tree, [plan.target.tolist(), plan.target[:2].tolist()])
    middle = np.flatnonzero(tree.level == 1)
    coarse = replace(plan, level=1, target=middle)
    roots = np.flatnonzero(tree.parent < 0)
    before = np.array([0, NOT_DRAWN], np.uint8)
    there = np.r_[roots, plan.target]
    _, levels = draw_strip((tree, coarse), laid, there, previous=before)
    assert levels.tolist() == [0, 2]
    _, levels = draw_strip((tree, coarse), laid, np.r_[there, middle[0]], previous=levels)
    assert levels.tolist() == [0, 1]
    draw, levels = draw_strip((tree, coarse), laid, np.r_[there, middle], previous=levels)
    assert levels.tolist() == [1, 1]
    assert [item.cell for item in draw.items] == middle.tolist()


def test_a_view_that_moves_on_finds_holes_where_no_cell_is_drawn(strip):
    tree, plan = strip
    laid = lay_along(tree, [plan.target.tolist(), plan.target[6:].tolist()])
    roots = np.flatnonzero(tree.parent < 0)
    near = plan.visible.copy()
    near[plan.target[4:]] = near[roots[1]] = False
    part = replace(plan, visible=near, target=plan.target[:4], floor=roots)
    there = np.r_[roots, part.target]
    resident = np.isin(np.arange(len(tree)), there)
    draw, levels = draw_strip((tree, part), laid, there)
    assert levels.tolist() == [0, 2]
    args = (part, draw, levels, resident, laid.content)
    assert not len(object_holes(tree, plan.visible, *args))
    draw, levels = draw_strip((tree, part), lay_along(tree, [plan.target.tolist()]), there)
    args = (part, draw, levels, resident, lay_along(tree, [plan.target.tolist()]).content)
    assert object_holes(tree, plan.visible, *args).tolist() == plan.target[4:].tolist()
    assert not len(object_holes(tree, near, *args))
    nothing = np.full(1, NOT_DRAWN, np.uint8)
    args = (part, draw, nothing, resident, args[-1])
    assert object_holes(tree, near, *args).tolist() == part.target.tolist()


def test_a_cell_without_rows_is_no_hole(strip):
    tree, plan = strip
    laid = lay_along(tree, [plan.target[:3].tolist()])
    roots = np.flatnonzero(tree.parent < 0)
    near = plan.visible.copy()
    near[plan.target[4:]] = near[roots[1]] = False
    last = int(plan.target[3])
    part = replace(plan, visible=near, target=plan.target[:3], floor=roots)
    there = np.isin(np.arange(len(tree)), plan.target[:4])
    draw = DrawSet(tuple(map(DrawItem, part.target.tolist())), np.zeros(0, np.int64), settled=True)
    content = dict(laid.content)
    full = content[int(plan.target[0])]
    args = (part, draw, np.zeros(1, np.uint8), there)
    content[last] = replace(full, objects=np.zeros(0, np.uint32))
    assert not len(object_holes(tree, near, *args, content))
    content[last] = replace(full, objects=np.ones(1, np.uint32))
    levels = np.array([0, NOT_DRAWN], np.uint8)
    assert object_holes(tree, near, part, draw, levels, there, content).tolist() == [last]


def test_only_parts_that_show_an_object_count_as_seen(strip):
    tree, plan = strip
    laid = lay_along(tree, [plan.target[:2].tolist(), plan.target[2:4].tolist()])
    roots = np.flatnonzero(tree.parent < 0)
    draw, levels = draw_strip(strip, laid, np.r_[roots[:1], plan.target[:2]])
    assert levels.tolist() == [0, 2]
    shown = shown_parts(tree, draw, levels, laid.content)
    assert shown.items == (DrawItem(int(roots[0]), (1,)), *map(DrawItem, plan.target[:2].tolist()))


@pytest.mark.parametrize("planned_ahead", [True, False])
def test_a_pan_no_faster_than_loads_lets_no_object_fall_back(planned_ahead, monkeypatch):
    if not planned_ahead:
        monkeypatch.setattr(plan_module, "around_px", lambda *_: MARGIN_PX)
    scene = replace(grid_scene(24, 4, 64, ndim=2), geometry="polyline", link_width=2)
    tree = build_cells(scene)
    ids = tree.ids_of_level(0)
    middle = (tree.lo + tree.hi)[ids] / 2
    rows = [np.flatnonzero(middle[:, 1] == y + 0.5) for y in range(24)]
    laid = lay_along(tree, [(row[np.argsort(middle[row, 0])] + ids.start).tolist() for row in rows])
    speed, eta, frame = 400.0, 0.25, 1 / 30
    resident, coming = np.zeros(len(tree), bool), {}
    plan, levels, fell = None, None, 0
    for n in range(120):
        moved = max(n - 30, 0) * frame * speed
        camera = orthographic((4 + moved / 200, 12), 200.0)
        motion = Motion(speed * (n > 30), moving=n > 30, eta_s=eta)
        for cell in [cell for cell, at in coming.items() if at <= n * frame]:
            resident[cell] = True
            del coming[cell]
        plan = plan_view(tree, scene, camera, FINE, resident, plan, motion=motion)
        for request in plan.requests:
            coming.setdefault(request.cell, n * frame + eta)
        before = levels
        _, levels = object_draw_set(tree, plan, resident, None, laid.content, 24, before)
        seen = laid.holds[plan.target].any(axis=0)
        if n > 30:
            fell += int((levels > before)[seen].sum())
    assert plan.level == 0
    assert (fell == 0) == planned_ahead


def test_a_plan_by_cells_is_refused(strip):
    tree, plan = strip
    laid = lay_along(tree, [plan.target.tolist()])
    with pytest.raises(ValueError, match="one level"):
        draw_strip((tree, replace(plan, level=None)), laid, plan.target)


def broken_law(law, *cases, seeds=25):
    """How many random cases break a law."""
    found = 0
    for seed in range(seeds):
        for case in cases:
            try:
                law.hypothesis.inner_test(seed, *case)
            except AssertionError:
                found += 1
    return found


def test_without_completeness_objects_are_broken(monkeypatch):
    law = test_every_drawn_object_is_unbroken_once_the_coarsest_cells_are_there
    cases = [(0.1, False), (0.5, True)]
    assert not broken_law(law, *cases)
    monkeypatch.setattr(KnownObjects, "_from_above", lambda *_: [])
    monkeypatch.setattr(KnownObjects, "_from_below", lambda *_: [])
    without_rows = broken_law(law, *cases)
    monkeypatch.setattr(KnownObjects, "_beside", lambda *_: [])
    assert 0 < without_rows < broken_law(law, *cases)


def test_without_memory_finer_cells_come_in(monkeypatch):
    law = test_finer_cells_stand_in_for_objects_drawn_from_them_only
    assert not broken_law(law, (0.5, True))
    draw = Case.draw
    monkeypatch.setattr(Case, "draw", lambda case, resident, _: draw(case, resident))
    assert broken_law(law, (0.5, True))


def test_without_order_objects_step_back(monkeypatch):
    law = test_loading_in_any_order_leads_to_the_plan_without_a_step_back
    assert not broken_law(law, (0.5, True))
    show = object_cover._Cover._show_best

    def forgetful(cover, blocked):
        if cover.previous is not None:
            cover.previous = np.full(len(blocked), NOT_DRAWN, np.uint8)
        return show(cover, blocked)

    monkeypatch.setattr(object_cover._Cover, "_show_best", forgetful)
    assert broken_law(law, (0.5, True))


def test_without_leaving_cells_out_the_cap_is_broken(monkeypatch):
    assert not broken_law(test_the_cap_is_kept, (0.5, True))

    def all_of_it(*args, cap):
        return object_draw_set(*args)

    monkeypatch.setitem(globals(), "affordable_object_draw_set", all_of_it)
    assert broken_law(test_the_cap_is_kept, (0.5, True), seeds=60)


def crossing(tree, rng, count, length):
    """(cell, ranks) of objects that each run through as many cells of every level."""
    for at in range(len(tree.cell_shape)):
        ids = tree.ids_of_level(at)
        n = ids.stop - ids.start
        run = np.minimum(rng.integers(0, n, count)[:, None] + np.arange(min(length, n)), n - 1)
        cell, rank = np.divmod(np.unique(run * count + np.arange(count)[:, None]), count)
        yield from enumerate(np.split(rank, offsets(cell, n)[1:-1]), ids.start)


def test_a_hundred_thousand_objects_are_shown():
    scene = replace(grid_scene(14, 4, 1000), geometry="polyline", link_width=2)
    tree = build_cells(scene)
    rng = np.random.default_rng(0)
    empty = np.zeros((0, 2), np.int64)
    no_links = OpenLinks((), np.zeros(1, np.int64), empty, empty, empty, np.zeros(0, np.uint32))
    content = {}
    for cell, ranks in crossing(tree, rng, 100_000, 4):
        part = rng.integers(0, max(len(tree.children(cell)), 1), len(ranks))
        order = np.argsort(part, kind="stable")
        start = offsets(part, len(tree.children(cell)) or 1)
        rows = np.asarray(ranks, np.uint32)[order]
        made = LinkArrays(int(tree.level[cell]), rows, empty.astype(np.uint32), no_links)
        content[cell] = CellObjects.of(cell, made, start)
    plan = plan_view(tree, scene, orthographic((7, 7, 7), 45.0, displayed=(0, 1, 2)), FINE)
    assert plan.level == 0
    assert len(plan.target) > 2000
    resident = np.ones(len(tree), bool)

    def levels_without(missing):
        there = resident.copy()
        there[plan.target[missing]] = False
        return object_draw_set(tree, plan, there, None, content, 100_000)[1]

    levels = levels_without(slice(0))
    assert (levels[content_objects(content, plan.target)] == 0).all()
    assert (levels_without(slice(100, 110)) == 3).any()


def content_objects(content, cells):
    return np.unique(np.concatenate([content[cell].objects for cell in cells.tolist()]))


def test_objects_that_refused_cells_would_cut_stay_at_the_floor(strip):
    tree, plan = strip
    roots = np.flatnonzero(tree.parent < 0)
    laid = lay_along(tree, [plan.target[:2].tolist(), plan.target[2:6].tolist()])
    refused = replace(plan, target=plan.target[:4], floor=roots)
    for there in (plan.target[:4], plan.target):
        draw, levels = draw_strip((tree, refused), laid, np.r_[roots, there])
        assert levels.tolist() == [0, 2]
        assert draw.settled
    _, levels = draw_strip((tree, replace(refused, floor=roots[:0])), laid, plan.target[:4])
    assert levels.tolist() == [0, 0]
