"""A local folder, read and written by plain ``open`` below its resolved root.

Warm local files cost less to open one after the other than any pool or event loop costs to start,
so a batch is a loop. Writing never goes through a link; reading only to places inside the root.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from zarr.storage import LocalStore

from zarr_vectors.constants import MAX_DENSE_BYTES
from zarr_vectors.core.backends.beneath import Beneath, is_inside, leaves, real_folder
from zarr_vectors.core.backends.joined import ABSENT, ByteArray, Joined, Room
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.backends.urls import file_url
from zarr_vectors.core.paths import check_key, check_keys, parents
from zarr_vectors.exceptions import StoreError

Buffer = bytes | bytearray | memoryview

_ABSENT = (FileNotFoundError, NotADirectoryError)
_ATTEMPTS = 100
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")
_CREATE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)


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
        except _ABSENT as error:
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
        self._made: set[str] = {""}
        self.durable = durable
        self._unsynced: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"LocalBackend({self._root!r}, read_only={self.read_only})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        found = {}
        size = asked = 0
        for key in keys:
            asked += 1
            data = self._read(check_key(key), 0, None)
            if data is not None:
                found[key] = data
                size += len(data)
        self.stats.add(requests=asked, bytes_read=size)
        return found

    def get_joined(
        self, keys: Sequence[str], head: int = 0, room: ByteArray | None = None
    ) -> Joined:
        """As :class:`~zarr_vectors.core.backends.joined.ReadsJoined` says."""
        heads = np.zeros((len(keys), head), np.uint8)
        into = Room(len(keys), room)
        check_keys(keys)
        with self._files.one_by_one() as folders:
            opening = folders.open
            sizes = [
                self._read_into(opening, key, top, into)
                for key, top in zip(keys, heads, strict=True)
            ]
        found = Joined(heads, into.filled(), np.array(sizes, np.int64))
        self.stats.add(requests=len(keys), bytes_read=into.used + head * len(keys))
        return found

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""
        answers = [self._read(check_key(key), start, length) for key, start, length in ranges]
        size = sum(len(answer) for answer in answers if answer is not None)
        self.stats.add(requests=len(ranges), bytes_read=size)
        return answers

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value, whole or not at all."""
        self._writable()
        size = 0
        for key, data in items.items():
            self._write(check_key(key), data)
            size += len(data)
        self.stats.add(requests=len(items), bytes_written=size)

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value whole, unless the key exists; whether this call created it."""
        self._writable()
        folder, _, name = check_key(key).rpartition("/")
        self.stats.add(requests=1, bytes_written=len(data))
        with self._failing("create", key):
            for attempt in range(_ATTEMPTS):
                temporary = f"{self._root}/{folder}/.{name}.{uuid.uuid4().hex}.tmp"
                try:
                    self._make(folder)
                    _fill(self._create(temporary, folder), data, temporary)
                    _link(temporary, f"{self._root}/{key}")
                except FileExistsError:
                    return False
                except FileNotFoundError:  # another process swept up the folder or the file
                    self._made = {""}
                    if attempt + 1 == _ATTEMPTS:
                        raise
                    continue
                finally:
                    with contextlib.suppress(*_ABSENT):
                        os.unlink(temporary)
                break
        self._note(key)
        return True

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self._writable()
        count = 0
        for key in keys:
            count += 1
            self._no_links_above(check_key(key))
            with self._failing("remove", key), contextlib.suppress(*_ABSENT):
                os.unlink(f"{self._root}/{key}")
            self._note(key.rpartition("/")[0])
        self.stats.add(requests=count)

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``; the root itself stays."""
        self._writable()
        self._made = {""}
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
        with self._failing("list", prefix):
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
            with self._failing("sync", key), contextlib.suppress(*_ABSENT):
                _sync(f"{self._root}/{key}" if key else self._root)

    def sweep(self, keys: Iterable[str]) -> None:
        """Remove what a killed writer of these keys left: half files, empty folders."""
        self._writable()
        self._made = {""}
        for folder in {check_key(key).rpartition("/")[0] for key in keys}:
            if folder:
                self._no_links_above(f"{folder}/x")
            for name in self._scan(folder):
                if _TEMPORARY.fullmatch(name):
                    self._remove(f"{folder}/{name}" if folder else name)
            while folder:
                try:
                    os.rmdir(f"{self._root}/{folder}")
                except _ABSENT:
                    pass
                except OSError:  # it is not empty
                    break
                folder = folder.rpartition("/")[0]

    def zarr_store(self) -> LocalStore:
        """The folder as a zarr LocalStore."""
        return LocalStore(self._root, read_only=self.read_only)

    def _read(self, key: str, start: int, length: int | None) -> bytes | None:
        try:
            fd = self._files.open(key)
        except _ABSENT:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {key} of {self.url}: {error.strerror}") from error
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                if stat.S_ISDIR(info.st_mode):
                    return None
                raise StoreError(f"{key} of {self.url} is not a file")
            if start < 0:
                start = max(info.st_size + start, 0)
            size = max(info.st_size - start, 0)
            size = size if length is None else min(size, length)
            if size > MAX_DENSE_BYTES:
                raise StoreError(
                    f"{key} of {self.url} has {size} bytes, more than {MAX_DENSE_BYTES} at once"
                )
            if start:
                os.lseek(fd, start, os.SEEK_SET)
            return _read_all(fd, size)
        except OSError as error:
            raise StoreError(f"cannot read {key} of {self.url}: {error.strerror}") from error
        finally:
            os.close(fd)

    def _read_into(
        self, opening: Callable[[str], int], key: str, head: ByteArray, room: Room
    ) -> int:
        """Read a value to the end of ``room``; its bytes, or :data:`ABSENT`."""
        try:
            fd = opening(key)
        except _ABSENT:
            return ABSENT
        except OSError as error:
            raise StoreError(f"cannot read {key} of {self.url}: {error.strerror}") from error
        try:
            size = _read_parts(fd, (head, room.view[room.used :]))
            room.used += max(size - len(head), 0)
            if room.used == len(room.view):  # there may be more
                size += self._read_rest(fd, key, size, room)
        except IsADirectoryError:
            return ABSENT
        except OSError as error:
            raise StoreError(f"cannot read {key} of {self.url}: {error.strerror}") from error
        finally:
            os.close(fd)
        return size

    def _read_rest(self, fd: int, key: str, got: int, room: Room) -> int:
        size = os.fstat(fd).st_size
        if size > MAX_DENSE_BYTES:
            raise StoreError(
                f"{key} of {self.url} has {size} bytes, more than {MAX_DENSE_BYTES} at once"
            )
        rest = size - got
        if rest > 0:
            room.grow(rest)
        end, more = room.used + max(rest, 0), 1
        while room.used < end and more:
            more = _read_parts(fd, (room.view[room.used : end],))
            room.used += more
        return rest - (end - room.used)

    def _write(self, key: str, data: Buffer) -> None:
        folder, _, name = key.rpartition("/")
        path = f"{self._root}/{key}"
        with self._failing("write", key):
            self._make(folder)
            try:
                fd = self._create(path, folder)
            except FileExistsError:
                temporary = f"{self._root}/{folder}/.{name}.{uuid.uuid4().hex}.tmp"
                _fill(self._create(temporary, folder), data, temporary)
                os.replace(temporary, path)
            else:
                _fill(fd, data, path)
        self._note(key)

    def _create(self, path: str, folder: str) -> int:
        try:
            return os.open(path, _CREATE, 0o666)
        except FileNotFoundError:  # the folder was removed behind our back
            self._made = {""}
            self._make(folder)
            return os.open(path, _CREATE, 0o666)

    def _note(self, key: str) -> None:
        """Remember what is to reach the disk."""
        if self.durable:
            self._unsynced[key] = None

    def _make(self, folder: str) -> None:
        """Make a folder and those above it; every one must be a real folder, not a link."""
        if folder in self._made:
            return
        self._make(folder.rpartition("/")[0])
        path = f"{self._root}/{folder}"
        try:
            os.mkdir(path)
        except FileExistsError:
            mode = os.lstat(path).st_mode
            if not stat.S_ISDIR(mode):
                what = "a link" if stat.S_ISLNK(mode) else "not a folder"
                raise StoreError(
                    f"cannot write below {folder} of {self.url}: it is {what}"
                ) from None
        self._made.add(folder)

    def _scan(self, prefix: str) -> list[str]:
        path = f"{self._root}/{prefix}" if prefix else self._root
        with self._failing("list", prefix):
            free = self._files.follow_links or not prefix
            if not (free or is_inside(os.path.realpath(path), self._root)):
                raise StoreError(leaves(prefix, self._root))
            try:
                with os.scandir(path) as entries:
                    return [entry.name for entry in entries]
            except _ABSENT:
                return []

    def _remove(self, key: str) -> None:
        path = f"{self._root}/{key}"
        with self._failing("remove", key), contextlib.suppress(*_ABSENT):
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

    @contextlib.contextmanager
    def _failing(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"cannot {verb} {key} of {self.url}: {reason}") from error


