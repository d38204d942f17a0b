"""Writing files below a folder, each whole or not at all, and never through a link."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

from zarr_vectors.core.paths import check_key, check_keys
from zarr_vectors.exceptions import StoreError

Buffer = bytes | bytearray | memoryview

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")
"""Name of a file that is not whole yet."""
_ATTEMPTS = 100
_CREATE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_FOLDER = (
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_BY_FOLDER = {os.open, os.unlink, os.rename} <= os.supports_dir_fd
"""Whether files can be named from a folder that is open."""
_BY_PATH = 2
_JOINED_BYTES = 2**18


class FileWriter:
    """Creates and replaces files.

    Args:
        root: The folder.
        url: The same, for messages.
    """

    def __init__(self, root: str, url: str) -> None:
        self.root = root
        self.url = url
        self._made: set[str] = {""}

    def forget(self) -> None:
        """Look again at which folders there are."""
        self._made = {""}

    def put(self, items: Mapping[str, Buffer]) -> int:
        """Create or replace each value, whole or not at all; how many bytes.

        Raises:
            StoreError: A value cannot be written; those before it are.
        """
        check_keys(list(items))
        token = uuid.uuid4().hex[:24]
        size = 0
        with _Folder(self) as folder:
            for number, (key, data) in enumerate(items.items()):
                path, _, name = key.rpartition("/")
                try:
                    folder.put(path, name, data, f"{token}{number:08x}")
                except OSError as error:
                    raise self._failed("write", key, error) from error
                size += len(data)
        return size

    def create(self, key: str, parts: Sequence[Buffer]) -> bool:
        """Create a value from its parts, unless the key exists; whether this call created it."""
        folder, _, name = check_key(key).rpartition("/")
        with self.failing("create", key):
            for attempt in range(_ATTEMPTS):
                temporary = f"{self.root}/{folder}/.{name}.{uuid.uuid4().hex}.tmp"
                try:
                    self.make(folder)
                    _fill(os.open(temporary, _CREATE, 0o666), parts, temporary)
                    _link(temporary, f"{self.root}/{key}")
                except FileExistsError:
                    return False
                except FileNotFoundError:  # another process swept up the folder or the file
                    self.forget()
                    if attempt + 1 == _ATTEMPTS:
                        raise
                    continue
                finally:
                    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                        os.unlink(temporary)
                break
        return True

    def make(self, folder: str) -> bool:
        """Make a folder and those above it; every one must be a real folder, not a link.

        Returns:
            Whether it was not there.

        Raises:
            StoreError: One is not.
        """
        if folder in self._made:
            return False
        self.make(folder.rpartition("/")[0])
        path = f"{self.root}/{folder}"
        new = True
        try:
            os.mkdir(path)
        except FileExistsError:
            new = False
            mode = os.lstat(path).st_mode
            if not stat.S_ISDIR(mode):
                what = "a link" if stat.S_ISLNK(mode) else "not a folder"
                raise StoreError(
                    f"cannot write below {folder} of {self.url}: it is {what}"
                ) from None
        self._made.add(folder)
        return new

    @contextmanager
    def failing(self, verb: str, key: str) -> Iterator[None]:
        """Turn errors of the system into a StoreError that names the key."""
        try:
            yield
        except OSError as error:
            raise self._failed(verb, key, error) from error

    def _failed(self, verb: str, key: str, error: OSError) -> StoreError:
        return StoreError(f"cannot {verb} {key} of {self.url}: {error.strerror or error}")


class _Folder:
    """Writes files of one folder after the other: all but the first two of each by name alone.

    Where one file is there already, those after it are taken to be, but in folders that are new.
    """

    def __init__(self, files: FileWriter) -> None:
        self._files = files
        self._path: str | None = None
        self._before = ""
        self._fd: int | None = None
        self._written = 0
        self._replacing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def put(self, path: str, name: str, data: Buffer, token: str) -> None:
        """Create or replace a file of a folder, which is made where it is missing."""
        if path != self._path:
            self._turn_to(path)
            self._written = 0
        elif self._written == _BY_PATH and _BY_FOLDER:
            self._fd, self._before = os.open(self._before, _FOLDER), ""
        self._written += 1
        if not self._replacing:
            try:
                fd = self._create(name)
            except FileExistsError:
                self._replacing = True
            else:
                _fill(fd, (data,), f"{self._before}{name}", self._fd)
                return
        temporary = f".{name}.{token}.tmp"
        fd = self._create(temporary)
        source, at = f"{self._before}{temporary}", self._fd
        _fill(fd, (data,), source, at)
        try:
            os.replace(source, f"{self._before}{name}", src_dir_fd=at, dst_dir_fd=at)
        except OSError:
            os.unlink(source, dir_fd=at)
            raise

    def _create(self, name: str) -> int:
        try:
            return os.open(f"{self._before}{name}", _CREATE, 0o666, dir_fd=self._fd)
        except FileNotFoundError:  # the folder was removed behind our back
            self._files.forget()
            self._turn_to(self._path or "")
            return os.open(f"{self._before}{name}", _CREATE, 0o666, dir_fd=self._fd)

    def _turn_to(self, path: str) -> None:
        self._leave()
        if self._files.make(path):
            self._replacing = False
        self._path = path
        self._before = f"{self._files.root}/{path}/" if path else f"{self._files.root}/"

    def _leave(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _link(temporary: str, path: str) -> None:
    """Give a whole file its name, unless the name is taken."""
    try:
        os.link(temporary, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # a file system without links
        with open(temporary, "rb") as whole:
            _fill(os.open(path, _CREATE, 0o666), (whole.read(),), path)


def _fill(fd: int, parts: Sequence[Buffer], path: str, folder: int | None = None) -> None:
    """Write a new file and close it; where that fails, no half-written file stays."""
    try:
        if len(parts) == 1:
            _write(fd, parts[0])
        else:
            with open(fd, "wb", _JOINED_BYTES, closefd=False) as file:
                file.writelines(parts)
    except BaseException:  # whatever it is; raised again
        os.close(fd)
        os.unlink(path, dir_fd=folder)
        raise
    os.close(fd)


def _write(fd: int, data: Buffer) -> None:
    view = memoryview(data)
    while len(view):
        view = view[os.write(fd, view) :]
