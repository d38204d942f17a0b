"""Row buffers without a canvas: what would be uploaded, and where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.layers.buffers import SMALL, DrawnRows, RowBuffers, RowWrite, gather

PAGE = 256


class Card:
    """Stands for the graphics card: takes uploads."""

    def __init__(self, buffer, rows, monkeypatch):
        self.uploads = 0
        self.content = np.full(rows, np.nan)
        monkeypatch.setattr(buffer, "set_subdata", self.take)

    def take(self, data, offset=0, copy=False):
        self.uploads += 1
        self.content[offset : offset + len(data)] = data if data.ndim == 1 else data[:, 0]


runs_strategy = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=12).map(
    lambda parts: np.array(
        [(sum(n for _, n in parts[:i]), parts[i][1]) for i in range(len(parts)) if parts[i][0]],
        np.int64,
    ).reshape(-1, 2)
)


@given(history=st.lists(runs_strategy, min_size=1, max_size=6), frame=st.integers(1, 6))
def test_uploads_that_wait_for_a_frame_end_in_the_newest_list(history, frame):
    with pytest.MonkeyPatch.context() as patch:
        drawn, waiting, card = DrawnRows(500), [], np.full(500, np.nan)
        patch.setattr(drawn, "set_subdata", lambda data, offset: waiting.append((data, offset)))
        for number, runs in enumerate(history):
            drawn.show(runs)
            if number % frame == 0 or number == len(history) - 1:
                for data, offset in waiting:
                    card[offset : offset + len(data)] = data
                waiting.clear()
                expected = np.concatenate([np.zeros(0), *(np.arange(s, s + n) for s, n in runs)])
                np.testing.assert_array_equal(card[: drawn.size], expected)


@given(history=st.lists(runs_strategy, min_size=1, max_size=6))
def test_the_list_of_rows_is_what_was_asked_for_whatever_came_before(history):
    with pytest.MonkeyPatch.context() as patch:
        drawn = DrawnRows(500)
        card = Card(drawn, 500, patch)
        for runs in history:
            drawn.show(runs)
            expected = np.concatenate([np.zeros(0), *(np.arange(s, s + n) for s, n in runs)])
            np.testing.assert_array_equal(card.content[: drawn.size], expected)


def test_replacing_one_run_by_another_of_its_size_uploads_that_run_only():
    drawn = DrawnRows(10_000)
    drawn.show(np.array([[0, 100], [200, 50], [1000, 5000]]))
    assert drawn.show(np.array([[0, 100], [300, 50], [1000, 5000]])) == 50
    assert drawn.show(np.array([[0, 100], [300, 50], [1000, 5000]])) == 0
    assert drawn.show(np.array([[0, 100], [1000, 5000]])) == 5000


def a_write(start, rows, value=1.0):
    positions = np.full((rows, 4), start, np.float32)
    return RowWrite(start, positions, np.full(rows, value, np.float32), 2.0)


def test_large_writes_go_up_as_they_are():
    write = a_write(512, SMALL)
    buffers = RowBuffers(4096, PAGE)
    sent = []
    buffers.position.set_subdata = lambda data, offset: sent.append((data, offset))
    buffers.write([write])
    assert sent[0][0] is write.positions
    assert sent[0][1] == 512


def test_small_neighbours_share_an_upload_and_land_in_their_rows(monkeypatch):
    writes = [a_write(PAGE * i, 100 + i) for i in (3, 0, 1, 2)] + [a_write(PAGE * 9, 10)]
    buffers = RowBuffers(PAGE * 10, PAGE)
    card = Card(buffers.position, PAGE * 10, monkeypatch)
    buffers.write(writes)
    assert card.uploads == 2
    for write in writes:
        assert (card.content[write.start : write.stop] == write.start).all()


def test_writes_far_apart_are_not_joined():
    groups = gather([a_write(0, 10), a_write(PAGE * 3, 10), a_write(PAGE * 4, SMALL)], PAGE)
    assert [len(group) for group in groups] == [1, 1, 1]


def test_missing_values_are_uploaded_as_such(monkeypatch):
    buffers = RowBuffers(PAGE, PAGE)
    card = Card(buffers.value, PAGE, monkeypatch)
    buffers.write([RowWrite(0, np.zeros((5, 4), np.float32), None, 1.0)])
    assert np.isnan(card.content[:5]).all()
