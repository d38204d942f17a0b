"""Flights over linked stores: all that a user may change is changed at random on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.slots import page_rows, rows_for
from zv_viewer.model.camera import Camera
from zv_viewer.model.objects import Look
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import build_cells
from zv_viewer.rows import CategoryIs, InBox, RandomRows, RowFilter, ValueRange
from zv_viewer.testing.cameras import shifted, zoomed
from zv_viewer.testing.linked import LinkedCloud, make_linked_cloud
from zv_viewer.testing.linked_oracle import truth_of
from zv_viewer.testing.linked_sink import LinkedSink
from zv_viewer.testing.scenes import random_camera
from zv_viewer.testing.simulate import Simulation, simulation
from zv_viewer.testing.sources import broken_by_chance
from zv_viewer.testing.weather import Weather

KINDS = ("line", "polyline", "streamline", "skeleton", "graph", "mesh")
QUALITIES = (0.75, 8.0, 60.0)

Int = npt.NDArray[np.int64]


@dataclass(eq=False)
class LinkedSimulation:
    """A simulation of a linked store, and its parts by what they are."""

    sim: Simulation
    source: LinkedCloud
    sink: LinkedSink
    rng: np.random.Generator
    settings: LodSettings
    roomy: bool
    """Whether the layer has rows for every cell; else as many as one in the window has."""
    emptied: int = 0
    """How often the layer has lost all it had, or what was damaged of it."""
    keeps_budget: bool = False
    """Whether nobody changes the budget on the way."""
    changed_at: float = 0.0
    """When something other than the camera was last changed."""
    kept_by: RowFilter | None = None
    """The rows to be drawn; None: all."""

    @property
    def levels(self) -> range:
        """Positions of the levels."""
        return range(len(self.source.scene.levels))

    def use(self, settings: LodSettings) -> None:
        """What a user does; a layer too small for the budget is emptied and grows."""
        self.settings = settings
        rows = rows_of(self.source, settings.budget, roomy=self.roomy)
        if rows > self.sink.capacity:
            self.empty(rows)
        self.sim.controller.set_settings(settings)

    def follow(self, vertices: int) -> None:
        """What an automatic budget does, within the rows there are."""
        budget = replace(self.settings.budget, vertices=vertices)
        if rows_of(self.source, budget, roomy=self.roomy) <= self.sink.capacity:
            self.settings = replace(self.settings, budget=budget)
            self.sim.controller.follow_budget(budget)

    def keep(self, kept_by: RowFilter | None) -> None:
        """Draw these rows only; places that were left out before may have nothing for a while."""
        self.kept_by = kept_by
        self.emptied += 1
        self.sim.controller.set_filter(kept_by)

    def select(self, ranks: Int) -> None:
        """Show these objects, ascending, at the finest level."""
        if not len(ranks):
            self.sim.controller.select_objects(None)
            return
        finest = truth_of(self.source, self.sim.controller.tree)[0]
        cells = [np.unique(finest.cells[finest.objects == rank]) for rank in ranks.tolist()]
        start = np.concatenate([[0], np.cumsum([len(each) for each in cells])])
        self.sim.controller.select_objects(SelectedObjects(ranks, start, np.concatenate(cells)))

    def empty(self, capacity: int) -> None:
        """The layer is emptied, as it is when its canvas goes or it grows."""
        self.emptied += 1
        self.sink.forget(capacity)
        self.sim.controller.forget_layer()


def rows_of(source: LinkedCloud, budget: Budget, *, roomy: bool) -> int:
    """Rows a layer has for a budget; a page for every cell where it is ``roomy``."""
    counts = np.concatenate([level.counts for level in source.scene.levels])
    return (
        sum(2 * page_rows(int(n)) for n in counts) if roomy else rows_for(budget.vertices, counts)
    )


def random_linked_simulation(
    seed: int, draw_weather: Callable[[np.random.Generator], Weather] | None = None
) -> LinkedSimulation:
    """A store, a budget and its faults, drawn from a seed, and the weather where that is."""
    rng = np.random.default_rng(seed)
    source = make_linked_cloud(
        str(rng.choice(KINDS)),
        int(rng.integers(2, 12)),
        int(rng.integers(4, 40)),
        int(rng.integers(1, 5)),
        seed,
        ndim=int(rng.integers(2, 4)),
        chunks=int(rng.choice([2, 4, 4, 8])),
        bins_per_chunk=int(rng.choice([2, 4])),
        growth=float(rng.choice([1.0, 2.0, 2.0])),
        sparsity=float(rng.choice([1.0, 1.0, 0.6])),
        copies=int(rng.choice([0, 0, 2])),
        loose=int(rng.choice([0, 0, 9])),
        counts_exact=bool(rng.random() < 0.8),
        limits=bool(rng.random() < 0.5),
    )
    levels = source.scene.levels
    if rng.random() < 0.4:
        spare = levels[-1].index if len(levels) > 1 else -1
        source.broken = broken_by_chance(float(rng.uniform(0, 0.2)), seed, spare=spare)
    settings = LodSettings(
        random_budget(rng, source),
        quality_px=float(rng.choice(QUALITIES)),
        density_max=float(rng.choice([0.01, 1.0, 1e9])),
        foveation=bool(rng.random() < 0.7),
    )
    roomy = bool(rng.random() < 0.6)
    rows = rows_of(source, settings.budget, roomy=roomy)
    sink = LinkedSink(rows, source.scene.link_width, len(source.scene.objects))
    far = None if draw_weather is None else draw_weather(rng)
    sim = simulation(source, settings, seed=seed, weather=far, sink=sink)
    if far is None:
        sim.network.weather = Weather(
            latency_s=float(rng.choice([0.01, 0.05, 0.05, 0.3])),
            stalls=0.1 if rng.random() < 0.3 else 0.0,
        )
    return LinkedSimulation(sim, source, sink, rng, settings, roomy)


def random_budget(rng: np.random.Generator, source: LinkedCloud) -> Budget:
    """Mostly room for the coarsest level four times over; at times less, or for everything."""
    rows = [len(source.joined[level.index].objects) for level in source.scene.levels]
    cells = len(build_cells(source.scene)) / len(rows)
    vertices = int(rows[-1] * rng.uniform(3, 8) + rng.uniform(0, 0.8) * sum(rows)) + 20
    return Budget(vertices, int(vertices * 70 * rng.uniform(1, 2) + cells * 14000))


def random_linked_flight(made: LinkedSimulation, steps: int) -> Iterator[None]:
    """Fly; yields after every tick."""
    rng, sim, scene = made.rng, made.sim, made.source.scene
    camera = random_camera(rng, scene)
    for _ in range(steps):
        camera = _moved(rng, camera, made)
        _change_something(made)
        sim.look(camera)
        yield
        for _ in range(int(rng.choice([1, 2, 4, 30]))):
            sim.tick()
            yield


def _moved(rng: np.random.Generator, camera: Camera, made: LinkedSimulation) -> Camera:
    kind = rng.random()
    if kind < 0.1:
        return random_camera(rng, made.source.scene)
    if kind < 0.5:
        return shifted(camera, *(rng.normal(size=2) * 40))
    if kind < 0.85:
        about = (rng.random(2) - 0.5) * camera.viewport
        return zoomed(camera, float(np.exp(rng.normal() * 0.3)), tuple(about))
    return camera


def _change_something(made: LinkedSimulation) -> None:
    """Now and then: colour, looks, budget, lock, filter, selection; or the layer loses it all."""
    rng, sim, settings = made.rng, made.sim, made.settings
    kind = rng.random()
    if kind < 0.06:
        names = [None, *(info.name for info in made.source.scene.attributes)]
        sim.controller.set_attribute(names[int(rng.integers(len(names)))])
    elif kind < 0.16:
        looks = rng.choice([*Look], made.sink.states.looks.shape, p=[0.3, 0.1, 0.5, 0.1])
        made.sink.set_looks(looks.astype(np.uint8))
    elif kind < 0.24 and made.keeps_budget:
        return
    elif kind < 0.20:
        budget = random_budget(rng, made.source)
        made.use(replace(settings, budget=budget, quality_px=float(rng.choice(QUALITIES))))
    elif kind < 0.24:
        made.follow(int(settings.budget.vertices * rng.uniform(0.5, 1.5)) + 1)
    elif kind < 0.27:
        numbers = [None, *(level.index for level in made.source.scene.levels)]
        made.use(replace(settings, level_lock=numbers[int(rng.integers(len(numbers)))]))
    elif kind < 0.28:
        made.empty(made.sink.capacity)
    elif kind < 0.29:
        made.emptied += 1
        sim.controller.retry()
    elif kind < 0.34:
        made.keep(_random_filter(made))
    elif kind < 0.37:
        objects = len(made.source.scene.objects)
        made.select(np.flatnonzero(rng.random(objects) < rng.choice([0.0, 0.1, 0.5])))
    else:
        return
    made.changed_at = sim.clock.now


def _random_filter(made: LinkedSimulation) -> RowFilter | None:
    """One of each kind of rule, two, or none."""
    rng, scene = made.rng, made.source.scene
    low, high = np.sort(rng.uniform(scene.bounds[0], scene.bounds[1], (2, scene.ndim)), axis=0)
    include = bool(rng.random() < 0.7)
    height = float(rng.uniform(scene.bounds[0].sum(), scene.bounds[1].sum()))
    rules = (
        ValueRange("height", low=height, include=include),
        CategoryIs("kind", frozenset(rng.permutation(3)[:2].tolist()), include=include),
        InBox(tuple(low.tolist()), tuple(high.tolist()), include=include),
        RandomRows(float(rng.random()), include=include),
    )
    chosen = rng.permutation(len(rules))[: int(rng.integers(0, 3))]
    return RowFilter(tuple(rules[nth] for nth in chosen.tolist())) if len(chosen) else None
