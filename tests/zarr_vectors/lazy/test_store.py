from __future__ import annotations

import threading

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.points import read_points


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


@pytest.fixture
def made(tmp_path, version):
    data = points_store(
        tmp_path / "s",
        cloud(600),
        format_version=version,
        levels=3,
        object_ids=np.arange(600) % 5,
        groups={0: [1, 2], 1: [2, 3]},
    )
    return tmp_path / "s", data


def test_metadata_without_data(made, version):
    path, data = made
    with open_zv(path) as store:
        assert store.levels == [0, 1, 2]
        assert store.zv_version == version
        assert store.geometry_type == "point_cloud"
        assert store.ndim == store.spatial_dims == 3
        assert store.chunk_shape == (20.0,) * 3
        assert store.bin_shape == (5.0,) * 3
        assert store.bins_per_chunk == (4, 4, 4)
        assert store.n_objects == 5
        assert store.path == path.resolve()
        assert store.vertex_count(0) == 600
        assert store.bin_shape_at(1) == (10.0,) * 3
        assert store.bin_ratio_at(2) == (4.0,) * 3
        assert store.object_count_at(2) == 5
        assert store[0].bin_shape is None
        low, high = store.bounding_box
        np.testing.assert_array_equal(low, data.positions.astype(np.float32).min(axis=0))
        np.testing.assert_array_equal(high, data.positions.astype(np.float32).max(axis=0))
        assert store.headers == {}


def test_opening_costs_few_requests(made):
    store = open_zv(made[0])
    assert store.io.total.requests <= 5


def test_collections_agree_with_the_reader(made):
    path, _ = made
    store = open_zv(path)
    for level in store.levels:
        names = list(store[level].attributes)
        eager = read_points(path, level=level, attribute_names=names)
        np.testing.assert_array_equal(store[level].vertices.compute(), eager.positions)
        assert len(store[level].vertices) == len(eager.positions)
        for name in names:
            found = store[level].attributes[name].compute()
            np.testing.assert_array_equal(found, eager.vertex_attributes[name])
        parts = [part.compute() for part in store[level].vertices]
        np.testing.assert_array_equal(np.concatenate(parts), eager.positions)
        parts = [part.compute() for part in store[level].attributes["kind"].to_delayed()]
        np.testing.assert_array_equal(np.concatenate(parts), eager.vertex_attributes["kind"])


def test_codes_and_categories_on_request(made):
    level = open_zv(made[0])[0]
    kind = level.attributes["kind"]
    assert kind.categories == ("astrocyte", "glia", "neuron")
    assert kind.codes().dtype == np.uint8
    np.testing.assert_array_equal(np.array(kind.categories)[kind.codes()], kind.compute())


def test_a_chunk_that_is_not_there_is_empty(made):
    level = open_zv(made[0])[0]
    assert level.vertices[90, 0, 0].compute().shape == (0, 3)
    rows = level.read_chunks([(90, 0, 0)], ["rgb", "kind"], decode_categories=True)[90, 0, 0]
    assert rows.attributes["rgb"].shape == (0, 3)
    assert rows.attributes["kind"].shape == (0,)
    with pytest.raises(ArrayError, match="3 integers"):
        level.vertices[0, 0]


def test_chunk_reads_are_one_batch_of_known_keys(made, version):
    store = open_zv(made[0], cache_bytes=0)
    level = store[0]
    coords = level.chunk_table.coords[:7]
    with store.io.scope() as cost:
        rows = level.read_chunks(coords, ["row", "kind"])
    assert list(rows) == [tuple(c) for c in coords.tolist()]
    blobs = 7 * 3 * (2 if version == "0.7.0" else 1)
    assert cost.requests <= blobs + 3
    values = level.read_chunk_values(coords, "row")
    for key, part in rows.items():
        np.testing.assert_array_equal(values[key], part.attributes["row"])
        assert part.attributes["kind"].dtype == np.uint8


def test_the_cache_is_bounded_and_serves(made):
    store = open_zv(made[0], cache_bytes=2000)
    level = store[0]
    keys = level.chunk_keys[:4]
    level.read_chunks(keys)
    with store.io.scope() as cost:
        level.read_chunks(keys)
    assert cost.requests == 0
    for key in level.chunk_keys:
        level.read_chunks([key])
    assert store._cache.nbytes <= 2000
    assert open_zv(made[0], cache_size=3)._cache.max_cells == 3


