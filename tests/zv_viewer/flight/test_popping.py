"""Two pictures of one place: what changed."""

import numpy as np
import pytest

from zv_viewer.flight.popping import THRESHOLD, Pop, popped, worst

BLACK = np.zeros((40, 60, 4), np.uint8)


def with_square(x, size=10, value=255):
    picture = BLACK.copy()
    picture[5 : 5 + size, x : x + size, :3] = value
    return picture


def test_the_same_picture_does_not_pop() -> None:
    assert popped(with_square(4), with_square(4)) == Pop(0.0, 0.0, 0.0)
    other = with_square(4)
    other[..., 3] = 9
    assert popped(with_square(4), other).share == 0


def test_what_appears_is_counted_in_pixels() -> None:
    pop = popped(BLACK, with_square(20), blur=0)
    assert pop.share == pytest.approx(100 / 2400)
    assert pop.of_drawn == 1.0
    assert pop.mean == pytest.approx(100 / 2400)
    half = popped(with_square(10), with_square(15), blur=0)
    assert half.share == pytest.approx(100 / 2400)
    assert half.of_drawn == pytest.approx(100 / 150)


def test_a_point_that_moves_by_a_pixel_is_no_pop_when_blurred() -> None:
    before, after = (with_square(x, size=1, value=200) for x in (30, 31))
    assert popped(before, after, blur=0).share > 0
    assert popped(before, after, blur=1).share == 0
    assert popped(before, BLACK, blur=1, threshold=10).share > 0


def test_small_changes_do_not_count() -> None:
    assert popped(BLACK, with_square(20, value=THRESHOLD), blur=0).share == 0
    assert popped(BLACK, with_square(20, value=THRESHOLD + 1), blur=0).share > 0


def test_a_blur_is_a_mean() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.integers(0, 256, (2, 12, 9, 3)).astype(np.uint8)
    padded = [
        np.pad(p.astype(float), ((1, 1), (1, 1), (0, 0)), mode="edge") for p in (before, after)
    ]
    means = [sum(p[i : i + 12, j : j + 9] for i in range(3) for j in range(3)) / 9 for p in padded]
    change = np.abs(means[0] - means[1]).max(axis=-1)
    assert popped(before, after).mean == pytest.approx(change.mean() / 255, rel=1e-5)
    assert popped(before, after).share == pytest.approx((change > THRESHOLD).mean())


def test_pictures_of_one_size_are_compared() -> None:
    with pytest.raises(ValueError, match="one size"):
        popped(BLACK, BLACK[1:])


def test_the_worst_place_is_found() -> None:
    assert worst([]) is None
    assert worst([Pop(0, 0, 0)] * 3) is None
    assert worst([Pop(0.1, 0, 0), Pop(0.3, 0, 0), Pop(0.2, 0, 0)]) == 1
