"""A local folder, read and written by plain ``open`` below its resolved root.

Warm local files cost less to open one after the other than any pool or event loop costs to start,
so a batch is a loop. Writing never goes through a link; reading only to places inside the root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from zarr.storage import LocalStore

from zarr_vectors.core.backends.beneath import Beneath, is_inside, leaves, real_folder
from zarr_vectors.core.backends.joined import ByteArray, Joined, Room
from zarr_vectors.core.backends.local_reads import GONE, FileReader
from zarr_vectors.core.backends.local_writes import TEMPORARY, Buffer, FileWriter
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.backends.urls import file_url
from zarr_vectors.core.paths import check_key, check_keys, parents
from zarr_vectors.exceptions import StoreError


class LocalBackend:
    """Keys are files below a folder.

    Args:
        root: The folder.
        read_only: Refuse to write.
        create: Make the folder where it is missing.
        follow_links: Read through links that lead out of the folder.
        durable: Let :meth:`sync` wait for the disk; a transaction then survives a loss of power.

    Raises:
        StoreError: There is no such folder, or it cannot be made.
    """

    name = "local"
    any_key = True

    def __init__(
        self,
        root: str | Path,
        *,
        read_only: bool = True,
        create: bool = False,
        follow_links: bool = False,
        durable: bool = False,
    ) -> None:
        try:
            if create and not read_only:
                Path(root).mkdir(parents=True, exist_ok=True)
            self.local_path: Path | None = real_folder(root)
        except GONE as error:
            what = (
                f"{root} is not a folder"
                if os.path.exists(root)
                else f"there is no store at {root}"
            )
            raise StoreError(what) from error
        except (OSError, ValueError, RuntimeError) as error:
            raise StoreError(f"cannot open {root}: {error}") from error
        self.url = file_url(self.local_path)
        self.read_only = read_only
        self.stats = IOStats()
        self._root = os.fspath(self.local_path)
        self._files = Beneath(self.local_path, follow_links=follow_links)
        self._reader = FileReader(self._files, self.url)
        self._writer = FileWriter(self._root, self.url)
        self._follow_links = follow_links
        self.durable = durable
        self._unsynced: dict[str, None] = {}

    def again(self) -> LocalBackend:
        """The folder that is there now, which may be another one of the same name.

        Raises:
            StoreError: There is none.
        """
        new = LocalBackend(
            self._root,
            read_only=self.read_only,
            follow_links=self._follow_links,
            durable=self.durable,
        )
        new.stats = self.stats
        return new

    def __repr__(self) -> str:
        return f"LocalBackend({self._root!r}, read_only={self.read_only})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(keys)
        check_keys(wanted)
        found = self._reader.many(wanted)
        self.stats.add(requests=len(wanted), bytes_read=sum(map(len, found.values())))
        return found

    def get_joined(
        self, keys: Sequence[str], head: int = 0, room: ByteArray | None = None
    ) -> Joined:
        """As :class:`~zarr_vectors.core.backends.joined.ReadsJoined` says."""
        heads = np.zeros((len(keys), head), np.uint8)
        into = Room(len(keys), room)
        check_keys(keys)
        sizes = self._reader.joined(keys, heads, into)
        found = Joined(heads, into.filled(), np.array(sizes, np.int64))
        self.stats.add(requests=len(keys), bytes_read=into.used + head * len(keys))
        return found

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""
        answers = [self._reader.part(check_key(key), *place) for key, *place in ranges]
        size = sum(len(answer) for answer in answers if answer is not None)
        self.stats.add(requests=len(ranges), bytes_read=size)
        return answers

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value, whole or not at all."""
        self._writable()
        for key in items if self.durable else ():
            self._note(key)
        size = self._writer.put(items)
        self.stats.add(requests=len(items), bytes_written=size)

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value whole, unless the key exists; whether this call created it."""
        return self.put_parts_new(key, (data,))

    def put_parts_new(self, key: str, parts: Sequence[bytes]) -> bool:
        """As :meth:`put_new`, of a value in parts."""
        self._writable()
        self.stats.add(requests=1, bytes_written=sum(map(len, parts)))
        if not self._writer.create(key, parts):
            return False
        self._note(key)
        return True

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self._writable()
        count = 0
        for key in keys:
            count += 1
            self._no_links_above(check_key(key))
            with self._writer.failing("remove", key), contextlib.suppress(*GONE):
                os.unlink(f"{self._root}/{key}")
            self._note(key.rpartition("/")[0])
        self.stats.add(requests=count)

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``; the root itself stays."""
        self._writable()
        self._writer.forget()
        self.stats.add(requests=1)
        if not prefix:
            for name in self._scan(""):
                self._remove(name)
            return
        self._no_links_above(check_key(prefix))
        self._remove(prefix)
        self._note(prefix.rpartition("/")[0])

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``."""
        names = self._scan(check_key(prefix) if prefix else "")
        self.stats.add(requests=1)
        return sorted(n for n in names if not (n.startswith(".") and n.endswith(".tmp")))

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below ``prefix/``; links are not followed."""
        self.stats.add(requests=1)
        start = f"{self._root}/{check_key(prefix)}" if prefix else self._root
        found = []
        with self._writer.failing("list", prefix):
            for folder, _, names in os.walk(start):
                below = os.path.relpath(folder, self._root).replace(os.sep, "/")
                at = "" if below == "." else f"{below}/"
                found += [f"{at}{n}" for n in names if not (n[0] == "." and n.endswith(".tmp"))]
        return sorted(found)

    def sync(self) -> None:
        """Wait for the disk, where opened to be durable."""
        if not self.durable:
            return
        keys = list(self._unsynced)
        self._unsynced.clear()
        folders = {folder for key in keys for folder in parents(key)}
        for key in (*keys, *sorted(folders, reverse=True)):
            with self._writer.failing("sync", key), contextlib.suppress(*GONE):
                _sync(f"{self._root}/{key}" if key else self._root)

    def sweep(self, keys: Iterable[str]) -> None:
        """Remove what a killed writer of these keys left: half files, empty folders."""
        self._writable()
        self._writer.forget()
        for folder in {check_key(key).rpartition("/")[0] for key in keys}:
            if folder:
                self._no_links_above(f"{folder}/x")
            for name in self._scan(folder):
                if TEMPORARY.fullmatch(name):
                    self._remove(f"{folder}/{name}" if folder else name)
            while folder:
                try:
                    os.rmdir(f"{self._root}/{folder}")
                except GONE:
                    pass
                except OSError:  # it is not empty
                    break
                folder = folder.rpartition("/")[0]

    def zarr_store(self) -> LocalStore:
        """The folder as a zarr LocalStore."""
        return LocalStore(self._root, read_only=self.read_only)

    def _note(self, key: str) -> None:
        """Remember what is to reach the disk."""
        if self.durable:
            self._unsynced[key] = None

    def _scan(self, prefix: str) -> list[str]:
        path = f"{self._root}/{prefix}" if prefix else self._root
        with self._writer.failing("list", prefix):
            free = self._files.follow_links or not prefix
            if not (free or is_inside(os.path.realpath(path), self._root)):
                raise StoreError(leaves(prefix, self._root))
            try:
                with os.scandir(path) as entries:
                    return [entry.name for entry in entries]
            except GONE:
                return []

    def _remove(self, key: str) -> None:
        path = f"{self._root}/{key}"
        with self._writer.failing("remove", key), contextlib.suppress(*GONE):
            if stat.S_ISDIR(os.lstat(path).st_mode):
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def _no_links_above(self, key: str) -> None:
        folder = key.rpartition("/")[0]
        path = os.path.join(self._root, *folder.split("/")) if folder else self._root
        if os.path.realpath(path) != path:
            raise StoreError(f"cannot remove {key} of {self.url}: a link leads to it")

    def _writable(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.url} was opened read-only")


def _sync(path: str) -> None:
    if os.path.isdir(path) and os.name == "nt":
        return  # folders cannot be opened there
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