def test_filters_intersect_in_either_order(made):
    level = open_zv(made[0])[0]
    one, two = ([-40.0] * 3, [10.0] * 3), ([-20.0] * 3, [30.0] * 3)
    both = read_points(made[0], bbox=([-20.0] * 3, [10.0] * 3)).positions
    assert len(both) > 0
    for first, second in ((one, two), (two, one)):
        found = level.filter(bbox=first).filter(bbox=second).vertices.compute()
        np.testing.assert_array_equal(found, both)
    far = level.filter(bbox=one).filter(bbox=([20.0] * 3, [30.0] * 3))
    assert far.vertices.compute().shape == (0, 3)


def test_views_by_object_and_group(made):
    path, data = made
    level = open_zv(path)[0]
    ids = np.arange(600) % 5
    found = level.filter(group_ids=[0]).filter(group_ids=[1]).compute()
    assert set(found["object_ids"].tolist()) == {2}
    assert found["vertex_count"] == (ids == 2).sum()
    view = level.filter(object_ids=[3, 77, 1])
    answer = view.read(["row"])
    np.testing.assert_array_equal(ids[answer.vertex_attributes["row"]], answer.object_ids)
    assert answer.object_ids[0] == 3
    assert level.filter(object_ids=[77]).vertices.compute().shape == (0, 3)
    boxed = view.filter(bbox=([-10.0] * 3, [50.0] * 3)).compute()
    points = data.positions.astype(np.float32)
    assert boxed["vertex_count"] == (np.isin(ids, [1, 3]) & (points >= -10).all(axis=1)).sum()
    assert "object_ids" not in level.filter(bbox=([0.0] * 3, [1.0] * 3)).compute()


def test_reading_by_resolution(made):
    store = open_zv(made[0])
    assert [store.auto_level(t) for t in (1, 5, 10, 19, 20, 1000)] == [0, 0, 1, 1, 2, 2]
    found = store.read(target_resolution=12.0, attributes=["value"])
    assert found["level"] == 1
    assert found["vertex_count"] == len(found["positions"]) == store[1].vertex_count
    assert list(found["attributes"]) == ["value"]
    assert set(store.read(level=2)["attributes"]) == {"row", "value", "rgb", "kind"}


def test_chunks_come_in_row_major_order(made):
    store = open_zv(made[0])
    for workers in (1, 3):
        found = list(store.iter_chunks(0, prefetch=4, n_workers=workers))
        assert [key for key, _ in found] == store[0].chunk_keys
    box = ([-15.0] * 3, [15.0] * 3)
    keys = [key for key, _ in store.iter_chunks(0, bbox=box)]
    assert keys
    assert all(-1 <= x <= 0 for key in keys for x in key)
    rows = found[0][1]
    assert rows["positions"].shape[1] == 3
    assert rows["attributes"]["kind"].dtype.kind == "U"


def test_padded_arrays(made):
    store = open_zv(made[0])
    array = store.raw_array("vertices", 0)
    key = store[0].chunk_keys[10]
    index = tuple(k - o for k, o in zip(key, array.origin, strict=True))
    block = array[index]
    rows = store[0].vertices[key].compute()
    np.testing.assert_array_equal(block[: len(rows)], rows)
    assert np.isnan(block[len(rows) :]).all()
    assert array[index[0], :, index[2]].shape == (array.shape[1], *array.shape[3:])
    np.testing.assert_array_equal(array[(*index, 0)], rows[0])
    with pytest.raises(ArrayError, match="not an array"):
        store.raw_array("links", 0)


def test_objects_of_a_level(made):
    level = open_zv(made[0])[0]
    assert level.object_index.object_count == 5
    assert level.object_index.object_ids == [0, 1, 2, 3, 4]
    manifest = level.object_index[3]
    assert [chunk for chunk, _ in manifest] == sorted(chunk for chunk, _ in manifest)
    with pytest.raises(IndexError):
        level.object_index[5]
    assert level.has_object(4)
    assert not level.has_object(50)


def test_threads_share_a_level(made):
    store = open_zv(made[0])
    expected = store[0].vertices.compute()
    wrong = []

    def read() -> None:
        for _ in range(5):
            rows = store[0].read_chunks(store[0].chunk_keys, ["value"])
            found = np.concatenate([part.positions for part in rows.values()])
            if not np.array_equal(found, expected):
                wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_missing_level_is_named(made):
    with pytest.raises(StoreError, match="no level 7; it has 0, 1, 2"):
        open_zv(made[0])[7]


def test_the_backend_can_be_changed(made):
    store = open_zv(made[0])
    expected = store[0].vertices.compute()
    store.set_backend("obstore")
    assert store.backend.name != "local"
    np.testing.assert_array_equal(store[0].vertices.compute(), expected)
