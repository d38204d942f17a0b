"""Selected objects at full resolution: loaded, drawn whole, within the caps, let go of again."""

import numpy as np
import pytest

from zv_viewer.model.selected import SelectedObjects
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.update import NOT_DRAWN
from zv_viewer.testing.cameras import orthographic, shifted
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.simulate import simulation

ALL = 10**6


def selection(sim, ranks):
    """The objects, by what the cells of the finest level hold."""
    tree, source = sim.controller.tree, sim.source
    level = source.scene.levels[0]
    cells = [[] for _ in ranks]
    for cell in range(len(tree))[tree.ids_of_level(0)]:
        raw = source.read(level.index, level.chunks[tree.chunks(cell)])
        ids = np.unique(raw.links.objects)
        for held, rank in zip(cells, ranks, strict=True):
            if source.scene.objects[rank] in ids:
                held.append(cell)
    start = np.concatenate([[0], np.cumsum([len(each) for each in cells])]).astype(np.int64)
    return SelectedObjects(np.asarray(ranks), start, np.concatenate(cells).astype(np.int64))


def made(vertices=ALL, seed=3):
    settings = LodSettings(Budget(vertices, 10**9), quality_px=1e6)
    sim = simulation(make_linked_cloud(seed=seed), settings)
    sim.look(orthographic((32.0,) * 3, 12.0, thickness=100.0))
    assert sim.settle()
    return sim


@pytest.mark.parametrize("seed", range(3))
def test_selected_objects_are_drawn_fine_and_the_rest_as_before(seed):
    sim = made(seed=seed)
    before = sim.controller.drawn.object_levels
    asked = selection(sim, [2, 5])
    sim.controller.select_objects(asked)
    for _ in range(60):
        sim.tick()
        levels = sim.controller.drawn.object_levels
        drawn = {item.cell for item in sim.controller.drawn.items}
        for i, rank in enumerate(asked.ranks.tolist()):
            cells = asked.cells[asked.start[i] : asked.start[i + 1]]
            seen = cells[sim.controller.plan.visible[cells]].tolist()
            assert levels[rank] == before[rank] or (levels[rank] == 0 and drawn.issuperset(seen))
    assert sim.settle()
    stats = sim.controller.stats()
    assert stats.selected_full == 2
    assert stats.selected_refused == stats.hole_frames == 0
    rest = np.setdiff1d(np.arange(len(before)), asked.ranks)
    assert np.array_equal(sim.controller.drawn.object_levels[rest], before[rest])
    sim.look(shifted(sim.camera, 40.0))
    assert sim.settle()
    assert (sim.controller.drawn.object_levels[asked.ranks] == 0).all()
    sim.controller.select_objects(None)
    assert sim.settle()
    levels = sim.controller.drawn.object_levels
    assert not (levels == 0).any()
    assert (levels != NOT_DRAWN).any()


def test_what_does_not_fit_is_refused_and_told():
    sim = made()
    coarse = sim.controller.stats().vertices_drawn
    tight = LodSettings(Budget(int(coarse * 1.5), 10**9), quality_px=1e6)
    sim.controller.set_settings(tight)
    every = selection(sim, list(range(len(sim.source.scene.objects))))
    sim.controller.select_objects(every)
    assert sim.settle()
    stats = sim.controller.stats()
    assert stats.selected_refused > 0
    assert sim.controller.in_use.vertices <= tight.budget.vertices
    assert stats.selected_full + stats.selected_refused <= len(every)
