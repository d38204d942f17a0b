"""Simulated flights over linked stores; a slow oracle looks at single rows and links."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from zv_viewer.controller import connection
from zv_viewer.controller.connection import LONGEST_WAIT_S
from zv_viewer.controller.drawer import LENT_S
from zv_viewer.controller.standing import Standing
from zv_viewer.drawing import page_rows
from zv_viewer.drawing.colours import pack_values
from zv_viewer.drawing.joints import JointChanges, Joints
from zv_viewer.drawing.slots import pages_of
from zv_viewer.layers.object_states import ObjectStates
from zv_viewer.loading.cache import CellCache
from zv_viewer.model.objects import Look
from zv_viewer.model.settings import Budget
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning import object_cover, visible_cells
from zv_viewer.planning.budget import Caps
from zv_viewer.planning.error import measure
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.one_level import OneLevel
from zv_viewer.planning.plan import MARGIN_PX, seen_or_beside
from zv_viewer.planning.selected import cells_of
from zv_viewer.planning.slab import slab_share
from zv_viewer.planning.viewed import FLOOR_SHARE, cost
from zv_viewer.rows import RandomRows, RowFilter, drawn_rows
from zv_viewer.testing.linked_flights import random_linked_flight, random_linked_simulation
from zv_viewer.testing.linked_oracle import Pictures, rows_in_view, torn_objects, truth_of
from zv_viewer.testing.simulate import TICK_S
from zv_viewer.testing.weather import bad_weather

pytestmark = pytest.mark.once

PLANNED_AFTER = 4
"""Frames until a plan suits where the camera has gone."""

KEEPS = RowFilter.keeps

NO_ROW = RowFilter((RandomRows(0.0),))
"""What a cell that was not read holds."""


class Oracle:
    """Looks at every row and link in view: is each object one unbroken piece of one level?"""

    def __init__(self, made):
        self.made, self.sim, self.sink = made, made.sim, made.sink
        self.tree, self.scene = made.sim.controller.tree, made.source.scene
        self.truth = truth_of(made.source, self.tree)
        self.pictures = Pictures(self.truth, self.tree)
        self.readable = [self.stored(number) for number in range(len(self.truth))]
        self.coarse = np.flatnonzero(self.tree.parent < 0)
        self.was_whole, self.emptied, self.was_promised = False, 0, False
        self.plan, self.near, self.seen = None, None, None
        self.shown, self.shown_at = None, -1
        self.budgets = []
        self.kept_rows, self.asked = {}, None
        self.frames = self.judged = self.torn = 0
        self.jumps = self.frames_with_holes = 0
        self.camera = None
        levels = zip(self.scene.levels, self.truth, strict=True)
        self.counted = all(
            info.counts_exact and info.vertex_count == len(level.objects) for info, level in levels
        )

    def stored(self, number):
        """(N,) rows of a level that can be read."""
        level = self.scene.levels[number]
        whole = [not self.made.source.broken(level.index, tuple(c)) for c in level.chunks.tolist()]
        return np.array(whole, bool)[self.truth[number].chunks]

    def can_read(self):
        """Per level, (N,) rows that are not lost, nor in a cell reported as lost in part."""
        if not self.sim.far:
            return self.readable
        failed = [failure.cell for failure in self.sim.controller.failures]
        return [
            rows & ~np.isin(level.cells, failed)
            for rows, level in zip(self.readable, self.truth, strict=True)
        ]

    def kept(self, number, kept_by):
        """(N,) rows of a level that a filter keeps."""
        if kept_by is None:
            return np.ones(len(self.truth[number].objects), bool)
        if (number, kept_by) not in self.kept_rows:
            index = self.scene.levels[number].index
            stored = self.made.source.joined[index].stored
            values = self.made.source.levels[index].values
            values = {name: column[stored] for name, column in values.items()}
            rows = drawn_rows(self.scene, self.truth[number].positions, values)
            self.kept_rows[number, kept_by] = KEEPS(kept_by, rows)
        return self.kept_rows[number, kept_by]

    def asked_for(self):
        """Per level, (N,) rows that can be read and are to be drawn, as far as cells know."""
        key = (self.sink.changes, self.made.kept_by, len(self.sim.controller.failures))
        if self.asked is None or self.asked[0] != key:
            self.asked = key, list(map(self.find_asked_for, range(len(self.truth))))
        readable = zip(self.asked[1], self.can_read(), strict=True)
        return [rows & found for rows, found in readable]

    def find_asked_for(self, number):
        rules = [cell.extras.kept_by if len(cell) else NO_ROW for cell in self.sink.cells.values()]
        found = self.kept(number, self.made.kept_by)
        if all(rule == self.made.kept_by for rule in rules):
            return found
        at, found = self.truth[number].cells, found.copy()
        for rule in set(rules):
            cells = [c for c, own in zip(self.sink.cells, rules, strict=True) if own == rule]
            here = np.isin(at, cells)
            found[here] = rule != NO_ROW and self.kept(number, rule)[here]
        return found

    @property
    def levels(self):
        return self.sink.states.levels

    @property
    def lost(self):
        return np.flatnonzero(self.sim.controller._troubles.lost)

    def whole(self):
        """(O,) objects that the floor has all of in view, or the plan where all of it is there."""
        tree, plan = self.sim.controller.tree, self.plan
        usable = np.zeros(len(tree), bool)
        there = np.isin(np.arange(len(tree)), list(self.sink.cells))
        usable[plan.target] = there[plan.target].all()
        usable[plan.floor] = there[plan.floor]
        found = np.zeros(len(self.levels), bool)
        for level in self.truth:
            asked = self.near[level.cells]
            held, lacks = np.zeros_like(found), np.zeros_like(found)
            held[level.objects[asked & usable[level.cells]]] = True
            lacks[level.objects[asked & ~usable[level.cells]]] = True
            found |= held & ~lacks
        return found

    def promised(self):
        """Whether the caps leave room for the whole floor wherever the camera is."""
        tree, budget = self.sim.controller.tree, self.made.settings.budget
        cost = [tree.count[self.coarse].sum(), tree.nbytes[self.coarse].sum()]
        every = [tree.count.sum(), tree.nbytes.sum()]
        caps = np.array([budget.vertices, budget.bytes * 0.8])
        if pages_of(tree.count) > self.sink.capacity:
            caps[0] = min(caps[0], self.sink.capacity * 0.85)
            cost[0] = max(cost[0], pages_of(tree.count[self.coarse]))
            every[0] = max(every[0], pages_of(tree.count))
        if self.made.settings.level_lock is not None:  # the floor is where there is room left
            return False
        return bool((np.array(every) <= caps).all() or (cost <= caps * 0.25 - 1).all())

    def look_again(self):
        """What is on the screen, and what of it is in view, where either is new."""
        sim, sink = self.sim, self.sink
        plan = sim.controller._planner.plan
        if plan is not self.plan:
            self.plan, camera = plan, sim.camera
            self.near = visible_cells(self.tree, camera, MARGIN_PX)
            self.seen = np.zeros(len(self.tree), bool)
            for level in self.truth:
                rows = rows_in_view(level.positions, self.scene.origin, camera)
                self.seen[level.cells[rows]] = True
        elif sink.changes == self.shown_at:
            return False
        if sink.changes != self.shown_at:
            self.shown_at = sink.changes
            drawn = [item.cell for item in sink.items]
            self.shown = self.pictures.shown(
                sink.cells,
                drawn,
                {cell: sink.shown_rows(cell) for cell in drawn},
                sink.shown_links(),
                self.levels,
                sink.states.looks == Look.HIDDEN,
            )
        return self.plan is not None

    def look(self):
        self.frames += 1
        stats = self.sim.controller.stats()
        self.check_caps(stats)
        assert stats.settled == (not stats.waiting_for)
        there = set(self.coarse.tolist()) <= set(self.sink.cells) | set(self.lost.tolist())
        promised = self.promised()
        if self.sim.clock.now > self.made.changed_at:  # there was a tick
            self.was_promised = promised
        if not (promised and self.was_promised) or self.made.emptied != self.emptied:
            self.was_whole, self.emptied = False, self.made.emptied
        elif there:
            self.was_whole = True
        if self.was_whole:
            assert there, "the floor is gone"
            self.check_holes(stats)
        if self.look_again():
            self.check_whole()
        if self.was_whole and self.sim.camera is not None:
            self.judged += 1
            self.check_floor()

    def check_caps(self, stats):
        sim, sink, budget = self.sim, self.sink, self.made.settings.budget
        now = sim.clock.now
        self.budgets = [(t, v) for t, v in self.budgets if t > now - LENT_S - 2 * TICK_S]
        self.budgets.append((now, budget.vertices))
        if now > self.made.changed_at:  # there was a tick
            assert stats.cache_bytes <= budget.bytes
            # Which rows a filter kept before goes once the layer is given the new answer.
            plain = [replace(cell, kept=None).nbytes for cell in sink.cells.values()]
            assert sum(plain) <= stats.cache_bytes
        assert sum(page_rows(len(c)) for c in sink.cells.values()) <= sink.capacity
        if self.counted or stats.settled:  # else the size of cells is learned as they are read
            assert sink.rows_drawn <= max(vertices for _, vertices in self.budgets)

    def check_whole(self):
        """Each object drawn is one piece, unless no level has all of it."""
        if not self.sink.items:  # the first picture waits for more
            return
        asked_for = self.asked_for()
        for number, rows in enumerate(self.shown.rows):
            assert not (rows & self.can_read()[number] & ~asked_for[number]).any(), "left out"
        torn = torn_objects(self.truth, self.shown, self.seen, asked_for)
        torn = {rank: why for rank, why in torn.items() if rank or self.scene.objects[0] >= 0}
        if not torn:
            return
        self.torn += 1
        for why in torn.values():
            assert "links" not in why, why
            assert "drawn at" not in why, why
        whole = self.whole()
        assert not any(whole[rank] for rank in torn), {r: torn[r] for r in torn if whole[r]}

    def check_holes(self, stats):
        """There are none but where the camera went further than was planned, for a few frames."""
        same = stats.holes and self.camera is self.sim.camera
        self.frames_with_holes = self.frames_with_holes + 1 if same else 0
        self.camera = self.sim.camera
        if self.near is not None and stats.holes:
            now = visible_cells(self.tree, self.sim.camera, 0.0)
            jumped = (now & ~self.near).any()
            assert jumped, "a hole in the view that was planned"
            assert self.frames_with_holes <= PLANNED_AFTER
            self.jumps += 1

    def check_floor(self):
        """Nothing that the coarsest cells hold in view is drawn nowhere."""
        for number in np.unique(self.tree.level[self.coarse]).tolist():
            level = self.truth[number]
            roots = np.isin(level.cells, self.coarse) & self.asked_for()[number]
            rows = roots & rows_in_view(level.positions, self.scene.origin, self.sim.camera)
            ranks = np.unique(level.objects[rows])
            assert (self.levels[ranks] != NOT_DRAWN).all(), "holes"

    def at_rest(self):
        """The picture is the one planned, with the values of the attribute."""
        assert self.look_again() or self.plan is not None
        plan, lost, readable = self.plan, set(self.lost.tolist()), self.can_read()
        planned = np.setdiff1d(plan.target, list(lost))
        assert set(planned.tolist()) <= set(self.sink.cells), "planned and not there"
        selected = self.at_the_finest()
        for number, (level, rows) in enumerate(zip(self.truth, readable, strict=True)):
            wanted = self.kept(number, self.made.kept_by) & ~selected[level.objects]
            here = rows & wanted & np.isin(level.cells, planned)
            refused = np.setdiff1d(np.flatnonzero(self.near & (self.tree.level == number)), planned)
            if number == plan.level and not len(refused):
                assert (self.levels[level.objects[here]] == number).all(), "at another level"
                drawn = self.shown.rows[number] & ~selected[level.objects]
                wanted &= ~self.shown.hidden[level.objects]
                assert (drawn == (here | drawn) & wanted).all(), "other rows than planned"
        name = self.sim.controller.stats().attribute
        info = None if name is None else self.scene.attribute(name)
        if info is None or info.computed:
            return
        for item in self.sink.items:
            cell = self.sink.cells[item.cell]
            number = int(self.tree.level[item.cell])
            joined = self.made.source.joined[self.scene.levels[number].index]
            stored = self.made.source.levels[self.scene.levels[number].index].values[name]
            expected = pack_values(info, stored[joined.stored[self.pictures.rows_of(cell)]])
            assert cell.attribute == name or item.cell in lost or not len(cell)
            if cell.attribute == name and len(cell):
                assert np.array_equal(cell.values, expected)

    def at_the_finest(self):
        """(O,) selected objects for which there was room; they are drawn at the finest level."""
        found = np.zeros(len(self.levels), bool)
        plan = self.plan
        if plan.selected is None:
            return found
        there = np.zeros(len(self.tree), bool)
        there[list(self.sink.cells)] = True
        whole = plan.selected.within(plan.visible)
        found[whole.taken(whole.all_of(there)).ranks] = True
        assert (self.levels[found] == 0).all(), "selected and not at the finest level"
        return found


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
    return np.array(sorted(shown), np.int64)


def check_selection(made, plan, limited_by):
    """The level is the finest that is wanted and fits, found by trying one after the other."""
    tree, camera, settings = made.sim.controller.tree, made.sim.camera, made.settings
    near = seen_or_beside(tree, made.source.scene, camera, Motion())
    if not (near & (tree.parent < 0)).any():
        return
    chosen = cut(tree, near, plan.level)
    target = plan.target[near[plan.target]]  # links run into the others
    if plan.refused_by_budget and len(target) < len(chosen):
        assert np.isin(target, chosen).all()
        return
    assert target.tolist() == chosen.tolist()
    width, height = camera.viewport
    errors = np.array([tree.error[tree.level == level].max(initial=0) for level in made.levels])
    for level in made.levels[::-1]:
        cells = cut(tree, near, level)
        on = measure(camera, tree.lo[cells], tree.hi[cells], foveation=settings.foveation)
        share = np.minimum(on.area_in_view / on.area, 1)
        share *= slab_share(camera, tree.lo[cells], tree.hi[cells])
        covered = max(min(on.area_in_view.sum(), width * height), 1.0)
        dense = (tree.count[cells] * share).sum() / covered >= settings.density_max
        scales = on.px_per_unit
        order = np.argsort(scales, kind="stable")
        scale, weight = scales[order], on.area_in_view[order]
        at = scale[-1]
        if weight.sum() > 0:
            at = np.interp(0.95, (np.cumsum(weight) - weight / 2) / weight.sum(), scale)
        fine = errors[level] * at <= settings.quality_px
        if level > plan.level:
            assert not fine, "finer than wanted"
            assert not dense, "denser than pixels"
        elif level == plan.level and level and not (fine or dense or limited_by == "buffer"):
            finer = np.union1d(cut(tree, near, level - 1), np.flatnonzero(tree.parent < 0))
            caps = Caps.of(settings.budget)
            if plan.selected is not None:
                caps = caps.less(*cost(tree, cells_of(plan.selected)))
            full = not caps.hold(*cost(tree, finer), 1 - FLOOR_SHARE)
            assert full, f"coarser than wanted, {limited_by}"


def settled(made, oracle):
    """Wait for the picture; it comes, within what the weather leaves."""
    sim = made.sim
    weather = sim.network.weather
    each = weather.latency_s + weather.stalls * weather.stall_s
    left = len(sim.controller.tree) * each / sim.network.workers
    outage = max((one.seconds for one in weather.outages), default=weather.stall_s)
    end = sim.clock.now + 2 * outage + 10 + left
    while not sim.controller.settled:
        assert sim.clock.now < end, sim.controller.stats()
        sim.tick()
        oracle.look()
    oracle.look()
    oracle.at_rest()


def fly(seed, steps, weather=None, seconds=np.inf, budget=None):
    """Fly ``steps`` moves or ``seconds``, clear up, settle; what the oracle saw."""
    made = random_linked_simulation(seed, weather)
    if budget is not None:
        made.use(replace(made.settings, budget=budget(made.sim.controller.tree)))
        made.keeps_budget = True
    sim, oracle = made.sim, Oracle(made)
    end = sim.clock.now + seconds
    for _ in random_linked_flight(made, steps):
        oracle.look()
        if sim.clock.now > end:
            break
    sim.clear_up()
    settled(made, oracle)
    if seed % 2 == 0:  # the past is forgotten: what is left is the best for the view
        made.use(replace(made.settings, hysteresis=0.0, level_lock=None))
        settled(made, oracle)
        check_selection(made, oracle.plan, sim.controller.stats().limited_by)
    end = sim.clock.now + 2 * LONGEST_WAIT_S  # what is read ahead may be waiting yet
    while sim.controller.stats().trouble and sim.clock.now < end:
        sim.tick()
        oracle.look()
    sim.controller.close()
    for _ in range(int((sim.network.weather.timeout_s + sim.network.weather.latency_s) / TICK_S)):
        if sim.source.closed:
            break
        sim.clock.now += TICK_S
        sim.network.run()
    assert sim.source.closed
    return made, oracle


def fly_in_bad_weather(seed, steps, seconds=np.inf):
    """No load that the network lost is called damaged, and none is given up."""
    weather = partial(bad_weather, seconds=min(seconds, steps * 0.2))
    made, oracle = fly(seed, steps, weather, seconds)
    stats = made.sim.controller.stats()
    assert not stats.trouble
    assert stats.limited_by != "network"
    for failure in made.sim.controller.failures:
        assert " is cut" in failure.message or "another version" in failure.message
    return made, oracle


@pytest.mark.parametrize("block", range(10))
def test_flights(block):
    for seed in range(12 * block, 12 * (block + 1)):
        print("seed", seed)
        fly(seed, 3)


def test_a_place_whose_objects_a_coarser_level_leaves_out_is_no_hole():
    fly(17815472096, 200)


@pytest.mark.parametrize("block", range(4))
def test_flights_in_bad_weather(block):
    for seed in range(6 * block, 6 * (block + 1)):
        print("seed", seed)
        fly_in_bad_weather(seed, 4)


def fly_some(how=fly, steps=10, **limits):
    for seed in range(0, 120, 2):
        how(seed, steps, **limits)


def broken(monkeypatch, owner, name, value, **limits):
    """What is said of flights with something broken."""
    monkeypatch.setattr(owner, name, value)
    with pytest.raises(AssertionError) as found:
        fly_some(**limits)
    return str(found.value)


def few_vertices(tree):
    return Budget(int(tree.count[tree.parent < 0].sum() * 5), 10**9)


def few_bytes(tree):
    return Budget(10**6, int(tree.nbytes[tree.parent < 0].sum() * 6))


def test_objects_drawn_before_all_of_them_is_there_are_torn(monkeypatch):
    nothing = lambda self: np.zeros(len(self.levels), bool)  # noqa: E731
    assert "rows of level" in broken(monkeypatch, object_cover._Cover, "_blocked", nothing)


def test_a_joint_left_out_is_a_gap(monkeypatch):
    update = Joints.update

    def all_but_one(self, drawn):
        found = update(self, drawn)
        return JointChanges(found.removed, found.added[1:])

    assert "links of level" in broken(monkeypatch, Joints, "update", all_but_one)


def test_a_joint_that_stays_joins_what_is_not_drawn(monkeypatch):
    update = Joints.update
    keep = lambda self, drawn: JointChanges((), update(self, drawn).added)  # noqa: E731
    assert "a link" in broken(monkeypatch, Joints, "update", keep)


def test_rows_of_two_levels_are_seen(monkeypatch):
    everything = lambda self, objects, levels: np.ones(len(objects), bool)  # noqa: E731
    assert "drawn at level" in broken(monkeypatch, ObjectStates, "drawn", everything)


def test_without_a_floor_there_are_holes(monkeypatch):
    cover = object_cover._Cover.answer

    def without(self):
        self.floor = self.floor[:0]
        return cover(self)

    assert "hole" in broken(monkeypatch, object_cover._Cover, "answer", without)


def test_more_rows_than_the_cap_are_seen(monkeypatch):
    always = lambda self, vertices, nbytes, share=1.0: True  # noqa: E731
    assert "rows_drawn" in broken(monkeypatch, Caps, "hold", always, budget=few_vertices)


def test_more_bytes_than_the_cap_are_seen(monkeypatch):
    room = property(lambda self: 10**9)
    assert "cache_bytes" in broken(monkeypatch, CellCache, "room", room, budget=few_bytes)


def test_a_filter_that_is_not_asked_is_seen(monkeypatch):
    everything = lambda self, rows: np.ones(len(rows), bool)  # noqa: E731
    assert "left out" in broken(monkeypatch, RowFilter, "keeps", everything)


def test_what_is_selected_and_drawn_as_the_rest_is_seen(monkeypatch):
    nothing = lambda self: np.zeros(0, np.int64)  # noqa: E731
    assert "selected" in broken(monkeypatch, object_cover._Cover, "_show_selected", nothing)


def test_what_is_settled_before_it_is_loaded_is_seen(monkeypatch):
    nothing = lambda self, settings, trouble=None: ""  # noqa: E731
    assert "planned" in broken(monkeypatch, Standing, "waiting_for", nothing)


def test_what_is_not_tried_again_does_not_settle(monkeypatch):
    monkeypatch.setattr(connection, "FIRST_WAIT_S", 1e6)
    monkeypatch.setattr(connection, "LONGEST_WAIT_S", 1e6)
    with pytest.raises(AssertionError, match="network"):
        fly_some(fly_in_bad_weather)


def test_another_level_than_the_best_is_seen(monkeypatch):
    scale = OneLevel.scale
    monkeypatch.setattr(OneLevel, "scale", lambda self, cells: 40 * scale(self, cells))
    with pytest.raises(AssertionError, match="finer than wanted"):
        fly_some()
    monkeypatch.setattr(OneLevel, "scale", lambda self, cells: scale(self, cells) / 40)
    with pytest.raises(AssertionError, match="coarser than wanted"):
        fly_some()


@pytest.mark.slow
def test_many_flights(long_seconds, capsys):
    end = time.perf_counter() + long_seconds
    first = seed = int(os.environ.get("ZV_SEED", time.time_ns() % 2**40))
    while time.perf_counter() < end:
        print("seed", seed)
        fly(seed, 200)
        seed += 1
    with capsys.disabled():
        print(f"{seed - first} flights over linked stores, seeds from {first}")


@pytest.mark.slow
def test_many_flights_in_bad_weather(long_seconds, capsys):
    end = time.perf_counter() + long_seconds
    first = seed = int(os.environ.get("ZV_SEED", time.time_ns() % 2**40))
    while time.perf_counter() < end:
        print("seed", seed)
        fly_in_bad_weather(seed, 200)
        seed += 1
    with capsys.disabled():
        print(f"{seed - first} flights over linked stores, seeds from {first}")
