"""Rows sorted by child, relative to the origin, none lost but those that are nowhere."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zv_viewer.drawing import cell_arrays, part_of
from zv_viewer.planning import build_cells
from zv_viewer.testing.scenes import grid_scene, random_scene
from zv_viewer.testing.sources import make_cloud


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_row_is_in_the_child_its_box_says(seed):
    rng = np.random.default_rng(seed)
    scene = random_scene(rng)
    tree = build_cells(scene)
    for cell in rng.permutation(len(tree))[:10].tolist():
        children = tree.children(cell)
        if not len(children):
            continue
        inside = rng.permutation(np.repeat(children, 5))
        world = tree.lo[inside] + rng.uniform(0.01, 0.99, (len(inside), scene.ndim)) * (
            tree.hi[inside] - tree.lo[inside]
        )
        part = part_of(tree, cell, world)
        box = children[part]
        assert (world >= tree.lo[box]).all()
        assert (world <= tree.hi[box]).all()


def test_rows_keep_their_order_within_a_child_and_their_values():
    source = make_cloud(3000, 3, seed=5)
    scene = source.scene
    tree = build_cells(scene)
    rng = np.random.default_rng(0)
    for cell in range(len(tree)):
        level = scene.levels[int(tree.level[cell])]
        raw = source.read(level.index, level.chunks[tree.chunks(cell)], ("height",))
        values = rng.random(len(raw.positions)).astype(np.float32)
        packed = cell_arrays(tree, scene, cell, raw.positions, values=values, attribute="x")
        arrays = packed.arrays
        assert packed.not_finite == 0
        assert arrays.part_start[-1] == len(arrays) == len(raw.positions)
        assert sorted(arrays.order.tolist()) == list(range(len(arrays)))
        assert np.array_equal(arrays.values, values[arrays.order])
        expected = (raw.positions - scene.origin)[arrays.order].astype(np.float32)
        assert np.array_equal(arrays.positions[:, :3], expected)
        assert not arrays.positions[:, 3].any()
        assert arrays.nbytes <= tree.nbytes[cell]
        for place, child in enumerate(tree.children(cell).tolist()):
            rows = slice(arrays.part_start[place], arrays.part_start[place + 1])
            world = raw.positions[arrays.order[rows]]
            assert (world >= tree.lo[child]).all()
            assert (world <= tree.hi[child]).all()
            assert (np.diff(arrays.order[rows].astype(int)) > 0).all()


def test_positions_that_are_not_finite_are_left_out_and_counted():
    scene = grid_scene(4, 2, 8)
    tree = build_cells(scene)
    world = np.array([[0.5, 0.5, 0.5], [np.nan, 0, 0], [0, np.inf, 0], [0, 0, 1e300], [1, 1, 1.5]])
    packed = cell_arrays(tree, scene, 0, world, values=np.arange(5, dtype=np.float32))
    assert packed.not_finite == 3
    assert sorted(packed.arrays.values.tolist()) == [0, 4]
    assert packed.arrays.part_start[-1] == 2


def test_large_coordinates_keep_their_digits():
    scene = make_cloud(100, 1, seed=1).scene
    from dataclasses import replace

    far = replace(scene, bounds=scene.bounds + 8.5e5)
    tree = build_cells(scene)
    world = np.array([[8.5e5 + 0.001, 8.5e5 + 32, 8.5e5 + 63.999]])
    got = cell_arrays(tree, far, 0, world).arrays.positions[0, :3]
    assert np.abs(got - [-31.999, 0, 31.999]).max() < 1e-5


def test_a_row_outside_all_children_belongs_to_the_nearest():
    scene = grid_scene(4, 2, 8)
    tree = build_cells(scene)
    cell = 0
    children = tree.children(cell)
    out = np.array([[-3.0, 0.5, 0.5]])
    part = int(part_of(tree, cell, out)[0])
    assert tree.lo[children[part]].tolist() == [0, 0, 0]
