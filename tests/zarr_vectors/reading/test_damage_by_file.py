"""Every file of every array of a point store, harmed in every way: named, and alone in its harm.

Raw numbers have no magic to be wrong: in 0.7.0 their first bytes are then just other numbers, so
what has a wrong magic there is the document beside them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.points import read_points

NAMES = ["row", "value", "rgb", "kind"]
VERSIONS = ["0.7.0", "0.9.2"]
CHUNKED = ["vertices", "vertex_fragments", *(f"vertex_attributes/{name}" for name in NAMES)]
WHOLE = ["object_index", "object_attributes/size", "groups", "group_attributes/weight"]
ZSTD = [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 0, "checksum": False}}]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def lose(path: Path) -> None:
    path.unlink()


def scramble(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes((b"notright" + data[8:])[: len(data)])


HARMS = [cut, lose, scramble]


@pytest.fixture(scope="module", params=VERSIONS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of every array a point store has; ``<version>`` is the folder's name."""
    store = tmp_path_factory.mktemp("whole") / str(request.param)
    points_store(
        store,
        cloud(60),
        chunk=50.0,
        format_version=request.param,
        object_ids=np.arange(60) % 3,
        object_attributes={"size": np.arange(3.0)},
        groups={0: [0, 1], 1: [2]},
        group_attributes={"weight": np.arange(2.0)},
    )
    return store


def chunk_files(store: Path, array: str, chunk: tuple[int, ...]) -> list[Path]:
    """Files of one chunk alone."""
    if store.name == "0.7.0":
        folder = store / "0" / array / ".".join(map(str, chunk))
        return [folder / "c" / "0", folder / "zarr.json"]
    origin = open_zv(store)[0].chunk_table.coords.min(axis=0)
    return [Path(store / "0" / array / "c", *map(str, np.subtract(chunk, origin)))]


def read_whole_array(store: Path, array: str) -> None:
    if array == "object_index":
        read_points(store, object_ids=[0, 1, 2])
    elif array == "groups":
        read_points(store, group_ids=[0, 1])
    else:
        open_handle(store).layout.get_dense(f"0/{array}")


def has_magic(path: Path, version: str, array: str) -> bool:
    """Whether other first bytes can be told from the right ones."""
    raw = version == "0.7.0" and path.name == "0" and path.parent.parent.name != "manifests"
    return not raw or array == "vertex_fragments"


@pytest.mark.parametrize("array", CHUNKED)
@pytest.mark.parametrize("harm", HARMS)
def test_one_chunk(whole: Path, tmp_path: Path, array: str, harm: Callable[[Path], None]) -> None:
    with open_zv(whole) as store:
        keys = store[0].chunk_keys
        intact = store[0].read_chunks(keys, NAMES)
    chunk = keys[3]
    checked = 0
    for number, file in enumerate(chunk_files(whole, array, chunk)):
        if harm is scramble and not has_magic(file, whole.name, array):
            continue
        store = tmp_path / str(number) / whole.name
        shutil.copytree(whole, store)
        harm(store / file.relative_to(whole))
        with pytest.raises(ArrayError) as caught:
            read_points(store, object_ids=[0, 1, 2], attribute_names=NAMES)
        assert (caught.value.array, caught.value.chunk) == (f"0/{array}", chunk)
        for word in (f"0/{array}", str(chunk), store.as_uri()):
            assert word in str(caught.value)
        others = [key for key in keys if key != chunk]
        rows = open_zv(store)[0].read_chunks(others, NAMES)
        assert list(rows) == others
        for key in others:
            np.testing.assert_array_equal(rows[key].positions, intact[key].positions)
            for name in NAMES:
                np.testing.assert_array_equal(
                    rows[key].attributes[name], intact[key].attributes[name]
                )
        checked += 1
    assert checked


