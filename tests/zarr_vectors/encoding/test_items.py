"""Rows moved whole are the rows that indexing moves."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.encoding.items import as_items, move_rows


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
@pytest.mark.parametrize("dtype", ["f4", ">i8", "?"])
@pytest.mark.parametrize("step", [1, 2])
def test_rows_go_where_they_are_to_be(shape: tuple[int, ...], dtype: str, step: int) -> None:
    rng = np.random.default_rng(0)
    source = rng.integers(0, 2, (40, *shape)).astype(dtype)[::step]
    taken, into = rng.integers(0, len(source), 10), rng.permutation(12)[:10]
    room = np.zeros((12, *shape), np.dtype(dtype).newbyteorder("="))
    expected = room.copy()
    expected[into] = source[taken]
    move_rows(source, taken, room, into)
    np.testing.assert_array_equal(room, expected)


def test_a_row_that_is_not_there_is_an_error() -> None:
    with pytest.raises(IndexError):
        move_rows(np.zeros((2, 3)), np.array([2]), np.zeros((2, 3)), np.array([0]))
    with pytest.raises(IndexError):
        move_rows(np.zeros((2, 3)), np.array([0]), np.zeros((2, 3)), np.array([2]))


def test_items_are_a_view() -> None:
    rows = np.zeros((2, 3))
    as_items(rows)[1] = as_items(np.ones((1, 3)))[0]
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]
