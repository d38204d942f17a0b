from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.encoding.manifests import encode_manifests
from zarr_vectors.exceptions import ArrayError, ConventionError, MetadataError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import points_store
from zarr_vectors.types.lines import read_lines, write_lines

COUNT = 60
NAMES = ["weight", "rgb", "kind"]


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


def ends(ndim=3, reach=6.0):
    rng = np.random.default_rng(ndim)
    first = rng.uniform(-30, 30, (COUNT, ndim))
    return np.stack([first, first + rng.uniform(-reach, reach, (COUNT, ndim))], axis=1)


def attributes():
    rng = np.random.default_rng(3)
    return {
        "weight": rng.standard_normal((COUNT, 2)),
        "rgb": rng.integers(0, 256, (COUNT, 2, 3)).astype(np.uint8),
        "kind": np.array(["in", "out"])[rng.integers(0, 2, (COUNT, 2))],
    }


@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_written_is_read(tmp_path, version, ndim, dtype):
    given, values = ends(ndim), attributes()
    counts = write_lines(
        tmp_path / "s",
        given,
        chunk_shape=(10.0,) * ndim,
        bin_shape=(5.0,) * ndim,
        dtype=dtype,
        vertex_attributes=values,
        object_attributes={"size": np.arange(COUNT)},
        format_version=version,
    )
    found = read_lines(tmp_path / "s", attribute_names=NAMES)
    assert found.endpoints.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found["endpoints"], given.astype(dtype))
    assert found["line_count"] == counts["line_count"] == COUNT
    for name in NAMES:
        np.testing.assert_array_equal(found.vertex_attributes[name], values[name])
    cells = np.floor(given.astype(dtype).astype(np.float64) / 10.0)
    assert counts["cross_chunk_count"] == (cells[:, 0] != cells[:, 1]).any(axis=1).sum() > 0
    assert counts["chunk_count"] == len(np.unique(cells.reshape(-1, ndim), axis=0))
    stored, _ = open_handle(tmp_path / "s").layout.get_dense("0/object_attributes/size")
    np.testing.assert_array_equal(stored, np.arange(COUNT))
    assert open_zv(tmp_path / "s").geometry_types == ["line"]


def test_a_line_inside_a_chunk_is_one_fragment(tmp_path, version):
    given = np.array([[[1, 1], [9, 9]], [[1, 1], [11, 1]]], float)
    options = {"chunk_shape": (10.0, 10.0), "bin_shape": (2.0, 2.0)}
    write_lines(tmp_path / "s", given, format_version=version, **options)
    index = open_zv(tmp_path / "s")[0].object_index
    assert index[0] == [((0, 0), 0)]
    assert index[1] == [((0, 0), 1), ((1, 0), 0)]


def test_boxes_keep_lines_with_an_end_inside(tmp_path, version):
    given = ends(reach=25.0)
    write_lines(tmp_path / "s", given, chunk_shape=(10.0,) * 3, format_version=version)
    stored = given.astype(np.float32)
    for low in (-28.0, -3.5, 11.0):
        box = ([low] * 3, [low + 16.0] * 3)
        inside = ((stored >= box[0]) & (stored <= box[1])).all(axis=2).any(axis=1)
        found = read_lines(tmp_path / "s", bbox=box)
        assert found.object_ids.tolist() == np.flatnonzero(inside).tolist()
        np.testing.assert_array_equal(found.endpoints, stored[inside])
    assert read_lines(tmp_path / "s", bbox=([90] * 3, [99] * 3)).endpoints.shape == (0, 2, 3)


def test_lines_by_id(tmp_path, version):
    given = ends()
    write_lines(tmp_path / "s", given, chunk_shape=(10.0,) * 3, format_version=version)
    found = read_lines(tmp_path / "s", object_ids=[7, 900, 3, 7])
    assert found.object_ids.tolist() == [7, 3]
    np.testing.assert_array_equal(found.endpoints, given[[7, 3]].astype(np.float32))
    assert read_lines(tmp_path / "s", object_ids=[]).line_count == 0
    assert [line.shape for line in open_zv(tmp_path / "s")[0].polylines.compute()] == [
        (2, 3)
    ] * COUNT


@pytest.mark.parametrize("where", ["object_attributes", "vertex_attributes"])
def test_lines_chunked_by_an_attribute(tmp_path, version, where):
    given, labels = ends(), np.arange(COUNT) % 3
    values = labels if where == "object_attributes" else np.stack([labels, labels], axis=1)
    write_lines(
        tmp_path / "s",
        given,
        chunk_shape=(10.0,) * 3,
        chunk_by_attribute="label",
        format_version=version,
        **{where: {"label": values}},
    )
    np.testing.assert_array_equal(read_lines(tmp_path / "s").endpoints, given.astype(np.float32))
    found = read_lines(tmp_path / "s", attribute_filter={"label": 1})
    np.testing.assert_array_equal(found.endpoints, given[labels == 1].astype(np.float32))
    assert read_lines(tmp_path / "s", attribute_filter={"label": 8}).line_count == 0


