"""Planes, lines and spheres inside a box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.drawing.parametric import box_around, clipped, lines_in, surfaces_in, unit_sphere
from zv_viewer.model.shapes import ParametricObject

BOX = np.array([[-1.0, -2.0, 0.0], [3.0, 2.0, 5.0]])
PLANE, BALL = ("A", "B", "C", "D"), ("cx", "cy", "cz", "r")
LINE = ("x0", "y0", "z0", "dx", "dy", "dz")
NUMBER = st.floats(-8, 8, allow_nan=False).map(lambda x: round(x, 2))


def one(kind: str, *numbers: float) -> ParametricObject:
    names = {"plane": PLANE, "line": LINE, "sphere": BALL}.get(kind, ())
    return ParametricObject(kind, kind, tuple(float(x) for x in numbers), names)


def areas(triangles: np.ndarray) -> np.ndarray:
    sides = triangles[:, 1:] - triangles[:, :1]
    return np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2


def test_a_level_plane_fills_the_box() -> None:
    found = surfaces_in([one("plane", 0, 0, 2, -5)], BOX)
    assert np.allclose(found.ends[..., 2], 2.5)
    assert areas(found.ends).sum() == pytest.approx(16.0)


@given(st.tuples(*[NUMBER] * 4))
def test_a_plane_is_drawn_where_the_box_meets_it(numbers: tuple[float, ...]) -> None:
    normal = np.array(numbers[:3])
    found = surfaces_in([one("plane", *numbers)], BOX).ends
    if not normal.any():
        assert not len(found)
        return
    away = (found @ normal + numbers[3]) / np.linalg.norm(normal)
    assert np.abs(away).max(initial=0) < 1e-9
    assert (found >= BOX[0] - 1e-9).all()
    assert (found <= BOX[1] + 1e-9).all()
    corners = np.stack(np.meshgrid(*BOX.T, indexing="ij"), axis=-1).reshape(-1, 3) @ normal
    side = corners + numbers[3]
    if side.min() < -1e-9 and side.max() > 1e-9:
        assert areas(found).sum() > 0


@given(st.integers(0, 10_000))
def test_what_is_clipped_is_what_lies_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    triangle = rng.uniform(-4, 6, (1, 3, 3))
    weights = rng.dirichlet((1, 1, 1), 4000)
    inside = ((weights @ triangle[0] >= BOX[0]) & (weights @ triangle[0] <= BOX[1])).all(axis=1)
    share = areas(clipped(triangle, BOX)).sum() / areas(triangle)[0]
    assert share == pytest.approx(inside.mean(), abs=0.05)


@given(st.tuples(*[NUMBER] * 6))
def test_a_line_is_drawn_where_it_passes_through(numbers: tuple[float, ...]) -> None:
    start, along = np.array(numbers[:3]), np.array(numbers[3:])
    found = lines_in([one("line", *numbers)], BOX).ends
    if not along.any():
        assert not len(found)
        return
    steps = np.linspace(-60, 60, 4001)[:, None] / np.linalg.norm(along)
    on = start + steps * along
    within = ((on > BOX[0] + 1e-6) & (on < BOX[1] - 1e-6)).all(axis=1)
    if within.any():
        assert len(found) == 1
        length = np.linalg.norm(found[0, 1] - found[0, 0])
        assert length == pytest.approx(within.sum() * 0.03, abs=0.07)
    elif len(found):
        middle = found[0].mean(axis=0)
        touches = np.abs(BOX - middle).min() < 1e-5
        assert touches or np.linalg.norm(found[0, 1] - found[0, 0]) < 0.07
    assert (found >= BOX[0] - 1e-9).all()
    assert (found <= BOX[1] + 1e-9).all()


def test_a_sphere_is_round_and_cut_by_the_box() -> None:
    whole = surfaces_in([one("sphere", 1, 0, 2.5, 1.5)], BOX).ends
    assert np.allclose(np.linalg.norm(whole - (1, 0, 2.5), axis=-1), 1.5)
    assert areas(whole).sum() == pytest.approx(4 * np.pi * 2.25, rel=0.02)
    half = surfaces_in([one("sphere", 1, 0, 0, 1.5)], BOX).ends
    assert areas(half).sum() == pytest.approx(2 * np.pi * 2.25, rel=0.02)
    assert len(unit_sphere(2)) == 320


@pytest.mark.parametrize(
    "bad",
    [
        one("plane", 0, 0, 0, 1),
        one("plane", np.nan, 0, 0, 1),
        one("sphere", 0, 0, 0, -1),
        one("sphere", 0, 0, np.inf, 1),
        one("line", 0, 0, 0, 0, 0, 0),
        one("ellipse", 1, 2),
    ],
)
def test_what_makes_no_sense_is_not_drawn(bad: ParametricObject) -> None:
    ball = one("sphere", 1, 0, 2.5, 1.0)
    assert set(surfaces_in([bad, ball], BOX).objects) == {1}
    assert not len(lines_in([bad, ball], BOX).objects)


def test_the_box_around_objects_has_room_for_all_of_them() -> None:
    sphere = one("sphere", 500, 50, 160, 20)
    line = one("line", 0, 2, 8, 1, 0, 0)
    plane = one("plane", 0, 0, 2, -600)
    box = box_around([sphere, line, plane, one("cone", 1)])
    assert box is not None
    room = 0.25 * 520
    np.testing.assert_allclose(box[0], [0 - room, 2 - room, 8 - room])
    np.testing.assert_allclose(box[1], [520 + room, 70 + room, 300 + room])
    for found in (surfaces_in([sphere, plane], box), lines_in([line], box)):
        assert len(found.ends) > 0
    alone = box_around([plane])
    assert alone is not None
    assert len(surfaces_in([plane], alone).ends) > 0
    assert box_around([one("cone", 1)]) is None
    assert box_around([]) is None
