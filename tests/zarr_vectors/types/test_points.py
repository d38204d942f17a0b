from __future__ import annotations

import json

import numpy as np
import pytest

from zarr_vectors.exceptions import (
    ArrayError,
    ChunkingError,
    MetadataError,
    StoreError,
)
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, empty_store, points_store
from zarr_vectors.types.points import read_points, write_points


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_written_is_read(tmp_path, version, ndim, dtype):
    data = points_store(tmp_path / "s", cloud(400, ndim), format_version=version, dtype=dtype)
    found = read_points(tmp_path / "s", attribute_names=list(data.attributes))
    rows = found.vertex_attributes["row"]
    assert sorted(rows.tolist()) == list(range(400))
    assert found.positions.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.positions, data.positions.astype(dtype)[rows])
    for name, values in data.attributes.items():
        assert found.vertex_attributes[name].dtype == values.dtype
        np.testing.assert_array_equal(found.vertex_attributes[name], values[rows])


@pytest.mark.parametrize(
    "dtype",
    [
        "bool",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float32",
        "float64",
    ],
)
def test_attributes_keep_their_dtype(tmp_path, version, dtype):
    values = np.arange(50).astype(dtype)
    columns = np.stack([values, values[::-1]], axis=1)
    write_points(
        tmp_path / "s",
        cloud().positions,
        chunk_shape=(30.0,) * 3,
        vertex_attributes={"one": values, "two": columns, "row": np.arange(50)},
        format_version=version,
    )
    found = read_points(tmp_path / "s", attribute_names=["one", "two", "row"]).vertex_attributes
    assert found["one"].dtype == found["two"].dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found["one"], values[found["row"]])
    np.testing.assert_array_equal(found["two"], columns[found["row"]])


def test_missing_strings_come_back_as_none(tmp_path, version):
    words = np.array(["b", None, "a", None] * 5, dtype=object)
    write_points(
        tmp_path / "s",
        cloud(20).positions,
        chunk_shape=(200.0,) * 3,
        vertex_attributes={"word": words, "row": np.arange(20)},
        format_version=version,
    )
    found = read_points(tmp_path / "s", attribute_names=["word", "row"]).vertex_attributes
    assert found["word"].tolist() == words[found["row"]].tolist()
    codes = read_points(tmp_path / "s", attribute_names=["word"], decode_categories=False)
    assert codes.vertex_attributes["word"].dtype == np.int8
    assert open_zv(tmp_path / "s")[0].attributes["word"].categories == ("a", "b")


def test_boxes_are_inclusive_at_both_ends(tmp_path, version):
    points = np.array([[0.0, 0.0], [10.0, 10.0], [10.5, 3.0], [-4.0, 2.0], [5.0, 5.0]])
    write_points(tmp_path / "s", points, chunk_shape=(5.0, 5.0), format_version=version)
    found = read_points(tmp_path / "s", bbox=([0, 0], [10, 10])).positions
    assert sorted(map(tuple, found.tolist())) == [(0.0, 0.0), (5.0, 5.0), (10.0, 10.0)]
    assert read_points(tmp_path / "s", bbox=([20, 20], [30, 30])).positions.shape == (0, 2)


def test_filters_intersect(tmp_path, version):
    ids = np.arange(300) % 6
    data = points_store(
        tmp_path / "s",
        cloud(300),
        format_version=version,
        object_ids=ids,
        groups={0: [1, 2], 2: [5, 2]},
    )
    points = data.positions.astype(np.float32)
    box = ([-30.0] * 3, [25.0] * 3)
    found = read_points(
        tmp_path / "s",
        bbox=box,
        object_ids=[5, 2, 99],
        group_ids=[2],
        chunks=open_zv(tmp_path / "s")[0].chunk_keys,
        attribute_names=["row"],
    )
    inside = ((points >= box[0]) & (points <= box[1])).all(axis=1)
    expected = np.flatnonzero(inside & np.isin(ids, [2, 5]))
    rows = found.vertex_attributes["row"]
    assert sorted(rows.tolist()) == expected.tolist()
    np.testing.assert_array_equal(found.object_ids, ids[rows])
    first_2 = found.object_ids.tolist().index(2)
    assert (found.object_ids[:first_2] == 5).all()
    assert read_points(tmp_path / "s", chunks=[]).vertex_count == 0
    assert read_points(tmp_path / "s", object_ids=[]).vertex_count == 0
    assert read_points(tmp_path / "s", object_ids=[1], group_ids=[2]).vertex_count == 0


