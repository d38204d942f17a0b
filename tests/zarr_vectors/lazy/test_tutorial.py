"""What the lazy tutorial promises, block by block, on stores of both formats."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import zarr_vectors.lazy._compute as computing
from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.arrays import list_chunk_keys, read_chunk_vertices, read_fragment_index
from zarr_vectors.core.group import Group
from zarr_vectors.core.store import open_store, read_level_metadata, read_root_metadata
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.lazy import ZVStore, ZVView, open_zv
from zarr_vectors.lazy.views import ViewSpec
from zarr_vectors.testing.data import Cloud, cloud, points_store

COUNT, OBJECTS = 400, 5
BOX = ([-30.0, -10.0, -50.0], [20.0, 35.0, 50.0])


@pytest.fixture(scope="module", params=KNOWN_VERSIONS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cloud with objects and three levels; the last of them lacks the attribute ``value``."""
    store = tmp_path_factory.mktemp("tutorial") / str(request.param)
    points_store(
        store,
        cloud(COUNT),
        format_version=request.param,
        levels=3,
        object_ids=np.arange(COUNT) % OBJECTS,
        groups={0: [0, 1], 1: [1, 4]},
        object_attributes={
            "size": np.arange(OBJECTS, dtype=np.float32) / 2,
            "tip": np.arange(3 * OBJECTS).reshape(OBJECTS, 3),
        },
    )
    HeaderRegistry(store).add("trk", {"voxel_size": [1.0, 2.0, 3.0]})
    return store


@pytest.fixture
def data() -> Cloud:
    return cloud(COUNT)


def inside(data: Cloud) -> np.ndarray:
    points = data.positions.astype(np.float32)
    return ((points >= BOX[0]) & (points <= BOX[1])).all(axis=1)


def test_a_store_tells_what_it_is(path: Path, data: Cloud) -> None:
    store = open_zv(path)
    assert store.geometry_type == "point_cloud"
    assert store.spatial_dims == 3
    low, high = store.bounding_box
    np.testing.assert_array_equal(low, data.positions.astype(np.float32).min(axis=0))
    np.testing.assert_array_equal(high, data.positions.astype(np.float32).max(axis=0))
    assert store.levels == [0, 1, 2] == list(store)
    assert len(store) == 3
    assert 2 in store
    assert 3 not in store
    assert store.n_objects == OBJECTS
    assert store.headers == {"trk": {"voxel_size": [1.0, 2.0, 3.0]}}
    assert store.chunk_shape == (20.0,) * 3
    assert store.bin_shape == store.base_bin_shape == (5.0,) * 3
    assert store.path == path.resolve()
    assert store.url == path.resolve().as_uri()


def test_each_level_tells_what_it_is(path: Path) -> None:
    with open_zv(path) as store:
        for level in store.levels:
            found = store[level]
            assert store.vertex_count(level) == found.vertex_count == len(found.vertices.compute())
            assert store.bin_shape_at(level) == (5.0 * 2**level,) * 3
            assert store.bin_ratio_at(level) == (2.0**level,) * 3
            assert store.object_count_at(level) == OBJECTS
            assert found.level_index == level
            assert found.chunk_count == len(found.chunk_keys) == len(set(found.chunk_keys))
            assert found.object_sparsity == 1.0
        assert (store[0].bin_shape, store[0].bin_ratio) == (None, None)
        assert store[1].bin_shape == (10.0,) * 3
        assert store[2].preserves_object_ids
        assert store[2].inherited_num_objects == OBJECTS
        for ask in (store.vertex_count, store.bin_shape_at, store.object_count_at):
            with pytest.raises(StoreError, match="no level 9"):
                ask(9)


def test_metadata_costs_no_data(path: Path) -> None:
    store = open_zv(path)
    with store.io.scope() as cost:
        assert store.object_count_at(0) == OBJECTS
    assert cost.requests == 1


def test_reading_a_level(path: Path, data: Cloud) -> None:
    result = open_zv(path).read(level=0)
    assert result["level"] == 0
    assert result["vertex_count"] == COUNT == len(result["positions"])
    assert result["positions"].dtype == np.float32
    order = result["attributes"]["row"]
    np.testing.assert_array_equal(result["positions"], data.positions[order].astype(np.float32))
    for name, values in data.attributes.items():
        assert result["attributes"][name].dtype.kind == values.dtype.kind
        np.testing.assert_array_equal(result["attributes"][name], values[order])
    assert open_zv(path).read()["level"] == 0