@pytest.mark.parametrize("array", WHOLE)
@pytest.mark.parametrize("harm", HARMS)
def test_one_file_of_a_whole_array(
    whole: Path, tmp_path: Path, array: str, harm: Callable[[Path], None]
) -> None:
    files = sorted(file for file in (whole / "0" / array).rglob("c/*") if file.is_file())
    files += sorted((whole / "0" / array).glob("c/*/*"))
    if whole.name == "0.7.0":
        files += sorted((whole / "0" / array).glob("*/zarr.json"))
    assert files
    checked = 0
    for number, file in enumerate(dict.fromkeys(files)):
        offsets = file.parent.parent.name == "offsets"
        if harm is scramble and not (has_magic(file, whole.name, array) or offsets):
            continue
        if file.name == "zarr.json" and file.parent.name == "manifests" and harm is not lose:
            continue  # a document that does not parse is told by its path, see test_documents
        store = tmp_path / str(number) / whole.name
        shutil.copytree(whole, store)
        harm(store / file.relative_to(whole))
        with pytest.raises(ArrayError) as caught:
            read_whole_array(store, array)
        assert caught.value.array == f"0/{array}"
        assert f"0/{array} in {store.as_uri()} is damaged" in str(caught.value)
        found = read_points(store, attribute_names=NAMES)
        assert found["vertex_count"] == 60
        checked += 1
    assert checked


def test_an_object_index_that_is_recorded_and_gone(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / whole.name
    shutil.copytree(whole, store)
    shutil.rmtree(store / "0" / "object_index")
    with pytest.raises(ArrayError, match="recorded and not there") as caught:
        read_points(store, object_ids=[0])
    assert caught.value.array == "0/object_index"


# 0.7.0 blobs behind zstd, as a compressing writer leaves them


def compress(folder: Path) -> None:
    """Store one blob behind zstd."""
    from numcodecs import Zstd

    document = json.loads((folder / "zarr.json").read_text())
    (folder / "zarr.json").write_text(json.dumps(document | {"codecs": ZSTD}))
    data = folder / "c" / "0"
    data.write_bytes(Zstd(level=0).encode(data.read_bytes()))


@pytest.mark.parametrize("array", CHUNKED)
@pytest.mark.parametrize("harm", [cut, scramble])
def test_a_compressed_chunk(tmp_path: Path, array: str, harm: Callable[[Path], None]) -> None:
    store = tmp_path / "0.7.0"
    points_store(store, cloud(60), chunk=50.0, object_ids=np.arange(60) % 3)
    chunk = open_zv(store)[0].chunk_keys[3]
    (file, document) = chunk_files(store, array, chunk)
    compress(document.parent)
    read_points(store, object_ids=[0, 1, 2], attribute_names=NAMES)
    harm(file)
    with pytest.raises(ArrayError) as caught:
        read_points(store, object_ids=[0, 1, 2], attribute_names=NAMES)
    assert (caught.value.array, caught.value.chunk) == (f"0/{array}", chunk)


@pytest.mark.parametrize("array", ["vertices", "vertex_fragments"])
def test_a_lost_compressed_chunk_that_cannot_be_zeros(tmp_path: Path, array: str) -> None:
    store = tmp_path / "0.7.0"
    points_store(store, cloud(60), chunk=20.0, object_ids=np.arange(60) % 3)
    chunk = next(key for key in open_zv(store)[0].chunk_keys if 0 not in key and -1 not in key)
    (file, document) = chunk_files(store, array, chunk)
    compress(document.parent)
    lose(file)
    with pytest.raises(ArrayError) as caught:
        read_points(store, object_ids=[0, 1, 2], attribute_names=NAMES)
    assert (caught.value.array, caught.value.chunk) == (f"0/{array}", chunk)


@pytest.mark.parametrize("name", ["value", "rgb", "kind"])
def test_a_compressed_attribute_without_its_file_is_zeros(tmp_path: Path, name: str) -> None:
    store = tmp_path / "0.7.0"
    points_store(store, cloud(60), chunk=50.0)
    chunk = open_zv(store)[0].chunk_keys[3]
    (file, document) = chunk_files(store, f"vertex_attributes/{name}", chunk)
    compress(document.parent)
    lose(file)
    rows = open_zv(store)[0].read_chunks([chunk], [name], decode_categories=False)[chunk]
    assert len(rows.attributes[name]) == len(rows.positions) > 0
    assert not rows.attributes[name].any()
