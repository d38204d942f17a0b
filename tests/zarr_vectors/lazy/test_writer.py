from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest
from zarr.storage import LocalStore

from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.points import read_points


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


@pytest.fixture
def store(tmp_path, version):
    points_store(tmp_path / "s", cloud(300), format_version=version)
    return open_zv(tmp_path / "s")


def test_attributes_are_added_in_row_order(store):
    level = store[0]
    positions = level.vertices.compute()
    with level.writer() as writer:
        writer.add_attribute_sync("x", positions[:, 0])
        writer.add_attribute_sync("small", np.arange(300), dtype="int16")
        writer.add_attribute_sync("word", np.where(positions[:, 0] > 0, "right", "left"))
        writer.add_attribute_sync("pair", positions[:, :2].astype(np.float64))
    assert level.attributes["small"].compute().dtype == np.int16
    for again in (level, open_zv(store.path)[0]):
        np.testing.assert_array_equal(again.attributes["x"].compute(), positions[:, 0])
        np.testing.assert_array_equal(again.attributes["pair"].compute(), positions[:, :2])
        np.testing.assert_array_equal(
            again.attributes["word"].compute() == "right", positions[:, 0] > 0
        )
    found = read_points(store.path, bbox=([0.0] * 3, [50.0] * 3), attribute_names=["x"])
    np.testing.assert_array_equal(found.vertex_attributes["x"], found.positions[:, 0])


def test_an_attribute_can_be_replaced(store):
    for value in (1, 2):
        with store[0].writer() as writer:
            writer.add_attribute_sync("n", np.full(300, value))
    assert set(store[0].attributes["n"].compute()) == {2}


def test_wrong_values_are_refused(store):
    with store[0].writer() as writer:
        with pytest.raises(ArrayError, match="300 vertices"):
            writer.add_attribute_sync("n", np.zeros(299))
        with pytest.raises(ArrayError, match="shape"):
            writer.add_attribute_sync("n", np.float64(3))
        with pytest.raises(ArrayError, match="cannot be stored as uint8"):
            writer.add_attribute_sync("n", np.arange(300), dtype="uint8")
        with pytest.raises(ArrayError, match="0 objects"):
            writer.add_object_attribute_sync("n", np.zeros(3))


def test_one_writer_at_a_time(store):
    with store[0].writer(), pytest.raises(StoreError, match="writer already"):
        store[0].writer()
    store[0].writer().close()


def test_a_writer_works_inside_a_running_loop(store):
    async def work():
        async with store[0].writer() as writer:
            await writer.add_attribute("a", np.zeros(300))
            writer.add_attribute_sync("b", np.ones(300))
            return await writer.commit()

    assert asyncio.run(work()) == {"committed": True, "objects_committed": 0}
    assert store[0].attributes["b"].compute().sum() == 300


def extra(count):
    data = cloud(count, seed=5, low=-90.0, high=90.0)
    return data, {k: v for k, v in data.attributes.items() if k != "value"}


def test_vertices_are_appended(store):
    level = store[0]
    before = level.vertices.compute()
    data, given = extra(40)
    with level.writer() as writer:
        told = writer.append_vertices_sync(data.positions, attributes=given)
        assert told["vertices_added"] == told["new_objects"] == 40
        assert writer.append_vertices_sync(np.zeros((0, 3))) == {
            "vertices_added": 0,
            "new_objects": 0,
            "chunks_touched": 0,
        }
        assert level.vertex_count == 300
    assert level.vertex_count == 340
    fresh = open_zv(store.path)
    assert fresh[0].chunk_table.exact
    points = fresh[0].vertices.compute()
    expected = np.concatenate([before, data.positions.astype(np.float32)])
    np.testing.assert_array_equal(points[np.lexsort(points.T)], expected[np.lexsort(expected.T)])
    found = fresh[0].filter(object_ids=[7]).read(["row", "kind", "value"])
    np.testing.assert_array_equal(found.positions[0], data.positions[7].astype(np.float32))
    assert found.vertex_attributes["row"].tolist() == [7]
    assert found.vertex_attributes["kind"][0] == data.attributes["kind"][7]
    assert np.isnan(found.vertex_attributes["value"]).all()
    low, high = fresh.bounds
    assert (points >= low).all()
    assert (points <= high).all()


def test_appended_objects_follow_those_there(tmp_path, version):
    points_store(
        tmp_path / "s",
        cloud(60),
        format_version=version,
        object_ids=np.arange(60) % 4,
        object_attributes={"weight": np.arange(4.0)},
    )
    level = open_zv(tmp_path / "s")[0]
    data, given = extra(6)
    with level.writer() as writer:
        with pytest.raises(ArrayError, match="new ids start at 4"):
            writer.append_vertices_sync(data.positions, object_ids=[3] * 6, attributes=given)
        writer.append_vertices_sync(data.positions, object_ids=[4, 5, 4, 5, 4, 5], attributes=given)
    assert level.object_index.object_ids == [0, 1, 2, 3, 4, 5]
    assert level.filter(object_ids=[5]).compute()["vertex_count"] == 3
    assert level.filter(object_ids=[1]).compute()["vertex_count"] == 15
    np.testing.assert_array_equal(level.object_attribute("weight")[:4], np.arange(4.0))


def test_an_append_that_fails_changes_nothing(store):
    data, given = extra(3)
    with contextlib.suppress(KeyError), store[0].writer() as writer:
        writer.append_vertices_sync(data.positions, attributes=given)
        raise KeyError
    assert open_zv(store.path)[0].vertices.compute().shape == (300, 3)
    with store[0].writer() as writer:
        with pytest.raises(ArrayError, match="'kind'"):
            writer.append_vertices_sync(data.positions, attributes={"row": [1, 2, 3]})
        with pytest.raises(ArrayError, match=r"\(N, 3\)"):
            writer.append_vertices_sync(data.positions[:, :2])
        with pytest.raises(ArrayError, match="no attributes"):
            writer.append_vertices_sync(data.positions, attributes={**given, "what": [1, 2, 3]})


def test_compacting_commits(tmp_path, version):
    points_store(tmp_path / "s", cloud(10), format_version=version, object_ids=np.arange(10))
    data, given = extra(2)
    with open_zv(tmp_path / "s")[0].writer() as writer:
        writer.append_vertices_sync(data.positions, attributes=given)
        assert writer.compact_sync() == {"compacted": True, "num_objects": 12}


def test_a_read_only_store_refuses(tmp_path):
    points_store(tmp_path / "s")
    store = open_zv(LocalStore(tmp_path / "s", read_only=True))
    with pytest.raises(StoreError, match="cannot be written"):
        store[0].writer()
