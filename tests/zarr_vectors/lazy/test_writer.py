from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest
from zarr.storage import LocalStore

from zarr_vectors.core.store import open_store, set_bounds, store_info
from zarr_vectors.exceptions import ArrayError, StoreError, ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import read_points, write_points


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


def test_what_is_recorded_stays_true(store):
    data, given = extra(20)
    with store[0].writer() as writer:
        writer.add_attribute_sync("height", np.arange(300.0))
        writer.append_vertices_sync(data.positions, attributes={**given, "height": [500.0] * 20})
    spec = open_zv(store.path)[0].attribute_specs["height"]
    assert spec.limits == (0.0, 500.0)
    present = store_info(open_store(store.path))["levels"][0]["arrays_present"]
    assert {"vertices", "vertex_attributes/height", "object_index"} <= set(present)


def test_all_that_is_staged_is_written_together(store):
    data, given = extra(30)
    parts = [slice(0, 10), slice(10, 30)]
    with store[0].writer() as writer:
        for part in parts:
            some = {name: values[part] for name, values in given.items()}
            writer.append_vertices_sync(data.positions[part], attributes=some)
        assert store[0].vertex_count == 300
        assert writer.commit_sync() == {"committed": True, "objects_committed": 30}
    found = store[0].filter(object_ids=[5, 25]).read(["row"])
    np.testing.assert_array_equal(found.positions, data.positions[[5, 25]].astype(np.float32))
    assert found.vertex_attributes["row"].tolist() == [5, 25]


def test_one_new_fragment_for_each_object_and_chunk(tmp_path, version):
    positions = np.array([[1.0, 1, 1], [15, 1, 1], [2, 1, 1]])
    write_points(tmp_path / "s", positions, chunk_shape=(10.0,) * 3, object_ids=[0, 0, 1],
                 format_version=version)  # fmt: skip
    level = open_zv(tmp_path / "s")[0]
    with level.writer() as writer:
        rows = [[3.0, 1, 1], [95, 1, 1], [4, 1, 1], [5, 1, 1]]
        writer.append_vertices_sync(rows, object_ids=[7, 7, 5, 7])
    assert level.object_index[5] == [((0, 0, 0), 2)]
    assert level.object_index[7] == [((0, 0, 0), 3), ((9, 0, 0), 0)]
    np.testing.assert_array_equal(
        level.filter(object_ids=[7]).compute()["positions"], [[3, 1, 1], [5, 1, 1], [95, 1, 1]]
    )
    assert open_zv(tmp_path / "s").bounds == ([1.0, 1, 1], [95.0, 1, 1])


@pytest.fixture
def objects(tmp_path, version):
    """Five objects; ids 0, 2, 3, 7, 9."""
    ids = np.array([0, 2, 3, 7, 9])[np.arange(60) % 5]
    points_store(tmp_path / "s", cloud(60), format_version=version, object_ids=ids)
    return open_zv(tmp_path / "s")


def test_object_attributes_of_sparse_ids(objects, version):
    level = objects[0]
    with level.writer() as writer:
        writer.add_object_attribute_sync("five", [1, 2, 3, 4, 5], dtype="int16")
        writer.add_object_attribute_sync("ten", np.arange(10.0))
        writer.add_object_attribute_sync("word", np.array(["a", "b", "a", "c", "b"]))
        writer.add_object_attribute_sync(
            "some", np.ma.masked_array([1.0, 2, 3, 4, 5], mask=[0, 1, 0, 0, 0])
        )
        with pytest.raises(ArrayError, match="has 5 objects"):
            writer.add_object_attribute_sync("four", np.zeros(4))
    rows = {oid: row for row, oid in enumerate(level.object_index.object_ids)}
    at = [rows[oid] for oid in (0, 2, 3, 7, 9)]
    assert level.object_attribute("five").dtype == np.int16
    assert level.object_attribute("five")[at].tolist() == [1, 2, 3, 4, 5]
    assert level.object_attribute("ten")[at].tolist() == [0, 2, 3, 7, 9]
    assert level.object_attribute("word")[at].tolist() == ["a", "b", "a", "c", "b"]
    values, present = level._handle.layout.get_dense("0/object_attributes/some")
    assert values[at][[0, 2, 3, 4]].tolist() == [1, 3, 4, 5]
    assert sorted(present.tolist()) == [at[0], at[2], at[3], at[4]]


