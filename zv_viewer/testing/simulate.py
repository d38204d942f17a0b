"""Flights without time, threads or a window: a clock that is set, reads that come when they come.

Everything but the clock, the executor, the source and the layer is the code that runs in the
window. A flight is its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from zv_viewer.controller import LodController
from zv_viewer.model.camera import Camera
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.cameras import shifted, zoomed
from zv_viewer.testing.scenes import random_camera
from zv_viewer.testing.sinks import FakeSink
from zv_viewer.testing.sources import CloudSource, broken_by_chance, make_cloud
from zv_viewer.testing.weather import FarSource, Weather, fail

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
    """An executor whose tasks end after a random time, in any order, well or not.

    Args:
        clock: Whose time counts.
        rng: Of what tasks meet.
        weather: What tasks meet.
        workers: Tasks that run at once.
    """

    clock: FakeClock
    rng: np.random.Generator
    weather: Weather = field(default_factory=Weather)
    workers: int = 3
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
                ends, lost = self.weather.fate(self.rng, self.clock.now)
                self._running.append((ends, future, task if lost is None else partial(fail, lost)))


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
    far: FarSource | None = None

    def clear_up(self) -> None:
        """Nothing more goes wrong from now on; what is under way ends as it would have."""
        self.network.weather = self.network.weather.cleared()
        if self.far is not None:
            self.far.weather = self.network.weather

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
    weather: Weather | None = None,
    sink: FakeSink | None = None,
) -> Simulation:
    """A simulation of one store.

    Args:
        source: The store.
        settings: Budget and quality.
        capacity: Rows of the layer; None: room for everything.
        seed: Of the network.
        latency_s: The longest a load takes, on a disk.
        weather: Of the network the store is behind; None for a disk.
        sink: The layer, else one of ``capacity`` rows.
    """
    clock = FakeClock()
    rng = np.random.default_rng(seed)
    network = FakeNetwork(clock, rng, weather or Weather(latency_s))
    far = None if weather is None else FarSource(source, rng, weather)
    rows = sum(level.vertex_count + 256 * len(level.chunks) for level in source.scene.levels)
    sink = sink or FakeSink(capacity or rows)
    controller = LodController(
        far or source, source.scene, sink, network, settings, clock, chance=rng.random
    )
    return Simulation(clock, network, source, sink, controller, settings, far=far)


def random_simulation(
    seed: int, draw_weather: Callable[[np.random.Generator], Weather] | None = None
) -> tuple[Simulation, np.random.Generator]:
    """A store, a budget and its faults, drawn from a seed, and the weather where that is."""
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
    weather = Weather(
        latency_s=float(rng.choice([0.01, 0.05, 0.3, 1.0])),
        stalls=0.1 if rng.random() < 0.3 else 0.0,
    )
    far = None if draw_weather is None else draw_weather(rng)
    made = simulation(source, settings, seed=seed, weather=far)
    if far is None:
        made.network.weather = weather
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
