"""Rows that a filter leaves out are not drawn, and cells that hold no others are not read."""

from __future__ import annotations

import numpy as np
import pytest

from zv_viewer.model.camera import Camera
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.rows import (
    CategoryIs,
    InBall,
    InBox,
    InOutline,
    RandomRows,
    RowFilter,
    ValueRange,
    rows_of,
)
from zv_viewer.testing.cameras import look_at
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.simulate import Simulation, simulation
from zv_viewer.testing.sources import make_cloud

pytestmark = pytest.mark.once

FINEST = LodSettings(Budget(200_000, 1 << 28), level_lock=0)
ROOMY = LodSettings(Budget(200_000, 1 << 28))
BALL = InBall((20.0, 30.0, 40.0), 9.0)
LASSO = np.array([[-0.5, -0.5], [0.3, -0.4], [0.6, 0.5], [-0.1, 0.1], [-0.6, 0.4]])


def overview() -> Camera:
    return look_at((-90.0, 20.0, 40.0), (32.0, 32.0, 32.0))


FILTERS = {
    "range": (ValueRange("height", 70.0, 110.0),),
    "category": (CategoryIs("kind", frozenset({0, 2})),),
    "not": (ValueRange("height", 70.0, 110.0, include=False),),
    "ball": (BALL,),
    "outside": (InBall((32.0,) * 3, 20.0, include=False),),
    "box": (InBox((5.0, 10.0, 0.0), (40.0, 30.0, float("inf"))),),
    "lasso": (InOutline.of(overview(), LASSO),),
    "share": (RandomRows(0.3, 7),),
    "all": (RandomRows(0.8), ValueRange("height", 80.0), InBox((0.0,) * 3, (50.0,) * 3)),
}


def drawn(sim: Simulation) -> np.ndarray:
    """Positions of the rows drawn, world units, in order."""
    found = [np.zeros((0, 3))]
    for item in sim.sink.items:
        cell = sim.sink.cells[item.cell]
        kept = np.ones(len(cell), bool) if cell.kept is None else cell.kept
        rows = np.arange(len(cell))
        if item.parts is not None:
            start = cell.part_start
            rows = np.concatenate([np.arange(start[p], start[p + 1]) for p in item.parts])
        rows = rows[kept[rows]]
        found.append(cell.positions[rows, :3].astype(float) + sim.source.scene.origin)
    return in_order(np.concatenate(found))


def in_order(positions: np.ndarray) -> np.ndarray:
    return positions[np.lexsort(positions.T)]


def brute(sim: Simulation, rules: tuple) -> np.ndarray:
    """The same of level 0, one by one."""
    level = sim.source.levels[0]
    kept = RowFilter(rules).keeps(rows_of(sim.source.scene, level.positions, level.values))
    return in_order(level.positions[kept])


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_drawn_of_the_finest_level_is_what_the_filter_keeps(name: str) -> None:
    rules = FILTERS[name]
    sim = simulation(make_cloud(6000, 2, chunks=4), FINEST, latency_s=0.002)
    sim.controller.set_filter(RowFilter(rules))
    sim.look(overview())
    assert sim.settle(60)
    expected = brute(sim, rules)
    assert 0 < len(expected) < 6000
    assert np.allclose(drawn(sim), expected, atol=1e-5)
    assert sim.controller.stats().vertices_drawn == len(expected)
    sim.controller.set_filter(None)
    assert sim.settle(60)
    assert len(drawn(sim)) == 6000


@pytest.mark.parametrize("coloured_by", [None, "height"])
def test_another_filter_reads_no_geometry_again(coloured_by: str | None) -> None:
    source = make_cloud(6000, 1, chunks=4)
    sim = simulation(source, FINEST, latency_s=0.002)
    sim.controller.set_attribute(coloured_by)
    sim.look(overview())
    assert sim.settle(60)
    assert len(drawn(sim)) == 6000
    rows = sum(len(cell) for cell in sim.sink.cells.values())
    for rules in (FILTERS["range"], FILTERS["box"], FILTERS["range"], FILTERS["all"]):
        before = sim.controller.stats().bytes_read
        sim.controller.set_filter(RowFilter(rules))
        assert sim.settle(60)
        assert np.allclose(drawn(sim), brute(sim, rules), atol=1e-5)
        read = sim.controller.stats().bytes_read - before
        needs = any(rule.attributes for rule in rules) and coloured_by is None
        assert (0 < read <= 4 * rows) if needs else read == 0


@pytest.mark.parametrize("settings", [FINEST, ROOMY])
def test_a_filter_that_can_reduces_what_is_read(settings: LodSettings) -> None:
    def read(filtered: RowFilter | None) -> int:
        sim = simulation(make_cloud(8000, 3, chunks=8), settings, latency_s=0.002)
        sim.controller.set_filter(filtered)
        sim.look(overview())
        assert sim.settle(60)
        return sim.controller.stats().bytes_read

    everything = read(None)
    assert read(RowFilter((BALL,))) < everything / 5
    assert read(RowFilter((ValueRange("height", 1e6, 2e6),))) == 0


