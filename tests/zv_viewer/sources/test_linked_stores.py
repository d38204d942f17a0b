"""Stores of every joined kind: what cells show is what the library reads of the whole level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.linked import read_edges, read_faces
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.testing.kinds import KINDS, make_store
from zv_viewer.controller.reading import CellReader
from zv_viewer.drawing import Joints, cells_of_chunks
from zv_viewer.loading.queue import Job
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import Tier
from zv_viewer.planning import build_cells
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.linked_truth import links_to_see, seen_links

LINKED = [kind for kind in KINDS if kind not in ("points", "objects")]


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ends_of(path: Path, number: int, kind: str) -> np.ndarray:
    """(L, W, D) positions of the ends of all links of a level, as read whole."""
    handle = open_handle(str(path))
    arrays = describe_level(handle.layout, handle.meta, handle.level(number))
    plan = plan_read(arrays.table.coords, arrays.chunk_shape)
    read = read_faces if kind == "mesh" else read_edges
    rows = read(handle, LevelReader(handle.layout, arrays), plan)
    return rows.points.positions[rows.links]


@pytest.mark.parametrize("kind", LINKED)
def test_any_cells_and_their_joints_show_the_links_among_them(
    tmp_path: Path, version: str, kind: str
) -> None:
    path = tmp_path / "s"
    make_store(kind, path, format_version=version)
    build_pyramid(str(path), factors=[(2.0, 1.0)])
    source = StoreSource(str(path))
    scene = source.describe()
    assert scene.geometry == kind
    assert scene.by_object
    with open_zv(str(path)) as store:
        assert scene.objects.tolist() == [-1, *store[0].present_oids.tolist()]
    tree = build_cells(scene)
    reader = CellReader(source, scene, tree)
    rng, reached = np.random.default_rng(0), 0
    for position, level in enumerate(scene.levels):
        ids = range(len(tree))[tree.ids_of_level(position)]
        cells = {cell: reader(Job(cell, Tier.TARGET)).arrays for cell in ids}
        ends = ends_of(path, level.index, kind)
        owner = cells_of_chunks(tree)[position]
        for share in (0.4, 1.0):
            drawn = {cell for cell in ids if rng.random() <= share}
            joints = Joints()
            for cell in drawn:
                joints.put(cell, cells[cell].links.open)
            added = joints.update(drawn).added
            seen = seen_links(cells, drawn, added)
            ranks = {link[:-1]: int(link[-1]) for link in seen}
            expected = links_to_see(scene, level, owner, drawn, ends, np.zeros(len(ends), int))
            assert {link[:-1] for link in expected} == set(ranks)
            assert seen.total() == expected.total()
            assert all(rank > 0 for rank in ranks.values())
            reached += sum(map(len, added))
    assert reached
    source.close()


@pytest.mark.parametrize("kind", ["streamline", "skeleton", "mesh"])
def test_a_damaged_chunk_takes_only_what_it_holds_and_what_leads_there(
    tmp_path: Path, version: str, kind: str
) -> None:
    path = tmp_path / "s"
    sizes = {"chunk_shape": (30.0,) * 3, "bin_shape": (15.0,) * 3}
    make_store(kind, path, format_version=version, **sizes)
    build_pyramid(str(path), factors=[(4.0, 1.0)])
    source = StoreSource(str(path))
    scene = source.describe()
    tree = build_cells(scene)
    ids = range(len(tree))[tree.ids_of_level(0)]
    cell = max(ids, key=lambda c: (len(tree.chunks(c)) > 2) * int(tree.count[c]))
    ordinals = tree.chunks(cell)
    level = scene.levels[0]
    lost = level.chunks[ordinals[1]]
    whole = CellReader(source, scene, tree)(Job(cell, Tier.TARGET, "age")).arrays
    source.close()
    if version == "0.7.0":
        blob = path / "0" / "vertices" / ".".join(map(str, lost)) / "c" / "0"
    else:
        blob = path.joinpath("0", "vertices", "c", *map(str, lost - level.chunks.min(axis=0)))
    blob.write_bytes(blob.read_bytes()[:-3])
    source = StoreSource(str(path))
    damaged = CellReader(source, scene, tree)(Job(cell, Tier.TARGET, "age"))
    source.close()
    arrays, (problem,) = damaged.arrays, damaged.problems
    assert "0/vertices" in problem
    assert damaged.unread == (1,)
    chunk = np.floor((whole.positions[:, :3] + scene.origin) / level.chunk_shape)
    left = (chunk != lost).any(axis=1)
    assert 0 < left.sum() < len(whole)
    assert np.array_equal(arrays.positions, whole.positions[left])
    assert np.array_equal(arrays.values, whole.values[left])
    assert np.array_equal(arrays.links.objects, whole.links.objects[left])

    def inner(cell: CellArrays) -> list[list[list[float]]]:
        return sorted(cell.positions[cell.links.inner].tolist())

    kept = left[whole.links.inner].all(axis=1)
    rows = sorted(whole.positions[whole.links.inner[kept]].tolist())
    assert len(rows) < len(kept)
    assert rows or kind == "mesh"  # whose faces reach far
    assert inner(arrays) == rows
