"""While the camera goes one way no object gets coarser and finer again and again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from zv_viewer.controller import planner
from zv_viewer.controller.view import View
from zv_viewer.drawing.slots import rows_for
from zv_viewer.model.camera import Camera
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.planning import Fallen
from zv_viewer.testing.cameras import orthographic, shifted, zoomed
from zv_viewer.testing.linked import LinkedCloud, make_linked_cloud
from zv_viewer.testing.linked_oracle import rows_in_view, truth_of
from zv_viewer.testing.linked_sink import LinkedSink
from zv_viewer.testing.simulate import Simulation, simulation

pytestmark = pytest.mark.once

STEPS = 24
STEP_TICKS = 9
LATENCY_S = 0.08
WINDOW_S = 2.0

Moves = list[Camera]


def overview() -> Camera:
    return orthographic((32.0,) * 3, 9.0, displayed=(1, 2, 0), viewport=(600.0, 500.0))


def pan() -> Moves:
    start = shifted(zoomed(overview(), 5.0), -900.0)
    return [shifted(start, 75.0 * n, 20.0 * n) for n in range(STEPS)]


def zoom_out() -> Moves:
    return [zoomed(overview(), 12.0 * 0.85**n) for n in range(STEPS)]


def orbit() -> Moves:
    views = []
    for turn in np.radians(8.0 * np.arange(STEPS)):
        cos, sin = np.cos(turn), np.sin(turn)
        rotation = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        views.append(
            orthographic(
                (24.0, 30.0, 28.0),
                22.0,
                displayed=(0, 1, 2),
                viewport=(600.0, 500.0),
                rotation=rotation,
            )
        )
    return views


FLIGHTS = {"pan": pan, "out": zoom_out}


def cloud(kind: str) -> LinkedCloud:
    return make_linked_cloud(kind, 60, 60, 4, 3, chunks=8, bins_per_chunk=4)


def flight(source: LinkedCloud, views: Moves, share: float) -> Iterator[Simulation]:
    """A flight with room for a share of the finest level; yields after every tick."""
    scene = source.scene
    rows = len(source.joined[0].objects)
    settings = LodSettings(Budget(int(rows * share), 1 << 28))
    counts = np.concatenate([level.counts for level in scene.levels])
    sink = LinkedSink(
        rows_for(settings.budget.vertices, counts), scene.link_width, len(scene.objects)
    )
    sim = simulation(source, settings, seed=5, latency_s=LATENCY_S, sink=sink)
    sim.look(views[0])
    assert sim.settle()
    sim.clock.now += WINDOW_S  # how it was opened is forgotten
    for view in views:
        sim.look(view)
        for _ in range(STEP_TICKS):
            sim.tick()
            yield sim


def to_and_fro(kind: str, views: Moves, share: float) -> tuple[int, int]:
    """Objects in view that turned more than twice within the window; as seen, and as counted."""
    source = cloud(kind)
    truth, before, found = None, None, 0
    turns: dict[int, list[tuple[bool, float]]] = {}
    for sim in flight(source, views, share):
        truth = truth or truth_of(source, sim.controller.tree)
        levels = sim.sink.states.levels.copy()
        if before is not None and (levels != before).any():
            seen = np.zeros(len(levels), bool)
            for level in truth:
                rows = rows_in_view(level.positions, source.scene.origin, sim.camera)
                seen[level.objects[rows]] = True
            both = (levels != NOT_DRAWN) & (before != NOT_DRAWN) & seen
            for rank in np.flatnonzero((levels != before) & both).tolist():
                finer, now = bool(levels[rank] < before[rank]), sim.clock.now
                times = turns.setdefault(rank, [])
                if times and times[-1][0] == finer:
                    times.pop()
                times.append((finer, now))
                while times[0][1] < now - WINDOW_S:
                    times.pop(0)
                if len(times) > 2:
                    found += 1
                    times.clear()
        before = levels
    return found, sim.controller.stats().oscillations


@pytest.mark.parametrize("name", FLIGHTS)
@pytest.mark.parametrize("kind", ["streamline", "mesh"])
def test_no_object_goes_to_and_fro(name: str, kind: str) -> None:
    for share in (0.2, 1.5):
        assert to_and_fro(kind, FLIGHTS[name](), share) == (0, 0)


def test_objects_that_do_not_stay_coarse_go_to_and_fro(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fallen, "held", lambda *_: None)
    assert min(to_and_fro("streamline", pan(), 1.5)) > 0


def comebacks(views: Moves, share: float) -> int:
    """How often the level planned got finer within the window after it got coarser."""
    levels: list[tuple[float, int]] = []
    for sim in flight(cloud("streamline"), views, share):
        level = sim.controller.plan.level
        if not levels or levels[-1][1] != level:
            levels.append((sim.clock.now, level))
    steps = list(pairwise(levels))
    return sum(
        (before[1] < at[1] > after[1]) and after[0] - at[0] < WINDOW_S
        for (before, at), (_, after) in pairwise(steps)
    )


def test_the_level_planned_does_not_come_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert comebacks(orbit(), 0.4) == comebacks(pan(), 0.2) == 0
    monkeypatch.setattr(planner, "HOLD_S", 0.0)
    assert comebacks(orbit(), 0.4) > 0
    assert comebacks(pan(), 0.2) == 0


def test_between_the_steps_of_a_motion_as_much_is_planned_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look = View.look

    def forgetful(self: View, camera: Camera, now: float) -> bool:
        moved = look(self, camera, now)
        self.lately_px_per_s = 0.0
        return moved

    monkeypatch.setattr(planner, "HOLD_S", 0.0)
    monkeypatch.setattr(View, "look", forgetful)
    assert comebacks(pan(), 0.2) > 0
