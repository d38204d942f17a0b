"""The loop, step by step: what a view needs is loaded, drawn whole, counted, and explained."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError
from zv_viewer.controller import LodController
from zv_viewer.loading import InlineExecutor, ThreadExecutor
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import build_cells
from zv_viewer.testing.cameras import look_at, orthographic, shifted, zoomed
from zv_viewer.testing.simulate import simulation
from zv_viewer.testing.sinks import FakeSink
from zv_viewer.testing.sources import make_cloud

MIDDLE = (32.0, 32.0, 32.0)
OVERVIEW = look_at((-90.0, 32.0, 32.0), MIDDLE)
INSIDE = look_at((20.0, 20.0, 20.0), MIDDLE)
BUDGET = Budget(6000, 6000 * 80)
KEYS = (
    "levels_drawn vertices_drawn vertices_in_view_level0 cells_in_view holes tau_px bytes_read "
    "requests wasted_bytes refused_by_budget failed settled hole_frames oscillations plan_ms_p95"
).split()


def start(settings=None, *, source=None, **more):
    source = source or make_cloud(20_000, 4, seed=1)
    return simulation(source, settings or LodSettings(BUDGET), **more)


def test_a_view_settles_on_its_plan():
    sim = start()
    assert not sim.controller.settled
    sim.look(OVERVIEW)
    assert sim.settle()
    stats = sim.controller.stats()
    assert sum(stats.levels_drawn.values()) == stats.cells_in_view
    assert stats.vertices_drawn == sim.sink.rows_drawn <= BUDGET.vertices
    assert stats.vertices_in_view_level0 == 20_000
    assert stats.limited_by == "vertices"
    assert "6,000 vertices" in stats.reason
    assert stats.wasted_bytes == stats.holes == stats.hole_frames == stats.failed == 0
    assert 0 < stats.bytes_drawn <= stats.bytes_read <= 1.5 * stats.bytes_drawn
    assert stats.waiting_for == ""
    assert sim.controller.idle


def test_the_figures_are_plain_and_complete():
    sim = start()
    sim.look(OVERVIEW)
    sim.settle()
    values = asdict(sim.controller.stats())
    assert set(KEYS) <= set(values)
    json.dumps(values)
    assert all(isinstance(v, int) for k, v in values.items() if k in KEYS[1:5])


def test_coarse_comes_first_and_whole():
    sim = start(latency_s=0.2)
    sim.look(OVERVIEW)
    while not sim.sink.items:
        sim.tick()
    assert sim.controller.stats().holes == 0
    tree = sim.controller.tree
    assert all(tree.parent[item.cell] < 0 for item in sim.sink.items)


def test_a_cell_and_what_replaces_it_change_in_one_update():
    sim = start(latency_s=0.2)
    sim.look(OVERVIEW)
    sim.settle()
    for update in sim.sink.updates:
        if update.draw is not None:
            assert set(update.drop).isdisjoint(item.cell for item in update.draw)


def test_nothing_happens_when_nothing_changes():
    sim = start()
    sim.look(OVERVIEW)
    sim.settle()
    before = len(sim.sink.updates), sim.controller.stats().plans
    for _ in range(50):
        sim.look(replace(OVERVIEW))
        sim.tick()
    assert (len(sim.sink.updates), sim.controller.stats().plans) == before


def test_one_tick_uploads_at_most_eight_megabytes():
    sim = start(
        LodSettings(Budget(10**7, 10**9), quality_px=0.1, density_max=1e9),
        source=make_cloud(500_000, 2, seed=2, chunks=8),
        latency_s=0.0,
    )
    sim.look(OVERVIEW)
    assert sim.settle()
    sizes = [sum(24 * len(cell) for cell in update.put) for update in sim.sink.updates]
    assert sum(sizes) > 8 << 20
    assert max(sizes) <= 8 << 20


def pan(sim, steps=60):
    """Look in close and fly across the cloud, faster than it loads."""
    view = orthographic((8.0, 8.0, 8.0), 60.0, displayed=(0, 1, 2))
    sim.look(view)
    assert sim.settle(60)
    for _ in range(steps):
        view = shifted(view, -50.0)
        sim.look(view)
        sim.tick()
        sim.tick()


def test_panning_shows_holes_only_without_the_floor():
    frames = {}
    for floor in (True, False):
        sim = start(LodSettings(BUDGET, floor=floor), latency_s=0.5)
        pan(sim)
        frames[floor] = sim.controller.stats().hole_frames
    assert frames[True] == 0
    assert frames[False] > 0


def jitter(hysteresis):
    """Zoom in and out by a tenth about a view that the budget just allows."""
    sim = start(LodSettings(Budget(10**6, 10**9), hysteresis=hysteresis), latency_s=0.01)
    tree = build_cells(sim.source.scene)
    base = orthographic(MIDDLE, 1.0, displayed=(0, 1, 2))
    switch = 1.5 / float(np.unique(tree.error)[-1])
    base = zoomed(base, switch)
    for step in range(240):
        sim.look(zoomed(base, 1.1 if step % 12 < 6 else 0.9))
        for _ in range(4):
            sim.tick()
    return sim.controller.stats().oscillations


def test_jitter_about_a_switch_oscillates_only_without_hysteresis():
    assert jitter(0.25) == 0
    assert jitter(0.0) > 0


def wasted(cancel):
    sim = start(LodSettings(BUDGET, cancel=cancel), latency_s=0.3)
    for number in range(12):
        sim.look(zoomed(shifted(OVERVIEW, 400.0 * (-1) ** number, 90.0 * number), 3.0))
        for _ in range(12):
            sim.tick()
    assert sim.settle(200)
    stats = sim.controller.stats()
    return stats.wasted_bytes, stats.bytes_read


def test_cancelling_saves_bytes():
    with_it, without = wasted(cancel=True), wasted(cancel=False)
    assert without[0] > 1.5 * with_it[0]
    assert without[1] > with_it[1]


def test_memory_stays_within_the_budget_also_when_it_shrinks():
    sim = start(LodSettings(Budget(6000, 400_000)), latency_s=0.1)
    for camera in (OVERVIEW, INSIDE, OVERVIEW):
        sim.look(camera)
        while not sim.controller.settled:
            sim.tick()
            assert sim.controller.stats().cache_bytes <= 400_000
    small = LodSettings(Budget(3000, 100_000))
    sim.controller.set_settings(small)
    sim.tick()
    assert sim.controller.stats().cache_bytes <= 100_000
    assert sim.settle()
    assert sim.sink.rows_drawn <= 3000
    assert sim.controller.stats().hole_frames == 0


def test_a_small_buffer_limits_the_picture_and_says_so():
    sim = start(capacity=40 * 256)
    sim.look(OVERVIEW)
    assert sim.settle(60)
    stats = sim.controller.stats()
    assert stats.buffer_rows <= 40 * 256
    assert stats.holes == 0
    assert stats.limited_by == "buffer"
    assert "buffer" in stats.reason


def test_a_lock_draws_that_level_only():
    sim = start(LodSettings(Budget(10**6, 10**9), level_lock=2))
    sim.look(OVERVIEW)
    assert sim.settle()
    stats = sim.controller.stats()
    assert set(stats.levels_drawn) == {2}
    assert stats.limited_by == "locked"
    sim.controller.set_settings(replace(sim.settings, level_lock=None))
    assert not sim.controller.settled
    assert sim.settle()
    assert set(sim.controller.stats().levels_drawn) != {2}


# attributes


def test_an_attribute_chosen_later_is_loaded_without_its_geometry():
    sim = start()
    sim.look(OVERVIEW)
    sim.settle()
    before = sim.controller.stats()
    sim.controller.set_attribute("height")
    assert not sim.controller.settled
    sim.tick()
    assert sim.controller.stats().attribute_pending > 0
    assert all(cell.values is None for cell in sim.sink.cells.values())
    assert sim.settle()
    after = sim.controller.stats()
    assert after.attribute_pending == 0
    drawn = [sim.sink.cells[item.cell] for item in sim.sink.items]
    assert all(cell.attribute == "height" for cell in drawn)
    rows = after.bytes_read - before.bytes_read
    assert rows <= 4 * sum(len(cell) for cell in sim.sink.cells.values())
    for cell in drawn:
        world = cell.positions[:, :3].astype(float) + sim.source.scene.origin
        assert np.allclose(cell.values, world.sum(axis=1), atol=1e-3)


def test_values_of_one_attribute_are_never_shown_as_another():
    sim = start(latency_s=0.3)
    sim.controller.set_attribute("height")
    sim.look(OVERVIEW)
    sim.settle()
    sim.controller.set_attribute("kind")
    while not sim.controller.settled:
        sim.tick()
        for item in sim.sink.items:
            assert sim.sink.cells[item.cell].attribute in (None, "kind")
    assert all(sim.sink.cells[item.cell].attribute == "kind" for item in sim.sink.items)


def test_an_unknown_attribute_is_refused():
    with pytest.raises(KeyError):
        start().controller.set_attribute("nothing")


def test_limits_come_from_the_store_or_once_from_the_coarsest_cells():
    sim = start()
    assert sim.controller.value_limits is None
    sim.controller.set_attribute("height")
    assert sim.controller.value_limits == sim.source.scene.attribute("height").limits
    sim = start(source=make_cloud(20_000, 4, seed=1, limits=False))
    sim.controller.set_attribute("height")
    assert sim.controller.value_limits is None
    sim.look(OVERVIEW)
    sim.settle()
    limits = sim.controller.value_limits
    coarsest = sim.source.levels[3].values["height"]
    assert limits == (coarsest.min(), coarsest.max())
    sim.look(INSIDE)
    sim.settle()
    assert sim.controller.value_limits == limits


# what goes wrong


def test_a_damaged_chunk_is_named_and_its_parent_stands_in():
    source = make_cloud(20_000, 4, seed=1)
    bad = tuple(source.scene.levels[0].chunks[100].tolist())
    source.broken = lambda level, chunk: level == 0 and chunk == bad
    sim = start(LodSettings(Budget(10**6, 10**9), quality_px=0.1, density_max=1e9), source=source)
    sim.look(OVERVIEW)
    assert sim.settle()
    stats = sim.controller.stats()
    (failure,) = sim.controller.failures
    assert str(bad) in failure.message
    assert source.scene.url in failure.message
    assert stats.failed == 1
    assert stats.holes == 0
    assert stats.levels_drawn[1] == 1
    assert stats.levels_drawn[0] == len(source.scene.levels[0].chunks) - 1
    reads = stats.requests
    for _ in range(20):
        sim.look(zoomed(OVERVIEW, 1 + 0.001 * _))
        sim.tick()
    assert len(sim.controller.failures) == 1
    source.broken = lambda level, chunk: False
    sim.controller.retry()
    assert sim.settle()
    stats = sim.controller.stats()
    assert stats.failed == 0
    assert set(stats.levels_drawn) == {0}
    assert stats.requests > reads


def test_other_chunks_of_a_cell_are_drawn_when_one_is_damaged():
    source = make_cloud(4000, 2, seed=3, chunks=4)
    level = source.scene.levels[0]
    doubled = replace(level, bin_shape=level.chunk_shape * 2)
    source.scene = replace(source.scene, levels=(doubled, source.scene.levels[1]))
    bad = tuple(level.chunks[0].tolist())
    source.broken = lambda number, chunk: number == 0 and chunk == bad
    settings = LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9)
    sim = start(settings, source=source)
    assert (
        max(len(sim.controller.tree.chunks(cell)) for cell in range(len(sim.controller.tree))) > 1
    )
    sim.look(OVERVIEW)
    assert sim.settle()
    stats = sim.controller.stats()
    lost = source.levels[0].rows_of(bad)
    assert stats.vertices_drawn == 4000 - (lost.stop - lost.start)
    assert stats.failed == 1
    assert len(sim.controller.failures) == 1


def test_damaged_values_leave_the_geometry():
    source = make_cloud(2000, 2, seed=3, chunks=4)
    read = source.read

    def without_values(level, chunks, attributes=()):
        if attributes and level == 0:
            raise ArrayError(f"values of {chunks.tolist()} are cut short")
        return read(level, chunks, attributes)

    source.read = without_values
    settings = LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9)
    sim = start(settings, source=source)
    sim.controller.set_attribute("height")
    sim.look(OVERVIEW)
    assert sim.settle()
    assert sim.controller.stats().vertices_drawn == 2000
    assert sim.controller.failures
    assert all(np.isnan(sim.sink.cells[i.cell].values).all() for i in sim.sink.items)


def test_damaged_values_count_as_failed_and_are_tried_again():
    source = make_cloud(2000, 2, seed=3, chunks=4)
    bad = tuple(source.scene.levels[0].chunks[10].tolist())
    is_cut = [True]
    read = source.read

    def cut_short(level, chunks, attributes=()):
        if is_cut[0] and attributes and level == 0 and bad in map(tuple, chunks.tolist()):
            raise ArrayError(f"values of {bad} are cut short")
        return read(level, chunks, attributes)

    source.read = cut_short
    settings = LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9)
    sim = start(settings, source=source)
    sim.controller.set_attribute("height")
    sim.look(OVERVIEW)
    assert sim.settle()
    assert sim.controller.stats().failed == 1
    (failure,) = sim.controller.failures
    values = sim.sink.cells[failure.cell].values
    assert np.isnan(values).all()
    is_cut[0] = False
    sim.controller.retry()
    assert sim.settle()
    assert sim.controller.stats().failed == 0
    assert np.isfinite(sim.sink.cells[failure.cell].values).all()


def test_a_cell_read_whole_the_second_time_is_damaged_no_more():
    source = make_cloud(4000, 2, seed=3, chunks=4)
    level = source.scene.levels[0]
    doubled = replace(level, bin_shape=level.chunk_shape * 2)
    source.scene = replace(source.scene, levels=(doubled, source.scene.levels[1]))
    bad = tuple(level.chunks[0].tolist())
    source.broken = lambda number, chunk: number == 0 and chunk == bad
    settings = LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9)
    sim = start(settings, source=source)
    sim.look(OVERVIEW)
    assert sim.settle()
    assert sim.controller.stats().failed == 1
    source.broken = lambda number, chunk: False
    tree = sim.controller.tree
    coarse = int(tree.nbytes[tree.ids_of_level(1)].sum())
    sim.controller.set_settings(replace(settings, budget=Budget(10**6, int(coarse * 1.5))))
    assert sim.settle()
    sim.controller.set_settings(settings)
    assert sim.settle()
    assert sim.controller.stats().vertices_drawn == 4000
    assert sim.controller.stats().failed == 0
    sim.controller.set_attribute("height")
    assert sim.settle()
    assert len(sim.controller.failures) == 1
    assert all(np.isfinite(sim.sink.cells[i.cell].values).all() for i in sim.sink.items)


def test_positions_that_are_not_numbers_are_reported():
    source = make_cloud(2000, 1, seed=3, chunks=4)
    source.levels[0].positions[5] = np.nan
    sim = start(LodSettings(Budget(10**6, 10**9)), source=source)
    sim.look(OVERVIEW)
    assert sim.settle()
    stats = sim.controller.stats()
    assert stats.vertices_not_finite == 1
    assert stats.vertices_drawn == 1999
    assert "not finite" in sim.controller.failures[0].message


def test_a_mistake_in_the_program_is_raised_not_hidden():
    source = make_cloud(500, 1, seed=3)

    def read(level, chunks, attributes=()):
        raise ZeroDivisionError("a bug")

    source.read = read
    controller = LodController(
        source, source.scene, FakeSink(10_000), InlineExecutor(), LodSettings(), lambda: 0.0
    )
    controller.set_camera(OVERVIEW)
    controller.tick()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        controller.tick()


def test_estimated_counts_are_corrected_by_what_is_read():
    source = make_cloud(6000, 3, seed=4, clumped=True, counts_exact=False)
    sim = start(LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9), source=source)
    sim.look(OVERVIEW)
    assert sim.settle()
    tree = sim.controller.tree
    finest = tree.ids_of_level(0)
    assert tree.count[finest].sum() == 6000
    assert sim.controller.stats().vertices_drawn == 6000


def test_an_emptied_layer_is_filled_again():
    sim = start()
    sim.look(OVERVIEW)
    sim.settle()
    items = sim.sink.items
    sim.sink.__init__(sim.sink.capacity)
    sim.controller.forget_layer()
    assert sim.settle()
    assert sim.sink.items == items


def test_threads_end_with_the_controller_and_the_source_is_closed():
    source = make_cloud(20_000, 4, seed=1)
    executor = ThreadExecutor(2)
    now = iter(range(10**9))
    controller = LodController(
        source,
        source.scene,
        FakeSink(10**6),
        executor,
        LodSettings(BUDGET),
        lambda: next(now) * 0.01,
    )
    controller.set_camera(OVERVIEW)
    while not controller.settled:
        controller.tick()
    controller.set_camera(INSIDE)
    controller.tick()
    controller.close()
    executor._pool.shutdown(wait=True)
    assert source.closed
    controller.tick()
    controller.close()
    assert controller.stats().waiting_for == "closed"


def test_the_error_said_is_that_of_what_is_drawn_until_the_picture_settles():
    sim = start(LodSettings(Budget(10**6, 10**9), quality_px=0.1, density_max=1e9), latency_s=0.3)
    sim.look(OVERVIEW)
    while not sim.sink.items:
        sim.tick()
    coarse = sim.controller.stats()
    assert not coarse.settled
    assert sim.settle(30)
    settled = sim.controller.stats()
    assert set(settled.levels_drawn) == {0}
    assert coarse.tau_px > 1.0 > settled.tau_px


def test_what_is_held_stays_whatever_the_budget_and_is_planned_anew_when_let_go():
    sim = start(latency_s=0.05)
    sim.look(OVERVIEW)
    sim.settle()
    controller = sim.controller
    before = controller.plan
    controller.held = True
    controller.follow_budget(Budget(3000, 10**9))
    for _ in range(60):
        sim.tick()
    assert controller.plan is before
    assert controller.settled
    controller.set_attribute("height")
    assert sim.settle()
    assert not controller.stats().attribute_pending
    controller.held = False
    assert sim.settle()
    assert controller.plan is not before
    assert sim.sink.rows_drawn <= 3000


def test_asking_for_another_plan_changes_nothing():
    sim = start()
    sim.look(OVERVIEW)
    sim.settle()
    controller = sim.controller
    before = controller.plan
    asked = controller.plan_from(INSIDE, level_lock=1)
    assert asked.limited_by == "locked"
    assert not asked.requests
    assert controller.plan is before
    assert controller.camera is OVERVIEW
    again = controller.plan_from(OVERVIEW, before)
    assert np.array_equal(again.target, before.target)


def test_the_coarsest_cells_go_last():
    source = make_cloud(20_000, 2, seed=1, chunks=8)
    tree = build_cells(source.scene)
    settings = LodSettings(Budget(4000, int(tree.nbytes.sum() * 0.5)))
    sim = start(settings, source=source)
    sim.look(OVERVIEW)
    assert sim.settle()
    cache, roots = sim.controller._stock.cache, np.flatnonzero(tree.parent < 0)
    assert cache.held[roots].all()
    sim.controller.set_settings(replace(settings, floor=False))  # no plan keeps them
    seen = np.zeros(len(tree), bool)
    for corner in np.ndindex(4, 4, 4):
        sim.look(orthographic(8 + 16.0 * np.array(corner), 60.0, displayed=(1, 2, 0)))
        assert sim.settle()
        seen |= cache.held
        assert cache.held[roots].all()
    assert not set(roots) <= set(sim.controller.plan.cells.tolist())
    assert seen.sum() > cache.held.sum()  # others went
