"""Small functions of the core, each against what it says it does."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.metadata import (
    NgffAxis,
    ParametricTypeDef,
    compute_bin_ratio,
    compute_bin_shape,
    deserialise_parametric_types,
    serialise_parametric_types,
    validate_bin_shape_divides_chunk,
)
from zarr_vectors.core.store import (
    add_resolution_level,
    create_store,
    get_parametric_group,
    list_available_ratios,
    open_store,
    store_info,
)
from zarr_vectors.encoding.ragged import encode_ragged_floats
from zarr_vectors.exceptions import MetadataError, StoreError
from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.parametric import write_parametric_objects


@pytest.fixture(params=KNOWN_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_bins_and_ratios() -> None:
    assert compute_bin_shape((2.0, 4.0), (1.5, 2)) == (3.0, 8.0)
    assert compute_bin_ratio((2.0, 4.0), (3.0, 8.0)) == (1.5, 2.0)
    assert validate_bin_shape_divides_chunk((10.0, 9.0), (2.5, 3.0)) is None
    for bins in ((3.0, 3.0), (2.5, 4.0), (20.0, 3.0)):
        with pytest.raises(MetadataError):
            validate_bin_shape_divides_chunk((10.0, 9.0), bins)


def test_axes_say_what_they_are() -> None:
    axis = NgffAxis("t", "time", "second")
    assert NgffAxis.from_dict(axis.to_dict()) == axis
    assert "unit" not in NgffAxis("x").to_dict()


def test_kinds_of_parametric_objects() -> None:
    kinds = [ParametricTypeDef(2, "sphere", ("r",)), ParametricTypeDef(0, "plane", ("A", "B"))]
    stored = serialise_parametric_types(kinds)
    assert stored["2"] == {"name": "sphere", "coefficients": ["r"]}
    assert deserialise_parametric_types(stored) == sorted(kinds, key=lambda kind: kind.type_id)


def test_ragged_floats() -> None:
    data, offsets = encode_ragged_floats([np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 7)])
    assert offsets.tolist() == [0, 2, 2, 3]
    rows = np.frombuffer(data, "<f4").reshape(-1, 3)
    assert rows[2].tolist() == [7.0] * 3
    assert encode_ragged_floats([], np.float64) == (b"", pytest.approx([0]))


def test_ratios_of_levels(tmp_path, version: str) -> None:
    points_store(tmp_path / "s", format_version=version, levels=3)
    root = open_store(tmp_path / "s", "r+")
    assert list_available_ratios(root) == [(1.0,) * 3, (2.0,) * 3, (4.0,) * 3]
    add_resolution_level(root, 3, (8, 8, 4), object_sparsity=0.5)
    assert list_available_ratios(root)[3] == (8.0, 8.0, 4.0)


def test_the_group_of_parametric_objects(tmp_path, version: str) -> None:
    root = create_store(tmp_path / "s", format_version=version)
    with pytest.raises(StoreError):
        get_parametric_group(open_store(tmp_path / "s"))
    assert get_parametric_group(root).prefix == "parametric"
    assert "parametric" in open_store(tmp_path / "s")


def test_vertices_are_floats(tmp_path, version: str) -> None:
    with pytest.raises(MetadataError, match="not a float"):
        create_store(tmp_path / "s", format_version=version, vertex_dtype="int32")
    assert not (tmp_path / "s").exists() or not list((tmp_path / "s").iterdir())


def test_all_that_is_told_of_a_store(tmp_path, version: str) -> None:
    place = tmp_path / "s"
    points_store(
        place,
        cloud(60, low=0, high=12),
        format_version=version,
        levels=2,
        object_ids=np.arange(60) % 3,
    )
    write_parametric_objects(place, [{"type": "line", "coefficients": [0] * 6}])
    HeaderRegistry(place).add("swc", {"a": 1})
    before = sorted((p, p.stat().st_mtime_ns) for p in place.rglob("*"))
    info = store_info(open_store(place))
    assert before == sorted((p, p.stat().st_mtime_ns) for p in place.rglob("*"))
    assert (info["zv_version"], info["ndim"]) == (version, 3)
    assert [axis["name"] for axis in info["axes"]] == ["x", "y", "z"]
    assert info["bins_per_chunk"] == [4] * 3
    assert info["headers"] == ["swc"]
    assert info["parametric_types"] == ["plane", "line", "sphere"]
    assert [level["level"] for level in info["levels"]] == [0, 1]
    first, second = info["levels"]
    assert (first["vertex_count"], first["object_count"], first["parent_level"]) == (60, 3, None)
    assert (first["bin_ratio"], first["error"], first["stale"]) == ([1.0] * 3, None, None)
    assert (second["bin_ratio"], second["bin_shape"]) == ([2.0] * 3, [10.0] * 3)
    assert second["chunk_count"] > 0
    error = second["error"]
    assert 0 <= error["p50"] <= error["p95"] <= error["max"] > 0
    empty = store_info(create_store(tmp_path / "e", format_version=version))
    assert empty["parametric_types"] == empty["headers"] == []
    assert empty["levels"][0]["object_count"] == 0