def test_appending_outdates_coarser_levels_until_they_are_built_again(tmp_path, version):
    points_store(tmp_path / "s", cloud(300), format_version=version, levels=3)
    store = open_zv(tmp_path / "s")
    data, given = extra(5)
    assert store[1].stale is None
    with store[0].writer() as writer:
        writer.append_vertices_sync(data.positions, attributes=given)
    for seen in (store, open_zv(tmp_path / "s")):
        assert seen[0].stale is None
        assert "appended to level 0" in seen[1].stale
        assert "appended to level 0" in seen[2].stale
    assert "appended" in store_info(open_store(tmp_path / "s"))["levels"][2]["stale"]
    build_pyramid(tmp_path / "s", factors=[(2, 1)])
    fresh = open_zv(tmp_path / "s")
    assert fresh.levels == [0, 1]
    assert fresh[1].stale is None


def test_one_writer_of_a_level_in_all(store):
    other = open_zv(store.path)
    with store[0].writer():
        with pytest.raises(StoreError, match=rf"level 0 open, by process {os.getpid()} on .* 20"):
            other[0].writer()
        program = (
            "import sys; from zarr_vectors import open_zv\n"
            "try: open_zv(sys.argv[1])[0].writer()\n"
            "except Exception as error: print(error)\n"
        )
        told = subprocess.run([sys.executable, "-c", program, store.path],
                              capture_output=True, check=True, text=True).stdout  # fmt: skip
        assert f"a writer has level 0 open, by process {os.getpid()}" in told
    with other[0].writer() as writer:
        writer.add_attribute_sync("later", np.zeros(300))
    assert "later" in open_zv(store.path)[0].attributes


def test_a_writer_sees_what_was_written_before_it_opened(store):
    other = open_zv(store.path)
    other[0].vertices.compute()
    data, given = extra(10)
    with store[0].writer() as writer:
        writer.append_vertices_sync(data.positions, attributes=given)
    with other[0].writer() as writer:
        writer.add_attribute_sync("n", np.arange(310))
    assert other[0].vertex_count == 310


def test_a_level_changed_under_a_writer_is_refused(store):
    with store[0].writer() as writer:
        set_bounds(open_store(store.path, "r+"), ([0.0] * 3, [100.0] * 3), force=True)
        with pytest.raises(StoreError, match="changed while a writer had it open"):
            writer.add_attribute_sync("n", np.arange(300))


def test_paths_keep_their_order(tmp_path, version):
    write_points(tmp_path / "s", [[1.0, 1, 1]], chunk_shape=(10.0,) * 3, object_ids=[0],
                 format_version=version)  # fmt: skip
    root = open_store(tmp_path / "s", "r+")
    meta = root.attrs["zarr_vectors"]
    root.attrs.update({"zarr_vectors": {**meta, "geometry_types": ["streamline"]}})
    level = open_zv(tmp_path / "s")[0]
    path = [[25.0, 1, 1], [22, 1, 1], [12, 1, 1], [3, 1, 1]]
    with level.writer() as writer:
        writer.append_vertices_sync(path, object_ids=[4] * 4)
        with pytest.raises(ArrayError, match="object 5 comes back to a chunk"):
            writer.append_vertices_sync([*path, [27.0, 1, 1]], object_ids=[5] * 5)
    assert [chunk for chunk, _ in level.object_index[4]] == [(2, 0, 0), (1, 0, 0), (0, 0, 0)]
    np.testing.assert_array_equal(level.filter(object_ids=[4]).compute()["positions"], path)


@pytest.fixture
def mesh(tmp_path, version):
    """Triangles inside chunks, and across them."""
    rng = np.random.default_rng(4)
    vertices = rng.uniform(-20, 20, (60, 3))
    near = np.argsort(((vertices[:, None] - vertices[None]) ** 2).sum(axis=2), axis=1)[:, :3]
    faces = np.unique(np.sort(near, axis=1), axis=0)
    write_mesh(tmp_path / "s", vertices, faces, chunk_shape=(10.0,) * 3, format_version=version)
    return open_zv(tmp_path / "s")


def inner_faces(store):
    """Chunk of every face inside one, as stored."""
    links = store[0]._handle.layout.get_links("0")
    inside = (links.chunks == links.chunks[:, :1]).all(axis=(1, 2))
    return links.chunks[inside, 0], links.rows[inside]


def test_face_attributes_have_a_row_for_each_face_inside_a_chunk(mesh):
    chunks, rows = inner_faces(mesh)
    count = len(rows)
    assert 0 < count < 60
    with mesh[0].writer() as writer:
        writer.add_face_attribute_sync("number", np.arange(count), dtype="uint8")
        writer.add_face_attribute_sync("pair", np.stack([rows[:, 0], rows[:, 1]], axis=1))
        writer.add_face_attribute_sync("side", np.where(chunks[:, 0] < 0, "left", "right"))
        with pytest.raises(ArrayError, match=f"has {count} faces inside one chunk"):
            writer.add_face_attribute_sync("all", np.zeros(count + 1))
    store = open_zv(mesh.path)
    found = store[0].face_attributes
    assert list(found) == ["number", "pair", "side"]
    assert (
        "face_attributes/side" in store_info(open_store(mesh.path))["levels"][0]["arrays_present"]
    )
    assert found["number"].compute().dtype == np.uint8
    np.testing.assert_array_equal(found["number"].compute(), np.arange(count))
    np.testing.assert_array_equal(found["pair"].compute(), rows[:, :2])
    np.testing.assert_array_equal(found["side"].compute() == "left", chunks[:, 0] < 0)
    with pytest.raises(ArrayError, match="there is no 0/face_attributes/other"):
        found["other"].compute()
    asyncio.run(replaced(store, count))
    np.testing.assert_array_equal(found["number"].compute(), np.full(count, 7))


