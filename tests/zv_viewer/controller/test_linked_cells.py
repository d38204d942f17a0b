"""Cells of linked stores as a worker reads them: whole, damaged, with values, with directions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.types.polylines import write_polylines
from zv_viewer.controller.reading import CellReader, Held
from zv_viewer.drawing import Joints, pack_values
from zv_viewer.loading.queue import Job
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import Tier
from zv_viewer.planning import build_cells
from zv_viewer.sources.drawable import DIRECTION
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.linked_truth import seen_links

COUNT = 30


def job(cell: int, name: str | None = None, *, values_only: bool = False) -> Job:
    return Job(cell, Tier.TARGET, name, values_only)


def values_of(reader: CellReader, arrays: CellArrays, name: str, *unread: int) -> np.ndarray:
    """Values of a cell in memory."""
    wanted = job(arrays.cell, name, values_only=True)
    reader.expect(wanted, Held(arrays, unread))
    try:
        loaded = reader(wanted)
    finally:
        reader.forget(wanted)
    assert loaded.arrays is None
    assert loaded.more is not None
    assert loaded.more.values is not None
    return loaded.more.values


@pytest.mark.parametrize("kind", ["streamline", "mesh"])
def test_values_are_the_same_with_the_cell_and_after_it(kind: str) -> None:
    source = make_linked_cloud(kind, 12, 60, 2, 2, chunks=4, growth=0.5, copies=3, loose=10)
    tree = build_cells(source.scene)
    reader = CellReader(source, source.scene, tree)
    for cell in range(len(tree)):
        with_values = reader(job(cell, "height")).arrays
        later = values_of(reader, reader(job(cell)).arrays, "height")
        assert np.array_equal(with_values.values, later)


def test_a_damaged_chunk_takes_its_own_links_and_no_others() -> None:
    source = make_linked_cloud("streamline", 20, 80, 2, 4, chunks=4, growth=0.5, bins_per_chunk=8)
    scene = source.scene
    tree = build_cells(scene)
    reader = CellReader(source, scene, tree)
    ids = range(len(tree))[tree.ids_of_level(1)]
    cell = max(ids, key=lambda c: int(tree.count[c]))
    assert len(tree.chunks(cell)) > 2
    whole = {c: reader(job(c, "height")).arrays for c in ids}
    lost = tuple(scene.levels[1].chunks[tree.chunks(cell)[1]].tolist())
    source.broken = lambda level, chunk: (level, chunk) == (1, lost)
    damaged = reader(job(cell, "height"))
    assert damaged.unread == (1,)
    assert len(damaged.problems) == 1
    arrays = damaged.arrays
    assert len(arrays) == len(whole[cell]) - source.levels[1].info.counts[tree.chunks(cell)[1]]
    assert np.array_equal(values_of(reader, arrays, "height", 1), arrays.values)

    def seen(cells: dict[int, CellArrays]) -> set[tuple[float, ...]]:
        joints = Joints()
        for c, each in cells.items():
            joints.put(c, each.links.open)
        return set(seen_links(cells, ids, joints.update(ids).added))

    every, left = seen(whole), seen(whole | {cell: arrays})
    shape, origin = scene.levels[1].chunk_shape, scene.origin
    gone = {
        link
        for link in every
        if any(
            tuple(np.floor((np.array(link[i : i + 3]) + origin) / shape).astype(int)) == lost
            for i in (0, 4)
        )
    }
    assert gone
    assert left == every - gone


def test_all_chunks_damaged_is_an_error() -> None:
    source = make_linked_cloud("mesh", 6, 40, 1, 0, chunks=2)
    tree = build_cells(source.scene)
    source.broken = lambda level, chunk: True
    with pytest.raises(ArrayError, match="cut"):
        CellReader(source, source.scene, tree)(job(0))


@pytest.fixture(params=["0.7.0", "0.9.2"])
def curves(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StoreSource]:
    """Helices through many chunks; ``turn`` counts along each, ``rgb`` is theirs."""
    rng = np.random.default_rng(0)
    at = np.linspace(0, 6, COUNT * 4)
    lines = [
        rng.uniform(0, 40, 3) + np.stack([8 * np.cos(at), 8 * np.sin(at), 5 * at], axis=1)
        for _ in range(COUNT)
    ]
    path = tmp_path / "s"
    write_polylines(
        str(path),
        lines,
        geometry_type="streamline",
        vertex_attributes={
            "turn": [
                np.arange(len(line), dtype=np.float32) + 1000 * i for i, line in enumerate(lines)
            ],
            "rgb": [np.full((len(line), 3), i, np.uint8) for i, line in enumerate(lines)],
        },
        chunk_shape=(20.0,) * 3,
        format_version=request.param,
    )
    source = StoreSource(str(path))
    yield source
    source.close()


def test_values_of_a_store_follow_its_rows(curves: StoreSource) -> None:
    scene = curves.describe()
    tree = build_cells(scene)
    reader = CellReader(curves, scene, tree)
    for cell in range(len(tree)):
        arrays = reader(job(cell, "turn")).arrays
        links = arrays.links
        turns = arrays.values[links.inner]
        assert (turns[:, 1] - turns[:, 0] == 1).all()
        number = scene.objects[links.objects]
        assert np.array_equal(number, np.floor(arrays.values / 1000))
        assert np.array_equal(values_of(reader, arrays, "turn"), arrays.values)
        colours = values_of(reader, arrays, "rgb")
        assert np.array_equal(colours, number << 16 | number << 8 | number)


def test_directions_need_no_reads() -> None:
    source = make_linked_cloud("streamline", 20, 60, 1, 7, chunks=8)
    assert source.scene.attributes[-1] == DIRECTION
    tree = build_cells(source.scene)
    reader = CellReader(source, source.scene, tree)
    cells = [reader(job(cell)).arrays for cell in range(len(tree))]
    whole = [reader(job(cell, "direction")).arrays for cell in range(len(tree))]
    source.broken = lambda level, chunk: True
    alone = 0
    for plain, coloured in zip(cells, whole, strict=True):
        values = values_of(reader, plain, "direction")
        assert coloured.attribute == "direction"
        assert np.array_equal(coloured.values, values, equal_nan=True)
        inside = np.zeros(len(plain), bool)
        inside[plain.links.inner] = True
        joined = inside.copy()
        joined[plain.links.open.rows[plain.links.open.rows >= 0]] = True
        assert np.array_equal(np.isfinite(values), joined)
        alone += int((joined & ~inside).sum())
    assert alone


def test_directions_are_where_curves_run() -> None:
    source = make_linked_cloud("streamline", 1, 3, 1, 0, chunks=1)
    stored = source.levels[0].positions
    stored[:] = [[0, 0, 0], [0, 0, 2], [0, -2, 2]]  # z, y, x: along x, then down y
    tree = build_cells(source.scene)
    arrays = CellReader(source, source.scene, tree)(job(0, "direction")).arrays
    both = 255 / np.sqrt(2)
    expected = pack_values(DIRECTION, np.array([[255, 0, 0], [both, both, 0], [0, 255, 0]]))
    assert np.array_equal(arrays.values, expected[arrays.order])


def test_a_row_alone_in_its_cell_runs_towards_the_cells_it_is_joined_to() -> None:
    source = make_linked_cloud("streamline", 20, 60, 1, 7, chunks=8)
    tree = build_cells(source.scene)
    reader, found = CellReader(source, source.scene, tree), 0
    for cell in range(len(tree)):
        arrays = reader(job(cell, "direction")).arrays
        away = arrays.links.open
        for row in np.setdiff1d(away.rows, [-1, *arrays.links.inner.ravel()]).tolist():
            others = away.owner[(away.rows == row)[:, ::-1]]
            steps = (tree.lo[others] + tree.hi[others]) / 2 - source.scene.origin
            steps = np.abs(steps - arrays.positions[row, :3])
            share = (steps / np.linalg.norm(steps, axis=1, keepdims=True)).sum(axis=0)
            share = 255 * share[::-1] / np.linalg.norm(share)
            assert arrays.values[row] == pack_values(DIRECTION, share[None])[0]
            found += 1
    assert found > 10
