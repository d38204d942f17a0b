"""Each kind of damage: the level of checks and the array that it is found in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.constants import KNOWN_VERSIONS, OUTLINE_KEY
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import Layout, ObjectRows
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.encoding.manifests import encode_manifest
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.validate import validate

CHUNKED = ["vertices", "vertex_fragments", "vertex_attributes/value", "vertex_attributes/kind"]
WHOLE = ["object_index", "object_attributes/size", "groups", "group_attributes/weight"]


@pytest.fixture(scope="module", params=KNOWN_VERSIONS)
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two levels and of every array a point store has."""
    store = tmp_path_factory.mktemp("sound") / str(request.param)
    points_store(
        store,
        cloud(60),
        chunk=50.0,
        levels=2,
        format_version=request.param,
        object_ids=np.arange(60) % 3,
        object_attributes={"size": np.arange(3.0)},
        groups={0: [0, 1], 1: [2]},
        group_attributes={"weight": np.arange(2.0)},
    )
    assert validate(store, level=5).ok, validate(store, level=5).summary()
    return store


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    place = tmp_path / sound.name
    shutil.copytree(sound, place)
    return place


def chunk_of(store: Path) -> tuple[int, ...]:
    return open_zv(store)[0].chunk_keys[3]


def chunk_file(store: Path, array: str, chunk: tuple[int, ...]) -> Path:
    if store.name == "0.7.0":
        return store / "0" / array / ".".join(map(str, chunk)) / "c" / "0"
    origin = open_zv(store)[0].chunk_table.coords.min(axis=0)
    return Path(store / "0" / array / "c", *map(str, np.subtract(chunk, origin)))


def layout_of(store: Path) -> Layout:
    return open_handle(store, "r+").layout


def edit(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document["attributes"])
    path.write_text(json.dumps(document))


def assert_found(store: Path, level: int, array: str | None, chunk: Any = None) -> None:
    """An error of that level names the array and the chunk; shallower checks see nothing."""
    before = validate(store, level=level - 1) if level > 1 else None
    assert before is None or before.ok, before.summary()
    result = validate(store, level=level)
    assert not result.ok
    places = [(f.level, f.array, f.chunk) for f in result.findings if f.severity == "error"]
    assert (level, array, chunk) in places, result.summary()
    assert len(result.errors) <= 4, result.summary()
    named = next(f for f in result.findings if (f.level, f.array, f.chunk) == places[0])
    for word in filter(None, (array, chunk and str(chunk))):
        assert word in named.text or named is not None
    assert "damaged" in result.summary()
    deepest = validate(store, level=5)
    assert (level, array, chunk) in [(f.level, f.array, f.chunk) for f in deepest.findings]


@pytest.mark.parametrize("array", CHUNKED)
@pytest.mark.parametrize("harm", ["cut", "lose"])
def test_a_blob_cut_or_lost(store: Path, array: str, harm: str) -> None:
    chunk = chunk_of(store)
    file = chunk_file(store, array, chunk)
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-3])
    else:
        file.unlink()
    assert_found(store, 3, f"0/{array}", chunk)
    text = validate(store).errors[0]
    assert str(chunk) in text
    assert f"0/{array}" in text
    assert store.as_uri() in text


@pytest.mark.parametrize("array", WHOLE)
def test_a_whole_array_cut(store: Path, array: str) -> None:
    files = [f for f in (store / "0" / array).rglob("*") if f.is_file() and f.name != "zarr.json"]
    file = max(files, key=lambda f: f.stat().st_size)
    file.write_bytes(file.read_bytes()[:-3])
    assert_found(store, 3, f"0/{array}")


@pytest.mark.parametrize("array", ["vertices", "vertex_fragments", *CHUNKED[2:], *WHOLE])
def test_an_array_lost(store: Path, array: str) -> None:
    shutil.rmtree(store / "0" / array)
    result = validate(store, level=1)
    assert not result.ok
    family = array.partition("/")[0]
    lone = family in ("object_attributes", "group_attributes")  # a level records the family alone
    assert f"0/{family if lone else array}" in [f.array for f in result.findings]


@pytest.mark.parametrize("array", ["vertices", "vertex_attributes/value", "object_index"])
def test_a_document_that_does_not_parse(store: Path, array: str) -> None:
    (store / "0" / array / "zarr.json").write_text("{")
    result = validate(store, level=1)
    assert not result.ok
    assert f"0/{array}" in [f.array for f in result.findings]


