from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.group import FsGroup, Group, group_at
from zarr_vectors.core.layouts.base import ChunkGrid
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.exceptions import ArrayError, MetadataError, StoreError

GRID = ChunkGrid((-3, 0), (9, 9))


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["memory", "local"])
def root(request: pytest.FixtureRequest, version: str, tmp_path: Path) -> Group:
    place = MemoryStore() if request.param == "memory" else tmp_path
    layout = layout_for(version, open_backend(place, mode="a"))
    layout.put_attrs({"": {"zarr_vectors": {"zv_version": version}}, "0": {"level": 0}})
    layout.create_cells("0/vertices", {"dtype": "float32"}, GRID)
    return group_at(layout)


def test_navigation(root: Group) -> None:
    assert list(root) == ["0"]
    assert "0" in root
    assert "1" not in root
    assert 3 not in root
    child = root.create_group("1")
    assert child.prefix == "1"
    assert root.require_group("1").prefix == "1"
    assert root.require_group("2").url == f"{root.url}/2"
    assert list(root) == ["0", "1", "2"]
    assert root["1"].create_group("deep").prefix == "1/deep"
    with pytest.raises(StoreError, match="exists"):
        root.create_group("1")
    with pytest.raises(StoreError, match="no group 'x'"):
        root["x"]
    root.delete_subtree("1")
    assert list(root) == ["0", "2"]


def test_an_array_is_no_group(version: str) -> None:
    layout = layout_for(version, open_backend(MemoryStore(), mode="a"))
    layout.put_groups("0", [np.array([1])])
    zarr.create_array(layout.backend.zarr_store(), name="numbers", shape=(1,), dtype="int8")
    root = group_at(layout)
    assert list(root) == ["0"]
    with pytest.raises(StoreError, match="is an array"):
        root["numbers"]


def test_attributes_are_a_mapping(root: Group) -> None:
    attrs = root["0"].attrs
    assert attrs.to_dict() == {"level": 0}
    attrs.update({"a": np.float32(1.5)}, b=np.arange(3))
    attrs["c"] = (1, None, {"d": np.array([[True]])})
    del attrs["level"]
    assert len(attrs) == 3
    expected = {"a": 1.5, "b": [0, 1, 2], "c": [1, None, {"d": [[True]]}]}
    assert dict(root["0"].attrs) == expected
    assert repr(attrs) == f"GroupAttributes({expected!r})"
    with pytest.raises(KeyError):
        attrs["level"]
    for bad in (object(), b"x", float("nan"), np.array([np.inf])):
        with pytest.raises(MetadataError):
            attrs["bad"] = bad
    assert dict(root["0"].attrs) == expected
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(MetadataError, match="nested"):
        attrs["bad"] = loop


def test_attributes_of_a_group_that_is_gone(root: Group) -> None:
    child = root.create_group("1")
    root.delete_subtree("1")
    with pytest.raises(StoreError, match="no group 1"):
        child.attrs.to_dict()


def test_bytes_of_chunks(root: Group) -> None:
    level = root["0"]
    level.write_bytes("vertices", "-1.3", b"abc")
    level.write_bytes("vertices", "2.0", bytearray(b"de"))
    assert level.read_bytes("vertices", "-1.3") == b"abc"
    assert level.chunk_exists("vertices", "2.0")
    assert not level.chunk_exists("vertices", "0.0")
    assert level.list_chunks("vertices") == ["-1.3", "2.0"]
    with pytest.raises(StoreError, match=r"no chunk '0\.0' of 'vertices'"):
        level.read_bytes("vertices", "0.0")
    with pytest.raises(StoreError, match="not allowed"):
        level.read_bytes("../0/vertices", "0.0")


def test_slots_are_for_the_format_that_has_them(root: Group, version: str) -> None:
    level = root["0"]
    if version == "0.7.0":
        level.write_bytes("groups", "data", b"12345678")
        assert level.read_bytes("groups", "data") == b"12345678"
    else:
        with pytest.raises(StoreError, match="no blob"):
            level.write_bytes("groups", "data", b"12345678")
        assert not level.chunk_exists("groups", "data")


