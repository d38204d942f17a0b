from __future__ import annotations

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.encoding.manifests import encode_manifests
from zarr_vectors.exceptions import ArrayError, ConventionError, MetadataError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import points_store
from zarr_vectors.types.polylines import read_polylines, write_polylines

CHUNK = 10.0
NAMES = ["step", "rgb", "kind", "value"]


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


def walks(ndim=3, counts=(40, 0, 1, 2, 25, 60), seed=0):
    """Random walks through positive and negative chunks."""
    rng = np.random.default_rng(seed)
    return [
        np.cumsum(rng.normal(0, 3, (n, ndim)), axis=0) + rng.uniform(-30, 30, ndim) for n in counts
    ]


def attributes_of(lines):
    """Vertex attributes of every kind, an array per line."""
    rng = np.random.default_rng(1)
    kinds = np.array(["axon", "dendrite", "spine"])
    return {
        "step": [np.arange(len(line), dtype=np.int16) for line in lines],
        "value": [rng.standard_normal(len(line)) for line in lines],
        "rgb": [rng.integers(0, 256, (len(line), 3)).astype(np.uint8) for line in lines],
        "kind": [kinds[rng.integers(0, 3, len(line))] for line in lines],
    }


def written(place, lines, *, bins=2, **options):
    ndim = lines[0].shape[1]
    return write_polylines(
        place,
        lines,
        chunk_shape=(CHUNK,) * ndim,
        bin_shape=(CHUNK / bins,) * ndim,
        **options,
    )


def chunks_of(line):
    return [tuple(row) for row in np.floor(line.astype(np.float64) / CHUNK).astype(int).tolist()]


def assert_lines(found, expected, dtype="float32"):
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(mine, theirs.astype(dtype))


@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bins", [1, 4])
def test_what_is_written_is_read(tmp_path, version, ndim, dtype, bins):
    lines = walks(ndim)
    attributes = attributes_of(lines)
    counts = written(
        tmp_path / "s",
        lines,
        bins=bins,
        dtype=dtype,
        vertex_attributes=attributes,
        format_version=version,
    )
    found = read_polylines(tmp_path / "s", attribute_names=NAMES)
    assert_lines(found.lines, lines, dtype)
    assert found["polyline_count"] == counts["polyline_count"] == len(lines)
    assert found["vertex_count"] == counts["vertex_count"] == sum(map(len, lines))
    assert found.object_ids.tolist() == list(range(len(lines)))
    for name in NAMES:
        assert found.vertex_attributes[name].dtype.kind == attributes[name][0].dtype.kind
        for mine, theirs in zip(found.per_polyline(name), attributes[name], strict=True):
            np.testing.assert_array_equal(mine, theirs)
    cells = [chunks_of(line.astype(dtype)) for line in lines]
    crossings = sum(a != b for line in cells for a, b in pairwise(line))
    assert counts["cross_chunk_link_count"] == crossings
    assert counts["chunk_count"] == len({cell for line in cells for cell in line})


def test_segments_are_runs_in_one_cell(tmp_path, version):
    lines = walks()
    written(tmp_path / "s", lines, format_version=version)
    handle = open_handle(tmp_path / "s")
    size = CHUNK / 2 if handle.layout.splits_paths_by_bin else CHUNK
    found = read_polylines(tmp_path / "s")["polylines"]
    for segments, line in zip(found, lines, strict=True):
        cells = [np.floor(segment.astype(np.float64) / size) for segment in segments]
        assert all((cell == cell[0]).all() for cell in cells)
        assert all((a[-1] != b[0]).any() for a, b in pairwise(cells))
        assert sum(map(len, segments)) == len(line)


