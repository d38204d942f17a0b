from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import LocalStore

from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.metadata import ParametricTypeDef
from zarr_vectors.core.store import create_store, open_store, read_parametric_types
from zarr_vectors.exceptions import ArrayError, MetadataError, StoreError
from zarr_vectors.testing.stores import UnlistableStore
from zarr_vectors.types.parametric import (
    read_parametric_objects,
    read_parametric_set,
    write_parametric_objects,
)

ELLIPSE = ParametricTypeDef(7, "ellipse", ("a", "b"))
OBJECTS = [
    {"type": "plane", "coefficients": [1, 2, 3, 4.5]},
    {"type": "sphere", "coefficients": np.array([0.0, 0, -1, 2]), "name": "bäll"},
    {"type": "ellipse", "coefficients": [1.0, np.nan]},
]
TABLES = {
    "object_attributes": {
        "weight": np.array([0.0, 0.0, 3.5], np.float32),
        "pair": np.arange(6, dtype=np.int16).reshape(3, 2),
        "flag": np.array([True, False, True]),
    },
    "group_attributes": {"rank": np.array([2**40, 0, 1], np.int64)},
}
GROUPS = {0: [0, 2], 2: [1]}


@pytest.fixture(params=KNOWN_VERSIONS)
def version(request):
    return request.param


def write(place, version, **changes):
    options = {"groups": GROUPS, "custom_types": [ELLIPSE], "create_new_store": True, **TABLES}
    options |= {"store_kwargs": {"format_version": version, "ndim": 2}} | changes
    return write_parametric_objects(place, OBJECTS, **options)


def test_what_is_written_is_read(tmp_path, version):
    counts = {"plane": 1, "sphere": 1, "ellipse": 1}
    assert write(tmp_path / "s", version) == {"object_count": 3, "type_counts": counts}
    found = read_parametric_objects(tmp_path / "s")
    assert [entry["name"] for entry in found] == ["plane_0", "bäll", "ellipse_2"]
    assert [entry["type_id"] for entry in found] == [0, 2, 7]
    assert found[0]["coefficients"] == [1.0, 2.0, 3.0, 4.5]
    assert found[0]["coefficient_names"] == ["A", "B", "C", "D"]
    np.testing.assert_array_equal(found[2]["coefficients"], [1.0, np.nan])
    whole = read_parametric_set(tmp_path / "s")
    assert whole["groups"] == {0: [0, 2], 1: [], 2: [1]}
    for family, tables in TABLES.items():
        assert sorted(whole[family]) == sorted(tables)
        for name, values in tables.items():
            np.testing.assert_array_equal(whole[family][name], values)
            assert whole[family][name].dtype == values.dtype
    root = open_store(tmp_path / "s")
    assert root.layout.version == version
    assert ELLIPSE in read_parametric_types(root)


def test_a_place_that_cannot_list(tmp_path, version):

    write(tmp_path / "s", version)
    found = read_parametric_set(UnlistableStore(LocalStore(tmp_path / "s", read_only=True)))
    assert sorted(found.object_attributes) == ["flag", "pair", "weight"]


def test_a_second_write_leaves_nothing_of_the_first(tmp_path, version):
    write(tmp_path / "s", version)
    sphere = {"type": "sphere", "coefficients": [0, 0, 0, 0], "name": "dot"}
    assert write_parametric_objects(tmp_path / "s", [sphere])["object_count"] == 1
    found = read_parametric_set(tmp_path / "s")
    assert [entry["name"] for entry in found.objects] == ["dot"]
    assert found.objects[0]["coefficients"] == [0.0] * 4
    assert (found.groups, found.object_attributes, found.group_attributes) == ({}, {}, {})
    assert ELLIPSE in read_parametric_types(open_store(tmp_path / "s")), "kinds stay known"


def test_none_at_all(tmp_path, version):
    create_store(tmp_path / "s", format_version=version)
    assert read_parametric_objects(tmp_path / "s") == []
    assert write_parametric_objects(tmp_path / "s", [])["object_count"] == 0
    assert read_parametric_objects(tmp_path / "s") == []


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"custom_types": []}, ArrayError, "unknown type 'ellipse'"),
        ({"custom_types": [ParametricTypeDef(0, "ellipse", ("a", "b"))]}, MetadataError, "'plane'"),
        ({"custom_types": [ELLIPSE, ParametricTypeDef(8, "plane", ("a",))]}, MetadataError, "two"),
        ({"custom_types": [ParametricTypeDef(7, "ellipse", ("a",))]}, ArrayError, "numbers a"),
        ({"object_attributes": {"x": [1.0]}}, ArrayError, "1 rows for 3 objects"),
        ({"group_attributes": {"x": [1.0]}}, ArrayError, "1 rows for 3 groups"),
        ({"groups": {0: [3]}, "group_attributes": None}, ArrayError, "not among 0 to 2"),
        ({"create_new_store": False}, StoreError, "create_new_store"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(tmp_path, version, changes, error, words):
    with pytest.raises(error, match=words):
        write(tmp_path / "s", version, **changes)
    assert not list((tmp_path / "s").rglob("*.json"))


def test_a_refused_write_leaves_the_objects_there_were(tmp_path, version):
    write(tmp_path / "s", version)
    with pytest.raises(ArrayError, match="unknown type"):
        write_parametric_objects(tmp_path / "s", [{"type": "cone", "coefficients": [1]}])
    assert len(read_parametric_objects(tmp_path / "s")) == 3
    with pytest.raises(StoreError, match=r"empty|there"):
        write(tmp_path / "s", version)


def test_names_with_a_newline(tmp_path, version):
    objects = [{"type": "sphere", "coefficients": [0, 0, 0, 1], "name": "two\nlines"}]
    create_store(tmp_path / "s", format_version=version)
    if version == "0.7.0":
        with pytest.raises(ArrayError, match="newline"):
            write_parametric_objects(tmp_path / "s", objects)
        assert read_parametric_objects(tmp_path / "s") == []
    else:
        write_parametric_objects(tmp_path / "s", objects)
        assert read_parametric_objects(tmp_path / "s")[0]["name"] == "two\nlines"


@pytest.mark.parametrize("array", ["objects", "names", "object_attributes/weight", "groups"])
def test_damage_is_named(tmp_path, version, array):
    write(tmp_path / "s", version)
    files = [f for f in (tmp_path / "s" / "parametric" / array).rglob("*") if f.name == "0"]
    file = next(f for f in files if f.is_file())
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ArrayError, match=f"parametric/{array}") as caught:
        read_parametric_set(tmp_path / "s")
    assert caught.value.array == f"parametric/{array}"