def test_array_metadata(root: Group, version: str) -> None:
    level = root["0"]
    assert level.array_exists("vertices")
    assert not level.array_exists("nothing")
    level.write_array_meta("vertices", {"encoding": "raw"})
    assert level.read_array_meta("vertices") == {
        "zv_array": "vertices",
        "dtype": "float32",
        "encoding": "raw",
    }
    assert level.read_array_meta("nothing") == {}
    if version == "0.7.0":
        level.write_array_meta("new", {"a": 1})
        assert level.read_array_meta("new") == {"a": 1}
    else:
        with pytest.raises(ArrayError, match="grid"):
            level.write_array_meta("new", {"a": 1})


def test_batched_writes_happen_together_at_the_end(root: Group) -> None:
    level = root["0"]
    with level.batched_writes():
        root["0"].write_bytes("vertices", "1.1", b"zero")
        level.write_bytes("vertices", "1.1", b"two")
        level.write_bytes("vertices", "1.2", b"three")
        assert level.read_bytes("vertices", "1.1") == b"two"
        assert level.list_chunks("vertices") == []
    assert level.list_chunks("vertices") == ["1.1", "1.2"]


def test_an_error_drops_batched_writes(root: Group) -> None:
    level = root["0"]

    def fail() -> None:
        with level.batched_writes():
            level.write_bytes("vertices", "1.1", b"never")
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        fail()
    assert level.list_chunks("vertices") == []
    with level.batched_writes():
        level.write_bytes("vertices", "1.1", b"now")
    assert level.read_bytes("vertices", "1.1") == b"now"


def test_batched_reads_are_one_request(root: Group) -> None:
    level = root["0"]
    for key in ("0.0", "1.1", "2.2"):
        level.write_bytes("vertices", key, key.encode())
    with level.batched_reads({"vertices": ["0.0", (1, 1), "5.5"]}):
        with root.backend.stats.scope() as scope:
            assert level.read_bytes("vertices", "0.0") == b"0.0"
            assert level.read_bytes("vertices", "1.1") == b"1.1"
            assert not level.chunk_exists("vertices", "5.5")
        assert scope.requests == 0
        assert level.read_bytes("vertices", "2.2") == b"2.2"
        level.write_bytes("vertices", "0.0", b"changed")
        assert level.read_bytes("vertices", "0.0") == b"changed"
    assert level.read_bytes("vertices", "0.0") == b"changed"


def test_batches_cannot_be_nested(root: Group) -> None:
    level = root["0"]

    def nest_writes() -> None:
        with level.batched_writes(), level.batched_writes():
            pass

    def nest_reads() -> None:
        with level.batched_reads({}), level.batched_reads({}):
            pass

    for nest in (nest_writes, nest_reads, nest_writes):
        with pytest.raises(StoreError, match="nested"):
            nest()


def test_where_a_group_is(root: Group, tmp_path: Path) -> None:
    if root.backend.local_path is None:
        assert type(root) is Group
        with pytest.raises(StoreError, match="not a local store"):
            _ = root.path
    else:
        assert isinstance(root, FsGroup)
        assert root["0"].path == tmp_path.resolve() / "0"
        assert root["0"].url == f"{tmp_path.resolve().as_uri()}/0"
    assert repr(root["0"]).endswith(f"({root.url + '/0'!r})")
    found = root["0"].zarr_group
    assert isinstance(found, zarr.Group)
    assert dict(found.attrs) == {"level": 0}


def test_making_an_fs_group_by_hand_is_deprecated(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="open_store"), pytest.raises(StoreError):
        FsGroup(tmp_path / "new")
    with pytest.warns(DeprecationWarning, match="open_store"):
        group = FsGroup(tmp_path / "new", create=True)
    group.create_group("0").attrs["a"] = 1
    with pytest.warns(DeprecationWarning, match="open_store"):
        again = FsGroup(tmp_path / "new")
    assert again["0"].attrs["a"] == 1
    assert again.path == (tmp_path / "new").resolve()


def test_an_fs_group_follows_the_stored_version(tmp_path: Path, version: str) -> None:
    layout = layout_for(version, open_backend(tmp_path, mode="a"))
    layout.put_attrs({"": {"zarr_vectors": {"zv_version": version}}})
    with pytest.warns(DeprecationWarning, match="open_store"):
        assert FsGroup(tmp_path).layout.version == version
