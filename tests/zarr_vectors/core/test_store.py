from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.core import arrays as ca
from zarr_vectors.core.group import Group
from zarr_vectors.core.metadata import LevelMetadata, NgffAxis, ParametricTypeDef
from zarr_vectors.core.multiscale import read_level_transform, upsert_level_transform
from zarr_vectors.core.store import (
    add_resolution_level,
    commit,
    create_resolution_level,
    create_store,
    discard_changes,
    get_resolution_level,
    list_available_ratios,
    list_resolution_levels,
    open_store,
    read_level_metadata,
    read_parametric_types,
    read_root_metadata,
    rebind,
    remove_resolution_level,
    session_for,
    set_bounds,
    store_info,
    write_parametric_types,
)
from zarr_vectors.exceptions import ArrayError, MetadataError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.points import read_points


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


def test_a_new_store_is_empty_and_has_defaults(tmp_path, version):
    root = create_store(tmp_path / "s", format_version=version)
    meta = read_root_metadata(root)
    assert meta.bounds == ((0.0,) * 3, (128.0,) * 3)
    assert meta.chunk_shape == (128.0,) * 3
    assert [axis.name for axis in meta.axes] == ["x", "y", "z"]
    assert list_resolution_levels(root) == [0]
    assert open_zv(tmp_path / "s")[0].vertices.compute().shape == (0, 3)
    with pytest.raises(StoreError, match="not empty"):
        create_store(tmp_path / "s")


def test_arguments_must_agree(tmp_path):
    with pytest.raises(MetadataError, match="disagree"):
        create_store(tmp_path / "s", ndim=2, chunk_shape=(1.0,) * 3)
    with pytest.raises(MetadataError, match="need names"):
        create_store(tmp_path / "s", ndim=5)
    with pytest.raises(MetadataError, match="links_convention"):
        create_store(tmp_path / "s", links_convention="some")
    axes = [NgffAxis("x"), NgffAxis("t", "time"), NgffAxis("y")]
    with pytest.raises(MetadataError, match="must come as"):
        create_store(tmp_path / "s", axes=axes)
    assert not (tmp_path / "s").exists()


def test_opening_and_modes(tmp_path):
    points_store(tmp_path / "s")
    assert isinstance(open_store(tmp_path / "s"), Group)
    with pytest.raises(StoreError, match="mode"):
        open_store(tmp_path / "s", "w")
    with pytest.raises(StoreError, match="no store"):
        open_store(tmp_path / "t", "a")
    (tmp_path / "u").mkdir()
    with pytest.raises(StoreError, match="not a Zarr Vectors store"):
        open_store(tmp_path / "u")


def test_levels_come_and_go(tmp_path, version):
    points_store(tmp_path / "s", format_version=version)
    root = open_store(tmp_path / "s", "r+")
    add_resolution_level(root, 2, (4, 4, 4), object_sparsity=0.5)
    assert list_resolution_levels(root) == [0, 2]
    assert list_available_ratios(root) == [(1.0,) * 3, (4.0,) * 3]
    level = read_level_metadata(root, 2)
    assert level.bin_shape == (20.0,) * 3
    assert level.object_sparsity == 0.5
    assert get_resolution_level(root, 2).prefix == "2"
    with pytest.raises(StoreError, match="already"):
        create_resolution_level(root, 2, LevelMetadata(2))
    remove_resolution_level(root, 2)
    assert list_resolution_levels(root) == [0]
    assert not (tmp_path / "s" / "2").exists()
    with pytest.raises(StoreError, match="no level 2"):
        get_resolution_level(root, 2)
    with pytest.raises(StoreError, match="level 0"):
        remove_resolution_level(root, 0)
    with pytest.raises(MetadataError, match="bin_ratio"):
        add_resolution_level(root, 1, (2, 2))


def test_transforms_can_be_read_and_put(tmp_path):
    points_store(tmp_path / "s")
    root = open_store(tmp_path / "s", "r+")
    assert read_level_transform(root, 0) == ([1.0] * 3, [2.5] * 3)
    assert read_level_transform(root, 1) == (None, None)
    upsert_level_transform(root, 1, scale=[3, 3, 3], translation=[1, 2, 3])
    assert read_level_transform(root, 1) == ([3.0] * 3, [1.0, 2.0, 3.0])


def test_info_writes_nothing(tmp_path, version):
    points_store(tmp_path / "s", format_version=version, levels=2)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "s").rglob("*")}
    info = store_info(open_store(tmp_path / "s"))
    assert info["zv_version"] == version
    assert info["levels"][0]["vertex_count"] == 50
    assert info["levels"][1]["bin_shape"] == [10.0] * 3
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "s").rglob("*")} == before


def test_parametric_types_are_kept(tmp_path):
    points_store(tmp_path / "s")
    root = open_store(tmp_path / "s", "r+")
    assert read_parametric_types(root) == []
    kinds = [ParametricTypeDef(0, "plane", ("A", "B", "C", "D"))]
    write_parametric_types(root, kinds)
    assert read_parametric_types(open_store(tmp_path / "s")) == kinds


