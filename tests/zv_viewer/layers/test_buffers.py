"""Row buffers without a canvas: what would be uploaded, and where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.layers.buffers import SMALL, DrawnRows, RowBuffers, RowWrite, cut, gather

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


def rows_of(runs):
    return np.concatenate([np.zeros(0, np.int64), *(np.arange(s, s + n) for s, n in runs)])


@given(
    history=st.lists(runs_strategy, min_size=1, max_size=6),
    frame=st.integers(1, 6),
    block=st.integers(1, 600),
)
def test_after_every_frame_the_card_draws_the_newest_rows_once_each(history, frame, block):
    drawn, waiting = DrawnRows(500, block), []
    cards = [np.full(block, -1) for _ in drawn.blocks]
    for one, card in zip(drawn.blocks, cards, strict=True):
        one.set_subdata = lambda rows, card=card: waiting.append((rows, card))
    for number, runs in enumerate(history):
        drawn.show(runs)
        if number % frame == 0 or number == len(history) - 1:
            for rows, card in waiting:
                card[: len(rows)] = rows
            waiting.clear()
            pairs = zip(drawn.blocks, cards, strict=True)
            shown = np.concatenate([card[: one.size] for one, card in pairs])
            np.testing.assert_array_equal(np.sort(shown), np.sort(rows_of(runs)))
            assert drawn.size == len(shown)


@given(runs=runs_strategy, block=st.integers(1, 600), seed=st.integers(0, 9))
def test_cutting_keeps_every_row_and_every_block_its_own(runs, block, seed):
    shuffled = np.random.default_rng(seed).permutation(runs)
    pieces = cut(shuffled, block, -(-500 // block))
    np.testing.assert_array_equal(rows_of(np.concatenate(pieces)), rows_of(runs))
    for number, piece in enumerate(pieces):
        assert (piece[:, 0] // block == number).all()
        assert ((piece.sum(axis=1) - 1) // block == number).all()


@pytest.mark.parametrize("at", [0, 4990])
def test_a_swap_uploads_its_own_block_only_wherever_it_lies(at):
    drawn = DrawnRows(5000, 100)
    rest = [[start, 10] for start in range(0, 5000, 10) if start != at]
    drawn.show(np.array([[at, 10], *rest]))
    assert drawn.show(np.array([[at, 5], *rest])) == 95
    assert drawn.show(np.array([[at, 5], *rest])) == 0
    assert drawn.show(np.array(rest)) == 90


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
