from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zarr_vectors.core.metadata import ChunkTable, LevelError
from zarr_vectors.exceptions import MetadataError


@given(
    st.integers(1, 4).flatmap(
        lambda rank: arrays(
            np.int64,
            st.tuples(st.integers(0, 30), st.just(rank)),
            elements=st.integers(-(2**31) + 1, 2**31 - 1),
        )
    ),
    st.randoms(use_true_random=False),
)
def test_tables_survive_packing(coords, random):
    counts = np.array([random.randrange(2**32) for _ in coords], np.int64)
    table = ChunkTable(coords, counts, exact=True)
    found = ChunkTable.from_dict(table.to_dict())
    np.testing.assert_array_equal(found.coords, coords)
    np.testing.assert_array_equal(found.counts, counts)
    assert found.exact


def test_tables_that_do_not_fit_are_not_stored():
    wide = ChunkTable(np.array([[2**40, 0]]), np.array([1]), exact=True)
    assert wide.to_dict() is None
    many = ChunkTable(np.array([[0, 0]]), np.array([2**40]), exact=True)
    assert many.to_dict() is None
    assert ChunkTable.estimated([(0, 0)], 2, 5).to_dict() is None


def test_estimates_add_up():
    table = ChunkTable.estimated([(0, 0), (0, 1), (1, 0)], 2, 11)
    assert table.counts.sum() == 11
    assert not table.exact
    assert ChunkTable.estimated([], 3, 0).coords.shape == (0, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"chunks": "%%%"},
        {"chunks": "AAAA"},
        {"counts": None},
        {"vertex_count": 4},
        {"rank": 3},
        {"rank": 0},
        {"version": 9},
    ],
)
def test_a_damaged_table_is_refused(change):
    good = ChunkTable(np.array([[0, 0], [0, 1]]), np.array([1, 2]), exact=True).to_dict()
    with pytest.raises(MetadataError, match="chunk table"):
        ChunkTable.from_dict(good | change)


def test_errors_survive_and_are_checked():
    error = LevelError(1.0, 2.0, 3.0, unrepresented=4)
    assert LevelError.from_dict(error.to_dict()) == error
    with pytest.raises(MetadataError, match="p95"):
        LevelError.from_dict({"p50": 1.0, "max": 2.0})
    with pytest.raises(MetadataError, match="finite"):
        LevelError.from_dict({"p50": 1.0, "p95": float("nan"), "max": 2.0})