def test_cells_left_out_are_read_when_the_filter_goes() -> None:
    sim = simulation(make_cloud(6000, 2, chunks=4), FINEST, latency_s=0.002)
    sim.look(overview())
    for rules in (FILTERS["ball"], FILTERS["box"], FILTERS["lasso"], FILTERS["outside"]):
        sim.controller.set_filter(RowFilter(rules))
        for _ in range(3):
            sim.tick()
    assert sim.settle(60)
    assert np.allclose(drawn(sim), brute(sim, FILTERS["outside"]), atol=1e-5)
    sim.controller.set_filter(None)
    assert sim.settle(60)
    assert len(drawn(sim)) == 6000


@pytest.mark.parametrize("kind", ["streamline", "skeleton", "mesh"])
def test_linked_rows_are_filtered_as_points_are(kind: str) -> None:
    source = make_linked_cloud(kind, 40, 100, 2, 2, chunks=4, growth=0.5)
    sim = simulation(source, FINEST, latency_s=0.002)
    for rules in (FILTERS["ball"], FILTERS["range"], FILTERS["lasso"]):
        sim.controller.set_filter(RowFilter(rules))
        sim.look(overview())
        assert sim.settle(60)
        expected = brute(sim, rules)
        assert 0 < len(expected) < len(source.levels[0].positions)
        assert np.allclose(drawn(sim), expected, atol=1e-5)
    sim.controller.set_filter(None)
    assert sim.settle(60)
    assert len(drawn(sim)) == len(source.levels[0].positions)


def test_what_cannot_be_read_of_an_attribute_is_left_out_and_told() -> None:
    source = make_cloud(6000, 1, chunks=4)
    sim = simulation(source, FINEST, latency_s=0.002)
    sim.look(overview())
    assert sim.settle(60)
    broken = tuple(source.scene.levels[0].chunks[0].tolist())
    source.broken = lambda level, chunk: chunk == broken
    sim.controller.set_filter(RowFilter((ValueRange("height", -1e9, 1e9),)))
    assert sim.settle(60)
    assert len(drawn(sim)) < 6000
    assert str(broken) in sim.controller.failures[0].message


def test_cells_are_left_out_for_other_reasons_too() -> None:
    sim = simulation(make_cloud(6000, 2, chunks=4), FINEST, latency_s=0.002)
    tree = sim.controller.tree
    worth = (tree.lo[:, 0] < 20) & (tree.hi[:, 0] > 0)
    sim.controller.set_filter(None, worth)
    sim.look(overview())
    assert sim.settle(60)
    assert 0 < len(drawn(sim)) < 6000
    sim.controller.set_filter(None)
    assert sim.settle(60)
    assert len(drawn(sim)) == 6000


@pytest.mark.parametrize("seed", range(6))
def test_filters_come_and_go_in_a_random_flight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    if seed % 2:
        source = make_linked_cloud("streamline", 20, 60, 3, seed, chunks=4, growth=0.5)
    else:
        source = make_cloud(6000, 3, seed, chunks=8)
    budget = Budget(int(rng.integers(800, 6000)), int(rng.integers(200_000, 2_000_000)))
    sim = simulation(source, LodSettings(budget), seed=seed, latency_s=0.02)
    names = [None, *FILTERS]
    sim.look(overview())
    for _ in range(8):
        rules = FILTERS.get(names[int(rng.integers(len(names)))])
        sim.controller.set_filter(None if rules is None else RowFilter(rules))
        sim.controller.set_attribute([None, "height", "kind"][int(rng.integers(3))])
        eye = rng.uniform(-60, 120, 3)
        sim.look(look_at(eye, rng.uniform(10, 50, 3)))
        for _ in range(int(rng.integers(1, 12))):
            sim.tick()
    assert sim.settle(60), sim.controller.stats()
    stats = sim.controller.stats()
    assert stats.holes == 0
    assert stats.vertices_drawn <= budget.vertices
    assert stats.cache_bytes <= budget.bytes
    for item in sim.sink.items:
        cell = sim.sink.cells[item.cell]
        if rules is not None and len(cell):
            world = cell.positions[:, :3] + source.scene.origin
            for rule in rules:
                if isinstance(rule, InBox | InBall | InOutline):
                    rows = rule.matches(rows_of(source.scene, world[cell.kept], {}))
                    assert (rows == rule.include).all()
        else:
            assert cell.kept is None or not len(cell)


def test_rows_that_were_under_way_when_the_filter_came_count() -> None:
    sim = simulation(make_cloud(6000, 2, chunks=4), FINEST, latency_s=0.5)
    sim.look(overview())
    sim.tick()  # loads are under way
    sim.controller.set_filter(RowFilter((InBox((0.0,) * 3, (10.0,) * 3),)))
    assert sim.settle(60)
    held = sim.controller.tree.count[sorted(sim.sink.cells)]
    rows = [len(sim.sink.cells[cell]) for cell in sorted(sim.sink.cells)]
    assert held.tolist() == rows
    assert sum(rows) > brute(sim, (InBox((0.0,) * 3, (10.0,) * 3),)).shape[0]
