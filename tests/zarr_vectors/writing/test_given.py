"""Rows given line by line: blocks of them, and all in the order they are stored in."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.writing import given
from zarr_vectors.writing.given import LineRows, corners_of
from zarr_vectors.writing.runs import route_blocks, route_paths

LENGTHS = (3, 0, 1, 25, 0, 4, 4, 9, 0)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "BLOCK_ROWS", 8)


def lines(dtype: str = "f4") -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [(rng.random((n, 3)) * 20 - 10).astype(dtype) for n in LENGTHS]


def test_blocks_are_all_rows_and_none_is_much_longer_than_asked() -> None:
    rows = LineRows(lines())
    firsts, blocks = zip(*rows.blocks(), strict=True)
    assert max(map(len, blocks)) < 16
    assert list(firsts) == np.cumsum([0, *map(len, blocks[:-1])]).tolist()
    np.testing.assert_array_equal(np.concatenate(blocks), np.concatenate(lines()))
    np.testing.assert_array_equal(rows.whole(), np.concatenate(lines()))


def test_lines_of_several_types_come_in_one_that_holds_them() -> None:
    given_lines = [*lines("i8"), *lines("f4")]
    assert LineRows(given_lines).dtype == np.float64
    stored = LineRows(given_lines, np.dtype("f4"))
    np.testing.assert_array_equal(stored.whole(), np.concatenate(given_lines).astype("f4"))


@pytest.mark.parametrize("columns", [0, 1, 3])
@pytest.mark.parametrize("bins", [None, (2.0,) * 3])
def test_rows_in_the_order_they_are_stored_in(columns: int, bins: tuple[float, ...] | None) -> None:
    positions = LineRows(lines())
    runs = route_blocks(positions.blocks(), positions.starts, (4.0,) * 3, bins)
    every = np.concatenate(lines())
    slow = route_paths(every, positions.starts, (4.0,) * 3, bins).by_row()
    np.testing.assert_array_equal(runs.by_row().order, slow.order)
    rng = np.random.default_rng(4)
    shape = (columns,) if columns else ()
    values = [rng.integers(0, 99, (n, *shape)).astype("i2") for n in LENGTHS]
    found = LineRows(values).routed(runs.route)
    np.testing.assert_array_equal(found, np.concatenate(values)[slow.order])


def test_corners_are_those_of_all_blocks() -> None:
    found = corners_of(LineRows(lines()).blocks())
    every = np.concatenate(lines())
    np.testing.assert_array_equal(found, [every.min(axis=0), every.max(axis=0)])
    assert found.dtype == np.float32
    assert corners_of(LineRows([np.zeros((0, 2))]).blocks()).shape == (0, 2)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_corners_tell_of_a_number_that_is_not_finite(wrong: float) -> None:
    given_lines = lines()
    given_lines[3][20, 1] = wrong
    assert not np.isfinite(corners_of(LineRows(given_lines).blocks())).all()
