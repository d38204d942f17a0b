import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zv_viewer.planning import build_cells, visible_cells
from zv_viewer.planning.frustum import frustum_test, planes
from zv_viewer.planning.slab import hidden_axes, slab_share, slab_test
from zv_viewer.testing.cameras import look_at, orthographic
from zv_viewer.testing.scenes import grid_scene, random_camera, random_scene

SEEDS = st.integers(0, 2**32 - 1)


def on_canvas(camera, points):
    """Whether points (N, D) are seen, straight from the meaning of a camera."""
    n = len(camera.displayed)
    place = np.zeros((len(points), 4))
    place[:, :n], place[:, 3] = points[:, list(camera.displayed)], 1
    x, y, _, w = (place @ camera.matrix.T).T
    kept = ((points >= camera.slab_lo) & (points <= camera.slab_hi)).all(axis=1)
    return (w > 0) & (np.abs(x) <= w) & (np.abs(y) <= w) & kept


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_cell_with_a_point_in_view_is_visible_and_so_are_its_ancestors(seed):
    rng = np.random.default_rng(seed)
    scene = random_scene(rng)
    camera, tree = random_camera(rng, scene), build_cells(scene)
    visible = visible_cells(tree, camera)
    ends = np.flatnonzero(np.diff(tree.child_start) == 0)
    for cell in ends[:40]:
        size = tree.hi[cell] - tree.lo[cell]
        inside = tree.lo[cell] + rng.random((200, scene.ndim)) * size
        hidden = hidden_axes(camera)
        inside[:, hidden] = np.clip(
            inside[:, hidden], camera.slab_lo[hidden], camera.slab_hi[hidden]
        )
        inside = np.clip(inside, tree.lo[cell], tree.hi[cell])
        if on_canvas(camera, inside).any():
            assert visible[cell]
    above = tree.parent[visible]
    assert visible[above[above >= 0]].all()


def test_cells_beside_the_slab_are_those_a_link_may_reach_it_from():
    scene = grid_scene(16, 3, 27)
    tree = build_cells(scene)
    camera = orthographic((4.0, 4.0, 4.0), 5.0, thickness=0.5)
    (hidden,) = hidden_axes(camera)
    plain, beside = visible_cells(tree, camera), visible_cells(tree, camera, cells_beyond=1.0)
    assert (beside | plain).sum() == beside.sum()
    ids = tree.ids_of_level(0)
    for seen, more in ((plain, 0.0), (beside, tree.cell_shape[0, hidden])):
        reach = (tree.lo[ids, hidden] <= 4.25 + more) & (tree.hi[ids, hidden] >= 3.75 - more)
        assert seen[ids].tolist() == reach.tolist()
        assert not reach.all()


def test_planes_see_what_the_canvas_shows_and_the_margin_beyond():
    camera = orthographic((0.0, 0.0), 10.0, viewport=(100.0, 60.0))
    lo = np.array([[4.0, 0], [5.5, 0], [-9, -9], [0, 3.2], [-1, -1]])
    hi = np.array([[4.5, 1], [6.0, 1], [9, 9], [1, 4.0], [1, 1]])
    meets, inside = frustum_test(planes(camera), lo, hi)
    assert meets.tolist() == [True, False, True, False, True]
    assert inside.tolist() == [True, False, False, False, True]
    meets, _ = frustum_test(planes(camera, margin_px=6), lo, hi)
    assert meets.tolist() == [True, True, True, True, True]


def test_nothing_behind_the_camera_is_seen():
    camera = look_at((0, 0, 0), (1, 0, 0))
    lo = np.array([[-3.0, -1, -1], [2, -1, -1], [-1, -1, -1]])
    meets, _ = frustum_test(planes(camera), lo, lo + 2.0)
    assert meets.tolist() == [False, True, True]


def test_a_slab_keeps_what_it_touches():
    camera = orthographic((0.0, 0.0, 5.0), 1.0, thickness=2.0)
    lo = np.array([[0.0, 0, 2], [0, 0, 3], [0, 0, 4.5], [0, 0, 6], [0, 0, 7]])
    hi = lo + 1.0
    meets, inside = slab_test(camera, lo, hi)
    assert meets.tolist() == [False, True, True, True, False]
    assert inside.tolist() == [False, False, True, False, False]
    wide = hi.copy()
    wide[:, 2] += 3
    assert slab_share(camera, lo, wide) == pytest.approx([2 / 4, 2 / 4, 1.5 / 4, 0.0, 0.0])


def test_what_lies_between_the_data_is_not_visible():
    scene = grid_scene(8, 4, 100, ndim=2)
    tree = build_cells(scene)
    camera = orthographic((3.4, 3.4), 5000.0)
    visible = visible_cells(tree, camera)
    assert [int(visible[tree.ids_of_level(i)].sum()) for i in range(4)] == [1, 1, 1, 1]
