"""Boxes of what is drawn and their edges."""

import numpy as np
import pytest

from zv_viewer.drawing import outlines
from zv_viewer.drawing.drawn import drawn_levels, rows_drawn
from zv_viewer.drawing.outlines import Boxes, bin_boxes, chunk_boxes, edges, joined, view_edges
from zv_viewer.drawing.points import cell_arrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.planning import build_cells
from zv_viewer.testing.cameras import look_at, orthographic
from zv_viewer.testing.sources import make_cloud

COLOURS = np.arange(12, dtype=np.uint8).reshape(4, 3)


@pytest.fixture(scope="module")
def cloud():
    source = make_cloud(4000, 3, seed=3)
    return source, source.scene, build_cells(source.scene)


def arrays_of(source, scene, tree, cell):
    level = int(tree.level[cell])
    raw = source.read(scene.levels[level].index, scene.levels[level].chunks[tree.chunks(cell)])
    return cell_arrays(tree, scene, cell, raw.positions).arrays


def test_chunks_of_what_is_drawn_tile_it(cloud) -> None:
    _, scene, tree = cloud
    root = int(np.flatnonzero(tree.parent < 0)[0])
    child = int(tree.children(root)[1])
    middle = scene.origin
    whole = chunk_boxes(scene, tree, [DrawItem(root)], middle)
    assert whole.of == len(whole) == len(tree.chunks(root))
    assert (whole.levels == tree.level[root]).all()
    part = chunk_boxes(scene, tree, [DrawItem(root, (0, 2)), DrawItem(child)], middle)
    own = part.levels == tree.level[child]
    assert own.sum() == len(tree.chunks(child))
    assert (part.lo[own] >= tree.lo[child] - 1e-9).all()
    fine = int(np.flatnonzero(tree.level == 1)[0])
    whole = chunk_boxes(scene, tree, [DrawItem(fine)], middle)
    kids = tree.children(fine)
    for places in ((0,), (1, 2), tuple(range(len(kids)))):
        found = chunk_boxes(scene, tree, [DrawItem(fine, places)], middle)
        reach = [
            any(
                (low < tree.hi[kid]).all() and (high > tree.lo[kid]).all()
                for kid in kids[list(places)]
            )
            for low, high in zip(whole.lo, whole.hi, strict=True)
        ]
        assert len(found) == sum(reach) > 0


def test_bins_of_rows_hold_them(cloud) -> None:
    source, scene, tree = cloud
    cell = int(tree.ids_of_level(1).start)
    arrays = arrays_of(source, scene, tree, cell)
    item = DrawItem(cell)
    boxes = bin_boxes(scene, tree, [(arrays, item)], scene.origin)
    at = arrays.positions[:, :3] + scene.origin
    inside = ((at[:, None] >= boxes.lo - 1e-3) & (at[:, None] <= boxes.hi + 1e-3)).all(axis=2)
    assert inside.any(axis=1).all()
    assert inside.any(axis=0).all()
    assert np.allclose(boxes.hi - boxes.lo, scene.levels[1].bin_shape)
    some = tuple(range(len(tree.children(cell)) - 1))
    fewer = bin_boxes(scene, tree, [(arrays, DrawItem(cell, some))], scene.origin)
    assert 0 < len(fewer) < len(boxes)
    counted = drawn_levels(tree, [(arrays, item), (arrays, DrawItem(cell, some))], None)
    assert counted[1].cells == 2
    rows = arrays.part_start[len(some)]
    assert rows_drawn(DrawItem(cell, some), arrays, None) == rows
    assert counted[1].vertices == len(arrays) + rows
    assert counted[1].nbytes == 2 * tree.fetch_bytes[cell]


def test_too_many_boxes_are_told(cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    _, scene, tree = cloud
    monkeypatch.setattr(outlines, "MOST", 5)
    items = [DrawItem(int(cell)) for cell in np.flatnonzero(tree.level == 0)]
    boxes = chunk_boxes(scene, tree, items, scene.bounds[0])
    assert len(boxes) == 5
    assert boxes.of == len(scene.levels[0].chunks)
    away = np.linalg.norm((boxes.lo + boxes.hi) / 2 - scene.bounds[0], axis=1)
    every = (scene.levels[0].chunks + 0.5) * scene.levels[0].chunk_shape - scene.bounds[0]
    assert away.max() <= np.sort(np.linalg.norm(every, axis=1))[4] + 1e-9


def test_edges_join_corners_that_differ_in_one_axis() -> None:
    boxes = Boxes(
        np.zeros((2, 3)), np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 9.0]]), np.array([0, 2]), 2
    )
    solid = edges(boxes, (0, 1, 2), COLOURS)
    assert solid.ends.shape == (24, 2, 3)
    along = np.abs(solid.ends[:, 1] - solid.ends[:, 0])
    assert ((along > 0).sum(axis=1) == 1).all()
    assert len(np.unique(np.sort(solid.ends.reshape(24, -1)), axis=0)) > 1
    lengths = np.sort(along[:12].sum(axis=1))
    assert np.allclose(lengths, np.repeat([1.0, 2.0, 3.0], 4))
    flat = edges(boxes, (0, 1), COLOURS)
    assert flat.ends.shape == (8, 2, 2)  # of two levels
    same = Boxes(boxes.lo, boxes.hi, np.array([1, 1]), 2)
    assert edges(same, (0, 1), COLOURS).ends.shape == (4, 2, 2)
    assert (edges(same, (0, 1), COLOURS).colours == COLOURS[1]).all()
    assert joined(flat, flat).ends.shape == (16, 2, 2)


def test_edges_of_a_view_land_at_the_rim_of_its_canvas() -> None:
    bounds = np.array([[0.0] * 3, [10.0] * 3])
    flat = orthographic((5.0, 5.0, 5.0), 50.0, displayed=(0, 1))
    solid = look_at((-20.0, 5.0, 5.0), (5.0, 5.0, 5.0))
    for camera, pieces in ((flat, 4), (solid, 12)):
        found = view_edges(camera, bounds, (1, 2, 3))
        assert found.ends.shape[0] == pieces
        n = len(camera.displayed)
        ends = found.ends.reshape(-1, n)
        clip = ends @ camera.matrix[:, :n].T + camera.matrix[:, 3]
        assert np.allclose(np.abs(clip[:, :2] / clip[:, 3:]), 1.0)
    inside = look_at((5.0, 5.0, 5.0), (9.0, 5.0, 5.0))
    assert len(view_edges(inside, bounds, (1, 2, 3)).ends) < 12
