"""Pictures of layers: a few rows of each cell, however many cells there are."""

import numpy as np
import pytest

from zv_viewer.layers.thumbnail import PICTURED, ROWS, Samples
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem


def a_cell(number, rows, kept=None):
    """Rows at (number, row)."""
    positions = np.zeros((rows, 4), np.float32)
    positions[:, 0], positions[:, 1] = number, np.arange(rows)
    order = np.arange(rows, dtype=np.uint32)
    return CellArrays(
        number, positions, None, None, np.array([0, rows]), 1.0, order, 0, 0, kept=kept
    )


def painted(samples, cells):
    """Positions of the rows a picture of these cells is made of."""
    seen = []

    def paint(rows):
        seen.append(rows.positions)
        return np.ones((len(rows.values), 3), np.float32), np.ones(len(rows.values), bool)

    items = [DrawItem(cell) for cell in range(cells)]
    samples.picture(items, paint, np.array([[0.0, 0.0], [500.0, 500.0]]), (0, 1), (32, 32))
    return np.concatenate(seen)


@pytest.mark.parametrize("cells", [1, 50, 500])
def test_every_cell_is_in_a_picture_of_a_bounded_number_of_rows(cells):
    samples = Samples(np.zeros(2))
    for cell in range(cells):
        samples.put(a_cell(cell, 300))
    rows = painted(samples, cells)
    assert set(rows[:, 0].astype(int)) == set(range(cells))
    assert len(rows) <= PICTURED + cells
    assert cells > 1 or len(rows) >= ROWS


def test_rows_a_filter_leaves_out_are_in_no_picture():
    kept = np.arange(300) % 7 == 3
    samples = Samples(np.zeros(2))
    samples.put(a_cell(0, 300, kept))
    assert kept[painted(samples, 1)[:, 1].astype(int)].all()
