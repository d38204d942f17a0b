"""Simulated flights: production code on a fake clock and network; a slow oracle decides."""

import os
import time
from functools import partial

import numpy as np
import pytest

from zv_viewer.controller import arrivals, connection
from zv_viewer.drawing import page_rows
from zv_viewer.testing.simulate import TICK_S, random_flight, random_simulation
from zv_viewer.testing.weather import bad_weather

pytestmark = pytest.mark.once


class Oracle:
    """Looks at single vertices of level 0: is each in view drawn, by one cell, within the caps?"""

    def __init__(self, sim, rng):
        self.sim = sim
        tree, scene = sim.controller.tree, sim.source.scene
        level = sim.source.levels[scene.levels[0].index]
        finest = tree.ids_of_level(0)
        points, cells = [], []
        for cell in range(finest.start, finest.stop):
            chunk = scene.levels[0].chunks[tree.chunks(cell)]
            for one in chunk.tolist():
                rows = np.arange(*level.rows_of(one).indices(len(level.positions)))
                picked = rng.permutation(rows)[:6]
                points.append(level.positions[picked])
                cells += [cell] * len(picked)
        self.points, self.cells = np.concatenate(points), np.array(cells)
        self.above = {}
        for cell in set(cells):
            chain, at = [], cell
            while at >= 0:
                chain.append((at, int(tree.parent[at])))
                at = int(tree.parent[at])
            self.above[cell] = chain
        self.coarse = [c for c in range(len(tree)) if tree.parent[c] < 0]
        self.coarse_was_there = False
        self.frames = self.judged = 0

    def drawn_by(self, items, tree):
        """How many drawn cells or parts each finest cell lies in."""
        whole = {item.cell for item in items if item.parts is None}
        parts = {
            int(tree.children(item.cell)[place]) for item in items for place in item.parts or ()
        }
        times = {}
        for cell, chain in self.above.items():
            times[cell] = sum((at in whole) + (at in parts) for at, _ in chain)
        return times

    def in_view(self, camera):
        """(N,) vertices on the canvas and within the slab."""
        axes = list(camera.displayed)
        rows = camera.matrix[:, [*range(len(axes)), 3]]
        clip = self.points[:, axes] @ rows[:, :-1].T + rows[:, -1]
        w = clip[:, 3]
        on_canvas = (w > 0) & (np.abs(clip[:, 0]) <= w) & (np.abs(clip[:, 1]) <= w)
        kept = (self.points >= camera.slab_lo) & (self.points <= camera.slab_hi)
        return on_canvas & kept.all(axis=1)

    def promised(self, tree, budget):
        """Whether the caps leave room for the whole floor wherever the camera is."""
        coarse = np.array(self.coarse)
        cost = np.array([tree.count[coarse].sum(), tree.nbytes[coarse].sum()])
        every = np.array([tree.count.sum(), tree.nbytes.sum()])
        caps = np.array([budget.vertices, budget.bytes * 0.8])
        return (cost <= caps * 0.25 - 1).all() or (every <= caps).all()

    def look(self):
        sim, tree = self.sim, self.sim.controller.tree
        budget = sim.settings.budget
        stats = sim.controller.stats()
        items = sim.sink.items
        assert stats.cache_bytes <= budget.bytes
        held = sum(cell.nbytes for cell in sim.sink.cells.values())
        assert held <= stats.cache_bytes
        assert sum(page_rows(len(c)) for c in sim.sink.cells.values()) <= sim.sink.capacity
        if all(level.counts_exact for level in sim.source.scene.levels):
            assert sim.sink.rows_drawn <= budget.vertices
        assert stats.settled or stats.waiting_for
        times = self.drawn_by(items, tree)
        assert max(times.values()) <= 1, "drawn twice"
        self.frames += 1
        failed = {failure.cell for failure in sim.controller.failures}
        missing = [
            cell
            for cell in np.unique(self.cells[self.in_view(sim.camera)]).tolist()
            if not times[cell] and not any(at in failed for at, _ in self.above[cell])
        ]
        counted = stats.holes
        if missing:
            assert counted, "a hole nobody counted"
        roots = [c for c in self.coarse if c not in failed]
        if all(c in sim.sink.cells for c in roots):
            self.coarse_was_there = True
        if self.coarse_was_there and self.promised(tree, budget):
            self.judged += 1
            assert not missing, f"holes in place of {missing}"

    def at_rest(self):
        """Everything drawn is what the source holds, with the values of the attribute."""
        sim, tree, scene = self.sim, self.sim.controller.tree, self.sim.source.scene
        attribute = sim.controller.stats().attribute
        reported = {failure.cell for failure in sim.controller.failures} if sim.far else ()
        for item in sim.sink.items:
            if item.cell in reported:  # part of it could not be read
                continue
            cell = sim.sink.cells[item.cell]
            level = scene.levels[int(tree.level[item.cell])]
            stored = sim.source.levels[level.index]
            chunks = level.chunks[tree.chunks(item.cell)].tolist()
            rows = [
                np.arange(*stored.rows_of(chunk).indices(len(stored.positions)))
                for chunk in chunks
                if not sim.source.broken(level.index, tuple(chunk))
            ]
            rows = np.concatenate(rows)[cell.order]
            expected = (stored.positions[rows] - scene.origin).astype(np.float32)
            assert np.array_equal(cell.positions[:, : scene.ndim], expected)
            if attribute is not None:
                assert np.array_equal(cell.values, stored.values[attribute][rows].astype("f4"))


