"""Stores inside zip files: read wherever they lie, and never trusted."""

from __future__ import annotations

import io
import random
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import zarr

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.core.backends.zips import directory
from zarr_vectors.core.backends.zips.directory import TAIL_BYTES, find_directory, read_directory
from zarr_vectors.core.store import create_store, open_store
from zarr_vectors.exceptions import StoreError, ZVError, ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.servers import Server, http_server, s3_server
from zarr_vectors.testing.servers.buckets import QUICK

ITEMS = {"zarr.json": b"{}", "a/b": b"123456", "a/empty": b"", "ä ö/z": bytes(range(256))}


def zipped(
    items: Mapping[str, bytes], method: int = zipfile.ZIP_STORED, *, below: str = ""
) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as file:
        for name, data in items.items():
            file.writestr(below + name, data)
    return held.getvalue()


def opened(data: bytes, folder: Path) -> StorageBackend:
    path = folder / "x.zip"
    path.write_bytes(data)
    return open_backend(path)


def asked(server: Server) -> int:
    """Requests, those sent again after a fault left out."""
    return sum(not one.asked.again for one in server.network.requests)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("below", ["", "store.zarrvectors/"])
def test_values_and_parts_of_them(tmp_path: Path, method: int, below: str) -> None:
    backend = opened(zipped(ITEMS, method, below=below), tmp_path)
    assert backend.get_many([*ITEMS, "nothing", "a"]) == ITEMS
    asked = [("a/b", 1, 2), ("a/b", -2, 2), ("a/b", 4, 9), ("no", 0, 1), ("a/b", -9, 3)]
    asked += [("a/empty", 0, 5), ("a/b", 9, 1), ("ä ö/z", 100, 3)]
    answers = [b"23", b"56", b"56", None, b"123", b"", b"", bytes([100, 101, 102])]
    assert backend.get_ranges(asked) == answers
    assert backend.get_ranges(asked) == answers
    assert backend.list_dir("") == ["a", "zarr.json", "ä ö"]
    assert backend.list_dir("a") == ["b", "empty"]
    assert backend.keys_below("a") == ["a/b", "a/empty"]
    assert backend.keys_below("") == sorted(ITEMS)


def test_it_is_never_written_to(tmp_path: Path) -> None:
    backend = opened(zipped(ITEMS), tmp_path)
    assert backend.read_only
    for call in (
        lambda: backend.put_many({"x": b""}),
        lambda: backend.put_new("x", b""),
        lambda: backend.delete_many(["a/b"]),
        lambda: backend.delete_prefix("a"),
        lambda: create_store(tmp_path / "new.zip"),
        lambda: create_store(tmp_path / "x.zip"),
        lambda: open_store(tmp_path / "x.zip", "r+"),
    ):
        with pytest.raises(StoreError, match=r"read only|cannot be written"):
            call()
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]
    with pytest.raises(StoreError, match=r"no file .*missing\.zip"):
        open_backend(tmp_path / "missing.zip")


def test_a_folder_may_be_called_so(tmp_path: Path) -> None:
    (tmp_path / "store.zip").mkdir()
    create_store(tmp_path / "store.zip", ndim=2)
    assert open_backend(tmp_path / "store.zip").name == "local"


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("where", ["disk", "web", "bucket"])
def test_a_whole_store_in_few_requests(tmp_path: Path, version: str, where: str) -> None:
    points_store(tmp_path / "s", cloud(60), format_version=version)
    expected = open_zv(tmp_path / "s")[0].vertices.compute()
    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in sorted((tmp_path / "s").rglob("*"))
        if path.is_file()
    }
    (tmp_path / "s.zip").write_bytes(zipped(files))
    if where == "disk":
        store = open_zv(tmp_path / "s.zip")
        np.testing.assert_array_equal(store[0].vertices.compute(), expected)
        assert store.url.endswith("/s.zip")
        assert open_store(tmp_path / "s.zip").zarr_group.attrs.asdict()
    elif where == "web":
        with http_server(tmp_path) as server:
            store = open_zv(server.at("s.zip?token=hunter2"), **QUICK)
            opening = asked(server)
            assert opening <= 4  # with one to see where an address with a token leads
            np.testing.assert_array_equal(store[0].vertices.compute(), expected)
            assert asked(server) - opening <= 12
            assert "hunter2" not in store.url + repr(store)
    else:
        with s3_server() as server:
            place = open_backend(server.url, mode="a", **server.options)
            place.put_many({"s.zip": (tmp_path / "s.zip").read_bytes()})
            store = open_zv(server.at("s.zip"), **server.options)
            np.testing.assert_array_equal(store[0].vertices.compute(), expected)