@pytest.mark.parametrize("by", [None, "kind"])
def test_links_join_the_ends_of_fragments(tmp_path, version, by):
    lines = walks()
    kinds = attributes_of(lines)["kind"]
    counts = written(
        tmp_path / "s",
        lines,
        vertex_attributes={"kind": kinds},
        chunk_by_attribute=by,
        format_version=version,
    )
    links = open_handle(tmp_path / "s").layout.get_links("0")
    level = open_zv(tmp_path / "s")[0]
    rows = level.read_chunks(level.chunk_table.coords)
    joined = [
        tuple(rows[tuple(chunk)].positions[row].tobytes() for chunk, row in zip(*end, strict=True))
        for end in zip(links.chunks.tolist(), links.rows.tolist(), strict=True)
    ]
    expected = []
    for line, kind in zip(lines, kinds, strict=True):
        points = line.astype(np.float32)
        chunks = chunks_of(points)
        if by is not None:
            chunks = list(zip(kind.tolist(), chunks, strict=True))
        expected += [
            (points[k].tobytes(), points[k + 1].tobytes())
            for k in range(len(line) - 1)
            if chunks[k] != chunks[k + 1]
        ]
    assert sorted(joined) == sorted(expected)
    assert len(expected) == counts["cross_chunk_link_count"] > 0


def test_polylines_are_read_without_their_links(tmp_path, version):
    lines = walks()
    written(tmp_path / "s", lines, format_version=version)
    folder = tmp_path / "s" / "0" / ("links" if version == "0.9.2" else "cross_chunk_links")
    shutil.rmtree(folder)
    assert_lines(read_polylines(tmp_path / "s").lines, lines)