def test_a_store_chunked_by_strings(tmp_path, version):
    data = cloud(200)
    kind = data.attributes["kind"]
    write_points(
        tmp_path / "s",
        data.positions,
        chunk_shape=(50.0,) * 3,
        vertex_attributes=dict(data.attributes),
        chunk_by_attribute="kind",
        format_version=version,
    )
    found = read_points(
        tmp_path / "s", attribute_filter={"kind": "glia"}, attribute_names=["row", "kind"]
    )
    rows = found.vertex_attributes["row"]
    assert sorted(rows.tolist()) == np.flatnonzero(kind == "glia").tolist()
    assert set(found.vertex_attributes["kind"].tolist()) == {"glia"}
    assert read_points(tmp_path / "s", attribute_filter={"kind": "nerve"}).vertex_count == 0
    level = open_zv(tmp_path / "s")[0]
    assert level.chunk_dims == ("kind", "x", "y", "z")
    assert level.attribute_values == ["astrocyte", "glia", "neuron"]
    assert sum(len(f) for f in level.read_attribute_chunk("glia")) == (kind == "glia").sum()
    assert level.read_attribute_chunk("nerve") == []
    with pytest.raises(ArrayError, match="chunked by 'kind'"):
        read_points(tmp_path / "s", attribute_filter={"row": 1})
    with pytest.raises(ArrayError, match="one name"):
        read_points(tmp_path / "s", attribute_filter={})


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "bool"])
def test_the_attribute_chunks_are_made_by_keeps_its_dtype(tmp_path, version, dtype):
    values = (np.arange(40) % 2).astype(dtype)
    write_points(
        tmp_path / "s",
        cloud(40).positions,
        chunk_shape=(50.0,) * 3,
        vertex_attributes={"bin": values, "row": np.arange(40)},
        chunk_by_attribute="bin",
        format_version=version,
    )
    found = read_points(tmp_path / "s", attribute_names=["bin", "row"]).vertex_attributes
    assert found["bin"].dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found["bin"], values[found["row"]])


def test_bounds_raise_ignore_expand(tmp_path):
    points = np.array([[1.0, 1.0], [2.0, 9.0], [50.0, 1.0]])
    box = ([0.0, 0.0], [10.0, 10.0])
    options = {"chunk_shape": (5.0, 5.0), "bounds": box, "vertex_attributes": {"i": np.arange(3)}}
    with pytest.raises(MetadataError, match=r"1 of 3 positions .* row 2"):
        write_points(tmp_path / "raise", points, **options)
    assert not (tmp_path / "raise").exists()
    write_points(tmp_path / "ignore", points, out_of_bounds="ignore", **options)
    kept = read_points(tmp_path / "ignore", attribute_names=["i"])
    assert sorted(kept.vertex_attributes["i"].tolist()) == [0, 1]
    write_points(tmp_path / "expand", points, out_of_bounds="expand", **options)
    assert open_zv(tmp_path / "expand").bounds == ([0.0, 0.0], [50.0, 10.0])
    with pytest.raises(MetadataError, match="out_of_bounds"):
        write_points(tmp_path / "no", points, out_of_bounds="drop", **options)


def test_no_points_at_all(tmp_path, version):
    empty_store(tmp_path / "s", format_version=version)
    found = read_points(tmp_path / "s", attribute_names=["value"])
    assert found.positions.shape == (0, 3)
    assert found.vertex_attributes["value"].shape == (0,)
    assert open_zv(tmp_path / "s")[0].chunk_count == 0


def test_sparse_object_ids_and_their_attributes(tmp_path, version):
    points = cloud(30).positions
    ids = np.array([4, 9, 2] * 10)
    write_points(
        tmp_path / "s",
        points,
        chunk_shape=(50.0,) * 3,
        object_ids=ids,
        object_attributes={"weight": np.array([2.0, 4.0, 9.0]), "by_id": np.arange(10) * 10},
        format_version=version,
    )
    level = open_zv(tmp_path / "s")[0]
    assert level.present_oids.tolist() == [2, 4, 9]
    stored = level.object_index.object_ids
    rows = [stored.index(oid) for oid in (2, 4, 9)]
    np.testing.assert_array_equal(level.object_attribute("weight")[rows], [2.0, 4.0, 9.0])
    np.testing.assert_array_equal(level.object_attribute("by_id")[rows], [20, 40, 90])


def test_axes_and_units_are_kept(tmp_path, version):
    write_points(
        tmp_path / "s",
        cloud(5).positions,
        chunk_shape=(50.0,) * 3,
        axis_names=("z", "y", "x"),
        axis_units=("micrometer", None, "nanometer"),
        vertex_attributes={"t": np.arange(5.0)},
        attribute_units={"t": "second"},
        crs={"epsg": 4326},
        format_version=version,
    )
    store = open_zv(tmp_path / "s")
    assert [(axis.name, axis.unit) for axis in store.axes] == [
        ("z", "micrometer"),
        ("y", None),
        ("x", "nanometer"),
    ]
    assert store[0].attribute_specs["t"].unit == "second"
    assert store[0].attribute_specs["t"].limits == (0.0, 4.0)


