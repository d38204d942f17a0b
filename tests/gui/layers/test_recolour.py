"""Other values of the same rows go up without their positions."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerUpdate

pytestmark = [pytest.mark.gui, pytest.mark.once]

BOX = [[0, 0], [10, 10]]
PLACES = [(2.0, 2.0), (8.0, 8.0), (2.0, 8.0)]
RED_TO_BLUE = np.array([[1.0, 0, 0], [0, 0, 1.0]])


@pytest.fixture
def drawn(stage, cell):
    """Three rows of two cells, and the writes of positions counted."""
    here = stage(BOX, size=10.0)
    here.layer.set_colours("scalar", RED_TO_BLUE, (0.0, 1.0))
    cells = [
        cell(here.scene, 0, PLACES[:2], values=[0.0, 1.0]),
        cell(here.scene, 1, PLACES[2:], values=[0.0]),
    ]
    here.layer.apply(LayerUpdate((), tuple(cells), (DrawItem(0), DrawItem(1))))
    position = here.layer._drawer.node._rows.position
    written = []
    fill = position.set_subdata

    def count(data, offset=0, copy=False):
        written.append(len(data))
        fill(data, offset=offset, copy=copy)

    position.set_subdata = count
    return here, cells, written


def test_values_change_and_positions_stay(drawn) -> None:
    here, cells, written = drawn
    assert here.colours_at(PLACES).argmax(axis=1).tolist() == [0, 2, 0]
    other = [replace(one, values=1 - one.values, attribute="other") for one in cells]
    here.layer.apply(LayerUpdate((), tuple(other)))
    assert here.colours_at(PLACES).argmax(axis=1).tolist() == [2, 0, 2]
    assert not written
    here.layer.apply(LayerUpdate((), (replace(cells[0], values=None, attribute=None),)))
    assert np.ptp(here.colours_at(PLACES)[:2], axis=1).max() < 10
    assert not written


def test_rows_that_left_come_back_whole(drawn, cell) -> None:
    here, cells, written = drawn
    here.layer.apply(LayerUpdate((0,), (), (DrawItem(1),)))
    beside = cell(here.scene, 2, [(5.0, 5.0), (5.0, 2.0)], values=[1.0, 1.0])
    here.layer.apply(LayerUpdate((), (beside,), (DrawItem(1), DrawItem(2))))
    here.layer.apply(LayerUpdate((), (cells[0],), (DrawItem(0), DrawItem(1), DrawItem(2))))
    assert here.colours_at(PLACES).argmax(axis=1).tolist() == [0, 2, 0]
    assert here.colours_at([(5.0, 5.0)]).argmax(axis=1).tolist() == [2]
    assert sum(written) == 4


def test_what_came_while_hidden_goes_up_whole(drawn, cell) -> None:
    here, _, written = drawn
    here.layer.visible = False
    moved = cell(here.scene, 1, [(8.0, 2.0)], values=[0.0])
    here.layer.apply(LayerUpdate((), (moved,)))
    here.layer.apply(LayerUpdate((), (replace(moved, values=np.ones(1, np.float32)),)))
    here.layer.visible = True
    assert here.colours_at([(8.0, 2.0)]).argmax(axis=1).tolist() == [2]
    assert sum(written) == 1


def test_more_room_takes_everything_again(drawn) -> None:
    here, cells, _ = drawn
    here.layer.set_capacity(40_000)
    here.layer.apply(LayerUpdate((), tuple(cells), (DrawItem(0), DrawItem(1))))
    assert here.colours_at(PLACES).argmax(axis=1).tolist() == [0, 2, 0]
