"""Cells that no object drawn can be in are not read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.rows.worth import cells_of_objects
from zv_viewer.testing.cameras import look_at
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.simulate import simulation

VIEW = look_at((-90.0, 32.0, 32.0), (32.0, 32.0, 32.0))


def test_cells_are_those_that_meet_a_box_of_an_object_drawn() -> None:
    rng = np.random.default_rng(0)
    lo = rng.random((500, 3)) * 10
    hi = lo + rng.random((500, 3))
    boxes = np.sort(rng.random((40, 2, 3)) * 10, axis=1).astype(np.float32)
    shown = rng.random(40) < 0.2
    meets = [((hi >= box[0]) & (lo <= box[1])).all(axis=1) for box in boxes[shown]]
    assert np.array_equal(cells_of_objects(lo, hi, boxes, shown), np.any(meets, axis=0))
    assert not cells_of_objects(lo, hi, boxes, np.zeros(40, bool)).any()
    assert cells_of_objects(lo, hi, boxes, np.ones(40, bool)) is None
    assert cells_of_objects(lo, hi, None, shown) is None
    boxes[np.flatnonzero(shown)[0], 0, 1] = np.nan
    assert cells_of_objects(lo, hi, boxes, shown) is None


def test_what_only_hidden_objects_run_through_is_not_read() -> None:
    source = make_linked_cloud("streamline", 20, 40, 2, 6, chunks=8, growth=0.5)
    objects = source.joined[0].objects
    positions = source.levels[0].positions[source.joined[0].stored]
    first = positions[objects == 0]
    boxes = np.array([[first.min(axis=0), first.max(axis=0)]])

    def read(*, only: bool) -> tuple[int, np.ndarray]:
        settings = LodSettings(Budget(200_000, 1 << 28), level_lock=0)
        sim = simulation(source, replace(settings, floor=False), latency_s=0.002)
        tree = sim.controller.tree
        # A chunk holds what lies in its box.
        worth = cells_of_objects(tree.lo, tree.hi, np.repeat(boxes, 2, 0), np.array([True, False]))
        sim.controller.set_filter(None, worth if only else None)
        sim.look(VIEW)
        assert sim.settle(60)
        cells = sim.controller.drawn.cells
        rank = int(np.searchsorted(source.scene.objects, 0))
        own = [c.positions[c.links.objects == rank, :3] for c in cells]
        rows = np.concatenate(own) + source.scene.origin
        return sim.controller.stats().bytes_read, rows[np.lexsort(rows.T)]

    everything, rows = read(only=False)
    some, same = read(only=True)
    assert some < everything / 2
    assert len(first) == len(rows)
    assert np.array_equal(rows, same)