def test_a_dash_of_metadata_is_what_the_format_says(tmp_path, version):
    points_store(tmp_path / "s", format_version=version)
    root = json.loads((tmp_path / "s" / "zarr.json").read_text())["attributes"]
    assert root["zarr_vectors"]["zv_version"] == version
    assert root["zarr_vectors"]["base_bin_shape"] == [5.0, 5.0, 5.0]
    assert root["multiscales"][0]["datasets"] == [
        {
            "path": "0",
            "coordinateTransformations": [
                {"type": "scale", "scale": [1.0, 1.0, 1.0]},
                {"type": "translation", "translation": [2.5, 2.5, 2.5]},
            ],
        }
    ]
    assert ("ome" in root) == (version == "0.9.2")


def wrong(**changes):
    return {"positions": np.ones((4, 3)), "chunk_shape": (5.0,) * 3} | changes


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (wrong(positions=np.ones(4)), ArrayError, r"\(N, D\)"),
        (wrong(positions=np.ones((4, 5))), ArrayError, r"\(N, D\)"),
        (wrong(positions=[["a", "b"]]), ArrayError, "numbers"),
        (wrong(positions=np.array([[1, 2, np.nan]])), ArrayError, "position 0"),
        (wrong(positions=np.array([[1, 2, 1e300]])), ArrayError, "not finite in float32"),
        (wrong(dtype="int32"), ArrayError, "float32, float64"),
        (wrong(chunk_shape=(5.0, 5.0)), ChunkingError, "2 axes"),
        (wrong(chunk_shape=(5.0, 5.0, 0.0)), ChunkingError, "greater than 0"),
        (wrong(bin_shape=(2.0,) * 3), ChunkingError, "does not divide"),
        (wrong(vertex_attributes={"a": np.ones(3)}), ArrayError, "4 vertices"),
        (wrong(vertex_attributes={"a": np.ones((4, 2, 2))}), ArrayError, "'a'"),
        (wrong(vertex_attributes={"a": np.ones(4, complex)}), ArrayError, "complex"),
        (wrong(vertex_attributes={"../a": np.ones(4)}), StoreError, "not allowed"),
        (wrong(vertex_attributes={"a": np.array(["x", 1, "y", "z"], object)}), ArrayError, "'a'"),
        (wrong(object_ids=[0, 1]), ArrayError, "object_ids"),
        (wrong(object_ids=[0, 1, 2, -1]), ArrayError, "0 or more"),
        (wrong(object_ids=np.ones(4)), ArrayError, "integers"),
        (wrong(object_attributes={"w": np.ones(7)}), ArrayError, "'w' has 7 rows"),
        (wrong(group_attributes={"w": np.ones(7)}), ArrayError, "without groups"),
        (wrong(chunk_by_attribute="k"), ArrayError, "'k'"),
        (wrong(bounds=([0, 0], [1, 1])), MetadataError, "3 numbers"),
        (wrong(bounds=([5] * 3, [1] * 3)), MetadataError, "no larger"),
        (wrong(axis_names=("a", "a", "b")), MetadataError, "differ"),
        (wrong(format_version="0.8.0"), StoreError, r"0\.8\.0"),
    ],
)
def test_bad_input_gets_one_clear_sentence(tmp_path, arguments, error, words):
    with pytest.raises(error, match=words) as caught:
        write_points(tmp_path / "s", **arguments)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "s").exists()


def test_a_place_in_use_is_left_alone(tmp_path):
    points_store(tmp_path / "s")
    with pytest.raises(StoreError, match="not empty"):
        points_store(tmp_path / "s")


def test_reading_what_is_not_there(tmp_path):
    points_store(tmp_path / "s")
    with pytest.raises(StoreError, match="no store"):
        read_points(tmp_path / "t")
    with pytest.raises(StoreError, match="no level 3"):
        read_points(tmp_path / "s", level=3)
    with pytest.raises(StoreError, match="no attribute 'x'; it has 'kind'"):
        read_points(tmp_path / "s", attribute_names=["x"])
    with pytest.raises(StoreError, match="no group 0"):
        read_points(tmp_path / "s", group_ids=[0])
    with pytest.raises(ArrayError, match="bbox"):
        read_points(tmp_path / "s", bbox=([0, 0], [1, 1]))
    with pytest.raises(ArrayError, match="not chunked by an attribute"):
        read_points(tmp_path / "s", attribute_filter={"kind": "glia"})


def test_the_old_name_of_attributes_still_works(tmp_path):
    with pytest.warns(DeprecationWarning, match="vertex_attributes"):
        write_points(
            tmp_path / "s", np.ones((2, 2)), chunk_shape=(1.0, 1.0), attributes={"a": [1, 2]}
        )
    assert open_zv(tmp_path / "s")[0].attributes["a"].compute().tolist() == [1, 2]
