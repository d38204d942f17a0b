"""Links of cells: by their own rows, none lost and none twice, however they were read."""

from __future__ import annotations

import numpy as np
import pytest

from zv_viewer.drawing import (
    Joints,
    cell_arrays,
    cells_of_chunks,
    joined_links,
    object_ranks,
    with_links,
)
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import RawLinks
from zv_viewer.planning import build_cells
from zv_viewer.testing.linked import LinkedCloud, make_linked_cloud
from zv_viewer.testing.linked_truth import Seen, links_to_see, seen_links

KINDS = ("line", "streamline", "skeleton", "graph", "mesh")


def read_cell(source: LinkedCloud, tree: CellTree, cell: int, *, parts: bool) -> CellArrays:
    """A cell read at once, or chunk by chunk as where some are damaged; those are left out."""
    scene = source.scene
    level = int(tree.level[cell])
    chunks = scene.levels[level].chunks[tree.chunks(cell)]
    chunks = np.array([c for c in chunks if not source.broken(level, tuple(c.tolist()))], np.int64)
    whole = [chunks[i : i + 1] for i in range(len(chunks))] if parts else [chunks]
    found = [source.read(level, part) for part in whole]
    positions = np.concatenate([part.positions for part in found])
    packed = cell_arrays(tree, scene, cell, positions)
    links = joined_links([part.links for part in found if part.links is not None])
    chunk_cells = cells_of_chunks(tree)[level]
    return with_links(packed.arrays, level, links, scene.objects, chunk_cells)


def truth(source: LinkedCloud, tree: CellTree, level: int, drawn: set[int]) -> Seen:
    joined, stored = source.joined[level], source.levels[level]
    good = np.isfinite(stored.positions[joined.stored]).all(axis=1)
    links = joined.links[good[joined.links].all(axis=1)]
    return links_to_see(
        source.scene,
        source.scene.levels[level],
        cells_of_chunks(tree)[level],
        drawn,
        stored.positions[joined.stored][links],
        object_ranks(source.scene.objects, joined.objects[links[:, 0]]).astype(np.int64),
    )


