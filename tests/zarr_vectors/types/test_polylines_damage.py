"""Every file of every array of a polyline store, harmed: named, and alone in its harm."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy import open_zv
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.polylines import read_polylines, write_polylines

NAMES = ["step", "rgb", "kind"]
CHUNKED = ["vertices", "vertex_fragments", *(f"vertex_attributes/{name}" for name in NAMES)]
WHOLE = ["object_index", "object_attributes/size", "groups", "group_attributes/weight"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def lose(path: Path) -> None:
    path.unlink()


def scramble(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes((b"notright" + data[8:])[: len(data)])


HARMS = [cut, lose, scramble]


@pytest.fixture(scope="module", params=["0.7.0", "0.9.2"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Polylines with every array they can have; ``<version>`` is the folder's name."""
    store = tmp_path_factory.mktemp("whole") / str(request.param)
    rng = np.random.default_rng(5)
    lines = [np.cumsum(rng.normal(0, 6, (12, 3)), axis=0) + 20 * k for k in range(-2, 4)]
    write_polylines(
        store,
        lines,
        chunk_shape=(20.0,) * 3,
        vertex_attributes={
            "step": [np.arange(12)] * 6,
            "rgb": [rng.integers(0, 255, (12, 3)).astype(np.uint8)] * 6,
            "kind": [np.array(["a", "b", "c"] * 4)] * 6,
        },
        object_attributes={"size": np.arange(1.0, 7.0)},
        groups={0: [0, 1], 1: [2]},
        group_attributes={"weight": np.arange(1.0, 3.0)},
        format_version=request.param,
    )
    return store


def chunk_files(store: Path, array: str, chunk: tuple[int, ...]) -> list[Path]:
    """Files of one chunk alone."""
    if store.name == "0.7.0":
        folder = store / "0" / array / ".".join(map(str, chunk))
        return [folder / "c" / "0", folder / "zarr.json"]
    origin = open_zv(store)[0].chunk_table.coords.min(axis=0)
    return [Path(store / "0" / array / "c", *map(str, np.subtract(chunk, origin)))]


def objects_in(store: Path, chunk: tuple[int, ...]) -> set[int]:
    index = open_zv(store)[0].object_index
    return {oid for oid in index.object_ids if any(c == chunk for c, _ in index[oid])}


@pytest.mark.parametrize("array", CHUNKED)
@pytest.mark.parametrize("harm", HARMS)
def test_one_chunk(whole: Path, tmp_path: Path, array: str, harm: Callable[[Path], None]) -> None:
    intact = read_polylines(whole, attribute_names=NAMES)
    chunk = open_zv(whole)[0].chunk_keys[2]
    harmed = objects_in(whole, chunk)
    others = sorted(set(range(6)) - harmed)
    assert others
    files = chunk_files(whole, array, chunk)
    # raw numbers of 0.7.0 have no magic: other first bytes are just other numbers
    raw = whole.name == "0.7.0" and array != "vertex_fragments"
    for number, file in enumerate(files):
        if harm is scramble and raw and file.name == "0":
            continue
        store = tmp_path / str(number) / whole.name
        shutil.copytree(whole, store)
        harm(store / file.relative_to(whole))
        with pytest.raises(ArrayError) as caught:
            read_polylines(store, attribute_names=NAMES)
        assert (caught.value.array, caught.value.chunk) == (f"0/{array}", chunk)
        for word in (f"0/{array}", str(chunk), store.as_uri()):
            assert word in str(caught.value)
        with pytest.raises(ArrayError):
            read_polylines(store, object_ids=[min(harmed)], attribute_names=NAMES)
        found = read_polylines(store, object_ids=others, attribute_names=NAMES)
        for place, oid in enumerate(others):
            np.testing.assert_array_equal(found.lines[place], intact.lines[oid])
            for name in NAMES:
                np.testing.assert_array_equal(
                    found.per_polyline(name)[place], intact.per_polyline(name)[oid]
                )


def read_whole_array(store: Path, array: str) -> None:
    if array == "object_index":
        read_polylines(store)
    elif array == "groups":
        read_polylines(store, group_ids=[0, 1])
    else:
        open_handle(store).layout.get_dense(f"0/{array}")


@pytest.mark.parametrize("array", WHOLE)
@pytest.mark.parametrize("harm", [cut, lose])
def test_one_file_of_a_whole_array(
    whole: Path, tmp_path: Path, array: str, harm: Callable[[Path], None]
) -> None:
    files = [file for file in sorted((whole / "0" / array).rglob("*")) if file.is_file()]
    files = [file for file in files if file.name != "zarr.json"]
    assert files
    for number, file in enumerate(files):
        store = tmp_path / str(number) / whole.name
        shutil.copytree(whole, store)
        harm(store / file.relative_to(whole))
        with pytest.raises(ArrayError) as caught:
            read_whole_array(store, array)
        assert caught.value.array == f"0/{array}"
        assert f"0/{array} in {store.as_uri()} is damaged" in str(caught.value)


def test_an_object_index_that_is_gone(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / whole.name
    shutil.copytree(whole, store)
    shutil.rmtree(store / "0" / "object_index")
    for call in (read_polylines, lambda place: open_zv(place)[0].polylines.compute()):
        with pytest.raises(ArrayError, match="recorded and not there") as caught:
            call(store)
        assert caught.value.array == "0/object_index"


@pytest.mark.parametrize("array", ["vertices", "vertex_fragments"])
@pytest.mark.parametrize("harm", [cut, lose])
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_lines(tmp_path: Path, version: str, array: str, harm: Callable[[Path], None]) -> None:
    store = tmp_path / version
    ends = np.array([[[1, 1], [2, 3]], [[1, 2], [11, 1]], [[21, 1], [22, 1]]], float)
    write_lines(store, ends, chunk_shape=(10.0, 10.0), format_version=version)
    harm(chunk_files(store, array, (0, 0))[0])
    with pytest.raises(ArrayError) as caught:
        read_lines(store)
    assert (caught.value.array, caught.value.chunk) == (f"0/{array}", (0, 0))
    np.testing.assert_array_equal(read_lines(store, object_ids=[2]).endpoints, ends[2:])