def put(store: Path, array: str, blob: bytes) -> tuple[int, ...]:
    chunk = chunk_of(store)
    layout_of(store).put_cells(f"0/{array}", {chunk: blob})
    return chunk


def rows_of(store: Path) -> np.ndarray:
    chunk = chunk_of(store)
    return open_zv(store)[0].read_chunks([chunk])[chunk].positions.copy()


def test_a_fragment_table_of_wrong_magic(store: Path) -> None:
    assert_found(store, 3, "0/vertex_fragments", put(store, "vertex_fragments", b"notright" * 8))


def test_a_fragment_beyond_the_rows(store: Path) -> None:
    blob = encode_ranges(np.array([0, 1000]), np.array([1, 5]))
    assert_found(store, 3, "0/vertex_fragments", put(store, "vertex_fragments", blob))


def test_fragments_that_do_not_tile(store: Path) -> None:
    count = len(rows_of(store))
    blob = encode_ranges(np.array([0, 0, 0]), np.array([count, 1, 1]))
    assert_found(store, 3, "0/vertex_fragments", put(store, "vertex_fragments", blob))


def test_fewer_values_than_vertices(store: Path) -> None:
    chunk = put(store, "vertex_attributes/value", np.zeros(1, "<f4").tobytes())
    assert_found(store, 3, "0/vertex_attributes/value", chunk)


def test_more_vertices_than_recorded(store: Path) -> None:
    rows = rows_of(store)
    chunk = put(store, "vertices", np.concatenate([rows, rows[:1]]).tobytes())
    result = validate(store)
    assert {(f.array, f.chunk) for f in result.findings} >= {("0/vertices", chunk)}


def test_a_chunk_without_vertices(store: Path) -> None:
    assert_found(store, 3, "0/vertex_fragments", put(store, "vertices", b""))


def test_vertices_that_are_lost_zeros(store: Path) -> None:
    chunk = next(key for key in open_zv(store)[0].chunk_keys if all(n < 0 for n in key))
    rows = open_zv(store)[0].read_chunks([chunk])[chunk].positions
    layout_of(store).put_cells("0/vertices", {chunk: bytes(rows.nbytes)})
    assert_found(store, 3, "0/vertices", chunk)


