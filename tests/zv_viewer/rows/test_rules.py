"""Rules about single rows, against definitions written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zv_viewer.rows import InBall, InBox, InOutline, RandomRows, RowFilter, ValueRange, rows_of
from zv_viewer.rows.regions import in_polygon
from zv_viewer.testing.cameras import look_at, orthographic
from zv_viewer.testing.scenes import grid_scene

SCENE = grid_scene(4, 1, 8)


def cloud(seed: int, n: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 3)) * 4


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_box_with_a_row_that_is_kept_is_passed_over(seed: int, include: bool) -> None:
    rng = np.random.default_rng(seed)
    low = rng.random(3) * 4
    camera = look_at((2.0,) * 3, rng.normal(size=3))
    rules = (
        InBox(tuple(low), tuple(low + rng.random(3) * 2), include),
        InBall((*(rng.random(2) * 4), float(rng.choice([np.nan, 2.0]))), rng.random() * 2, include),
        InOutline.of(camera, rng.uniform(-1, 1, (5, 2)), include=include),
    )
    positions = cloud(seed)
    corner = np.floor(positions)
    for rule in rules:
        found = RowFilter((rule,))
        kept = found.keeps(rows_of(SCENE, positions, {}))
        may = found.may_hold(SCENE, corner, corner + 1)
        assert may[kept].all()


def test_a_polygon_holds_what_lies_inside() -> None:
    star = np.array([[0, 3], [1, -3], [-2.5, 1], [2.5, 1], [-1, -3]], float)
    x, y = np.array([0.0, 0.0, 0.0, 2.0, -1.9]), np.array([2.0, 0.0, -2.5, 2.0, 0.9])
    # Wound around twice in the middle of the star, so out.
    assert in_polygon(x, y, star).tolist() == [True, False, False, False, True]
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 2, (2, 500))
    expected = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    assert np.array_equal(in_polygon(x, y, square), expected)


def test_what_lies_behind_the_camera_is_not_within_an_outline() -> None:
    camera = look_at((2.0,) * 3, (2.0, 2.0, 9.0))
    rule = InOutline.of(camera, np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float))
    positions = cloud(1)
    clip = np.c_[positions, np.ones(len(positions))] @ camera.matrix.T
    seen = (clip[:, 3] > 0) & (np.abs(clip[:, :2]) < clip[:, 3:]).all(axis=1)
    assert 0 < seen.sum() < len(positions)
    assert np.array_equal(rule.matches(rows_of(SCENE, positions, {})), seen)


def test_a_random_share_depends_on_the_seed_and_a_larger_one_only_adds() -> None:
    rows = rows_of(SCENE, cloud(2, 20_000), {})
    small, large = (RandomRows(share).matches(rows) for share in (0.1, 0.4))
    assert small.mean() == pytest.approx(0.1, abs=0.01)
    assert not (small & ~large).any()
    other = RandomRows(0.1, seed=1).matches(rows)
    assert (small & other).mean() == pytest.approx(0.01, abs=0.005)


def test_a_row_without_a_value_matches_nothing() -> None:
    values = {"v": np.array([1.0, np.nan, 3.0])}
    rows = rows_of(SCENE, cloud(0, 3), values)
    assert RowFilter((ValueRange("v", 0, 2),)).keeps(rows).tolist() == [True, False, False]
    out = RowFilter((ValueRange("v", 0, 2, include=False),))
    assert out.keeps(rows).tolist() == [False, True, True]
    assert RowFilter((ValueRange("w"),)).keeps(rows).tolist() == [False] * 3


def test_large_numbers_keep_their_digits() -> None:
    big = 2**60
    values = {"v": np.array([big, big + 1, big + 2]), "p": np.array([[0, 1], [2, 3], [4, 5]])}
    rows = rows_of(SCENE, cloud(0, 3), values)
    assert ValueRange("v", big + 1).matches(rows).tolist() in ([True] * 3, [False, True, True])
    assert ValueRange("v", high=big).matches(rows).tolist() == [True, False, False]
    assert ValueRange("p", 3, 5, column=1).matches(rows).tolist() == [False, True, True]


def test_a_ball_has_a_radius() -> None:
    with pytest.raises(ValueError, match="radius"):
        InBall((0.0,) * 3, -1.0)


def test_an_outline_meets_the_boxes_behind_it() -> None:
    camera = orthographic((2.0,) * 3, 100.0, displayed=(0, 1, 2), viewport=(200, 200))
    rule = InOutline.of(camera, np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float))
    low, high = np.array([[1.5] * 3, [3.5] * 3]), np.array([[2.0] * 3, [4.0] * 3])
    meets, inside = rule.boxes(SCENE, low, high)
    assert meets.tolist() == [True, False]
    assert not inside.any()