def test_reading_a_box(path: Path, data: Cloud) -> None:
    result = open_zv(path).read(level=0, bbox=BOX, attributes=["row"])
    assert list(result["attributes"]) == ["row"]
    np.testing.assert_array_equal(
        np.sort(result["attributes"]["row"]), np.flatnonzero(inside(data))
    )


@pytest.mark.parametrize(
    ("target", "level"), [(0.1, 0), (5.0, 0), (9.9, 0), (10.0, 1), (19.9, 1), (20.0, 2), (1e9, 2)]
)
def test_reading_at_a_resolution(path: Path, target: float, level: int) -> None:
    store = open_zv(path)
    assert store.auto_level(target) == level
    assert store.read(target_resolution=target)["level"] == level
    assert store.read(target_resolution=target, level=1)["level"] == 1
    found = store.read(target_resolution=target, attributes=[], bbox=BOX)
    assert found["attributes"] == {}
    assert ((found["positions"] >= BOX[0]) & (found["positions"] <= BOX[1])).all()


def test_chunks_one_after_the_other(path: Path, data: Cloud) -> None:
    store = open_zv(path)
    total, rows = 0, []
    for coord, chunk in store.iter_chunks(level=0):
        low = np.array(coord) * 20.0
        assert ((chunk["positions"] >= low) & (chunk["positions"] <= low + 20)).all()
        total += len(chunk["positions"])
        rows.append(chunk["attributes"]["row"])
    assert total == COUNT
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(COUNT))
    keys = [coord for coord, _ in store.iter_chunks(level=0, bbox=BOX, n_workers=3, prefetch=2)]
    assert keys == sorted(keys)
    low, high = (np.floor(np.array(corner) / 20).astype(int) for corner in BOX)
    expected = [k for k in store[0].chunk_keys if (low <= k).all() and (k <= high).all()]
    assert keys == expected


@pytest.mark.parametrize("n_workers", [1, 3])
def test_each_chunk_is_fetched_once_and_few_at_a_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, n_workers: int
) -> None:
    store = open_zv(path, cache_bytes=0)
    reader = store[0].reader
    asked: Counter[tuple[int, ...]] = Counter()
    ahead, most = 0, 0
    fetch = type(reader).read_chunks

    def counted(self, keys, *args, **options):
        nonlocal ahead
        wanted = list(keys)
        asked.update(wanted)
        ahead += len(wanted)
        return fetch(self, wanted, *args, **options)

    monkeypatch.setattr(type(reader), "read_chunks", counted)
    for _ in store.iter_chunks(0, prefetch=2, n_workers=n_workers):
        most = max(most, ahead)
        ahead -= 1
    assert set(asked) == set(store[0].chunk_keys)
    assert set(asked.values()) == {1}
    assert most <= 2 * (n_workers + 1) + 2


def test_stopping_early_reads_no_more(path: Path) -> None:
    store = open_zv(path, cache_bytes=0)
    assert store[0].chunk_count > 8
    with store.io.scope() as cost:
        for _ in store.iter_chunks(0, prefetch=1, n_workers=1, attributes=[]):
            break
    whole = store[0].chunk_count
    assert cost.requests < whole


