"""Flights without time, threads or a window: a clock that is set, reads that come when they come.

Everything but the clock, the executor, the source and the layer is the code that runs in the
window. A flight is its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from zv_viewer.controller import LodController
from zv_viewer.model.camera import Camera
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.cameras import shifted, zoomed
from zv_viewer.testing.scenes import random_camera
from zv_viewer.testing.sinks import FakeSink
from zv_viewer.testing.sources import CloudSource, broken_by_chance, make_cloud

T = TypeVar("T")

TICK_S = 0.016


@dataclass
class FakeClock:
    """Seconds, as told."""

    now: float = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass(eq=False)
class FakeNetwork:
    """An executor whose tasks end after a random time, in any order.

    Args:
        clock: Whose time counts.
        rng: Of the latencies.
        latency_s: The longest; how long each takes is drawn for each.
        workers: Tasks that run at once.
        outages: Chance that a task takes ``outage_s`` more.
    """

    clock: FakeClock
    rng: np.random.Generator
    latency_s: float = 0.05
    workers: int = 3
    outages: float = 0.0
    outage_s: float = 0.0
    closed: bool = False
    _waiting: list[tuple[Future[Any], Callable[[], Any]]] = field(default_factory=list)
    _running: list[tuple[float, Future[Any], Callable[[], Any]]] = field(default_factory=list)

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Queue a task."""
        future: Future[T] = Future()
        self._waiting.append((future, task))
        self.run()
        return future

    def use(self, workers: int) -> None:
        """Run so many tasks at once from now on."""
        self.workers = workers

    def close(self) -> None:
        """Forget what has not started."""
        self.closed = True
        for future, _ in self._waiting:
            future.cancel()
        self._waiting.clear()

    def run(self) -> None:
        """End the tasks that are due; start others."""
        due = [entry for entry in self._running if entry[0] <= self.clock.now]
        self._running = [entry for entry in self._running if entry[0] > self.clock.now]
        for index in self.rng.permutation(len(due)).tolist():
            _, future, task = due[index]
            try:
                result = task()
            except Exception as error:  # noqa: BLE001 - as in a pool: it goes to the future
                future.set_exception(error)
            else:
                future.set_result(result)
        while self._waiting and len(self._running) < self.workers:
            future, task = self._waiting.pop(0)
            if future.set_running_or_notify_cancel():
                ends = self.clock.now + float(self.rng.random()) * self.latency_s
                if self.rng.random() < self.outages:
                    ends += self.outage_s
                self._running.append((ends, future, task))


@dataclass(eq=False)
class Simulation:
    """A controller with everything around it that a window would give it."""

    clock: FakeClock
    network: FakeNetwork
    source: CloudSource
    sink: FakeSink
    controller: LodController
    settings: LodSettings
    camera: Camera | None = None

    def look(self, camera: Camera) -> None:
        """Move the camera; a frame is painted at once, from what there is."""
        self.camera = camera
        self.controller.set_camera(camera)
        self.controller.on_frame(camera)

    def tick(self) -> None:
        """A tick of the window's timer and the frame after it."""
        self.clock.now += TICK_S
        self.network.run()
        self.controller.tick()
        if self.camera is not None:
            self.controller.on_frame(self.camera)

    def settle(self, seconds: float = 10.0) -> bool:
        """Tick until settled; False when the time is over."""
        end = self.clock.now + seconds
        while not self.controller.settled:
            if self.clock.now > end:
                return False
            self.tick()
        return True


def simulation(
    source: CloudSource,
    settings: LodSettings,
    *,
    capacity: int | None = None,
    seed: int = 0,
    latency_s: float = 0.05,
    outages: float = 0.0,
    outage_s: float = 0.0,
) -> Simulation:
    """A simulation of one store; ``capacity`` None: room for everything."""
    clock = FakeClock()
    network = FakeNetwork(
        clock, np.random.default_rng(seed), latency_s, outages=outages, outage_s=outage_s
    )
    rows = sum(level.vertex_count + 256 * len(level.chunks) for level in source.scene.levels)
    sink = FakeSink(capacity or rows)
    controller = LodController(source, source.scene, sink, network, settings, clock)
    return Simulation(clock, network, source, sink, controller, settings)


def random_simulation(seed: int) -> tuple[Simulation, np.random.Generator]:
    """A store, a budget, a network and its faults, drawn from a seed."""
    rng = np.random.default_rng(seed)
    source = make_cloud(
        int(rng.integers(200, 6000)),
        int(rng.integers(1, 5)),
        seed,
        ndim=int(rng.integers(2, 4)),
        chunks=int(rng.choice([4, 8])),
        clumped=bool(rng.random() < 0.5),
        counts_exact=bool(rng.random() < 0.8),
        limits=bool(rng.random() < 0.5),
    )
    levels = source.scene.levels
    coarsest = levels[-1]
    if rng.random() < 0.5:
        source.broken = broken_by_chance(
            float(rng.uniform(0, 0.3)), seed, spare=coarsest.index if len(levels) > 1 else -1
        )
    total = sum(level.vertex_count for level in levels)
    vertices = int(coarsest.vertex_count * 4.5 + rng.uniform(0, 1) * total) + 300
    nbytes = int(vertices * 40 * rng.uniform(1.0, 4.0)) + 4000
    settings = LodSettings(
        Budget(vertices, nbytes),
        quality_px=float(rng.choice([0.75, 1.5, 8.0])),
        density_max=float(rng.choice([0.01, 1.0])),
        foveation=bool(rng.random() < 0.7),
    )
    made = simulation(
        source,
        settings,
        seed=seed,
        latency_s=float(rng.choice([0.01, 0.05, 0.3, 1.0])),
        outages=0.1 if rng.random() < 0.3 else 0.0,
        outage_s=2.0,
    )
    return made, rng


def random_flight(rng: np.random.Generator, sim: Simulation, steps: int) -> Iterator[None]:
    """Fly; yields after every tick."""
    scene = sim.source.scene
    camera = random_camera(rng, scene)
    for _ in range(steps):
        kind = rng.random()
        if kind < 0.1:
            camera = random_camera(rng, scene)
        elif kind < 0.5:
            camera = shifted(camera, *(rng.normal(size=2) * 40))
        elif kind < 0.85:
            about = (rng.random(2) - 0.5) * camera.viewport
            camera = zoomed(camera, float(np.exp(rng.normal() * 0.3)), tuple(about))
        if rng.random() < 0.05:
            sim.controller.set_attribute([None, "height", "kind"][int(rng.integers(3))])
        sim.look(camera)
        yield
        for _ in range(int(rng.choice([1, 2, 4, 30]))):
            sim.tick()
            yield
