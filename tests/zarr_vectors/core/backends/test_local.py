from __future__ import annotations

import gc
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from zarr_vectors.core.backends.beneath import Beneath
from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.exceptions import StoreError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


@pytest.fixture(params=["one call", "two steps"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LocalBackend:
    if request.param == "two steps":
        monkeypatch.setattr("zarr_vectors.core.backends.beneath._find_openat2", lambda: None)
    backend = LocalBackend(tmp_path / "store", read_only=False, create=True)
    backend.put_many({"a/b": b"inside"})
    return backend


def root_of(backend: LocalBackend) -> Path:
    assert backend.local_path is not None
    return backend.local_path


def test_links_inside_are_followed_for_reading(backend: LocalBackend) -> None:
    (root_of(backend) / "relative").symlink_to("a")
    (root_of(backend) / "absolute").symlink_to(root_of(backend) / "a")
    found = backend.get_many(["relative/b", "absolute/b"])
    assert found == {"relative/b": b"inside", "absolute/b": b"inside"}


@pytest.mark.parametrize("link", ["file", "folder", "parent"])
def test_links_out_are_refused(backend: LocalBackend, outside: Path, link: str) -> None:
    root = root_of(backend)
    target, key = {
        "file": (outside / "secret", "link"),
        "folder": (outside, "link/secret"),
        "parent": (Path(".."), "link/outside/secret"),
    }[link]
    (root / "link").symlink_to(target)
    for call in (lambda: backend.get_many([key]), lambda: backend.get_ranges([(key, 0, 2)])):
        with pytest.raises(StoreError, match="follow_links=True"):
            call()
    if link != "file":
        with pytest.raises(StoreError, match="follow_links=True"):
            backend.list_dir("link")
        with pytest.raises(StoreError, match="link"):
            backend.put_many({"link/new": b"x"})
        with pytest.raises(StoreError, match="link"):
            backend.delete_many([key])
        with pytest.raises(StoreError, match="link"):
            backend.delete_prefix(f"{key}/x")
    assert (outside / "secret").read_bytes() == b"secret"
    assert not (outside / "new").exists()
    allowed = LocalBackend(root, follow_links=True)
    assert allowed.get_many([key]) == {key: b"secret"}


def test_writing_replaces_a_link_and_leaves_its_target(
    backend: LocalBackend, outside: Path
) -> None:
    (root_of(backend) / "link").symlink_to(outside / "secret")
    backend.put_many({"link": b"mine"})
    assert (outside / "secret").read_bytes() == b"secret"
    assert backend.get_many(["link"]) == {"link": b"mine"}


def test_removing_takes_the_link_and_leaves_its_target(
    backend: LocalBackend, outside: Path
) -> None:
    (root_of(backend) / "link").symlink_to(outside)
    backend.delete_prefix("link")
    assert (outside / "secret").exists()
    assert not (root_of(backend) / "link").exists()


def test_a_link_swapped_during_reads_never_leads_out(backend: LocalBackend, outside: Path) -> None:
    root = root_of(backend)
    (root / "d").mkdir()
    (root / "d" / "secret").write_bytes(b"inside")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(root / "d", root / "kept")
            (root / "d").symlink_to(outside)
            (root / "d").unlink()
            os.rename(root / "kept", root / "d")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for _ in range(3000):
            try:
                seen.add(backend.get_many(["d/secret"]).get("d/secret"))
            except StoreError:
                seen.add("refused")
    finally:
        done.set()
        thread.join()
    assert b"secret" not in seen
    assert backend.get_many(["d/secret"]) == {"d/secret": b"inside"}


def test_pipes_and_folders_are_no_values(backend: LocalBackend) -> None:
    os.mkfifo(root_of(backend) / "pipe")
    with pytest.raises(StoreError, match="not a file"):
        backend.get_many(["pipe"])
    assert backend.get_many(["a", "a/b/c"]) == {}


def test_a_failed_write_leaves_the_old_value(
    backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zarr_vectors.core.backends.local_writes.os.write", full)
    for key in ("a/b", "a/new"):
        with pytest.raises(StoreError, match="No space left"):
            backend.put_many({key: b"other"})
    monkeypatch.undo()
    assert backend.get_many(["a/b", "a/new"]) == {"a/b": b"inside"}
    assert os.listdir(root_of(backend) / "a") == ["b"]


def test_a_folder_removed_behind_its_back_is_made_again(backend: LocalBackend) -> None:
    (root_of(backend) / "a" / "b").unlink()
    (root_of(backend) / "a").rmdir()
    backend.put_many({"a/b": b"again"})
    assert backend.get_many(["a/b"]) == {"a/b": b"again"}


def test_unreadable_files_are_store_errors(backend: LocalBackend) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (root_of(backend) / "a" / "b").chmod(0)
    with pytest.raises(StoreError, match="Permission denied"):
        backend.get_many(["a/b"])


def test_what_is_no_folder_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="not a folder"):
        LocalBackend(tmp_path / "file")
    for missing in (tmp_path / "nothing", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match="there is no store at"):
            LocalBackend(missing)
    with pytest.raises(StoreError, match="cannot open"):
        LocalBackend("a\0b")


def test_files_are_let_go(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    backend = LocalBackend(tmp_path, read_only=False)
    backend.put_many({str(number): b"x" for number in range(50)})
    gc.collect()
    before = len(os.listdir(folder))
    backend.get_many([str(number) for number in range(100)])
    assert len(os.listdir(folder)) <= before
    for _ in range(20):
        Beneath(tmp_path).close()
    assert len(os.listdir(folder)) <= before


@pytest.fixture(params=["in the open folder", "by path"])
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    if request.param == "by path":
        monkeypatch.setattr("zarr_vectors.core.backends.local_writes._BY_FOLDER", False)
    return tmp_path


def test_many_values_of_a_folder_are_created_and_replaced(many: Path) -> None:
    backend = LocalBackend(many, read_only=False)
    old = {f"{where}/{n}": b"old" for where in ("a", "b/c") for n in (1, 2, 5, 7)}
    new = {f"{where}/{n}": b"new" * n for where in ("a", "b/c") for n in range(9)}
    backend.put_many(old)
    backend.put_many(new)
    assert backend.get_many(new) == new
    assert len(os.listdir(many / "a")) == 9


def test_a_value_that_cannot_be_replaced_leaves_nothing_beside_it(many: Path) -> None:
    backend = LocalBackend(many, read_only=False)
    (many / "a" / "3").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"cannot write a/3 of"):
        backend.put_many({f"a/{n}": b"x" for n in range(6)})
    assert sorted(os.listdir(many / "a")) == ["0", "1", "2", "3"]


def test_a_folder_removed_while_it_is_written_to_is_made_again(many: Path) -> None:
    backend = LocalBackend(many, read_only=False)

    class Removing(dict[str, bytes]):
        def items(self) -> Any:
            for number, item in enumerate(super().items()):
                if number == 4:
                    shutil.rmtree(many / "a")
                yield item

    backend.put_many(Removing({f"a/{n}": b"x" for n in range(6)}))
    assert sorted(os.listdir(many / "a")) == ["4", "5"]


def test_no_folder_stays_open(many: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    backend = LocalBackend(many, read_only=False)
    (many / "a" / "4").mkdir(parents=True)
    gc.collect()
    before = len(os.listdir(folder))
    backend.put_many({f"{where}/{n}": b"x" for where in ("b", "c") for n in range(5)})
    with pytest.raises(StoreError):
        backend.put_many({f"a/{n}": b"x" for n in range(5)})
    assert len(os.listdir(folder)) <= before
