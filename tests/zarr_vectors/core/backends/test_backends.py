"""What every backend promises, over each kind of place."""

from __future__ import annotations

from pathlib import Path

import pytest
from zarr.storage import LocalStore, MemoryStore, WrapperStore

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.exceptions import StoreError
from zarr_vectors.testing.stores import FailingStore, SlowStore, UnlistableStore

KINDS = ["folder", "memory", "wrapped", "zarr local", "obstore memory", "obstore local", "slow"]
KINDS += ["fsspec"]


def place_of(kind: str, folder: Path) -> object:
    obstore = pytest.importorskip("obstore.store")
    if kind == "fsspec":
        pytest.importorskip("fsspec")
    places = {
        "folder": lambda: folder,
        "memory": MemoryStore,
        "wrapped": lambda: WrapperStore(MemoryStore()),
        "zarr local": lambda: LocalStore(folder),
        "obstore memory": obstore.MemoryStore,
        "obstore local": lambda: obstore.LocalStore(folder),
        "slow": lambda: SlowStore(MemoryStore(), 0.0005),
        "fsspec": lambda: folder,
    }
    return places[kind]()


@pytest.fixture(params=KINDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> StorageBackend:
    chosen = "fsspec" if request.param == "fsspec" else None
    return open_backend(place_of(request.param, tmp_path), mode="a", backend=chosen)


ITEMS = {"a/b/c/0": b"123456", "a/zarr.json": b"{}", "x": b"", "ä ö/z": bytes(range(256))}


def test_values_come_back(backend: StorageBackend) -> None:
    backend.put_many(ITEMS)
    assert backend.get_many([*ITEMS, "nothing", "a", "a/b"]) == ITEMS
    backend.put_many({"x": bytearray(b"new"), "a/b/c/0": memoryview(b"0")})
    assert backend.get_many(["x", "a/b/c/0"]) == {"x": b"new", "a/b/c/0": b"0"}


def test_nothing_asked_nothing_answered(backend: StorageBackend) -> None:
    assert backend.get_many([]) == {}
    assert backend.get_ranges([]) == []
    backend.put_many({})
    backend.delete_many([])
    assert backend.stats.total.requests == 0


def test_ranges(backend: StorageBackend) -> None:
    backend.put_many(ITEMS)
    asked = [("a/b/c/0", 1, 2), ("a/b/c/0", -2, 2), ("a/b/c/0", -3, 1), ("nothing", 0, 1)]
    asked += [("a/b/c/0", 0, 6), ("nothing", -1, 1)]
    assert backend.get_ranges(asked) == [b"23", b"56", b"4", None, b"123456", None]
    several = [("nothing", 0, 1), ("a/b/c/0", -3, 2), ("nothing", 2, 1), ("a/b/c/0", -3, 3)]
    assert backend.get_ranges(several) == [None, b"45", None, b"456"]


def test_listing(backend: StorageBackend) -> None:
    backend.put_many(ITEMS)
    assert backend.list_dir("") == ["a", "x", "ä ö"]
    assert backend.list_dir("a") == ["b", "zarr.json"]
    assert backend.list_dir("nothing") == []


def test_removal(backend: StorageBackend) -> None:
    backend.put_many({**ITEMS, "ab": b"stays"})
    backend.delete_many(["x", "nothing"])
    backend.delete_prefix("a")
    backend.delete_prefix("nothing")
    assert backend.get_many([*ITEMS, "ab"]) == {"ä ö/z": ITEMS["ä ö/z"], "ab": b"stays"}
    backend.put_many({"a/b/c/0": b"again"})
    assert backend.get_many(["a/b/c/0"]) == {"a/b/c/0": b"again"}
    backend.delete_prefix("")
    assert backend.get_many([*ITEMS, "ab"]) == {}


def test_requests_and_bytes_are_counted(backend: StorageBackend) -> None:
    backend.put_many(ITEMS)
    written = sum(map(len, ITEMS.values()))
    assert (backend.stats.total.requests, backend.stats.total.bytes_written) == (4, written)
    with backend.stats.scope() as scope:
        backend.get_many(["a/b/c/0", "nothing"])
        backend.get_ranges([("a/b/c/0", 0, 2)])
    assert (scope.requests, scope.bytes_read, scope.bytes_written) == (3, 8, 0)


@pytest.mark.parametrize("key", ["../x", "/x", "a/../../x", "a\\x", "C:/x", "a/\0", "nul", "a//b"])
def test_keys_that_leave_the_place_are_refused(backend: StorageBackend, key: str) -> None:
    for call in (
        lambda: backend.get_many([key]),
        lambda: backend.get_ranges([(key, 0, 1)]),
        lambda: backend.put_many({key: b"x"}),
        lambda: backend.delete_many([key]),
        lambda: backend.delete_prefix(key),
        lambda: backend.list_dir(key),
    ):
        with pytest.raises(StoreError, match="not allowed"):
            call()


@pytest.mark.parametrize("kind", ["folder", "memory", "zarr local", "obstore memory"])
def test_read_only_places_refuse_to_change(kind: str, tmp_path: Path) -> None:
    backend = open_backend(place_of(kind, tmp_path), mode="r")
    assert backend.read_only
    for call in (
        lambda: backend.put_many({"a": b"x"}),
        lambda: backend.delete_many(["a"]),
        lambda: backend.delete_prefix("a"),
    ):
        with pytest.raises(StoreError, match="read-only"):
            call()
    assert backend.get_many(["a"]) == {}


def test_a_store_that_is_read_only_stays_so(tmp_path: Path) -> None:
    assert open_backend(LocalStore(tmp_path, read_only=True), mode="r+").read_only
    assert open_backend(MemoryStore(read_only=True), mode="a").read_only


def test_a_store_that_cannot_list_says_so() -> None:
    backend = open_backend(UnlistableStore(MemoryStore()), mode="a")
    backend.put_many(ITEMS)
    assert backend.get_many(ITEMS) == ITEMS
    with pytest.raises(StoreError, match="cannot list"):
        backend.list_dir("")


def test_a_store_that_fails_is_a_store_error_naming_key_and_place() -> None:
    store = FailingStore(MemoryStore(), lambda key: key == "bad")
    backend = open_backend(store, mode="a")
    backend.put_many(ITEMS)
    assert backend.get_many(ITEMS) == ITEMS
    for call in (
        lambda: backend.get_many(["bad"]),
        lambda: backend.put_many({"bad": b""}),
        lambda: backend.delete_many(["bad"]),
        lambda: backend.list_dir("bad"),
    ):
        with pytest.raises(StoreError, match=r"bad .*the wire was cut"):
            call()


def test_secrets_of_a_failing_store_stay_secret() -> None:
    secret = OSError("GET https://user:hunter2@host/x?token=hunter2#hunter2 failed")
    backend = open_backend(FailingStore(MemoryStore(), error=secret), mode="r")
    with pytest.raises(StoreError) as caught:
        backend.get_many(["a"])
    assert "https://host/x" in str(caught.value)
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_slow_stores_are_asked_many_things_at_once() -> None:
    store = SlowStore(MemoryStore(), 0.01)
    backend = open_backend(store, mode="a")
    backend.get_many([str(number) for number in range(200)])
    assert 64 <= store.most_in_flight <= 128


def test_the_same_place_as_a_zarr_store(backend: StorageBackend) -> None:
    import zarr

    zarr.create_array(backend.zarr_store(), name="n", shape=(3,), dtype="int8", fill_value=7)
    assert b'"int8"' in backend.get_many(["n/zarr.json"])["n/zarr.json"]


def test_a_key_is_created_once(backend: StorageBackend) -> None:
    assert backend.put_new("a/head", b"mine")
    assert not backend.put_new("a/head", b"theirs")
    assert backend.get_many(["a/head"]) == {"a/head": b"mine"}
    assert backend.list_dir("a") == ["head"]
    backend.delete_many(["a/head"])
    assert backend.put_new("a/head", b"theirs")


def test_all_keys_below_a_prefix(backend: StorageBackend) -> None:
    backend.put_many({**ITEMS, "ab": b"beside"})
    assert backend.keys_below("a") == ["a/b/c/0", "a/zarr.json"]
    assert backend.keys_below("") == sorted([*ITEMS, "ab"])
    assert backend.keys_below("nothing") == []
