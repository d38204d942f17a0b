"""Points, both ways: the published releases' stores by us, ours by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import read_points, write_points

pytestmark = pytest.mark.peers

COUNT = 700


def cloud(ndim: int = 3, low: float = -50.0, high: float = 50.0) -> dict[str, Any]:
    """Positions and attributes of every kind."""
    rng = np.random.default_rng(7)
    return {
        "positions": rng.uniform(low, high, (COUNT, ndim)),
        "v_i16": rng.integers(-300, 300, COUNT).astype(np.int16),
        "v_u8": rng.integers(0, 255, COUNT).astype(np.uint8),
        "v_i64": rng.integers(-(2**60), 2**60, COUNT),
        "v_f32": rng.standard_normal(COUNT).astype(np.float32),
        "v_f64": rng.standard_normal(COUNT),
        "v_rgb": rng.integers(0, 255, (COUNT, 3)).astype(np.uint8),
        "v_kind": np.array(["ab", "c", "dé"])[rng.integers(0, 3, COUNT)],
    }


COLUMNS = ["i16", "u8", "i64", "f32", "f64", "rgb", "kind"]

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (cloud(), {"chunk_shape": [60.0] * 3}),
    "bins": (cloud(), {"chunk_shape": [60.0] * 3, "bin_shape": [20.0] * 3}),
    "one chunk": (cloud(low=1, high=9), {"chunk_shape": [100.0] * 3}),
    "2-D": (cloud(2), {"chunk_shape": [40.0] * 2, "bin_shape": [10.0] * 2}),
    "4-D": (cloud(4), {"chunk_shape": [50.0] * 4}),
    "float64": (cloud(low=6.4e5, high=6.41e5), {"chunk_shape": [800.0] * 3, "dtype": "float64"}),
    "objects": (
        cloud() | {"object_ids": np.random.default_rng(1).integers(0, 9, COUNT)},
        {"chunk_shape": [60.0] * 3, "groups": {0: [1, 2], 1: [4]}},
    ),
    "chunked by a number": (
        cloud() | {"v_bin": np.arange(COUNT) % 3},
        {"chunk_shape": [50.0] * 3, "chunk_by_attribute": "bin"},
    ),
}


def stored_order(positions: np.ndarray) -> np.ndarray:
    """A canonical order of rows, to compare sets of them."""
    return np.lexsort(positions.T)


def as_written(data: dict[str, Any], dtype: str) -> dict[str, Any]:
    """The input in canonical order, positions in the stored dtype."""
    positions = data["positions"].astype(dtype)
    order = stored_order(positions)
    arrays = {k: v[order] for k, v in data.items() if k != "positions"}
    return {"positions": positions[order], **arrays}


def assert_rows_equal(found: dict[str, Any], data: dict[str, Any], dtype: str) -> None:
    expected = as_written(data, dtype)
    order = stored_order(found["positions"])
    for name, values in found.items():
        assert values.dtype.kind == expected[name].dtype.kind, name
        if values.dtype.kind != "U":
            assert values.dtype == expected[name].dtype, name
        np.testing.assert_array_equal(values[order], expected[name], err_msg=name)


def named(columns: list[str], options: dict[str, Any]) -> list[str]:
    """Attributes stored: the one a level is chunked by is known from its chunks."""
    lead = options.get("chunk_by_attribute")
    return columns if lead is None else [*columns, lead]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", ["whole", "sharded"])
def test_theirs_is_read_equal(peer: Any, tmp_path: Path, case: str, form: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "theirs")
    columns = named(COLUMNS, options)
    peer.call("write", store=store, columns=columns, shard=form == "sharded", **data, **options)
    dtype = options.get("dtype", "float32")
    eager = read_points(store, attribute_names=columns)
    values = {f"v_{name}": column for name, column in eager["vertex_attributes"].items()}
    assert_rows_equal({"positions": eager["positions"], **values}, data, dtype)
    level = open_zv(store)[0]
    lazy = {f"v_{name}": level.attributes[name].compute() for name in columns}
    assert_rows_equal({"positions": level.vertices.compute(), **lazy}, data, dtype)
    np.testing.assert_array_equal(level.vertices.compute(), eager["positions"])
    chunks = level.read_chunks(level.chunk_table.coords, columns, decode_categories=True)
    stacked = np.concatenate([rows.positions for rows in chunks.values()])
    np.testing.assert_array_equal(stacked, eager["positions"])
    assert level.vertex_count == COUNT


@pytest.mark.parametrize("case", CASES)
def test_ours_is_read_equal(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "ours")
    columns = named(COLUMNS, options)
    ours = {k: v for k, v in options.items() if k != "groups"}
    if "groups" in options:
        ours["groups"] = {int(k): v for k, v in options["groups"].items()}
    write_points(
        store,
        data["positions"],
        vertex_attributes={name: data[f"v_{name}"] for name in columns},
        object_ids=data.get("object_ids"),
        format_version=peer.version,
        **ours,
    )
    found = peer.call("read", store=store, columns=COLUMNS)
    assert_rows_equal(found, data, options.get("dtype", "float32"))


@pytest.mark.parametrize("case", ["bins", "2-D"])
def test_boxes_agree(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    ndim = data["positions"].shape[1]
    box = ([-17.0] * ndim, [12.5] * ndim)
    for writer in ("ours", "theirs"):
        store = str(tmp_path / writer)
        if writer == "ours":
            write_points(store, data["positions"], format_version=peer.version, **options)
        else:
            peer.call("write", store=store, **data, **options)
        theirs = peer.call("read", store=store, bbox=box)["positions"]
        ours = read_points(store, bbox=box)["positions"]
        assert len(ours) > 0
        np.testing.assert_array_equal(ours[stored_order(ours)], theirs[stored_order(theirs)])


def test_objects_agree(peer: Any, tmp_path: Path) -> None:
    data, options = CASES["objects"]
    weights = np.arange(9) * 1.5
    mine, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    groups = {int(k): v for k, v in options["groups"].items()}
    write_points(
        mine,
        data["positions"],
        chunk_shape=options["chunk_shape"],
        object_ids=data["object_ids"],
        object_attributes={"weight": weights},
        groups=groups,
        format_version=peer.version,
    )
    peer.call(
        "write",
        store=theirs,
        object_columns=["weight"],
        o_weight=weights,
        **data,
        **options,
    )
    for store in (mine, theirs):
        for wanted in ({"object_ids": [5, 2, 77]}, {"group_ids": [0]}):
            found = peer.call("read", store=store, **wanted)
            ours = read_points(store, **wanted)
            np.testing.assert_array_equal(ours["positions"], found["positions"])
            np.testing.assert_array_equal(ours["object_ids"], found["object_ids"])
        values = peer.call("read_object_attribute", store=store, name="weight")["values"]
        np.testing.assert_array_equal(values, weights)
        np.testing.assert_array_equal(
            open_zv(store).raw_array("object_attributes/weight", 0), weights
        )


@pytest.mark.parametrize("case", ["bins", "objects", "2-D"])
def test_their_pyramids_open(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "theirs")
    peer.call("write", store=store, columns=COLUMNS, pyramid=2, **data, **options)
    lazy = open_zv(store)
    assert lazy.levels == [0, 1, 2]
    for level in (1, 2):
        theirs = peer.call("read", store=store, level=level)["positions"]
        np.testing.assert_array_equal(lazy[level].vertices.compute(), theirs)
        assert lazy[level].vertex_count == len(theirs)
        assert not lazy[level].attribute_specs
        assert lazy[level].error is None
        assert not lazy[level].chunk_table.exact


@pytest.mark.parametrize("case", ["bins", "objects", "2-D"])
def test_our_pyramids_open_there(peer: Any, tmp_path: Path, case: str) -> None:
    data, options = CASES[case]
    store = str(tmp_path / "ours")
    ours = {k: v for k, v in options.items() if k != "groups"}
    write_points(
        store,
        data["positions"],
        vertex_attributes={name: data[f"v_{name}"] for name in COLUMNS},
        object_ids=data.get("object_ids"),
        format_version=peer.version,
        **ours,
    )
    build_pyramid(store, factors=[(2, 1), (2, 1)])
    for level in (0, 1, 2):
        found = peer.call("read", store=store, level=level, columns=COLUMNS)
        expected = read_points(store, level=level, attribute_names=COLUMNS)
        np.testing.assert_array_equal(found["positions"], expected["positions"])
        for name in COLUMNS:
            np.testing.assert_array_equal(found[f"v_{name}"], expected["vertex_attributes"][name])
    if "object_ids" in data:
        found = peer.call("read", store=store, level=2, object_ids=[4, 1])
        expected = read_points(store, level=2, object_ids=[4, 1])
        np.testing.assert_array_equal(found["positions"], expected["positions"])
        np.testing.assert_array_equal(found["object_ids"], expected["object_ids"])
