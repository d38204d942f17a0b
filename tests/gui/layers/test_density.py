"""Rows that stand for others are as opaque as these over one another."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerUpdate

pytestmark = [pytest.mark.gui, pytest.mark.once]

BOX = [[0, 0], [10, 10]]
FINE, COARSE = (2.0, 2.0), (8.0, 8.0)
STANDS_FOR = 6


@pytest.fixture
def drawn(stage, cell):
    """Six rows over one another, and one that stands for six."""
    here = stage(BOX, size=10.0)
    here.layer.set_stands_for(np.array([1.0, STANDS_FOR]))
    fine = cell(here.scene, 0, [FINE] * STANDS_FOR)
    coarse = cell(here.scene, 1, [COARSE])
    here.layer.apply(LayerUpdate((), (fine, coarse), (DrawItem(0), DrawItem(1))))
    return here


def test_one_row_is_as_opaque_as_those_it_stands_for(drawn) -> None:
    for opacity in (0.1, 0.5):
        drawn.layer.opacity = opacity
        fine, coarse = drawn.colours_at([FINE, COARSE])
        expected = 255 * (1 - (1 - opacity) ** STANDS_FOR)
        assert np.abs(fine - expected).max() < 12
        assert np.abs(coarse - fine).max() < 8
    drawn.layer.opacity = 1.0
    assert (drawn.colours_at([FINE, COARSE]) == 255).all()


def test_colours_that_are_added_up_are_so_by_as_many(drawn) -> None:
    drawn.layer.blending = "additive"
    for opacity in (0.05, 0.1):
        drawn.layer.opacity = opacity
        fine, coarse = drawn.colours_at([FINE, COARSE])
        assert np.abs(fine.astype(int) - 255 * opacity * STANDS_FOR).max() < 12
        assert np.abs(coarse.astype(int) - fine).max() < 8
    drawn.layer.opacity = 0.5
    assert (drawn.colours_at([FINE, COARSE]) == 255).all()


def test_raw_rows_are_all_alike(drawn) -> None:
    drawn.layer.opacity = 0.1
    drawn.layer.density_true = False
    fine, coarse = drawn.colours_at([FINE, COARSE])
    assert np.abs(coarse - 0.1 * 255).max() < 4
    assert fine.min() > 2 * coarse.max()
    drawn.layer.density_true = True
    fine, coarse = drawn.colours_at([FINE, COARSE])
    assert np.abs(coarse - fine).max() < 8


def test_cells_that_come_later_and_more_room_keep_it(drawn, cell) -> None:
    layer = drawn.layer
    layer.opacity = 0.1
    before = drawn.colours_at([COARSE])
    moved = cell(drawn.scene, 1, [(8.0, 4.0)])
    layer.apply(LayerUpdate((1,), (replace(moved, cell=1),), (DrawItem(0), DrawItem(1))))
    assert np.abs(drawn.colours_at([(8.0, 4.0)]) - before).max() < 4
    layer.set_capacity(40_000)
    layer.apply(LayerUpdate((), (moved,), (DrawItem(1),)))
    assert np.abs(drawn.colours_at([(8.0, 4.0)]) - before).max() < 4


def test_a_layer_nobody_told_draws_rows_alike(stage, cell) -> None:
    here = stage(BOX, size=10.0)
    here.layer.opacity = 0.2
    here.layer.apply(LayerUpdate((), (cell(here.scene, 0, [FINE]),), (DrawItem(0),)))
    assert np.abs(here.colours_at([FINE]) - 0.2 * 255).max() < 4
