"""Rows of the buffer: whole pages, never shared, in the order of a cell's rows."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zv_viewer.drawing import PAGE, SlotTable, page_rows, pages_of, rows_for
from zv_viewer.model.plan import DrawItem


def expand(runs):
    return np.concatenate([np.arange(s, s + n) for s, n in runs.tolist()] or [np.empty(0, int)])


class Table(RuleBasedStateMachine):
    """Against a model: which rows belong to whom."""

    def __init__(self):
        super().__init__()
        self.table = SlotTable(20 * PAGE - 3)
        self.ends = {}

    @rule(cell=st.integers(0, 9), parts=st.lists(st.integers(0, 700), min_size=1, max_size=4))
    def put(self, cell, parts):
        ends = np.concatenate([[0], np.cumsum(parts)])
        others = sum(page_rows(int(e[-1])) for c, e in self.ends.items() if c != cell)
        if others + page_rows(int(ends[-1])) > 20 * PAGE:
            with pytest.raises(ValueError, match=f"no room for cell {cell}"):
                self.table.put(cell, ends)
            self.ends.pop(cell, None)
        else:
            assert expand(self.table.put(cell, ends)).size == ends[-1]
            self.ends[cell] = ends

    @rule(rows=st.dictionaries(st.integers(0, 9), st.integers(0, 3 * PAGE), max_size=8))
    def put_all(self, rows):
        for cell in rows:
            self.drop(cell)
        cells, counts = list(rows), np.array(list(rows.values()), np.int64)
        if sum(map(page_rows, rows.values())) > self.table.free_rows:
            with pytest.raises(ValueError, match="no room for"):
                self.table.put_all(cells, counts)
        else:
            self.table.put_all(cells, counts)
            self.ends.update((cell, np.array([0, count])) for cell, count in rows.items())

    @rule(cell=st.integers(0, 9))
    def drop(self, cell):
        self.table.drop(cell)
        self.ends.pop(cell, None)

    @invariant()
    def nothing_is_shared(self):
        rows = [expand(self.table.rows(cell)) for cell in self.ends]
        pages = [np.unique(r // PAGE) for r in rows]
        every = np.concatenate([np.empty(0, int), *pages])
        assert len(np.unique(every)) == len(every)
        assert not len(every) or every.max() < 20
        taken = sum(page_rows(int(ends[-1])) for ends in self.ends.values())
        assert self.table.free_rows == 20 * PAGE - taken
        assert len(self.table) == len(self.ends)

    @invariant()
    def parts_are_their_rows(self):
        for cell, ends in self.ends.items():
            rows = expand(self.table.rows(cell))
            assert np.array_equal(expand(self.table.runs([DrawItem(cell)])), rows)
            for parts in ((0,), tuple(range(len(ends) - 1)), tuple(range(0, len(ends) - 1, 2))):
                wanted = np.concatenate([rows[ends[p] : ends[p + 1]] for p in parts])
                assert np.array_equal(expand(self.table.runs([DrawItem(cell, parts)])), wanted)


TestTable = Table.TestCase
TestTable.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_cell_in_one_stretch_is_one_run():
    table = SlotTable(10 * PAGE)
    for cell in range(5):
        table.put(cell, np.array([0, 2 * PAGE - 1]))
    table.drop(1)
    table.drop(3)
    assert table.put(7, np.array([2 * PAGE])).tolist() == [[2 * PAGE, 2 * PAGE]]
    table.drop(7)
    assert table.put(8, np.array([4 * PAGE])).tolist() == [
        [2 * PAGE, 2 * PAGE],
        [6 * PAGE, 2 * PAGE],
    ]


def test_cells_that_come_together_lie_together():
    table = SlotTable(8 * PAGE)
    for cell in range(3):
        table.put(cell, np.array([0, PAGE]))
    table.drop(1)
    table.put_all([10, 11, 12], np.array([PAGE, 0, PAGE + 5]))
    assert table.rows(10).tolist() == [[3 * PAGE, PAGE]]
    assert table.rows(11).tolist() == []
    assert table.rows(12).tolist() == [[4 * PAGE, PAGE + 5]]
    table.put_all([20, 21], np.array([7, 2 * PAGE]))
    assert table.rows(20).tolist() == [[PAGE, 7]]
    assert table.rows(21).tolist() == [[6 * PAGE, 2 * PAGE]]


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30), st.integers(1, 10_000))
def test_rows_for_hold_any_cells_of_the_budget(counts, vertices):
    counts = np.array(counts)
    rows = rows_for(vertices, counts)
    assert rows % PAGE == 0
    assert rows <= max(pages_of(counts), PAGE)
    big = counts[counts >= PAGE]
    fitting = big[np.cumsum(big) <= vertices]
    if len(big) == len(counts):
        assert pages_of(fitting) <= rows or rows == pages_of(counts)


def test_a_full_table_is_small():
    table = SlotTable(4000 * PAGE)
    tracemalloc.start()
    try:
        for cell in range(4000):
            table.put(cell, np.array([0, PAGE]))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4000 * 1000


def test_a_full_table_takes_an_empty_cell():
    table = SlotTable(PAGE)
    table.put(0, np.array([0, PAGE]))
    assert table.put(1, np.array([0, 0])).tolist() == []