async def replaced(store, count):
    async with store[0].writer() as writer:
        await writer.add_face_attribute("number", np.full(count, 7))


def test_a_face_attribute_that_is_cut_short_is_damage(mesh):
    chunks, _ = inner_faces(mesh)
    with mesh[0].writer() as writer:
        writer.add_face_attribute_sync("number", np.arange(len(chunks), dtype="u1"))
    first = tuple(chunks[0].tolist())
    open_zv(mesh.path)[0].writer().close()
    layout = mesh[0].writable().layout
    layout.put_cells("0/face_attributes/number", {first: b"12345678901234567890"})
    with pytest.raises(ArrayError, match="0/face_attributes/number"):
        open_zv(mesh.path)[0].face_attributes["number"].compute()


def test_a_store_without_faces_has_no_rows_for_them(store):
    with store[0].writer() as writer, pytest.raises(ArrayError, match="0 faces inside one chunk"):
        writer.add_face_attribute_sync("n", [1.0])


def test_values_left_out_are_absent(tmp_path, version):
    rng = np.random.default_rng(0)
    values = {
        "small": np.arange(20, dtype=np.uint8),
        "whole": np.arange(20),
        "real": np.arange(20.0),
        "flag": np.ones(20, bool),
    }
    write_points(
        tmp_path / "s",
        rng.random((20, 3)) * 50,
        chunk_shape=(25.0,) * 3,
        vertex_attributes=values,
        format_version=version,
    )
    with open_zv(tmp_path / "s")[0].writer() as writer:
        with pytest.warns(
            ZVWarning, match="'flag' False, 'small' 255, 'whole' -9223372036854775808"
        ):
            writer.append_vertices_sync(rng.random((3, 3)) * 50, attributes={"real": [1, 2, 3]})
        writer.append_vertices_sync(
            rng.random((1, 3)) * 50, attributes={"small": [1], "whole": [2], "flag": [True]}
        )
    level = open_zv(tmp_path / "s")[0]
    found = {name: level.attributes[name].compute() for name in values}
    assert [found[name].dtype for name in values] == [v.dtype for v in values.values()]
    assert np.count_nonzero(found["small"] == 255) == 3
    assert np.count_nonzero(found["whole"] == np.iinfo(np.int64).min) == 3
    assert np.count_nonzero(~found["flag"]) == 3
    assert np.count_nonzero(np.isnan(found["real"])) == 1


def test_bounds_that_shrink_outdate_the_levels_above(tmp_path, version):
    points_store(tmp_path / "s", cloud(200), format_version=version, levels=3)
    low, high = open_zv(tmp_path / "s").bounds
    set_bounds(open_store(tmp_path / "s", "r+"), (low, [b + 1 for b in high]))
    assert open_zv(tmp_path / "s")[1].stale is None
    middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    set_bounds(open_store(tmp_path / "s", "r+"), (low, middle), force=True)
    store = open_zv(tmp_path / "s")
    assert store[0].stale is None
    for level in store.levels[1:]:
        assert "out of the bounds" in store[level].stale


def test_rows_without_a_value_are_masked(tmp_path, version):
    write_points(
        tmp_path / "s",
        np.arange(12.0).reshape(4, 3),
        chunk_shape=(20.0,) * 3,
        object_ids=[0, 0, 2, 2],
        object_attributes={"size": np.array([5, 7])},
        groups={0: [0, 2], 1: [2]},
        format_version=version,
    )
    with open_zv(tmp_path / "s")[0].writer() as writer:
        writer.append_vertices_sync(np.zeros((1, 3)), object_ids=[4])
    level = open_zv(tmp_path / "s")[0]
    assert level.object_attribute_names == ["size"]
    assert [group.tolist() for group in level.groups] == [[0, 2], [2]]
    found = level.object_attribute("size", masked=True)
    assert found.compressed().tolist() == [5, 7]
    ids = np.array(level.object_index.object_ids)
    assert ids[~found.mask].tolist() == [0, 2]
    assert len(found) == len(level.object_attribute("size")) == len(ids)