@pytest.mark.parametrize("by", ["kind", "bundle", "step"])
def test_a_store_chunked_by_an_attribute(tmp_path, version, by):
    lines = walks()
    attributes = attributes_of(lines)
    bundle = np.array([3, 1, 3, 1, 1, 7])
    written(
        tmp_path / "s",
        lines,
        vertex_attributes=attributes,
        object_attributes={"bundle": bundle},
        chunk_by_attribute=by,
        format_version=version,
    )
    found = read_polylines(tmp_path / "s", attribute_names={*NAMES, by})
    assert_lines(found.lines, lines)
    for mine, theirs in zip(found.per_polyline("kind"), attributes["kind"], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    values = [np.full(len(line), b) for line, b in zip(lines, bundle, strict=True)]
    values = values if by == "bundle" else attributes[by]
    wanted = values[0][0]
    part = read_polylines(tmp_path / "s", attribute_filter={by: wanted})
    keep = [line[value == wanted] for line, value in zip(lines, values, strict=True)]
    assert_lines(part.lines, [line for line in keep if len(line)])
    assert part.object_ids.tolist() == [i for i, line in enumerate(keep) if len(line)]
    assert read_polylines(tmp_path / "s", attribute_filter={by: -77}).polyline_count == 0
    with pytest.raises(ArrayError, match="chunked by"):
        read_polylines(tmp_path / "s", attribute_filter={"other": 1})
    level = open_zv(tmp_path / "s")[0]
    assert level.chunk_dims == (by, "x", "y", "z")
    assert level.chunk_table.coords.shape[1] == 4


def test_objects_groups_and_their_attributes(tmp_path, version):
    lines = walks()
    counts = written(
        tmp_path / "s",
        lines,
        object_attributes={"size": np.arange(6.0), "pair": np.arange(12).reshape(6, 2)},
        groups={0: [5, 1], 1: [2, 5]},
        group_attributes={"weight": np.array([0.5, 2.5])},
        format_version=version,
    )
    assert counts["group_count"] == 2
    found = read_polylines(tmp_path / "s", object_ids=[4, 99, 1, 4, 0])
    assert found.object_ids.tolist() == [4, 1, 0]
    assert_lines(found.lines, [lines[4], lines[1], lines[0]])
    assert read_polylines(tmp_path / "s", group_ids=[1]).object_ids.tolist() == [2, 5]
    both = read_polylines(tmp_path / "s", group_ids=[0, 1], object_ids=[3, 5, 2])
    assert both.object_ids.tolist() == [5, 2]
    for empty in ({"object_ids": []}, {"group_ids": []}, {"object_ids": [77]}):
        none = read_polylines(tmp_path / "s", **empty)
        assert none["polylines"] == []
        assert none.positions.shape == (0, 3)
    with pytest.raises(StoreError, match="no group 9"):
        read_polylines(tmp_path / "s", group_ids=[9])
    layout = open_handle(tmp_path / "s").layout
    for name, values in {"size": np.arange(6.0), "pair": np.arange(12).reshape(6, 2)}.items():
        stored, present = layout.get_dense(f"0/object_attributes/{name}")
        np.testing.assert_array_equal(stored, values)
        assert len(present) == 6
    stored, _ = layout.get_dense("0/group_attributes/weight")
    np.testing.assert_array_equal(stored, [0.5, 2.5])


def test_boxes_keep_whole_polylines(tmp_path, version):
    lines = walks(counts=(30,) * 8)
    written(tmp_path / "s", lines, format_version=version)
    for low in (-25.0, 0.0, 12.0):
        box = ([low] * 3, [low + 7.5] * 3)
        first, last = (np.floor(np.array(corner) / CHUNK) for corner in box)
        touched = [
            i
            for i, line in enumerate(lines)
            if any((c >= first).all() and (c <= last).all() for c in np.array(chunks_of(line)))
        ]
        found = read_polylines(tmp_path / "s", bbox=box)
        assert found.object_ids.tolist() == touched
        assert_lines(found.lines, [lines[i] for i in touched])
    assert read_polylines(tmp_path / "s", bbox=([900] * 3, [901] * 3)).polyline_count == 0
    with pytest.raises(ArrayError, match="inverted"):
        read_polylines(tmp_path / "s", bbox=([2] * 3, [1] * 3))


def test_chunks_crop_and_every_run_left_is_a_polyline(tmp_path, version):
    lines = walks(counts=(60, 0, 30))
    written(tmp_path / "s", lines, vertex_attributes=attributes_of(lines), format_version=version)
    wanted = set(chunks_of(lines[0].astype(np.float32))[::7])
    runs, owners = [], []
    for number, line in enumerate(lines):
        before = False
        for point, chunk in zip(line, chunks_of(line.astype(np.float32)), strict=True):
            if chunk in wanted and before:
                runs[-1].append(point)
            elif chunk in wanted:
                runs.append([point])
                owners.append(number)
            before = chunk in wanted
    assert len(owners) > len(set(owners))
    found = read_polylines(tmp_path / "s", chunks=wanted, attribute_names=["step"])
    assert found.object_ids.tolist() == owners
    assert_lines(found.lines, [np.array(run) for run in runs])
    for steps in found.per_polyline("step"):
        assert (np.diff(steps) == 1).all()
    whole = read_polylines(tmp_path / "s", chunks=open_zv(tmp_path / "s")[0].chunk_keys)
    assert_lines(whole.lines, [lines[0], lines[2]])
    assert read_polylines(tmp_path / "s", chunks=[]).polyline_count == 0
    box = (lines[2][0], lines[2][0])
    some = read_polylines(tmp_path / "s", chunks=wanted, bbox=box)
    inside = {chunks_of(lines[2][:1])[0]} & wanted
    assert some.polyline_count == sum(
        bool(inside & set(chunks_of(np.array(run, np.float32)))) for run in runs
    )
    with pytest.raises(ArrayError, match="components"):
        read_polylines(tmp_path / "s", chunks=[(0, 0)])


def test_metadata(tmp_path, version):
    written(
        tmp_path / "s",
        walks(),
        geometry_type="polyline",
        format_version=version,
        axis_units=["micrometer"] * 3,
        vertex_attributes=attributes_of(walks()),
        attribute_units={"value": "mV"},
        crs={"name": "here"},
    )
    store = open_zv(tmp_path / "s")
    assert store.geometry_types == ["polyline"]
    assert store.zv_version == version
    assert store.n_objects == 6
    assert store[0].attribute_specs["value"].unit == "mV"
    assert store.crs == {"name": "here"}
    root = json.loads((tmp_path / "s" / "zarr.json").read_text())["attributes"]["zarr_vectors"]
    assert root["links_convention"] == "implicit_sequential"
    assert root["base_bin_shape"] == [5.0] * 3


def test_bounds(tmp_path, version):
    lines = walks()
    with pytest.raises(MetadataError, match="out of bounds"):
        written(tmp_path / "s", lines, bounds=([0] * 3, [1] * 3), format_version=version)
    assert not (tmp_path / "s" / "zarr.json").exists()
    with pytest.raises(ArrayError, match="ignore"):
        written(tmp_path / "s", lines, out_of_bounds="ignore", format_version=version)
    with pytest.raises(MetadataError, match="out_of_bounds"):
        written(tmp_path / "s", lines, out_of_bounds="no", format_version=version)
    bounds = ([0] * 3, [99] * 3)
    options = {"bounds": bounds, "out_of_bounds": "expand", "format_version": version}
    written(tmp_path / "s", lines, **options)
    low, high = open_zv(tmp_path / "s").bounds
    rows = np.concatenate(lines).astype(np.float32)
    np.testing.assert_array_equal(low, np.minimum(rows.min(axis=0), 0))
    np.testing.assert_array_equal(high, [99] * 3)
    assert_lines(read_polylines(tmp_path / "s").lines, lines)


@pytest.mark.parametrize(
    ("lines", "options", "error", "words"),
    [
        ([], {}, ArrayError, "empty"),
        ([np.zeros(3)], {}, ArrayError, r"\(n, D\)"),
        ([np.zeros((2, 3)), np.zeros((2, 2))], {}, ArrayError, "polyline 1"),
        ([np.zeros((2, 3)), np.array([["a"] * 3])], {}, ArrayError, "polyline 1"),
        ([np.full((2, 3), np.nan)], {}, ArrayError, "not finite"),
        ([np.zeros((2, 3))], {"geometry_type": "graph"}, MetadataError, "geometry_type"),
        ([np.zeros((2, 3))], {"format_version": "0.8"}, StoreError, "format_version"),
        ([np.zeros((2, 3))], {"vertex_attributes": {"a": [[1]]}}, ArrayError, "2 vertices"),
        ([np.zeros((2, 3))], {"vertex_attributes": {"a": []}}, ArrayError, "1 polylines"),
        ([np.zeros((2, 3))], {"object_attributes": {"a": [1, 2]}}, ArrayError, "2 rows"),
        ([np.zeros((2, 3))], {"object_attributes": {"a": [1j]}}, ArrayError, "dtype"),
        ([np.zeros((2, 3))], {"group_attributes": {"a": [1]}}, ArrayError, "without groups"),
        ([np.zeros((2, 3))], {"chunk_by_attribute": "a"}, ArrayError, "chunk_by_attribute"),
        (
            [np.zeros((2, 3))] * 2,
            {"object_attributes": {"a": np.zeros((2, 2))}, "chunk_by_attribute": "a"},
            ArrayError,
            "one value per line",
        ),
        (
            [np.zeros((2, 3))] * 2,
            {"vertex_attributes": {"a": [np.zeros((2, 2)), np.zeros((2, 3))]}},
            ArrayError,
            "as many columns",
        ),
    ],
)
def test_what_cannot_be_written(tmp_path, lines, options, error, words):
    with pytest.raises(error, match=words):
        write_polylines(tmp_path / "s", lines, chunk_shape=(CHUNK,) * 3, **options)
    assert not (tmp_path / "s" / "zarr.json").exists()


def test_the_old_name_of_vertex_attributes(tmp_path):
    lines = walks()
    with pytest.warns(DeprecationWarning, match="vertex_attributes"):
        written(tmp_path / "s", lines, attributes={"step": attributes_of(lines)["step"]})
    assert list(open_zv(tmp_path / "s")[0].attributes) == ["step"]


def test_nothing_but_empty_polylines(tmp_path, version):
    lines = [np.zeros((0, 3)), []]
    counts = written(tmp_path / "s", lines, format_version=version)
    assert counts["chunk_count"] == counts["cross_chunk_link_count"] == 0
    found = read_polylines(tmp_path / "s")
    assert [line.shape for line in found.lines] == [(0, 3), (0, 3)]
    assert found["polylines"] == [[], []]


def test_a_store_that_holds_no_paths(tmp_path):
    points_store(tmp_path / "s", object_ids=np.arange(50) % 3)
    with pytest.raises(ConventionError, match="point_cloud"):
        read_polylines(tmp_path / "s")


def test_a_result_as_lists_and_as_rows(tmp_path, version):
    lines = walks()
    written(tmp_path / "s", lines, format_version=version)
    found = read_polylines(tmp_path / "s")
    assert found["polylines"] is found.polylines
    assert set(found) >= {"polylines", "polyline_count", "vertex_count", "positions", "offsets"}
    assert all(key in found and found[key] is not None for key in found)
    for line in found.lines:
        assert line.base is not None
    for segments, line in zip(found.polylines, found.lines, strict=True):
        if len(line):
            np.testing.assert_array_equal(np.concatenate(segments), line)


def test_objects_a_coarse_level_has_left_out(tmp_path, version):
    written(tmp_path / "s", walks(), format_version=version)
    handle = open_handle(tmp_path / "s", "r+")
    rows = handle.layout.get_objects("0")
    blobs = [bytes(4) if i in (0, 4) else blob for i, blob in enumerate(rows.manifests)]
    handle.layout.put_objects("0", ObjectRows(rows.ids, blobs, rows.sid_ndim))
    assert read_polylines(tmp_path / "s").object_ids.tolist() == [0, 1, 2, 3, 4, 5]
    attributes = handle.layout.get_attrs(["0"])["0"]
    attributes["zarr_vectors_level"]["parent_level"] = 0
    handle.layout.put_attrs({"0": attributes})
    assert read_polylines(tmp_path / "s").object_ids.tolist() == [2, 3, 5]
    assert read_polylines(tmp_path / "s", object_ids=[5, 0, 3]).object_ids.tolist() == [5, 3]


def test_a_manifest_that_names_a_chunk_that_is_not_there(tmp_path, version):
    written(tmp_path / "s", walks(), format_version=version)
    handle = open_handle(tmp_path / "s", "r+")
    rows = handle.layout.get_objects("0")
    blobs = [*rows.manifests[:-1], encode_manifests([[77, 0, 1]], [0], [0, 1])[0]]
    handle.layout.put_objects("0", ObjectRows(rows.ids, blobs, rows.sid_ndim))
    with pytest.raises(ArrayError, match=r"object 5 has vertices in chunk \(77, 0, 1\)") as caught:
        read_polylines(tmp_path / "s")
    assert caught.value.array == "0/object_index"
    assert read_polylines(tmp_path / "s", object_ids=[0]).polyline_count == 1


lists = st.lists(
    st.lists(st.tuples(*[st.floats(-30, 30, width=32)] * 2), max_size=9), min_size=1, max_size=5
)


@given(lines=lists, bins=st.sampled_from([1, 3]), version=st.sampled_from(["0.7.0", "0.9.2"]))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_polylines_come_back(tmp_path_factory, lines, bins, version):
    place = tmp_path_factory.mktemp("any") / "s"
    arrays = [np.array(line, np.float64).reshape(-1, 2) for line in lines]
    steps = [np.arange(len(line)) for line in arrays]
    written(place, arrays, bins=bins, vertex_attributes={"step": steps}, format_version=version)
    found = read_polylines(place, attribute_names=["step"])
    assert_lines(found.lines, arrays)
    for mine, theirs in zip(found.per_polyline("step"), steps, strict=True):
        np.testing.assert_array_equal(mine, theirs)