def fly(seed, steps, weather=None, seconds=np.inf):
    """Fly ``steps`` moves or ``seconds``, clear up, settle; what the oracle and the figures say."""
    sim, rng = random_simulation(seed, weather)
    oracle = Oracle(sim, rng)
    end = sim.clock.now + seconds
    troubles = set()
    for _ in random_flight(rng, sim, steps):
        oracle.look()
        troubles.add(sim.controller.stats().trouble)
        if sim.clock.now > end:
            break
    weather = sim.network.weather
    sim.clear_up()
    each = weather.latency_s + weather.stalls * weather.stall_s
    left = len(sim.controller.tree) * each / sim.network.workers
    outage = max((one.seconds for one in weather.outages), default=weather.stall_s)
    assert sim.settle(2 * outage + 10 + left), sim.controller.stats()
    oracle.look()
    oracle.at_rest()
    for _ in range(int(20 / TICK_S)):  # what is loaded ahead
        if sim.controller.idle:
            break
        sim.tick()
    stats = sim.controller.stats()
    sim.controller.close()
    for _ in range(int((weather.timeout_s + weather.latency_s) / TICK_S) + 400):
        sim.clock.now += TICK_S
        sim.network.run()
    assert sim.source.closed
    return sim, oracle, stats, troubles


def fly_in_bad_weather(seed, steps, seconds):
    """No load that the network lost is called damaged, and none is given up."""
    weather = partial(bad_weather, seconds=min(seconds, steps * 0.2))
    sim, oracle, stats, troubles = fly(seed, steps, weather, seconds)
    assert not stats.trouble
    assert stats.limited_by != "network"
    for failure in sim.controller.failures:
        assert " is cut" in failure.message or "another version" in failure.message
    return oracle, troubles


@pytest.mark.parametrize("seed", range(16))
def test_a_flight(seed):
    fly(seed, 60)


@pytest.mark.parametrize("seed", range(6))
def test_a_flight_in_bad_weather(seed):
    fly_in_bad_weather(seed, 60, np.inf)


def fly_some():
    for seed in range(5):
        fly_in_bad_weather(seed, 30, np.inf)


def test_what_the_network_lost_is_not_damage(monkeypatch):
    monkeypatch.setattr(arrivals, "StoreUnreachable", ZeroDivisionError)
    with pytest.raises(AssertionError):
        fly_some()


def test_what_is_not_tried_again_does_not_settle(monkeypatch):
    monkeypatch.setattr(connection, "FIRST_WAIT_S", 1e6)
    monkeypatch.setattr(connection, "LONGEST_WAIT_S", 1e6)
    with pytest.raises(AssertionError):
        fly_some()


@pytest.mark.slow
@pytest.mark.parametrize("block", range(30))
def test_many_long_flights(block):
    for seed in range(1000 + 10 * block, 1010 + 10 * block):
        print("seed", seed)
        fly(seed, 200)


@pytest.mark.slow
def test_ten_minutes_in_bad_weather(long_seconds):
    end = time.perf_counter() + long_seconds
    seed = int(os.environ.get("ZV_SEED", time.time_ns() % 2**40))
    while True:
        print("seed", seed)
        oracle, _ = fly_in_bad_weather(seed, 10**9, 600.0)
        assert oracle.frames > 600 / TICK_S * 0.9
        seed += 1
        if time.perf_counter() > end:
            return


@pytest.mark.slow
def test_many_flights_in_bad_weather(long_seconds):
    end = time.perf_counter() + long_seconds
    seed = int(os.environ.get("ZV_SEED", time.time_ns() % 2**40))
    while time.perf_counter() < end:
        print("seed", seed)
        fly_in_bad_weather(seed, 200, np.inf)
        seed += 1
