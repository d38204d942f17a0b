"""A number of bytes that is never exceeded, and who has to go."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zv_viewer.loading import CellCache, victims
from zv_viewer.model.chunks import CellArrays
from zv_viewer.planning import build_cells
from zv_viewer.testing.scenes import grid_scene


def arrays(cell, n, values=False):
    return CellArrays(
        cell=cell,
        positions=np.zeros((n, 4), np.float32),
        values=np.zeros(n, np.float32) if values else None,
        attribute="a" if values else None,
        part_start=np.array([n]),
        spacing=1.0,
        order=np.arange(n, dtype=np.uint32),
        fetched_bytes=n,
        requests=1,
    )


class Cache(RuleBasedStateMachine):
    """Against a dict."""

    def __init__(self):
        super().__init__()
        self.cache = CellCache(3000, 8)
        self.model, self.promised = {}, {}

    def total(self):
        return sum(a.nbytes for a in self.model.values()) + sum(self.promised.values())

    @rule(load=st.integers(0, 7), nbytes=st.integers(0, 2000))
    def promise(self, load, nbytes):
        if load in self.promised:
            self.cache.withdraw(load)
            del self.promised[load]
        fits = self.total() + nbytes <= 3000
        assert self.cache.promise(load, nbytes) == fits
        if fits:
            self.promised[load] = nbytes

    @rule(cell=st.integers(0, 7), n=st.integers(0, 80), values=st.booleans())
    def put(self, cell, n, values):
        new = arrays(cell, n, values)
        before = self.model[cell].nbytes if cell in self.model else 0
        fits = self.total() - before + new.nbytes <= 3000
        assert self.cache.put(new) == fits
        if fits:
            self.model[cell] = new

    @rule(cell=st.integers(0, 7))
    def remove(self, cell):
        if self.model.pop(cell, None) is not None:
            self.cache.remove([cell])

    @invariant()
    def counts_every_byte(self):
        assert self.cache.used == sum(a.nbytes for a in self.model.values())
        assert self.cache.promised == sum(self.promised.values())
        assert self.cache.used + self.cache.promised <= 3000
        assert np.flatnonzero(self.cache.held).tolist() == sorted(self.model)
        assert all(self.cache[cell] is held for cell, held in self.model.items())


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_what_is_out_of_view_goes_first_then_the_oldest_then_the_finest():
    tree = build_cells(grid_scene(4, 3, 8))
    visible = np.zeros(len(tree), bool)
    coarse, middle, fine = 0, int(tree.children(0)[0]), len(tree) - 1
    cells = np.array([coarse, middle, fine])
    sizes = np.array([100, 100, 100])
    same = np.ones(3)
    assert victims(tree, cells, sizes, same, visible, 150) == [fine, middle]
    age = np.array([9.0, 1.0, 1.0])
    assert victims(tree, cells, sizes, age, visible, 1) == [coarse]
    visible[[coarse, fine]] = True
    assert victims(tree, cells, sizes, age, visible, 150) == [middle, coarse]
    assert victims(tree, cells, sizes, age, visible, 0) == []
    assert len(victims(tree, cells, sizes, age, visible, 10_000)) == 3