@pytest.mark.parametrize(
    ("given", "options", "error", "words"),
    [
        (np.zeros((3, 3)), {}, ArrayError, r"\(N, 2, D\)"),
        (np.zeros((3, 3, 3)), {}, ArrayError, r"\(N, 2, D\)"),
        (np.full((1, 2, 3), np.inf), {}, ArrayError, "not finite"),
        (np.zeros((3, 2, 3)), {"vertex_attributes": {"a": np.zeros(6)}}, ArrayError, "per end"),
        (np.zeros((3, 2, 3)), {"object_attributes": {"a": np.zeros(4)}}, ArrayError, "4 rows"),
        (np.zeros((3, 2, 3)), {"out_of_bounds": "ignore"}, ArrayError, "ignore"),
        (np.ones((3, 2, 3)), {"bounds": ([2] * 3, [3] * 3)}, MetadataError, "out of bounds"),
        (
            np.zeros((1, 2, 3)),
            {"vertex_attributes": {"a": [[1, 2]]}, "chunk_by_attribute": "a"},
            ArrayError,
            "ends of line 0",
        ),
    ],
)
def test_what_cannot_be_written(tmp_path, given, options, error, words):
    with pytest.raises(error, match=words):
        write_lines(tmp_path / "s", given, chunk_shape=(10.0,) * 3, **options)
    assert not (tmp_path / "s" / "zarr.json").exists()


def test_old_names_of_attributes(tmp_path):
    options = {"attributes": {"w": np.zeros((COUNT, 2))}, "line_attributes": {"q": np.ones(COUNT)}}
    with pytest.warns(DeprecationWarning, match="is now") as caught:
        write_lines(tmp_path / "s", ends(), chunk_shape=(10.0,) * 3, **options)
    assert [str(warning.message) for warning in caught] == [
        "attributes= is now vertex_attributes=",
        "line_attributes= is now object_attributes=",
    ]
    assert list(open_zv(tmp_path / "s")[0].attributes) == ["w"]


def test_no_lines_at_all(tmp_path, version):
    write_lines(tmp_path / "s", np.zeros((0, 2, 3)), chunk_shape=(1.0,) * 3, format_version=version)
    assert read_lines(tmp_path / "s").endpoints.shape == (0, 2, 3)


def test_a_store_that_holds_no_lines(tmp_path):
    points_store(tmp_path / "s")
    with pytest.raises(ConventionError, match="point_cloud"):
        read_lines(tmp_path / "s")


def test_a_line_without_an_end_is_damage(tmp_path, version):
    given = np.array([[[1, 1], [2, 2]], [[1, 1], [11, 1]]], float)
    write_lines(tmp_path / "s", given, chunk_shape=(10.0, 10.0), format_version=version)
    handle = open_handle(tmp_path / "s", "r+")
    rows = handle.layout.get_objects("0")
    one_end = encode_manifests([[1, 0]], [0], [0, 1])[0]
    handle.layout.put_objects("0", ObjectRows(rows.ids, [rows.manifests[0], one_end], 2))
    with pytest.raises(ArrayError, match="line 1 has 1 ends") as caught:
        read_lines(tmp_path / "s")
    assert caught.value.array == "0/object_index"
    assert read_lines(tmp_path / "s", object_ids=[0]).line_count == 1
    # at a coarser level both ends may have become one vertex
    attributes = handle.layout.get_attrs(["0"])["0"]
    attributes["zarr_vectors_level"]["parent_level"] = 0
    handle.layout.put_attrs({"0": attributes})
    merged = read_lines(tmp_path / "s", object_ids=[1]).endpoints
    np.testing.assert_array_equal(merged, [[[11, 1], [11, 1]]])


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_lines_are_appended_by_both_ends(tmp_path, version):
    ends = np.arange(12.0).reshape(2, 2, 3)
    write_lines(tmp_path / "s", ends, chunk_shape=(10.0,) * 3, format_version=version)
    with open_zv(tmp_path / "s")[0].writer() as writer:
        with pytest.raises(ArrayError, match="object 2 has 1 vertices, a line has two"):
            writer.append_vertices_sync([[1.0, 2, 3]])
        writer.append_vertices_sync([[50.0, 1, 1], [1.0, 2, 3]], object_ids=[7, 7])
    found = read_lines(tmp_path / "s")
    assert found.object_ids.tolist() == [0, 1, 7]
    assert found.endpoints[2].tolist() == [[50, 1, 1], [1, 2, 3]]
    assert read_lines(tmp_path / "s", object_ids=[5]).line_count == 0