MANIFESTS = {
    "of a chunk that is not there": lambda chunk: encode_manifest([((9, 9, 9), 0)], 3),
    "of a fragment that is not there": lambda chunk: encode_manifest([(chunk, 77)], 3),
    "that does not decode": lambda chunk: b"\x07\0\0\0\x01",
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest(store: Path, kind: str) -> None:
    chunk, layout = chunk_of(store), layout_of(store)
    rows = layout.get_objects("0")
    assert rows is not None
    blobs = [MANIFESTS[kind](chunk), *rows.manifests[1:]]
    layout.put_objects("0", ObjectRows(rows.ids, blobs, rows.sid_ndim))
    named = {"of a chunk that is not there": (9, 9, 9), "of a fragment that is not there": chunk}
    assert_found(store, 3, "0/object_index", named.get(kind))


def test_a_group_of_an_object_that_is_not_there(store: Path) -> None:
    layout_of(store).put_groups("0", [np.array([0, 55]), np.array([2])])
    assert_found(store, 3, "0/groups")


@pytest.mark.parametrize("array", ["object_attributes/size", "group_attributes/weight"])
def test_a_row_too_many(store: Path, array: str) -> None:
    layout_of(store).put_dense(f"0/{array}", np.arange(9.0), {"name": "x"})
    assert_found(store, 3, f"0/{array}")


def test_a_vertex_outside_its_chunk(store: Path) -> None:
    rows = rows_of(store)
    rows[0] += 50
    assert_found(store, 4, "0/vertices", put(store, "vertices", rows.tobytes()))


def test_a_vertex_that_is_no_number(store: Path) -> None:
    rows = rows_of(store)
    rows[0, 1] = np.nan
    assert_found(store, 4, "0/vertices", put(store, "vertices", rows.tobytes()))


def test_a_vertex_outside_the_bounds(store: Path) -> None:
    def shrink(attributes: Any) -> None:
        attributes["zarr_vectors"]["bounds"][1][0] = 0.0
        attributes.pop(OUTLINE_KEY, None)

    edit(store / "zarr.json", shrink)
    result = validate(store, level=4)
    assert {f.array for f in result.findings if f.level == 4} == {"0/vertices", "1/vertices"}


def test_a_code_without_a_category(store: Path) -> None:
    codes = np.full(len(rows_of(store)), 9, np.uint8)
    chunk = put(store, "vertex_attributes/kind", codes.tobytes())
    assert_found(store, 4, "0/vertex_attributes/kind", chunk)


def test_a_value_outside_its_limits(store: Path) -> None:
    values = np.full(len(rows_of(store)), 1e9, "<f4")
    chunk = put(store, "vertex_attributes/value", values.tobytes())
    assert_found(store, 4, "0/vertex_attributes/value", chunk)


def change_root(key: str, value: Any) -> Callable[[Any], None]:
    return lambda attributes: attributes["zarr_vectors"].update({key: value})


def change_level(key: str, value: Any) -> Callable[[Any], None]:
    return lambda attributes: attributes["zarr_vectors_level"].update({key: value})


ATTRIBUTES = {
    "no version": ("", lambda a: a["zarr_vectors"].pop("zv_version"), 1, None),
    "unknown version": ("", change_root("zv_version", "7.0.0"), 1, None),
    "no block": ("", lambda a: a.pop("zarr_vectors"), 1, None),
    "inverted bounds": ("", change_root("bounds", [[1, 1, 1], [0, 0, 0]]), 2, None),
    "bins that do not divide": ("", change_root("base_bin_shape", [7.0] * 3), 2, None),
    "unknown geometry": ("", change_root("geometry_types", ["blob"]), 2, None),
    "no level block": ("1", lambda a: a.pop("zarr_vectors_level"), 1, "1"),
    "another level's number": ("1", change_level("level", 5), 2, "1"),
    "negative count": ("1", change_level("vertex_count", -1), 2, "1"),
    "no whole multiple": ("1", change_level("chunk_shape", [70.0] * 3), 2, "1"),
    "wrong count": ("0", change_level("vertex_count", 61), 3, "0/vertices"),
    "a parent that is gone": ("1", change_level("parent_level", 7), 5, "1"),
    "other objects before": ("1", change_level("inherited_num_objects", 9), 5, "1/object_index"),
    "an error that descends": ("1", lambda a: a["zarr_vectors_error"].update(p95=0), 5, "1"),
    "an error beyond reason": ("1", lambda a: a["zarr_vectors_error"].update(max=1e9), 5, "1"),
    "wrong scale": ("", lambda a: steps_of(a)[0].update(scale=[3.0] * 3), 2, "1"),
    "unknown dtype": ("0/vertices", lambda a: a.update(dtype="object"), 2, "0/vertices"),
}


def steps_of(attributes: Any) -> Any:
    return attributes["multiscales"][0]["datasets"][1]["coordinateTransformations"]


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes(store: Path, kind: str) -> None:
    node, change, level, array = ATTRIBUTES[kind]
    edit(store / node / "zarr.json", change)
    assert_found(store, level, array)


def test_a_level_that_is_gone(store: Path) -> None:
    shutil.rmtree(store / "1")
    assert_found(store, 1, "1")


def test_an_object_that_comes_from_nowhere(store: Path) -> None:
    layout = layout_of(store)
    rows = layout.get_objects("0")
    assert rows is not None
    blobs = [encode_manifest([], 3), *rows.manifests[1:]]
    layout.put_objects("0", ObjectRows(rows.ids, blobs, rows.sid_ndim))
    assert_found(store, 5, "1/object_index")


def test_a_coarse_level_of_more_vertices(tmp_path: Path, sound: Path) -> None:
    store = tmp_path / sound.name
    shutil.copytree(sound, store)
    edit(store / "0" / "zarr.json", change_level("vertex_count", 3))
    assert "1" in [f.array for f in validate(store, level=5).findings if f.level == 5]


@pytest.mark.parametrize("level", [0, 6, -1, 2.5])
def test_levels_are_1_to_5(store: Path, level: Any) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        validate(store, level=level)


def test_a_place_without_a_store(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nothing"):
        result = validate(place)
        assert not result.ok
        assert [f.level for f in result.findings] == [1]


def test_many_findings_are_counted(tmp_path: Path) -> None:
    points_store(tmp_path / "s", cloud(400), chunk=10.0)
    for file in (tmp_path / "s" / "0" / "vertices").glob("*/c/0"):
        file.write_bytes(file.read_bytes()[:-3])
    result = validate(tmp_path / "s")
    chunks = len(list((tmp_path / "s" / "0" / "vertices").glob("*/c/0")))
    named = {f.chunk for f in result.findings if f.array == "0/vertices" and f.chunk}
    assert len(named) == 200 < chunks
    assert any(f"{chunks - 200} more" in text for text in result.errors)
