from __future__ import annotations

import os
from pathlib import Path

import pytest
from zarr.storage import LocalStore, MemoryStore, ObjectStore

from zarr_vectors.core.backends import open_backend, origin_of, resolve_backend_name
from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.core.journal import transaction
from zarr_vectors.exceptions import StoreError


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/data", "local"),
        ("C:\\data", "local"),
        ("file:///data", "local"),
        ("s3://b/x", "obstore"),
        ("gs://b/x", "obstore"),
        ("az://c/x", "obstore"),
        ("abfss://c/x", "obstore"),
        ("https://h/x", "obstore"),
        ("memory://x", "obstore"),
        ("icechunk+s3://b/x", "icechunk"),
        ("ftp://h/x", "fsspec"),
    ],
)
def test_the_scheme_chooses(url: str, name: str) -> None:
    pytest.importorskip("fsspec")
    assert resolve_backend_name(url, env_override="") == name


def test_the_caller_wins_then_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZARR_VECTORS_BACKEND", "fsspec")
    assert resolve_backend_name("/data") == "fsspec"
    assert resolve_backend_name("/data", "obstore") == "obstore"
    assert resolve_backend_name("/data", env_override="") == "local"
    assert resolve_backend_name(Path("/data"), env_override="obstore") == "obstore"


@pytest.mark.parametrize("override", ["bogus", ""])
def test_unknown_choices_are_refused(override: str) -> None:
    explicit = None if override else "bogus"
    with pytest.raises(StoreError, match="bogus"):
        resolve_backend_name("/data", explicit, env_override=override)


def test_nothing_serves_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StoreError, match="nothing installed serves s3://") as caught:
        resolve_backend_name("s3://key:secret@bucket", env_override="")
    assert "secret" not in str(caught.value)


def test_paths_open_as_folders(tmp_path: Path) -> None:
    for place in (tmp_path, str(tmp_path), tmp_path.as_uri()):
        backend = open_backend(place)
        assert isinstance(backend, LocalBackend)
        assert backend.local_path == tmp_path.resolve()
        assert (backend.name, backend.read_only) == ("local", True)


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_a_missing_folder_is_made_only_when_asked(tmp_path: Path, mode: str) -> None:
    with pytest.raises(StoreError, match="no store at"):
        open_backend(tmp_path / "new", mode=mode)
    assert not (tmp_path / "new").exists()
    assert not open_backend(tmp_path / "new", mode="a").read_only
    assert (tmp_path / "new").is_dir()


def test_a_backend_is_taken_as_it_is(tmp_path: Path) -> None:
    backend = open_backend(tmp_path)
    assert open_backend(backend, mode="r") is backend


@pytest.mark.parametrize("place", [3, None, b"bytes", object()])
def test_other_things_are_no_stores(place: object) -> None:
    with pytest.raises(StoreError, match="a store is"):
        open_backend(place)


def test_modes_and_mismatches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="mode"):
        open_backend(tmp_path, mode="x")
    with pytest.raises(StoreError, match="not a local path"):
        open_backend("s3://bucket/x", backend="local")


def test_a_bucket_is_described_without_secrets() -> None:
    store = pytest.importorskip("obstore.store")
    keys = {"access_key_id": "AKIAX", "secret_access_key": "hunter2", "region": "x"}
    bucket = store.S3Store("bucket", prefix="a/b", **keys)
    backend = open_backend(bucket)
    assert backend.url == "s3://bucket/a/b"
    assert "hunter2" not in repr(backend)
    web = open_backend("https://user:hunter2@host/a?token=hunter2", mode="a")
    assert web.url == "https://host/a"
    assert "hunter2" not in repr(web)
    assert web.read_only
    anonymous = open_backend("gs://bucket/x", mode="a", skip_signature=True)
    assert anonymous.read_only


def test_memory_is_shared_by_those_who_name_it_alike() -> None:
    open_backend("memory://one/x", mode="a").put_many({"a": b"1"})
    assert open_backend("memory://one/x/").get_many(["a"]) == {"a": b"1"}
    assert open_backend("memory://other").get_many(["a"]) == {}
    with pytest.raises(StoreError, match="read-only"):
        open_backend("memory://one/x").put_many({"a": b"2"})


def test_what_a_zarr_store_of_obstore_wraps_is_asked_itself() -> None:
    inner = pytest.importorskip("obstore.store").MemoryStore()
    backend = open_backend(ObjectStore(inner), mode="a")
    backend.put_many({"a": b"1"})
    assert backend.name == "obstore"
    assert open_backend(inner).get_many(["a"]) == {"a": b"1"}
    assert open_backend(ObjectStore(inner, read_only=True), mode="a").read_only


def test_another_driver_opens_the_address_that_was_given(tmp_path: Path) -> None:
    address = "https://user:hunter2@host/a?token=hunter2"
    web = open_backend(address)
    assert origin_of(web) == address
    assert "hunter2" not in repr(web) + web.url + str(vars(web))
    assert origin_of(open_backend(tmp_path.as_uri())) == tmp_path.as_uri()
    assert origin_of(open_backend(LocalStore(tmp_path))) == tmp_path.resolve()
    with transaction(open_backend("memory://origins", mode="a"), "x") as within:
        assert origin_of(within) == "memory://origins"


def test_drivers_of_fsspec_are_told_to_look_for_no_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "ZARR_VECTORS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    asked: list[object] = []

    def from_url(url: str, *, storage_options: object, read_only: bool) -> MemoryStore:
        asked.append(storage_options)
        return MemoryStore(read_only=read_only)

    monkeypatch.setattr("zarr.storage.FsspecStore.from_url", from_url)
    open_backend("s3://bucket/x", backend="fsspec")
    open_backend("gs://bucket/x", backend="fsspec")
    open_backend("s3://bucket/x", backend="fsspec", mode="r+")
    open_backend("s3://bucket/x", backend="fsspec", credentials="machine")
    open_backend("s3://bucket/x", backend="fsspec", key="k", secret="s")  # noqa: S106 - of nobody
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    open_backend("s3://bucket/x", backend="fsspec")
    open_backend("ftp://host/x", backend="fsspec")
    given = {"key": "k", "secret": "s"}
    assert asked == [{"anon": True}, {"token": "anon"}, None, None, given, None, None]
