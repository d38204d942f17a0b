"""What a cell says it takes is what it takes."""

import gc
import tracemalloc

import numpy as np
import pytest

from zv_viewer.controller.reading import CellReader
from zv_viewer.loading.cache import CellCache
from zv_viewer.loading.queue import Job
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import Tier
from zv_viewer.planning import build_cells
from zv_viewer.testing.linked import make_linked_cloud


def a_cell(cell, rows):
    return CellArrays(
        cell=cell,
        positions=np.zeros((rows, 4), np.float32),
        values=np.zeros(rows, np.float32),
        attribute="gene",
        part_start=np.zeros(9, np.int64),
        spacing=1.0,
        order=np.zeros(rows, np.uint32),
        fetched_bytes=10**6,
        requests=1,
    )


@pytest.mark.parametrize("rows", [1, 100, 3000])
def test_memory_of_cells_is_what_they_say(rows):
    cells = 400
    cache = CellCache(10**9, cells)
    gc.collect()
    tracemalloc.start()
    try:
        for cell in range(cells):
            cache.put(a_cell(cell, rows))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.95 * taken <= cache.used <= 1.35 * taken


@pytest.mark.once
@pytest.mark.parametrize(("length", "chunks"), [(40, 8), (400, 4)])
@pytest.mark.parametrize("kind", ["streamline", "skeleton", "mesh"])
def test_memory_of_linked_cells_is_what_they_say_and_about_what_was_planned(kind, length, chunks):
    source = make_linked_cloud(kind, 60, length, 2, 1, chunks=chunks, bins_per_chunk=8)
    tree = build_cells(source.scene)
    reader = CellReader(source, source.scene, tree)
    cache = CellCache(10**9, len(tree))
    reader(Job(0, Tier.TARGET, "height"))
    gc.collect()
    tracemalloc.start()
    try:
        for cell in range(len(tree)):
            cache.put(reader(Job(cell, Tier.TARGET, "height")).arrays)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.95 * taken <= cache.used <= 1.35 * taken
    assert 0.6 * cache.used <= tree.nbytes.sum() <= 1.5 * cache.used