def _link(temporary: str, path: str) -> None:
    """Give a whole file its name, unless the name is taken."""
    try:
        os.link(temporary, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # a file system without links
        with open(temporary, "rb") as whole:
            _fill(os.open(path, _CREATE, 0o666), whole.read(), path)


def _sync(path: str) -> None:
    if os.path.isdir(path) and os.name == "nt":
        return  # folders cannot be opened there
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _read_all(fd: int, size: int) -> bytes:
    data = os.read(fd, size)
    if len(data) == size:
        return data
    parts = [data]
    got = len(data)
    while got < size and parts[-1]:
        parts.append(os.read(fd, size - got))
        got += len(parts[-1])
    return b"".join(parts)


def _read_in_turn(fd: int, buffers: Sequence[Any]) -> int:
    """:func:`os.readv`, for systems without it."""
    got = 0
    with io.FileIO(fd, closefd=False) as file:
        for buffer in buffers:
            got += file.readinto(buffer) or 0
    return got


_read_parts: Callable[[int, Sequence[Any]], int] = getattr(os, "readv", _read_in_turn)


def _fill(fd: int, data: Buffer, path: str) -> None:
    try:
        view = memoryview(data)
        while len(view):
            view = view[os.write(fd, view) :]
    except BaseException:  # whatever it is, no half-written file stays; raised again
        os.close(fd)
        os.unlink(path)
        raise
    os.close(fd)
