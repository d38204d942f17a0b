"""Polylines and streamlines, both ways: the published releases' stores by us, ours by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.types.polylines import read_polylines, write_polylines

pytestmark = pytest.mark.peers

COUNTS = (60, 2, 1, 90, 45)
NUMBERS = {"i16": ("int16", 1), "f32": ("float32", 1), "f64": ("float64", 1), "rgb": ("uint8", 3)}


def tracts(ndim: int = 3, reach: float = 40.0, counts: tuple[int, ...] = COUNTS) -> dict[str, Any]:
    """Random walks one after the other, and attributes of every kind."""
    rng = np.random.default_rng(11)
    total = sum(counts)
    lines = [
        np.cumsum(rng.normal(0, 3, (n, ndim)), axis=0) + rng.uniform(-reach, reach, ndim)
        for n in counts
    ]
    return {
        "positions": np.concatenate(lines),
        "starts": np.cumsum([0, *counts]),
        "v_i16": rng.integers(-300, 300, total).astype(np.int16),
        "v_f32": rng.standard_normal(total).astype(np.float32),
        "v_f64": rng.standard_normal(total),
        "v_rgb": rng.integers(0, 255, (total, 3)).astype(np.uint8),
        "o_size": np.arange(len(counts)) * 1.5,
    }


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (tracts(), {"chunk_shape": [20.0] * 3}),
    "bins": (tracts(), {"chunk_shape": [20.0] * 3, "bin_shape": [5.0] * 3}),
    "polyline": (tracts(), {"chunk_shape": [20.0] * 3, "geometry_type": "polyline"}),
    "2-D": (tracts(2), {"chunk_shape": [20.0] * 2, "bin_shape": [10.0] * 2}),
    "float64": (tracts(reach=6.4e5), {"chunk_shape": [50.0] * 3, "dtype": "float64"}),
    "empty ones": (tracts(counts=(0, 30, 0, 12)), {"chunk_shape": [20.0] * 3}),
    "groups": (tracts(), {"chunk_shape": [30.0] * 3, "groups": {0: [3, 0], 1: [1, 3, 4]}}),
}


def lines_of(data: dict[str, Any], name: str = "positions") -> list[np.ndarray]:
    return np.split(data[name], data["starts"][1:-1])


def write_ours(place: Path | str, data: dict[str, Any], version: str, **options: Any) -> None:
    if "groups" in options:
        options["groups"] = {int(k): v for k, v in options["groups"].items()}
    write_polylines(
        place,
        lines_of(data),
        vertex_attributes={name: lines_of(data, f"v_{name}") for name in NUMBERS},
        object_attributes={"size": data["o_size"]},
        format_version=version,
        **options,
    )


def write_theirs(peer: Any, store: str, data: dict[str, Any], **options: Any) -> None:
    names = list(NUMBERS)
    more = {"columns": names, "object_columns": ["size"], "kind": "polylines"}
    peer.call("write_paths", store=store, **more, **data, **options)


def assert_segments(ours: Any, theirs: dict[str, Any]) -> None:
    """Rows, segments and polylines are equal but for empty ones, which they leave out."""
    np.testing.assert_array_equal(ours.positions, theirs["positions"])
    np.testing.assert_array_equal(np.diff(ours.segments), theirs["segments"])
    counts = np.diff(ours.offsets)
    np.testing.assert_array_equal(counts[counts > 0], theirs["counts"])


@pytest.mark.parametrize("case", CASES)
def test_theirs_is_read_equal(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "theirs")
    write_theirs(peer, store, data, **options)
    dtype = options.get("dtype", "float32")
    found = read_polylines(store, attribute_names=NUMBERS)
    assert found.polyline_count == len(data["starts"]) - 1
    np.testing.assert_array_equal(found.offsets, data["starts"])
    np.testing.assert_array_equal(found.positions, data["positions"].astype(dtype))
    for name in NUMBERS:
        values = found.vertex_attributes[name]
        assert values.dtype == data[f"v_{name}"].dtype
        np.testing.assert_array_equal(values, data[f"v_{name}"])
    assert_segments(found, peer.call("read_paths", store=store, kind="polylines"))
    lazy = open_zv(store)[0].polylines
    for mine, line in zip(lazy.compute(), lines_of(data), strict=True):
        np.testing.assert_array_equal(mine, line.astype(dtype))
    stored = open_zv(store).raw_array("object_attributes/size", 0)
    np.testing.assert_array_equal(np.asarray(stored), data["o_size"])


@pytest.mark.parametrize("case", CASES)
def test_ours_is_read_equal(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "ours")
    write_ours(store, data, peer.version, **options)
    found = peer.call("read_paths", store=store, kind="polylines")
    dtype = options.get("dtype", "float32")
    np.testing.assert_array_equal(found["positions"], data["positions"].astype(dtype))
    assert found["positions"].dtype == np.dtype(dtype)
    counts = np.diff(data["starts"])
    np.testing.assert_array_equal(found["counts"], counts[counts > 0])
    for name, (kind, ncols) in NUMBERS.items():
        values = peer.call("read_attribute_rows", store=store, name=name, dtype=kind, ncols=ncols)
        ours = open_zv(store)[0].attributes[name].compute()
        np.testing.assert_array_equal(values["values"].reshape(ours.shape), ours)
    size = peer.call("read_object_attribute", store=store, name="size")["values"]
    np.testing.assert_array_equal(size, data["o_size"])


@pytest.mark.parametrize("case", ["plain", "bins", "2-D"])
def test_the_same_fragments_as_theirs(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    mine, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    write_ours(mine, data, peer.version, **options)
    write_theirs(peer, theirs, data, **options)
    ours, other = open_zv(mine)[0], open_zv(theirs)[0]
    np.testing.assert_array_equal(ours.chunk_table.coords, other.chunk_table.coords)
    np.testing.assert_array_equal(ours.vertices.compute(), other.vertices.compute())
    for oid in ours.object_index.object_ids:
        assert ours.object_index[oid] == other.object_index[oid]


@pytest.mark.parametrize("case", ["plain", "bins", "2-D"])
def test_links_join_the_ends_of_fragments(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "ours")
    write_ours(store, data, peer.version, **options)
    links = peer.call("read_cross_links", store=store)["links"]
    rows = {key: part.positions for key, part in whole_chunks(store).items()}
    joined = {
        (rows[tuple(a[:-1])][a[-1]].tobytes(), rows[tuple(b[:-1])][b[-1]].tobytes())
        for a, b in links.tolist()
    }
    expected = set()
    for line in lines_of(data):
        points = line.astype(np.float32)
        cells = np.floor(points.astype(np.float64) / options["chunk_shape"][0])
        for k in np.flatnonzero((cells[1:] != cells[:-1]).any(axis=1)):
            expected.add((points[k].tobytes(), points[k + 1].tobytes()))
    assert len(expected) == len(links) > 0
    assert joined == expected


def whole_chunks(store: str) -> dict[tuple[int, ...], Any]:
    level = open_zv(store)[0]
    return level.read_chunks(level.chunk_table.coords)


@pytest.mark.parametrize("writer", ["ours", "theirs"])
def test_filters_agree(peer: Any, tmp_path: Path, writer: str) -> None:
    data, options = CASES["groups"]
    store = str(tmp_path / writer)
    if writer == "ours":
        write_ours(store, data, peer.version, **options)
    else:
        write_theirs(peer, store, data, **options)
    keys = open_zv(store)[0].chunk_keys
    first = [float(x) for x in data["positions"][0]]
    for wanted in (
        {"object_ids": [4, 77, 0]},
        {"group_ids": [1]},
        {"group_ids": [0], "object_ids": [4, 3]},
        {"bbox": (first, first)},
        {"bbox": ([-15.0] * 3, [-5.0] * 3)},
        {"chunks": [list(key) for key in keys[::3]]},
        {"chunks": []},
    ):
        theirs = peer.call("read_paths", store=store, kind="polylines", **wanted)
        assert_segments(read_polylines(store, **wanted), theirs)
    groups = json.loads(str(peer.call("read_groups", store=store)["groups"]))
    assert groups == list(options["groups"].values())


@pytest.mark.parametrize("writer", ["ours", "theirs"])
def test_chunked_by_an_attribute(peer: Any, tmp_path: Path, writer: str) -> None:
    data = tracts()
    data["v_part"] = np.arange(len(data["positions"])) // 7 % 3
    options = {"chunk_shape": [25.0] * 3, "chunk_by_attribute": "part"}
    store = str(tmp_path / writer)
    if writer == "ours":
        values = {"part": lines_of(data, "v_part")}
        write_polylines(
            store, lines_of(data), vertex_attributes=values, format_version=peer.version, **options
        )
    else:
        more = {"columns": ["part"], "kind": "polylines"}
        peer.call("write_paths", store=store, **more, **data, **options)
    whole = read_polylines(store, attribute_names=["part"])
    np.testing.assert_array_equal(whole.positions, data["positions"].astype(np.float32))
    np.testing.assert_array_equal(whole.vertex_attributes["part"], data["v_part"])
    for wanted in ({}, {"attribute_filter": {"part": 1}}, {"attribute_filter": {"part": 9}}):
        theirs = peer.call("read_paths", store=store, kind="polylines", **wanted)
        assert_segments(read_polylines(store, **wanted), theirs)


def test_their_coarse_levels_are_read(peer: Any, tmp_path: Path) -> None:
    data, options = CASES["plain"]
    store = str(tmp_path / "theirs")
    write_theirs(peer, store, data, pyramid=True, **options)
    found = read_polylines(store, level=1)
    theirs = peer.call("read_paths", store=store, kind="polylines", level=1)
    assert 0 < found.polyline_count < len(COUNTS)
    assert_segments(found, theirs)
    assert open_zv(store)[1].polylines.object_ids == found.object_ids.tolist()
