"""What a click means, against every row and link looked at one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.controller.telling import what_is
from zv_viewer.model.camera import Camera
from zv_viewer.model.objects import Look
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.rows import InBall, RowFilter
from zv_viewer.rows.drawn import Drawn
from zv_viewer.rows.picking import pick
from zv_viewer.testing.cameras import look_at, orthographic
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.simulate import Simulation, simulation
from zv_viewer.testing.sources import make_cloud

FINEST = LodSettings(Budget(200_000, 1 << 28), level_lock=0)
VIEWS = {
    "deep": look_at((-60.0, 20.0, 40.0), (32.0, 32.0, 32.0)),
    "inside": look_at((32.0, 32.0, 32.0), (0.0, 20.0, 40.0)),
    "flat": orthographic((32.0,) * 3, 12.0, displayed=(1, 2), thickness=24.0),
}
NONE = np.zeros((0, 3)), np.zeros(0)


def shown(source, camera: Camera, rules=()) -> Simulation:
    sim = simulation(source, FINEST, latency_s=0.002)
    if rules:
        sim.controller.set_filter(RowFilter(rules))
    sim.look(camera)
    assert sim.settle(60)
    return sim


def drawn_of(sim: Simulation, looks=None, planes=NONE) -> Drawn:
    now = sim.controller.drawn
    return Drawn(now.cells, now.items, now.object_levels, looks, *planes)


def on_canvas(camera: Camera, positions: np.ndarray) -> np.ndarray:
    """(N, 2) device pixels; NaN behind the viewer or beyond the slab."""
    n = len(camera.displayed)
    at = np.ones((len(positions), 4))
    at[:, :n] = positions[:, list(camera.displayed)]
    if n == 2:
        at[:, 2] = 0
    clip = at @ camera.matrix.T
    pixels = (clip[:, :2] / clip[:, 3:] * (1, -1) + 1) * np.array(camera.viewport) / 2
    pixels[clip[:, 3] <= 0] = np.nan
    out = ((positions < camera.slab_lo) | (positions > camera.slab_hi)).any(axis=1)
    pixels[out] = np.nan
    return pixels


def world_of(sim: Simulation, hit) -> np.ndarray:
    cell = next(c for c in sim.controller.drawn.cells if c.cell == hit.cell)
    return cell.positions[hit.row, :3] + sim.source.scene.origin


@pytest.mark.parametrize("view", VIEWS)
def test_a_click_on_a_point_means_that_point_or_one_before_it(view: str) -> None:
    camera, source = VIEWS[view], make_cloud(3000, 2, chunks=4)
    sim = shown(source, camera)
    drawn, scene, tree = drawn_of(sim), source.scene, sim.controller.tree
    positions = source.levels[0].positions
    pixels = on_canvas(camera, positions)
    inside = ((pixels > 20) & (pixels < np.array(camera.viewport) - 20)).all(axis=1)
    for row in np.flatnonzero(inside)[:: max(int(inside.sum()) // 40, 1)].tolist():
        hit = pick(scene, tree, camera, drawn, tuple(pixels[row]))
        assert hit is not None
        near = np.flatnonzero(np.hypot(*(pixels - pixels[row]).T) <= 2.5)
        found = np.linalg.norm(positions - world_of(sim, hit), axis=1).argmin()
        assert found in near
        if view == "deep":
            away = np.linalg.norm(positions[near] - (-60.0, 20.0, 40.0), axis=1)
            assert found == near[away.argmin()] or len(near) > 1
    blank = np.array([3.0, 3.0])
    if not (np.hypot(*(pixels - blank).T) <= 6).any():
        assert pick(scene, tree, camera, drawn, tuple(blank)) is None


def test_what_a_filter_a_plane_or_a_look_takes_away_is_not_hit() -> None:
    camera = VIEWS["deep"]
    source = make_cloud(800, 1, chunks=4)
    ball = InBall((32.0,) * 3, 15.0)
    sim = shown(source, camera, (ball,))
    scene, tree = source.scene, sim.controller.tree
    positions = source.levels[0].positions
    pixels = on_canvas(camera, positions)
    inside = np.linalg.norm(positions - 32.0, axis=1) <= 15
    hits = [pick(scene, tree, camera, drawn_of(sim), tuple(at)) for at in pixels]
    for hit in filter(None, hits):
        assert np.linalg.norm(world_of(sim, hit) - 32.0) <= 15 + 1e-4
    assert all(hit is not None for hit, is_in in zip(hits, inside, strict=True) if is_in)
    planes = np.array([[1.0, 0, 0]]), np.array([40.0 - scene.origin[0]])
    beyond = inside & (positions[:, 0] > 40)
    for row in np.flatnonzero(beyond).tolist():
        hit = pick(scene, tree, camera, drawn_of(sim, planes=planes), tuple(pixels[row]))
        assert hit is not None
        assert world_of(sim, hit)[0] >= 40 - 1e-4


@pytest.mark.parametrize("kind", ["streamline", "skeleton", "mesh"])
@pytest.mark.parametrize("view", ["deep", "flat"])
def test_a_click_on_a_link_means_its_nearer_end(kind: str, view: str) -> None:
    camera = VIEWS[view]
    source = make_linked_cloud(kind, 25, 60, 1, 4, chunks=4, growth=0.5)
    sim = shown(source, camera)
    scene, tree, drawn = source.scene, sim.controller.tree, drawn_of(sim)
    objects, joined = source.joined[0].objects, source.joined[0].links
    positions = source.levels[0].positions[source.joined[0].stored]
    pixels = on_canvas(camera, positions)
    ends = pixels[joined]
    inside = ((ends > 10) & (ends < np.array(camera.viewport) - 10)).all(axis=(1, 2))
    # The middle of a link, a little off towards its first end.
    which = np.flatnonzero(inside)
    assert len(which) > 20
    weights = np.array([0.6, 0.4]) if joined.shape[1] == 2 else np.array([0.4, 0.3, 0.3])
    for number in which[:: max(len(which) // 25, 1)].tolist():
        at = (ends[number] * weights[:, None]).sum(axis=0)
        hit = pick(scene, tree, camera, drawn, tuple(at))
        assert hit is not None
        assert hit.away_px <= 2.5
        cell = next(c for c in drawn.cells if c.cell == hit.cell)
        rank = int(cell.links.objects[hit.row])
        looks = np.full(len(scene.objects), Look.HIDDEN, np.uint8)
        looks[np.searchsorted(scene.objects, objects[joined[number, 0]])] = Look.NORMAL
        only = pick(scene, tree, camera, replace(drawn, looks=looks), tuple(at))
        assert only is not None
        cell = next(c for c in drawn.cells if c.cell == only.cell)
        assert looks[cell.links.objects[only.row]] == Look.NORMAL
        looks[:] = Look.NORMAL
        looks[rank] = Look.HIDDEN
        other = pick(scene, tree, camera, replace(drawn, looks=looks), tuple(at))
        if other is not None:
            cell = next(c for c in drawn.cells if c.cell == other.cell)
            assert int(cell.links.objects[other.row]) != rank


@pytest.mark.parametrize("lock", [0, 1])
def test_what_was_hit_is_told_as_stored(lock: int) -> None:
    source = make_cloud(3000, 2, chunks=4)
    camera = VIEWS["deep"]
    sim = simulation(
        source, LodSettings(Budget(100_000, 1 << 28), level_lock=lock), latency_s=0.002
    )
    sim.look(camera)
    assert sim.settle(60)
    controller, scene = sim.controller, source.scene
    level = source.levels[lock]
    pixels = on_canvas(camera, level.positions)
    finest = source.levels[0]
    for row in range(0, len(level.positions), max(len(level.positions) // 20, 1)):
        if not (np.abs(pixels[row] - (640, 360)) < (600, 330)).all():
            continue
        hit = pick(scene, controller.tree, camera, drawn_of(sim), tuple(pixels[row]))
        assert hit is not None
        arrays = next(c for c in controller.drawn.cells if c.cell == hit.cell)
        told = what_is(source, scene, controller.tree, camera, controller.plan, arrays, (), hit)
        stored = level.positions[level.rows_of(told.shown.chunk)][told.shown.row]
        assert np.allclose(stored, world_of(sim, hit), atol=1e-5)
        assert told.shown.position == tuple(stored)
        value = level.values["height"][level.rows_of(told.shown.chunk)][told.shown.row]
        assert told.shown.values["height"] == (float(value),)
        assert told.shown.values["kind"] in ("one", "two", "three")
        assert (told.shown.level, told.wanted) == (lock, lock)
        assert (told.error_px == 0) == (lock == 0)
        nearest = np.linalg.norm(finest.positions - stored, axis=1).argmin()
        assert told.exact is not None
        assert told.exact.position == tuple(finest.positions[nearest])
        assert told.exact.values["height"] == (float(finest.values["height"][nearest]),)
