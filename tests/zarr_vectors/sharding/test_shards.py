"""Packing changes where bytes are, and nothing that is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.core.store import open_store
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.sharding.io import (
    get_shard_info,
    is_sharded,
    reshard,
    shard_store,
    unshard_store,
)
from zarr_vectors.sharding.layout import ShardLayout, along
from zarr_vectors.testing.data import cloud, points_store


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def everything(root: Path) -> dict[int, Any]:
    store = open_zv(root)
    found = {}
    for number in store.levels:
        level = store[number]
        names = list(level.attribute_specs)
        rows = level.read_chunks(level.chunk_table.coords, names)
        found[number] = {
            key: [part.positions.tobytes(), *(part.attributes[n].tobytes() for n in names)]
            for key, part in rows.items()
        }
    return found


@pytest.fixture(params=["0.7.0", "0.9.2"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    points_store(tmp_path / "s", cloud(400), chunk=40.0, format_version=request.param, levels=2)
    return tmp_path / "s"


@pytest.mark.parametrize("layout", ["octree", "snake", "index_table"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_packed_reads_the_same(store: Path, layout: str, size: int) -> None:
    before, stored = everything(store), files(store)
    assert not is_sharded(store)
    said = shard_store(store, layout, size)
    assert is_sharded(store)
    info = get_shard_info(store)
    assert said["layout"] == layout == info["layout"]
    assert info["shard_size"] == size
    assert said["shards_created"] == info["shard_count"]
    assert said["chunks_packed"] == info["chunk_count"] > info["shard_count"] * min(size, 2) / 2
    assert everything(store) == before
    if size > 1:
        assert len(files(store)) < len(stored)
    assert unshard_store(store) == {"chunks_extracted": said["chunks_packed"]}
    assert not is_sharded(store)
    assert files(store) == stored


def test_packed_again(store: Path) -> None:
    before = everything(store)
    shard_store(store, ShardLayout.OCTREE, 4)
    with pytest.raises(StoreError, match="reshard"):
        shard_store(store)
    few = get_shard_info(store)["shard_count"]
    said = reshard(store, "snake", 32)
    assert said["action"] == "reshard"
    assert said["shards_created"] == get_shard_info(store)["shard_count"] < few
    assert everything(store) == before


def test_some_arrays(store: Path) -> None:
    before = everything(store)
    shard_store(store, arrays=["vertices", "vertex_attributes/value"])
    packed = set(get_shard_info(store)["arrays"])
    assert packed == {
        f"{n}/{a}"
        for n in (0, 1, 2)[: len(before)]
        for a in ("vertices", "vertex_attributes/value")
    }
    assert everything(store) == before
    with pytest.raises(StoreError, match="no chunked array 'nothing'"):
        reshard(store, "snake", arrays=["nothing"])
    assert everything(store) == before
    assert set(get_shard_info(store)["arrays"]) == packed


def test_packed_cells_can_be_changed(store: Path) -> None:
    shard_store(store, "octree", 8)
    layout = open_store(store, "r+").layout
    path = "0/vertices"
    cells = layout.get_cells({path: layout.list_cells(path)})[path]
    first, second, *_ = sorted(cells)
    layout.put_cells(path, {first: b"changed" * 12, second: b""})
    expected = {**cells, first: b"changed" * 12}
    del expected[second]
    again = open_store(store).layout
    assert again.list_cells(path) == tuple(sorted(expected))
    assert again.get_cells({path: cells})[path] == expected


def test_appending_to_a_packed_store(store: Path) -> None:
    before = open_zv(store)[0].vertices.compute()
    shard_store(store, "octree", 8)
    handle = open_zv(store)
    specs = handle[0].attribute_specs
    new = np.array([[1.0, 2.0, 3.0], [900.0, -900.0, 5.0]])
    values = {
        name: [spec.categories[0]] * 2
        if spec.categories
        else np.zeros((2, *spec.row_shape), spec.dtype)
        for name, spec in specs.items()
    }
    with handle[0].writer() as writer:
        writer.append_vertices_sync(new, attributes=values)
    after = open_zv(store)[0].vertices.compute()
    assert len(after) == len(before) + 2
    known = {tuple(row) for row in after.tolist()}
    assert {tuple(row) for row in [*before.tolist(), *new.astype(np.float32).tolist()]} == known


def test_damage_in_a_shard_is_named(store: Path) -> None:
    shard_store(store, "octree", 8)
    (shard, *_) = sorted(
        p for p in (store / "0" / "vertices").rglob("*") if p.is_file() and p.name != "zarr.json"
    )
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(ArrayError, match="0/vertices") as found:
        open_zv(store)[0].vertices.compute()
    assert found.value.chunk is not None


def test_bad_arguments(store: Path) -> None:
    with pytest.raises(ValueError, match="not a valid ShardLayout"):
        shard_store(store, "hilbert")
    with pytest.raises(ValueError, match="unshard_store"):
        shard_store(store, "flat")
    with pytest.raises(ValueError, match="at least 1"):
        shard_store(store, "snake", 0)


@pytest.mark.parametrize("layout", list(ShardLayout))
def test_curves_pass_every_chunk_once(layout: ShardLayout) -> None:
    rng = np.random.default_rng(0)
    chunks = [tuple(c) for c in np.unique(rng.integers(-9, 9, (90, 3)), axis=0).tolist()]
    rng.shuffle(chunks)
    assert sorted(along(layout, chunks)) == sorted(chunks)
    assert along(layout, []) == []


def test_what_curves_look_like() -> None:
    square = [(i, j) for i in range(4) for j in range(4)]
    path = along(ShardLayout.SNAKE, square)
    steps = np.abs(np.diff(np.array(path), axis=0)).sum(axis=1)
    assert (steps == 1).all()
    blocks = along(ShardLayout.OCTREE, square)
    for start in range(0, 16, 4):
        part = np.array(blocks[start : start + 4])
        assert (np.ptp(part, axis=0) == 1).all()
