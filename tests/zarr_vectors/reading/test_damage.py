"""A damaged chunk raises an error that names it; the other chunks are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import Cloud, cloud, points_store
from zarr_vectors.types.points import read_points

ARRAYS = ["vertices", "vertex_attributes/value", "vertex_attributes/kind", "vertex_fragments"]


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


def blob_file(store: Path, version: str, array: str, chunk: tuple[int, ...], origin) -> Path:
    if version == "0.7.0":
        return store / "0" / array / ".".join(map(str, chunk)) / "c" / "0"
    index = [str(c - o) for c, o in zip(chunk, origin, strict=True)]
    return Path(store / "0" / array / "c", *index)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def lose(path: Path) -> None:
    path.unlink()


def scramble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:8] = b"notright"
    path.write_bytes(data)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("harm", [cut, lose], ids=lambda f: f.__name__)
def test_a_damaged_blob_is_named(tmp_path, version, array, harm):
    store = tmp_path / "s"
    points_store(store, cloud(400), format_version=version, object_ids=np.arange(400) % 3)
    level = open_zv(store)[0]
    coords = level.chunk_table.coords
    chunk = tuple(coords[len(coords) // 2].tolist())
    harm(blob_file(store, version, array, chunk, coords.min(axis=0)))
    names = ["value", "kind"]
    with pytest.raises(ArrayError) as caught:
        read_points(store, object_ids=[0, 1, 2], attribute_names=names)
    assert caught.value.chunk == chunk
    assert caught.value.array == f"0/{array}"
    text = str(caught.value)
    assert str(chunk) in text
    assert f"0/{array}" in text
    assert store.as_uri() in text
    whole = [c for c in level.chunk_keys if c != chunk]
    rows = open_zv(store)[0].read_chunks(whole, names)
    assert sum(len(r.positions) for r in rows.values()) == sum(
        n for c, n in zip(level.chunk_keys, level.chunk_table.counts, strict=True) if c != chunk
    )
    if array != "vertex_fragments":
        with pytest.raises(ArrayError, match="chunk"):
            open_zv(store)[0].read_chunks([chunk], names)


def test_a_fragment_table_of_wrong_magic_is_named(tmp_path):
    store = tmp_path / "s"
    points_store(store, cloud(400), object_ids=np.arange(400) % 3)
    chunk = open_zv(store)[0].chunk_keys[3]
    scramble(blob_file(store, "0.7.0", "vertex_fragments", chunk, None))
    with pytest.raises(ArrayError, match="0x") as caught:
        read_points(store, object_ids=[0, 1, 2])
    assert caught.value.chunk == chunk


def test_lost_zeros_are_told_from_stored_zeros(tmp_path):
    """A compressed 0.7 blob of zeros has no file; the origin lies in one chunk only."""
    points = np.array([[0.0, 0.0], [0.0, 0.0], [7.0, 7.0]])
    store = tmp_path / "s"
    points_store(store, Cloud(points, {}), chunk=5.0, bins=1)
    compressed = [
        {"name": "bytes"},
        {"name": "zstd", "configuration": {"level": 0, "checksum": False}},
    ]
    for chunk in ("0.0", "1.1"):
        folder = store / "0" / "vertices" / chunk
        text = (folder / "zarr.json").read_text()
        document = json.loads(text) | {"codecs": compressed}
        (folder / "zarr.json").write_text(json.dumps(document))
        (folder / "c" / "0").unlink()
    level = open_zv(store)[0]
    np.testing.assert_array_equal(level.vertices[0, 0].compute(), np.zeros((2, 2)))
    with pytest.raises(ArrayError, match=r"chunk \(1, 1\) of 0/vertices .* origin"):
        level.vertices[1, 1].compute()


def test_rows_that_differ_from_the_record_are_damage(tmp_path, version):
    store = tmp_path / "s"
    points_store(store, cloud(200), format_version=version)
    other = tmp_path / "other"
    points_store(other, cloud(100), format_version=version)
    common = sorted(set(open_zv(store)[0].chunk_keys) & set(open_zv(other)[0].chunk_keys))
    handle = open_zv(other)[0]
    level = open_zv(store)[0]
    chunk = next(
        c for c in common if len(handle.vertices[c].compute()) != len(level.vertices[c].compute())
    )
    writer = level.writable()
    blob = handle.read_chunks([chunk])[chunk].positions.tobytes()
    writer.layout.put_cells("0/vertices", {chunk: blob})
    with pytest.raises(ArrayError, match=r"rows, expected") as caught:
        open_zv(store)[0].vertices.compute()
    assert caught.value.chunk == chunk
