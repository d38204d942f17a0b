from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zv_viewer.planning import build_cells, level_errors
from zv_viewer.planning.cells import BYTES_PER_ROW
from zv_viewer.testing.scenes import grid_scene, level, random_scene, scene_of

SEEDS = st.integers(0, 2**32 - 1)


def line(*levels, end=24.0):
    """A scene of one row of chunks: (chunk, bin, chunk numbers) per level, finest first."""
    made = [
        level(
            i, [chunk, 1.0], [bins, 1.0], np.array([[n, 0] for n in numbers]), [10] * len(numbers)
        )
        for i, (chunk, bins, numbers) in enumerate(levels)
    ]
    return scene_of(made, np.array([[0.0, 0.0], [end, 1.0]]))


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_every_tree_nests_and_loses_nothing(seed):
    scene = random_scene(np.random.default_rng(seed))
    tree = build_cells(scene)
    for i, info in enumerate(scene.levels):
        ids = tree.ids_of_level(i)
        assert (tree.level[ids] == i).all()
        assert tree.count[ids].sum() == info.counts.sum()
        rows = [tree.chunks(cell) for cell in range(ids.start, ids.stop)]
        assert sorted(np.concatenate(rows) if rows else []) == list(range(len(info.chunks)))
        for cell, mine in zip(range(ids.start, ids.stop), rows, strict=True):
            lo = info.chunks[mine, -scene.ndim :] * info.chunk_shape
            hi = np.minimum(lo + info.chunk_shape, scene.bounds[1])
            assert (np.maximum(lo, scene.bounds[0]) >= tree.lo[cell] - 1e-9).all()
            assert (hi <= tree.hi[cell] + 1e-9).all()
    below = np.flatnonzero(tree.parent >= 0)
    above = tree.parent[below]
    assert (above < below).all()
    assert (tree.level[above] > tree.level[below]).all()
    assert (tree.lo[above] <= tree.lo[below]).all()
    assert (tree.hi[above] >= tree.hi[below]).all()
    assert (tree.error[above] >= tree.error[below]).all()
    for cell in range(len(tree)):
        children = tree.children(cell)
        assert (tree.parent[children] == cell).all()
        assert (np.diff(children) > 0).all()
    assert len(tree.child) == len(below)
    assert (tree.nbytes >= tree.count * BYTES_PER_ROW).all()
    assert (tree.fetch_bytes == np.ceil(tree.count * scene.bytes_per_vertex)).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_cells_of_one_level_do_not_overlap(seed):
    tree = build_cells(random_scene(np.random.default_rng(seed)))
    for i in range(len(tree.cell_shape)):
        ids = tree.ids_of_level(i)
        lo, hi = tree.lo[ids], tree.hi[ids]
        common = np.minimum(hi[:, None], hi) - np.maximum(lo[:, None], lo)
        overlap = (common > 1e-9).all(axis=-1)
        assert not overlap[~np.eye(len(lo), dtype=bool)].any()


@pytest.mark.parametrize("growth", [(2.0, 2.0), (1.0, 2.0), (1.5, 3.0), (3.0, 2.0)])
def test_a_vertex_is_represented_in_its_cell_at_every_coarser_level(growth):
    rng = np.random.default_rng(5)
    points = rng.uniform(-30, 50, (4000, 2))
    levels, bins = [], np.array([1.0, 2.0])
    places = []
    for i in range(3):
        size, chunk = bins * 2.0**i, 8 * np.array(growth) ** i
        key = np.floor(points / size)
        _, owner = np.unique(key, axis=0, return_inverse=True)
        owner = owner.reshape(-1)
        number = np.bincount(owner)
        mean = np.stack([np.bincount(owner, points[:, a]) / number for a in (0, 1)], axis=1)
        rows, counts = np.unique(
            np.floor((mean if i else points) / chunk).astype(int), axis=0, return_counts=True
        )
        places.append(mean[owner] if i else points)
        levels.append(level(i, chunk, size, rows, counts))
    tree = build_cells(scene_of(levels, np.array([[-30.0, -30.0], [50.0, 50.0]])))
    for point in range(0, len(points), 40):
        cells = [
            cell
            for i in range(3)
            for cell in range(*tree.ids_of_level(i).indices(len(tree)))
            if (tree.lo[cell] <= places[i][point]).all()
            and (places[i][point] < tree.hi[cell]).all()
        ]
        assert len(cells) == 3
        assert tree.parent[cells[0]] == cells[1]
        assert tree.parent[cells[1]] == cells[2]


