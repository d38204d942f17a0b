"""What a cell says it takes is what it takes."""

import gc
import tracemalloc

import numpy as np
import pytest

from zv_viewer.loading.cache import CellCache
from zv_viewer.model.chunks import CellArrays


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
