from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import MemoryStore

from zarr_vectors.core.group import group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.exceptions import ArrayError, ConventionError
from zarr_vectors.lazy import ZVPolylineCollection, open_zv
from zarr_vectors.testing.data import points_store
from zarr_vectors.types.polylines import write_polylines

LENGTHS = (40, 0, 1, 2, 25, 60)


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


def walks(ndim=3, counts=LENGTHS):
    rng = np.random.default_rng(0)
    return [
        (np.cumsum(rng.normal(0, 3, (n, ndim)), axis=0) + rng.uniform(-30, 30, ndim)).astype(
            np.float32
        )
        for n in counts
    ]


def written(place, lines, version, **options):
    ndim = lines[0].shape[1]
    write_polylines(place, lines, chunk_shape=(10.0,) * ndim, format_version=version, **options)
    return open_zv(place)


@pytest.mark.parametrize("ndim", [2, 3])
def test_polylines_by_object(tmp_path, version, ndim):
    lines = walks(ndim)
    store = written(tmp_path / "s", lines, version)
    found = store[0].polylines
    assert len(found) == found.count == len(lines)
    assert found.object_ids == list(range(len(lines)))
    for oid, line in enumerate(lines):
        np.testing.assert_array_equal(found[oid].compute(), line)
    for mine, line in zip(found.compute(), lines, strict=True):
        np.testing.assert_array_equal(mine, line)
    assert [(oid, len(line)) for oid, line in found.items()] == list(enumerate(LENGTHS))
    assert [len(part.compute()) for part in found] == list(LENGTHS)
    assert [len(part.compute()) for part in found.to_delayed()] == list(LENGTHS)
    for wrong in (6, -1, 10**9):
        with pytest.raises(IndexError, match=f"no object {wrong}"):
            found[wrong]
    rows = found.read()
    np.testing.assert_array_equal(rows.positions, np.concatenate(lines))
    assert store[0].polylines is found


def test_by_a_group_of_the_store(tmp_path, version):
    lines = walks(2)
    written(tmp_path / "s", lines, version)
    root = group_at(open_handle(tmp_path / "s").layout)
    found = ZVPolylineCollection(root["0"], ndim=2)
    np.testing.assert_array_equal(found[4].compute(), lines[4])
    with pytest.raises(ArrayError, match="2 axes, not 3"):
        len(ZVPolylineCollection(root["0"]))
    with pytest.raises(ArrayError, match="not a level"):
        len(ZVPolylineCollection(root, ndim=2))


def test_filters(tmp_path, version):
    lines = walks()
    found = written(tmp_path / "s", lines, version)[0].polylines
    some = found.filter(object_ids=[5, 77, 0, 5])
    assert some.object_ids == [5, 0]
    assert [len(line) for line in some.compute()] == [60, 40]
    np.testing.assert_array_equal(some[0].compute(), lines[0])
    with pytest.raises(IndexError, match="no object 4"):
        some[4]
    assert some.filter(object_ids=[4, 0]).object_ids == [0]
    assert found.filter(object_ids=[]).compute() == []


def test_a_range_of_lengths_is_inclusive(tmp_path, version):
    steps = np.array([[0, 0], [3, 4], [3, 10]], np.float32)
    lines = [steps[:n] * k for n, k in ((3, 1), (2, 1), (2, 3), (1, 1), (0, 1))]  # 11, 5, 15, 0, 0
    found = written(tmp_path / "s", lines, version)[0].polylines
    assert found.filter(length_range=(5, 11)).object_ids == [0, 1]
    assert found.filter(length_range=(0, 0)).object_ids == [3, 4]
    assert found.filter(length_range=(11.5, 99)).object_ids == [2]
    assert found.filter(object_ids=[2, 1], length_range=(1, 99)).object_ids == [2, 1]
    assert found.filter(length_range=(1, 99)).filter(length_range=(0, 6)).object_ids == [1]
    for wrong in ((3, 2), (1,), (float("nan"), 2)):
        with pytest.raises(ArrayError, match="length_range"):
            found.filter(length_range=wrong)


def test_attributes_along(tmp_path, version):
    lines = walks()
    steps = [np.arange(len(line)) for line in lines]
    store = written(tmp_path / "s", lines, version, vertex_attributes={"step": steps})
    found = store[0].polylines.filter(object_ids=[4, 0]).read(["step"])
    assert [values.tolist() for values in found.per_polyline("step")] == [
        steps[4].tolist(),
        steps[0].tolist(),
    ]


def test_objects_a_coarse_level_has_left_out(tmp_path, version):
    lines = walks()
    written(tmp_path / "s", lines, version)
    handle = open_handle(tmp_path / "s", "r+")
    rows = handle.layout.get_objects("0")
    blobs = [bytes(4) if i in (0, 4) else blob for i, blob in enumerate(rows.manifests)]
    handle.layout.put_objects("0", ObjectRows(rows.ids, blobs, rows.sid_ndim))
    attributes = handle.layout.get_attrs(["0"])["0"]
    attributes["zarr_vectors_level"]["parent_level"] = 0
    handle.layout.put_attrs({"0": attributes})
    found = open_zv(tmp_path / "s")[0].polylines
    assert found.object_ids == [2, 3, 5]
    assert found[4].compute().shape == (0, 3)
    assert [len(line) for line in found.compute()] == [1, 2, 60]


def test_only_what_some_objects_need_is_fetched_at_once(version):
    lines = [np.array([[20 * k + 1, 1], [20 * k + 9, 1], [20 * k + 12, 1]]) for k in range(40)]
    place = MemoryStore()
    write_polylines(place, lines, chunk_shape=(10.0, 10.0), format_version=version)
    store = open_zv(place)
    found = store[0].polylines.filter(object_ids=range(0, 40, 4))
    assert len(found) == 10
    with store.io.scope() as counted:
        assert [len(line) for line in found.compute()] == [3] * 10
    blobs = 10 * 2 * 2  # objects, chunks of each, arrays
    documents = 40 if version == "0.7.0" else 1  # beside every blob, or of the fragment tables
    assert counted.requests == blobs + documents
    with store.io.scope() as counted:
        found[0].compute()
    assert counted.requests == 0


def test_points_are_no_polylines(tmp_path):
    points_store(tmp_path / "s", object_ids=np.arange(50) % 3)
    with pytest.raises(ConventionError, match="point_cloud"):
        _ = open_zv(tmp_path / "s")[0].polylines