def test_grids_that_do_not_nest_meet_at_their_common_multiple():
    tree = build_cells(line((2.0, 1.0, range(12)), (3.0, 2.0, range(8)), (4.0, 4.0, range(6))))
    assert tree.cell_shape[:, 0].tolist() == [2.0, 12.0, 12.0]
    assert tree.hi[tree.ids_of_level(0)][:, 0].tolist() == [2.0 * i for i in range(1, 13)]
    assert tree.parent.tolist() == [-1, -1, 0, 1] + [2] * 6 + [3] * 6


def test_decimal_sizes_have_their_exact_multiple():
    tree = build_cells(line((0.3, 0.1, range(80)), (0.7, 0.2, range(35))))
    assert tree.cell_shape[0, 0] == pytest.approx(0.6)
    assert tree.cell_shape[1, 0] == pytest.approx(4.2)
    assert len(tree.chunks(0)) == 6


def test_sizes_without_common_multiple_span_the_extent():
    tree = build_cells(line((2.0, 1.0, range(12)), (2.0 * np.pi, 2.0, range(4))))
    assert np.isinf(tree.cell_shape[1, 0])
    assert tree.cell_shape[1, 1] == 1.0
    assert (tree.level == 1).sum() == 1
    assert tree.lo[0].tolist() == [0.0, 0.0]
    assert tree.hi[0].tolist() == [24.0, 1.0]
    assert (tree.parent[1:] == 0).all()


def test_without_a_parent_a_cell_hangs_below_the_next_coarser_one_or_is_a_root():
    tree = build_cells(line((1.0, 1.0, range(8)), (2.0, 2.0, [0, 1]), (4.0, 4.0, [0, 1]), end=8.0))
    assert tree.parent.tolist() == [-1, -1, 0, 2, 2, 1, 1]
    assert tree.children(1).tolist() == [5, 6]
    tree = build_cells(line((1.0, 1.0, range(4)), (2.0, 2.0, [1])))
    assert tree.parent.tolist() == [-1, -1, 0]


def test_chunks_split_by_an_attribute_share_a_cell():
    plain = grid_scene(4, 2, 64, ndim=2)
    split = replace(
        plain,
        levels=tuple(
            replace(
                info,
                chunks=np.concatenate([np.insert(info.chunks, 0, b, axis=1) for b in (0, 1, 5)]),
                counts=np.tile(info.counts, 3),
            )
            for info in plain.levels
        ),
    )
    one, three = build_cells(plain), build_cells(split)
    assert np.array_equal(one.parent, three.parent)
    assert np.array_equal(one.lo, three.lo)
    assert np.array_equal(three.count, 3 * one.count)
    assert (np.diff(three.chunk_start) == 3).all()


def test_chunks_outside_the_stated_bounds_keep_their_place():
    scene = line((1.0, 1.0, [-3, 0, 9]), end=1.0)
    tree = build_cells(scene)
    assert tree.lo[:, 0].tolist() == [-3.0, 0.0, 9.0]
    assert (tree.hi > tree.lo).all()


def test_errors_are_stored_or_estimated_and_always_grow():
    scene = grid_scene(8, 4, 64)
    plain = level_errors(scene)
    assert plain[0] == 0
    assert plain[1:].tolist() == [info.error for info in scene.levels[1:]]
    unknown = [scene.levels[0], *(replace(info, error=np.nan) for info in scene.levels[1:])]
    spacing = [2.0**i / 4 for i in range(4)]
    assert level_errors(replace(scene, levels=tuple(unknown))) == pytest.approx([0, *spacing[1:]])
    wrong = [replace(info, error=0.5 * (info.index == 1)) for info in scene.levels]
    assert level_errors(replace(scene, levels=tuple(wrong))) == pytest.approx([0, 0.5, 0.65, 0.845])
    nothing = [replace(info, error=0.0) for info in scene.levels]
    assert (level_errors(replace(scene, levels=tuple(nothing)))[1:] > 0).all()


def test_spacing_is_that_of_the_vertices_there():
    scene = grid_scene(4, 1, 1000, chunk=20.0)
    assert build_cells(scene).spacing == pytest.approx(2.0)
    info = scene.levels[0]
    low = info.chunks[:, 2] == 0
    one_layer = replace(info, chunks=info.chunks[low], counts=info.counts[low])
    flat = scene_of([one_layer], np.array([[0.0, 0.0, 5.0], [80.0, 80.0, 5.0]]))
    assert build_cells(flat).spacing[0] == pytest.approx(20 / np.sqrt(1000))