@pytest.mark.parametrize("growth", [2.0, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_what_any_cells_show_is_what_joins_their_rows(kind: str, growth: float) -> None:
    reached, parts = 0, growth < 1  # chunks of coarse cells, one by one
    for seed in range(3):
        rng = np.random.default_rng(seed)
        ndim, shares = 2 + seed % 2, (0.3, 0.7, 1.0)
        source = make_linked_cloud(
            kind,
            12,
            40,
            2,
            seed,
            ndim=ndim,
            chunks=4,
            growth=growth,
            copies=2,
            loose=9,
            sparsity=0.7,
        )
        tree = build_cells(source.scene)
        for level in range(2):
            ids = range(len(tree))[tree.ids_of_level(level)]
            cells = {cell: read_cell(source, tree, cell, parts=parts) for cell in ids}
            for share in shares:
                drawn = {cell for cell in ids if rng.random() <= share}
                joints = Joints()
                for cell in drawn:
                    joints.put(cell, cells[cell].links.open)
                added = joints.update(drawn).added
                assert seen_links(cells, drawn, added) == truth(source, tree, level, drawn)
                reached += sum(map(len, added))
    assert reached > 20


def test_rows_left_out_take_their_links_with_them() -> None:
    source = make_linked_cloud("streamline", 12, 60, 1, 3, chunks=4)
    tree = build_cells(source.scene)
    ids = range(len(tree))
    every = truth(source, tree, 0, set(ids))
    source.levels[0].positions[::7] = np.nan
    cells = {cell: read_cell(source, tree, cell, parts=False) for cell in ids}
    joints = Joints()
    for cell in ids:
        joints.put(cell, cells[cell].links.open)
    seen = seen_links(cells, ids, joints.update(ids).added)
    assert seen == truth(source, tree, 0, set(ids))
    assert 100 < seen.total() < every.total()


@pytest.mark.parametrize("kind", ["streamline", "mesh"])
def test_links_into_chunks_that_could_not_be_read_are_not_drawn(kind: str) -> None:
    source = make_linked_cloud(kind, 12, 60, 2, 5, chunks=4, bins_per_chunk=16, growth=0.5)
    tree = build_cells(source.scene)
    level, stored = source.scene.levels[1], source.levels[1]
    ids = range(len(tree))[tree.ids_of_level(1)]
    lost = {tuple(level.chunks[tree.chunks(c)[0]].tolist()) for c in ids if len(tree.chunks(c)) > 1}
    source.broken = lambda number, chunk: number == 1 and chunk in lost
    cells = {cell: read_cell(source, tree, cell, parts=True) for cell in ids}
    joints = Joints()
    for cell in ids:
        joints.put(cell, cells[cell].links.open)
    seen = seen_links(cells, ids, joints.update(ids).added)
    every = truth(source, tree, 1, set(ids))
    for chunk in lost:
        stored.positions[stored.rows_of(chunk)] = np.nan
    assert seen == truth(source, tree, 1, set(ids))
    assert 100 < seen.total() < every.total()


def test_rows_find_their_values_by_the_rows_stored() -> None:
    source = make_linked_cloud("skeleton", 12, 60, 2, 1, copies=5)
    tree = build_cells(source.scene)
    repeated = 0
    for cell in range(len(tree)):
        arrays = read_cell(source, tree, cell, parts=bool(cell % 2))
        level = source.scene.levels[int(tree.level[cell])]
        values, _, _ = source.read_values(level.index, level.chunks[tree.chunks(cell)], "height")
        world = arrays.positions[:, :3] + source.scene.origin
        if level.index == 0:
            assert np.allclose(values[arrays.order], world.sum(axis=1), atol=1e-3)
        repeated += len(arrays) - len(np.unique(arrays.order))
    assert repeated


def test_groups_ascend_and_line_up() -> None:
    source = make_linked_cloud("mesh", 12, 60, 1, 2, chunks=4)
    tree = build_cells(source.scene)
    cells = {
        cell: read_cell(source, tree, cell, parts=False).links.open for cell in range(len(tree))
    }
    several = 0
    for cell, links in cells.items():
        assert len(set(links.groups)) == len(links.groups) == len(links.start) - 1
        for name, first, end in zip(links.groups, links.start, links.start[1:], strict=False):
            assert list(name) == sorted(set(name))
            assert cell in name
            several += len(name) > 2
            part = slice(int(first), int(end))
            assert {tuple(sorted(set(row))) for row in links.owner[part].tolist()} == {name}
            keys = np.column_stack([links.objects[part], links.ends[part]]).tolist()
            assert keys == sorted(keys)
            for other in name:
                far = cells[other]
                at = far.groups.index(name)
                there = slice(int(far.start[at]), int(far.start[at + 1]))
                assert np.array_equal(far.ends[there], links.ends[part])
    assert several


def test_equal_links_of_several_reads_are_matched_in_order() -> None:
    none = np.zeros((0, 2), np.int64)
    end = np.array([[5, 1 << 32]])
    twice = np.repeat(end, 2, axis=0)
    here = RawLinks(
        objects=np.zeros(3, np.int64),
        inner=np.array([[2, 0]]),
        open_rows=np.array([[0, -1], [1, -1]]),
        open_ends=twice,
        open_objects=np.zeros(2, np.int64),
        stored=np.array([0, 0, 1]),
        stored_count=2,
    )
    there = RawLinks(
        objects=np.zeros(2, np.int64),
        inner=none,
        open_rows=np.array([[-1, 0], [-1, 1], [0, -1]]),
        open_ends=np.concatenate([twice, [[1 << 32, 9 << 32]]]),
        open_objects=np.zeros(3, np.int64),
        stored=np.array([1, 0]),
        stored_count=2,
    )
    both = joined_links([here, there])
    assert both.inner.tolist() == [[2, 0], [0, 3], [1, 4]]
    assert both.open_rows.tolist() == [[3, -1]]
    assert both.open_ends.tolist() == [[1 << 32, 9 << 32]]
    assert both.stored.tolist() == [0, 0, 1, 3, 2]
    assert both.stored_count == 4
    assert len(both.objects) == 5


def test_unknown_objects_have_the_place_of_none() -> None:
    ids = np.array([7, -1, 3, 99])
    assert object_ranks(np.array([-1, 3, 7]), ids).tolist() == [2, 0, 1, 0]
    assert object_ranks(np.array([0]), ids).tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="place"):
        object_ranks(np.array([3, 7]), ids)