def test_local_stores_have_no_transactions(tmp_path):
    points_store(tmp_path / "s")
    root = open_store(tmp_path / "s", "r+")
    assert session_for(root) is None
    assert commit(root) is None
    discard_changes(root)
    other = rebind(root, "obstore")
    assert other.backend.name != root.backend.name
    assert read_root_metadata(other) == read_root_metadata(root)
    points_store(tmp_path / "t")
    with pytest.raises(StoreError, match="stays at one address"):
        rebind(root, open_store(tmp_path / "t").backend)


def test_bounds_grow_freely(tmp_path, version):
    points_store(tmp_path / "s", format_version=version)
    root = open_store(tmp_path / "s", "r+")
    set_bounds(root, ([-200.0] * 3, [200.0] * 3))
    assert open_zv(tmp_path / "s").bounds == ([-200.0] * 3, [200.0] * 3)
    assert read_points(tmp_path / "s").vertex_count == 50
    far = np.full((2, 3), 190.0, np.float32)
    level = get_resolution_level(open_store(tmp_path / "s", "r+"), 0)
    ca.write_chunk_vertices(level, (9, 9, 9), [far])
    assert ca.list_chunk_keys(level)[-1] == (9, 9, 9)


def test_bounds_shrink_by_force(tmp_path, version):
    ids = np.arange(400) % 3
    data = points_store(
        tmp_path / "s", cloud(400), format_version=version, object_ids=ids, levels=2
    )
    box = ([-20.0] * 3, [30.0] * 3)
    root = open_store(tmp_path / "s", "r+")
    with pytest.raises(StoreError, match="force=True"):
        set_bounds(root, box)
    set_bounds(root, box, force=True)
    points = data.positions.astype(np.float32)
    inside = ((points >= -20) & (points <= 30)).all(axis=1)
    found = read_points(tmp_path / "s", attribute_names=["row", "kind"])
    rows = found.vertex_attributes["row"]
    assert sorted(rows.tolist()) == np.flatnonzero(inside).tolist()
    np.testing.assert_array_equal(found.vertex_attributes["kind"], data.attributes["kind"][rows])
    store = open_zv(tmp_path / "s")
    assert store.vertex_count(0) == inside.sum()
    assert store[0].filter(object_ids=[1]).compute()["vertex_count"] == (inside & (ids == 1)).sum()
    coarse = store[1].vertices.compute()
    assert len(coarse) == store.vertex_count(1)
    assert ((coarse >= -20) & (coarse <= 30)).all()


@pytest.mark.parametrize("bounds", [([0, 0], [1, 1]), ([5] * 3, [1] * 3), ([np.nan] * 3, [1] * 3)])
def test_wrong_bounds_are_refused(tmp_path, bounds):
    points_store(tmp_path / "s")
    with pytest.raises(MetadataError, match="bounds"):
        set_bounds(open_store(tmp_path / "s", "r+"), bounds)


def test_arrays_chunk_by_chunk(tmp_path, version):
    root = create_store(
        tmp_path / "s",
        format_version=version,
        bounds=([-10.0] * 2, [20.0] * 2),
        chunk_shape=(10, 10),
    )
    level = get_resolution_level(root, 0)
    parts = [np.array([[-1.0, 2.0]]), np.array([[-2.0, 3.0], [-9.0, 9.0]])]
    assert ca.write_chunk_vertices(level, (-1, 0), parts).tolist() == [0, 1]
    ca.create_attribute_array(level, "n", "int16", ["a", "b"])
    ca.write_chunk_attributes(level, "n", (-1, 0), [[[1, 2]], [[3, 4], [5, 6]]])
    ca.write_object_index(level, {3: [((-1, 0), 1)]}, 2, total_objects=5)
    ca.write_object_attributes(level, "w", np.arange(5.0), present_mask=[0, 0, 0, 1, 0])
    ca.write_groupings(level, {1: [3]})
    ca.write_groupings_attributes(level, "g", [1.5, 2.5])
    level = get_resolution_level(open_store(tmp_path / "s"), 0)
    assert ca.list_chunk_keys(level) == [(-1, 0)]
    for found, part in zip(ca.read_chunk_vertices(level, (-1, 0)), parts, strict=True):
        np.testing.assert_array_equal(found, part.astype(np.float32))
    values = ca.read_chunk_attributes(level, "n", (-1, 0))
    assert [v.tolist() for v in values] == [[[1, 2]], [[3, 4], [5, 6]]]
    assert values[0].dtype == np.int16
    assert ca.read_chunk_vertices(level, (1, 1)) == []
    assert ca.read_chunk_attributes(level, "n", (1, 1)) == []
    index = ca.read_fragment_index(level, "vertex_fragments", (-1, 0))
    assert index.range(1) == (1, 2)
    assert ca.read_object_manifest(level, 3) == [((-1, 0), 1)]
    assert len(ca.read_all_object_manifests(level)) == 5
    np.testing.assert_array_equal(ca.read_object_vertices(level, 3)[0], parts[1])
    assert ca.read_object_attributes(level, "w")[3] == 3.0
    assert ca.read_all_groupings(level) == [[], [3]]
    assert ca.read_groupings_attributes(level, "g").tolist() == [1.5, 2.5]
    with pytest.raises(ArrayError, match="no chunk"):
        ca.read_fragment_index(level, "vertex_fragments", (1, 1))
    with pytest.raises(ArrayError, match="no object"):
        ca.read_object_manifest(level, 50)
