"""Links in pages: after every change the card draws the links of the drawn cells, once each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zv_viewer.drawing import PAGE as ROWS
from zv_viewer.drawing import SlotTable
from zv_viewer.layers.drawn_links import BLOCK, PAGE, SMALL, DrawnLinks, LinkTable, rows_on_card
from zv_viewer.layers.link_buffers import LinkBlocks
from zv_viewer.model.links import LinkArrays, OpenLinks

VERTICES, CELLS = 120, 6


class Card:
    """The layer's rows and indices as they would be on a card."""

    def __init__(self, width, monkeypatch=None):
        self.blocks = LinkBlocks(width)
        self.width, self.sent = width, 0

    def take(self, table):
        writes, used = table.changes(), table.used()
        before = len(self.blocks.blocks)
        self.blocks.write([], np.concatenate([np.zeros(before, int), used[before:]]))
        for block in self.blocks.blocks[before:]:
            block.content = np.zeros(BLOCK * self.width, np.uint32)
        for block in self.blocks.blocks:
            block.set_subdata = lambda data, offset, block=block: self.fill(block, data, offset)
        self.blocks.write(writes, used)

    def fill(self, block, data, offset):
        self.sent += len(data)
        assert offset % (PAGE * self.width) == 0
        block.content[offset : offset + len(data)] = data

    def drawn(self):
        """(M, W) links that are drawn."""
        parts = [block.content[: block.size] for block in self.blocks.blocks]
        links = np.concatenate([np.zeros(0, np.uint32), *parts]).reshape(-1, self.width)
        return links[(links != links[:, :1]).any(axis=1)]


class Model:
    """Vertices that links join, in cells whose rows come in any order."""

    def __init__(self, seed, width):
        self.rng = np.random.default_rng(seed)
        self.cell = self.rng.integers(0, CELLS, VERTICES)
        links = self.rng.integers(0, VERTICES, (300, width))
        ranked = np.sort(links, axis=1)
        distinct = (np.diff(ranked, axis=1) > 0).all(axis=1)
        self.links = np.unique(ranked[distinct], axis=0)
        self.slots = SlotTable(CELLS * 4 * ROWS)
        self.vertex = np.full(self.slots.capacity, -1)
        self.drawn = DrawnLinks(width)
        self.held = {}

    def put(self, cell):
        own = self.rng.permutation(np.flatnonzero(self.cell == cell))
        rows = np.full(int(self.rng.integers(len(own), 3 * ROWS)), -1)
        rows[self.rng.permutation(len(rows))[: len(own)]] = own
        local = np.full(VERTICES + 1, -1)
        local[rows] = np.arange(len(rows))
        local[-1] = -1
        found = local[self.links]
        whole, mine = (found >= 0).all(axis=1), (found >= 0).any(axis=1)
        names = {}
        for at in np.flatnonzero(mine & ~whole):
            names.setdefault(tuple(sorted(set(self.cell[self.links[at]].tolist()))), []).append(at)
        order = np.array([at for those in names.values() for at in those], np.int64)
        ends = self.links[order]
        links = OpenLinks(
            tuple(names),
            np.cumsum([0, *map(len, names.values())]),
            found[order],
            ends,
            self.cell[ends],
            np.zeros(len(order), np.uint32),
        )
        inner = found[whole].astype(np.uint32)
        arrays = LinkArrays(0, np.zeros(len(rows), np.uint32), inner, links)
        before = self.slots.rows(cell).tolist() if cell in self.slots else None
        self.slots.put(cell, np.array([0, len(rows)]))
        self.drawn.put(cell, arrays, moved=before != self.slots.rows(cell).tolist())
        self.held[cell] = arrays
        self.vertex[rows_on_card(np.arange(len(rows)), self.slots.rows(cell))] = rows

    def drop(self, cell):
        self.slots.drop(cell)
        self.drawn.drop(cell)
        self.held.pop(cell, None)

    def expected(self, cells):
        kept = np.isin(self.cell[self.links], list(cells)).all(axis=1)
        return self.links[kept]


@given(
    seed=st.integers(0, 99),
    width=st.sampled_from([2, 3]),
    steps=st.lists(
        st.tuples(
            st.sets(st.integers(0, CELLS - 1)),
            st.sets(st.integers(0, CELLS - 1)),
            st.sets(st.integers(0, CELLS - 1)),
        ),
        min_size=1,
        max_size=8,
    ),
)
@settings(max_examples=60, deadline=None)
def test_the_card_draws_the_links_between_drawn_cells(seed, width, steps):
    model, card = Model(seed, width), Card(width)
    for drop, put, draw in steps:
        for cell in sorted(drop):
            model.drop(cell)
        for cell in sorted(put):
            model.put(cell)
        drawn = draw & set(model.held)
        model.drawn.draw(drawn, model.slots.rows)
        card.take(model.drawn.table)
        found = np.sort(model.vertex[card.drawn()], axis=1)
        order = np.lexsort(found.T[::-1])
        np.testing.assert_array_equal(found[order], model.expected(drawn))
        sent = card.sent
        model.drawn.draw(drawn, model.slots.rows)
        card.take(model.drawn.table)
        assert card.sent == sent, "nothing is written twice"


def some(n, first=1):
    return np.stack([np.arange(first, first + n), np.arange(n)], axis=1).astype(np.uint32)


def test_a_swap_writes_its_own_pages_only():
    table, card = LinkTable(2), Card(2)
    for key in range(200):
        table.put(key, some(5000, key + 1))
    card.take(table)
    assert len(card.blocks.blocks) == table.blocks == -(-200 * 5024 // BLOCK)
    card.sent = 0
    table.put(77, some(4970, 3))
    card.take(table)
    assert card.sent <= 2 * (5024 + 4992)
    assert len(card.drawn()) == 199 * 5000 + 4970


def test_room_that_is_given_back_draws_nothing_and_is_used_again():
    table, card = LinkTable(3), Card(3)
    for key in range(40):
        table.put(key, np.tile(np.array([[1, 2, 3]], np.uint32), (BLOCK // 10, 1)))
    card.take(table)
    blocks = table.blocks
    for key in range(0, 40, 2):
        table.drop(key)
    card.take(table)
    assert len(card.drawn()) == 20 * (BLOCK // 10)
    table.put(99, np.tile(np.array([[4, 5, 6]], np.uint32), (BLOCK, 1)))
    card.take(table)
    assert table.blocks == blocks
    assert (card.drawn()[:, 0] == 4).sum() == BLOCK
    for key in range(100):
        table.drop(key)
    card.take(table)
    assert len(card.drawn()) == 0
    assert sum(block.size for block in card.blocks.blocks) == 0


def test_many_small_writes_are_few_uploads():
    table = LinkTable(2)
    for key in range(500):
        table.put(key, some(PAGE - 1))
    assert len(table.changes()) == 1
    for key in range(500, 510):
        table.put(key, some(SMALL))
    assert len(table.changes()) == 10


@pytest.mark.parametrize("runs", [[[256, 300]], [[256, 128], [512, 172]]])
def test_rows_of_a_cell_in_several_runs(runs):
    runs = np.array(runs)
    places = np.concatenate([np.arange(start, start + n) for start, n in runs])
    rows = np.array([[0, 299], [127, 128]])
    np.testing.assert_array_equal(rows_on_card(rows, runs), places[rows])