def test_as_a_zarr_store(tmp_path: Path) -> None:
    with zarr.storage.ZipStore(tmp_path / "x.zip", mode="w") as made:
        zarr.create_array(made, name="n", data=np.arange(5), chunks=(2,))
    store = open_backend(tmp_path / "x.zip").zarr_store()
    np.testing.assert_array_equal(zarr.open_array(store, path="n", mode="r")[:], np.arange(5))
    assert store.read_only


def test_names_that_stand_there_twice_are_told(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.writestr("a", b"old")
        file.writestr("a", b"new")
    with pytest.warns(ZVWarning, match="1 names more than once: the last is read"):
        backend = opened(held.getvalue(), tmp_path)
    assert backend.get_many(["a"]) == {"a": b"new"}


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\x", "C:/x", "nul", "a//b", "."])
def test_names_that_leave_the_file_are_refused(tmp_path: Path, name: str) -> None:
    data = zipped({"q" * len(name): b"1"}).replace(b"q" * len(name), name.encode())
    with pytest.raises(StoreError, match="not allowed"):
        opened(data, tmp_path)


def test_bombs_are_refused_unopened(tmp_path: Path) -> None:
    big = bytes(8 * 2**20)
    with pytest.raises(StoreError, match="bytes of it unpack to 8388608"):
        opened(zipped({"a": big}, zipfile.ZIP_DEFLATED), tmp_path)
    small = zipped({"a": bytes(555_555)}, zipfile.ZIP_DEFLATED)
    assert opened(small, tmp_path).get_many(["a"]) == {"a": bytes(555_555)}
    lying = small.replace((555_555).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(StoreError, match=r"a of .* is damaged"):
        opened(lying, tmp_path).get_many(["a"])


def test_entries_that_share_bytes_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a": b"1" * 100, "b": b"2" * 100}))
    span = find_directory(bytes(data[-TAIL_BYTES:]))
    second = data.index(b"PK\1\2", span.offset + 4)
    data[second + 42 : second + 46] = (10).to_bytes(4, "little")
    with pytest.raises(StoreError, match="lie over one another"):
        opened(bytes(data), tmp_path)


def test_headers_that_disagree_with_the_directory_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a": b"123", "b": b"456"}))
    data[30:31] = b"c"
    backend = opened(bytes(data), tmp_path)
    for call in (lambda: backend.get_many(["a"]), lambda: backend.get_ranges([("a", 0, 1)])):
        with pytest.raises(StoreError, match="not what the directory says"):
            call()
    assert backend.get_many(["b"]) == {"b": b"456"}


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    backend = opened(zipped({"a": b"1" * 50}, zipfile.ZIP_BZIP2), tmp_path)
    with pytest.raises(StoreError, match="packed by method 12"):
        backend.get_many(["a"])
    data = bytearray(zipped({"a": b"123"}))
    data[find_directory(bytes(data)).offset + 8] |= 1
    with pytest.raises(StoreError, match="encrypted"):
        opened(bytes(data), tmp_path).get_many(["a"])
    data = bytearray(zipped({"a": b"123"}))
    data[31:34] = b"124"
    with pytest.raises(StoreError, match="damaged: its checksum"):
        opened(bytes(data), tmp_path).get_many(["a"])


def test_how_much_a_file_may_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(directory, "MAX_ENTRIES", 3)
    with pytest.raises(StoreError, match="4 entries, too many"):
        opened(zipped(ITEMS), tmp_path)


def test_long_files_and_long_directories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 100)
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as file:
            for name, data in ITEMS.items():
                with file.open(name, "w", force_zip64=True) as entry:
                    entry.write(data)
    assert opened(held.getvalue(), tmp_path).get_many(ITEMS) == ITEMS
    monkeypatch.setattr("zarr_vectors.core.backends.zips.backend.TAIL_BYTES", 100)
    backend = opened(zipped(ITEMS), tmp_path)
    assert backend.get_many(ITEMS) == ITEMS


def test_comments_and_what_looks_like_an_end(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("a", b"PK\5\6" + bytes(18))
        file.comment = b"PK\5\6 is how it ends"
    assert opened(held.getvalue(), tmp_path).get_many(["a"]) == {"a": b"PK\5\6" + bytes(18)}


def test_cut_and_changed_files_are_named_errors_and_never_wrong(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - the same every time
    whole = zipped({**ITEMS, "packed": zlib.compress(b"x" * 300)}, zipfile.ZIP_DEFLATED)
    truth = {**ITEMS, "packed": zlib.compress(b"x" * 300)}
    for end in range(len(whole)):
        with pytest.raises(StoreError):
            read_directory(*_tail(whole[:end]))
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = opened(bytes(data), tmp_path).get_many(truth)
        except ZVError:
            continue
        assert found.items() <= truth.items()


def _tail(data: bytes) -> tuple[bytes, directory.Span]:
    span = find_directory(data[-TAIL_BYTES:])
    return data[span.offset : span.offset + span.size], span
