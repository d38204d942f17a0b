"""Repositories: sessions of one's own, and addresses, where each operation is one commit."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.backends.icechunk_address import Ref, address_of, chosen_ref, parse_address
from zarr_vectors.core.backends.icechunk_backend import make_icechunk_session
from zarr_vectors.core.journal import transaction
from zarr_vectors.core.store import commit, discard_changes, open_store, rebind, session_for
from zarr_vectors.exceptions import StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.servers import s3_server


@pytest.fixture
def icechunk() -> ModuleType:
    return pytest.importorskip("icechunk")


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_snapshots(tmp_path: Path, icechunk: ModuleType, version: str) -> None:
    place = str(tmp_path / "repo")
    session, store = make_icechunk_session(place, mode="a")
    points_store(store, cloud(60), format_version=version)
    root = open_store(store, "r+")
    assert session_for(root) is not None
    first = commit(root, "points")
    assert isinstance(first, str)
    expected = open_zv(make_icechunk_session(place, mode="r")[1])[0].vertices.compute()
    assert len(expected) == 60
    session, store = make_icechunk_session(place)
    level = open_zv(store)[0]
    with level.writer() as writer:
        writer.add_attribute_sync("new", np.arange(60))
    assert "new" not in open_zv(make_icechunk_session(place, mode="r")[1])[0].attributes
    discard_changes(open_store(store, "r+"))
    assert not session.has_uncommitted_changes
    session, store = make_icechunk_session(place)
    with open_zv(store)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(60))
    session.commit("an attribute")
    assert "new" in open_zv(make_icechunk_session(place, mode="r")[1])[0].attributes
    old = open_zv(make_icechunk_session(place, mode="r", snapshot_id=first)[1])
    assert "new" not in old[0].attributes
    np.testing.assert_array_equal(old[0].vertices.compute(), expected)


def test_what_cannot_be_opened(tmp_path: Path, icechunk: ModuleType) -> None:
    with pytest.raises(StoreError, match="cannot open the repository"):
        make_icechunk_session(str(tmp_path / "nothing"))
    make_icechunk_session(str(tmp_path / "repo"), mode="w")
    with pytest.raises(StoreError, match="cannot open the repository"):
        make_icechunk_session(str(tmp_path / "repo"), branch="twig")
    with pytest.raises(StoreError, match="ftp"):
        make_icechunk_session("ftp://host/place")
    with pytest.raises(StoreError, match="not written to"):
        make_icechunk_session(str(tmp_path / "repo"), snapshot_id="x")
    with pytest.raises(StoreError, match="mode"):
        make_icechunk_session(str(tmp_path / "repo"), mode="x")
    for mode in ("r", "r+"):
        with pytest.raises(StoreError, match="cannot open the repository"):
            open_backend(f"icechunk+{(tmp_path / 'nothing').as_uri()}", mode=mode)
    assert not (tmp_path / "nothing").exists()


def test_without_icechunk_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(StoreError, match=r"pip install 'zv-viewer\[icechunk\]'"):
        make_icechunk_session(str(tmp_path / "repo"))


@pytest.mark.parametrize(
    ("address", "storage", "ref"),
    [
        ("icechunk+s3://bucket/a@branch.main", "s3://bucket/a", Ref("branch", "main")),
        ("icechunk+s3://bucket@tag.v1.0", "s3://bucket", Ref("tag", "v1.0")),
        ("ICECHUNK+file:///a@b/@snapshot.ABC", "file:///a@b", Ref("snapshot", "ABC")),
        ("icechunk+gs://b/x@branch.a/b", "gs://b/x", Ref("branch", "a/b")),
        ("icechunk+gs://b/x@2", "gs://b/x@2", None),
        ("/plain/folder", "/plain/folder", None),
    ],
)
def test_addresses(address: str, storage: str, ref: Ref | None) -> None:
    assert parse_address(address) == (storage, ref)
    if ref is not None:
        assert parse_address(address_of(storage, ref)) == (storage, ref)


def test_addresses_and_options_that_contradict_each_other() -> None:
    nothing: dict[str, Any] = {"branch": None, "tag": None, "snapshot_id": None}
    assert chosen_ref(None, **nothing) == Ref("branch", "main")
    assert chosen_ref(None, **{**nothing, "branch": "x", "snapshot_id": "y"}).name == "y"
    assert chosen_ref(Ref("tag", "t"), **{**nothing, "tag": "t"}).name == "t"
    with pytest.raises(StoreError, match=r"not branch.main and tag.t"):
        chosen_ref(Ref("tag", "t"), **{**nothing, "branch": "main"})
    with pytest.raises(StoreError, match="comes a URL"):
        parse_address("icechunk+/folder")
    with pytest.raises(StoreError, match="served by Icechunk"):
        open_backend("icechunk+file:///x", backend="obstore")


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_each_operation_at_an_address_is_one_commit(
    tmp_path: Path, icechunk: ModuleType, version: str
) -> None:
    folder = tmp_path / "repo"
    address = f"icechunk+{folder.as_uri()}"
    points_store(address, cloud(60), format_version=version)
    repository = icechunk.Repository.open(icechunk.local_filesystem_storage(str(folder)))

    def snapshots() -> list[str]:
        return [one.message for one in repository.ancestry(branch="main")]

    assert len(snapshots()) == 2  # of which the first is the empty repository
    first = repository.lookup_branch("main")
    repository.create_tag("v1", snapshot_id=first)
    repository.create_branch("try", snapshot_id=first)
    with open_zv(address)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(60))
    assert "add attribute" in snapshots()[0]
    assert "new" in open_zv(f"{address}@branch.main")[0].attributes
    for old in (f"{address}@tag.v1", f"{address}/@snapshot.{first}", f"{address}@branch.try"):
        store = open_zv(old)
        assert store.url.startswith(f"{address}/@")
        assert "new" not in store[0].attributes
        np.testing.assert_array_equal(
            store[0].vertices.compute(), open_zv(address)[0].vertices.compute()
        )
    assert "new" not in open_zv(address, tag="v1")[0].attributes
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert len(open_zv(address)[0].vertices.compute()) == 60
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == files
    with open_zv(f"{address}@branch.try")[0].writer() as writer:
        writer.add_attribute_sync("other", np.arange(60))
    assert "other" not in open_zv(address)[0].attributes
    assert "other" in open_zv(address, branch="try")[0].attributes
    with pytest.raises(StoreError, match="not written to"):
        open_zv(f"{address}@tag.v1")[0].writer().add_attribute_sync("other", np.arange(60))


def test_an_operation_that_fails_leaves_nothing(tmp_path: Path, icechunk: ModuleType) -> None:
    address = f"icechunk+{(tmp_path / 'repo').as_uri()}"
    points_store(address, cloud(60))
    before = sorted(open_backend(address).keys_below(""))
    place = open_backend(address, mode="r+")

    def work() -> None:
        with transaction(place, "outer"):
            with transaction(place, "inner"):
                place.delete_prefix("0")
            assert place.list_dir("0") == []
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert sorted(place.keys_below("")) == before
    assert sorted(open_backend(address).keys_below("")) == before


def test_groups_written_to_directly_are_committed_and_discarded(
    tmp_path: Path, icechunk: ModuleType
) -> None:
    address = f"icechunk+{(tmp_path / 'repo').as_uri()}"
    points_store(address, cloud(60))
    root = open_store(address, "r+")
    root.attrs.update({"mine": 1})
    discard_changes(root)
    assert "mine" not in root.attrs.to_dict()
    assert commit(root) is None
    for number in (1, 2):
        root.attrs.update({"mine": number})
        assert isinstance(commit(root, "mine"), str)
        assert open_store(address).attrs["mine"] == number
    assert rebind(root, open_backend(address, mode="r+")).attrs["mine"] == 2
    with pytest.raises(StoreError, match="read-only"):
        open_store(address).create_group("new")


def test_repositories_in_buckets(
    icechunk: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        address = f"icechunk+{server.at('repo')}"
        points_store(address, cloud(60))
        before = len(server.network.requests)
        assert len(open_zv(address)[0].vertices.compute()) == 60
        asked = {one.asked.method for one in server.network.requests[before:]}
        assert asked <= {"GET", "HEAD"}
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(
            StoreError, match=r"cannot open the repository .*no credentials"
        ) as caught:
            open_zv(address)
        assert not any(secret in str(caught.value) for secret in server.secrets)
        keys = {name: server.options[name] for name in ("access_key_id", "secret_access_key")}
        assert len(open_zv(address, **keys)[0].vertices.compute()) == 60


def test_public_repositories_open_with_nothing_set(
    icechunk: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with s3_server(public=True) as server:
        with monkeypatch.context() as patch:
            for name, value in server.environment.items():
                patch.setenv(name, value)
            points_store(f"icechunk+{server.at('repo')}", cloud(60))
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        assert len(open_zv(f"icechunk+{server.at('repo')}")[0].vertices.compute()) == 60