def test_raw_vertices(path: Path) -> None:
    store = open_zv(path)
    array = store.raw_array("vertices", level=0)
    keys = np.array(store[0].chunk_keys)
    spread = tuple((keys.max(axis=0) - keys.min(axis=0) + 1).tolist())
    most = max(len(part.compute()) for part in store[0].vertices)
    assert array.shape == (*spread, most, 3)
    key = tuple(keys[len(keys) // 2].tolist())
    i, j, k = np.subtract(key, array.origin).tolist()
    rows = store[0].vertices[key].compute()
    with store.io.scope() as cost:
        block = open_zv(path, cache_bytes=0).raw_array("vertices", 0)[i, j, k]
    assert cost.requests <= 2
    assert block.shape == (most, 3)
    np.testing.assert_array_equal(block[: len(rows)], rows)
    assert np.isnan(block[len(rows) :]).all()
    np.testing.assert_array_equal(array[i, j, k, 0], rows[0])
    np.testing.assert_array_equal(array[i, j, k, ..., 1], block[:, 1])
    np.testing.assert_array_equal(array[i - spread[0], j, k, 0], rows[0])
    whole = array[...]
    assert whole.shape == array.shape
    assert np.isfinite(whole[..., 0]).sum() == COUNT
    for index in ([0, 1], (0,) * 6, (..., ...), "x"):
        with pytest.raises(IndexError):
            array[index]


def test_raw_object_attributes(path: Path) -> None:
    store = open_zv(path)
    size = store.raw_array("object_attributes/size", level=0)
    np.testing.assert_array_equal(size[1:3], np.array([0.5, 1.0], np.float32))
    assert size.dtype == np.float32
    assert store.raw_array("object_attributes/tip", 0)[2:4].shape == (2, 3)
    with pytest.raises(ArrayError, match="object_attributes/nothing"):
        store.raw_array("object_attributes/nothing", 0)
    with pytest.raises(ArrayError, match="not an array"):
        store.raw_array("links", 0)


def test_groups_and_fragments_underneath(path: Path) -> None:
    store = open_zv(path)
    group = store.level_group(0)
    assert isinstance(group, Group)
    assert list_chunk_keys(group) == store[0].chunk_keys
    for chunk in store[0].chunk_keys[:5]:
        index = read_fragment_index(group, "vertex_fragments", chunk)
        parts = read_chunk_vertices(group, chunk)
        assert len(index) == index.num_fragments == len(parts)
        assert (index.num_range_fragments, index.num_explicit_fragments) == (len(parts), 0)
        rows = store[0].vertices[chunk].compute()
        for number, part in enumerate(parts):
            assert index.is_range(number)
            start, count = index.range(number)
            np.testing.assert_array_equal(rows[start : start + count], part)
            np.testing.assert_array_equal(rows[index.indices(number)], part)
            with pytest.raises(ArrayError):
                index.indices_view(number)
        with pytest.raises(IndexError):
            index.is_range(len(parts))
    with pytest.raises(StoreError, match="no level 4"):
        store.level_group(4)


def test_caches_and_workers(path: Path) -> None:
    with open_zv(path, cache_size=4, n_workers=2) as store:
        keys = store[0].chunk_keys
        first = store[0].vertices[keys[0]].compute()
        with store.io.scope() as cost:
            np.testing.assert_array_equal(store[0].vertices[keys[0]].compute(), first)
        assert cost.requests == 0
        for key in keys[1:8]:
            store[0].vertices[key].compute()
        with store.io.scope() as cost:
            store[0].vertices[keys[0]].compute()
        assert cost.requests > 0, "the chunk used least is forgotten"
        store.close()
        np.testing.assert_array_equal(store[0].vertices[keys[0]].compute(), first)


def test_another_driver_in_place(path: Path) -> None:
    store = open_zv(path)
    level, expected = store[0], store[0].vertices.compute()
    assert store.set_backend("fsspec") is None
    assert store.backend.name == "fsspec"
    assert store[0] is not level
    np.testing.assert_array_equal(store[0].vertices.compute(), expected)
    store.set_backend("local")
    np.testing.assert_array_equal(store[0].vertices.compute(), expected)
    with pytest.raises(StoreError, match="unknown"):
        store.set_backend("carrier pigeon")
    np.testing.assert_array_equal(store[0].vertices.compute(), expected)


def test_objects_across_levels(path: Path) -> None:
    store = open_zv(path)
    for oid in range(OBJECTS):
        assert store.object_levels(oid) == [n for n in store if oid in store[n].present_oids]
    assert store.object_levels(OBJECTS) == []
    assert store[0].present_oids.dtype == np.int64
    assert store[1].has_object(np.int64(3))
    assert not store[1].has_object(-1)
    manifest = store[0].object_index[2]
    assert all(len(chunk) == 3 and fragment >= 0 for chunk, fragment in manifest)


def test_a_level_that_lacks_an_attribute_says_so(path: Path) -> None:
    store = open_zv(path)
    assert "nothing" not in store[1].attributes
    for ask in (
        lambda: store[1].attributes["nothing"],
        lambda: store.read(level=1, attributes=["nothing"]),
        lambda: list(store.iter_chunks(1, attributes=["nothing"])),
        lambda: store[1].read_chunks(store[1].chunk_keys, ["nothing"]),
    ):
        with pytest.raises(StoreError, match=r"level 1 of .* has no attribute 'nothing'; it has"):
            ask()


def test_views(path: Path, data: Cloud) -> None:
    level = open_zv(path)[0]
    ids = np.arange(COUNT) % OBJECTS
    view = level.filter(bbox=BOX)
    found = view.filter(object_ids=[1, 3, 77]).filter(group_ids=[1]).compute()
    keep = inside(data) & (ids == 1)
    assert found["vertex_count"] == keep.sum() == len(found["object_ids"])
    assert set(found["object_ids"].tolist()) <= {1}
    assert len(view.vertices.compute()) == len(view.vertices) == inside(data).sum()
    far = view.filter(bbox=([60.0] * 3, [70.0] * 3))
    assert far.vertices.compute().shape == (0, 3)
    assert far.compute()["vertex_count"] == 0


def test_views_and_stores_by_their_parts(path: Path, data: Cloud) -> None:
    root = open_store(path)
    store = ZVStore(root, read_root_metadata(root))
    assert store.levels == [0, 1, 2]
    keys = store[0].chunk_keys
    meta = read_level_metadata(root, 0)
    parts = (store.level_group(0), read_root_metadata(root), meta)
    whole = ZVView(*parts, all_chunk_keys=keys, spec=ViewSpec())
    np.testing.assert_array_equal(whole.vertices.compute(), store[0].vertices.compute())
    few = ZVView(*parts, keys[:3], None)
    rows = np.concatenate([store[0].vertices[key].compute() for key in keys[:3]])
    np.testing.assert_array_equal(few.vertices.compute(), rows)
    boxed = ZVView(*parts, None, {"bbox": BOX, "object_ids": [2]}).compute()
    assert boxed["vertex_count"] == (inside(data) & (np.arange(COUNT) % OBJECTS == 2)).sum()


@pytest.mark.parametrize("dask", [True, False])
def test_deferred_work(path: Path, monkeypatch: pytest.MonkeyPatch, dask: bool) -> None:
    if dask:
        pytest.importorskip("dask")
    else:
        monkeypatch.setattr(computing, "find_spec", lambda name: None)
    level = open_zv(path)[0]
    parts = level.vertices.to_delayed()
    assert len(parts) == level.chunk_count == len(list(level.vertices))
    assert ("dask" in type(parts[0]).__module__) == dask
    if dask:
        whole = np.concatenate(sys.modules["dask"].compute(*parts, scheduler="threads"))
    else:
        whole = np.concatenate([part.compute() for part in parts])
    np.testing.assert_array_equal(whole, level.vertices.compute())
    values = [part.compute() for part in level.attributes["rgb"].to_delayed()]
    np.testing.assert_array_equal(np.concatenate(values), level.attributes["rgb"].compute())
    assert len(level.attributes["rgb"]) == COUNT


def test_rechunking_from_a_level(path: Path, tmp_path: Path, data: Cloud) -> None:
    store = open_zv(path)
    done = store[0].rechunk("group", output=tmp_path / "other")
    assert done["objects_rechunked"] == OBJECTS
    assert open_zv(path)[0].chunk_dims is None
    other = open_zv(tmp_path / "other")
    assert other[0].chunk_dims is not None
    assert sum(len(part) for part in other[0].read_attribute_chunk(0)) == COUNT * 2 // OBJECTS
    shutil.copytree(path, tmp_path / "own")
    own = open_zv(tmp_path / "own")
    level = own[0]
    level.rechunk("attribute:size", bins=[0.0, 0.75, 5.0])
    assert level.chunk_dims == own[0].chunk_dims == open_zv(tmp_path / "own")[0].chunk_dims
    assert own[2].chunk_dims is not None
    assert len(level.attribute_values) == 2
    rows = own.read(level=0)
    np.testing.assert_array_equal(np.sort(rows["attributes"]["row"]), np.arange(COUNT))
    with pytest.raises(ValueError, match="nothing"):
        store[0].rechunk("nothing", output=tmp_path / "third")
