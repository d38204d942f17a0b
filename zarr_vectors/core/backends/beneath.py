"""Opening a file below a folder such that no link leads out of it, checked by the open itself.

Linux does this in one call; elsewhere the opened file's real path is compared with the folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import itertools
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from zarr_vectors.exceptions import StoreError

READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe planted in a store must not block its reader
)
_NAME_FLAGS = READ_FLAGS | getattr(os, "O_NOFOLLOW", 0)
_FOLDER_FLAGS = (
    getattr(os, "O_PATH", 0) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
)
_OPENAT2 = 437
_RESOLVE_BENEATH = 0x08
_F_GETPATH = 50
_GONE = " (deleted)"


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_HOW_BYTES = ctypes.sizeof(_How)


@functools.cache
def _find_openat2() -> Any:  # noqa: ANN401 - a C function has no better type
    """The system call wrapped, or None where the system does not have it."""
    if not sys.platform.startswith("linux") or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes = [
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
    ]
    call.restype = ctypes.c_long
    return call


class Beneath:
    """Opens files for reading below one folder.

    Args:
        root: The resolved folder.
        follow_links: Let links lead anywhere.
    """

    def __init__(self, root: Path, *, follow_links: bool = False) -> None:
        self.root = os.fspath(root)
        self.follow_links = follow_links
        self._how = _How(READ_FLAGS, 0, _RESOLVE_BENEATH)
        self._how_at = ctypes.addressof(self._how)
        self._folder = _How(_FOLDER_FLAGS, 0, _RESOLVE_BENEATH)
        self._folder_at = ctypes.addressof(self._folder)
        self._call = None if follow_links else _find_openat2()
        self._root_fd = -1
        if self._call is not None:
            self._root_fd = os.open(self.root, READ_FLAGS | os.O_DIRECTORY)

    def close(self) -> None:
        """Let go of the folder."""
        fd, self._root_fd = self._root_fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()

    def open(self, key: str) -> int:
        """File descriptor of ``key``.

        Raises:
            OSError: The file cannot be opened.
            StoreError: A link leads out of the folder.
        """
        if self._call is not None:
            fd = self._open_in_one(self._call, key, self._how_at)
            if fd is not None:
                return fd
        fd = os.open(f"{self.root}/{key}", READ_FLAGS)
        if self.follow_links:
            return fd
        try:
            self._check(fd, key)
        except BaseException:  # whatever it is, no file stays open; raised again
            os.close(fd)
            raise
        return fd

    def each(self, keys: Sequence[str]) -> Generator[int | OSError]:
        """File descriptor of every key, or the error it cannot be opened with.

        Files of one folder that follow each other are opened by name alone.

        Raises:
            StoreError: A link leads out of the folder.
        """
        cut = [key.rpartition("/") for key in keys]
        ahead = itertools.chain(cut[1:], [("", "", "")])
        opening = os.open
        at: str | None = None
        fd: int | None = None
        try:
            for key, (folder, _, name), (following, _, _) in zip(keys, cut, ahead, strict=False):
                if folder != at:
                    at, left, fd = folder, fd, None
                    if left is not None:
                        os.close(left)
                    if folder == following:
                        fd = self._folder_or_none(folder)
                if fd is None:
                    yield self._open_or_error(key)
                    continue
                try:
                    found: int | OSError = opening(name, _NAME_FLAGS, dir_fd=fd)
                except OSError as error:  # a link may lead to a place inside
                    found = self._open_or_error(key) if error.errno == errno.ELOOP else error
                yield found
        finally:
            if fd is not None:
                os.close(fd)

    def _folder_or_none(self, key: str) -> int | None:
        """File descriptor of a folder, None where files cannot be opened below it safely."""
        if self._call is None:
            return None
        try:
            return self._open_in_one(self._call, key, self._folder_at)
        except OSError:
            return None

    def _open_or_error(self, key: str) -> int | OSError:
        try:
            return self.open(key)
        except OSError as error:
            return error

    def _open_in_one(
        self,
        openat2: Any,  # noqa: ANN401 - as above
        key: str,
        how_at: int,
    ) -> int | None:
        fd: int = openat2(
            _OPENAT2,
            self._root_fd,
            key.encode() if key.isascii() else os.fsencode(key),
            how_at,
            _HOW_BYTES,
        )
        if fd >= 0:
            return fd
        code = ctypes.get_errno()
        if code in {errno.ENOSYS, errno.EPERM, errno.E2BIG, errno.EINVAL}:
            self._call = None
            return None
        if code in {errno.EXDEV, errno.EAGAIN}:
            return None
        raise OSError(code, os.strerror(code), key)

    def _check(self, fd: int, key: str) -> None:
        if sys.platform == "darwin":
            import fcntl

            found = fcntl.fcntl(fd, _F_GETPATH, bytes(1024)).rstrip(b"\0").decode()
        elif sys.platform.startswith("linux"):
            found = os.readlink(f"/proc/self/fd/{fd}")
        else:
            found = os.path.realpath(f"{self.root}/{key}")
        if not is_inside(found, self.root):
            raise StoreError(leaves(key, self.root))


def real_folder(path: str | Path) -> Path:
    """The folder at a path, every link on the way followed.

    Raises:
        OSError: There is none.
        RuntimeError: Links lead round in a circle.
    """
    if sys.platform.startswith("linux"):  # the system knows where an open folder is
        with contextlib.suppress(OSError, ValueError):
            fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                found = os.readlink(f"/proc/self/fd/{fd}")
            finally:
                os.close(fd)
            if os.path.isabs(found) and not found.endswith(_GONE):
                return Path(found)
    resolved = Path(path).resolve(strict=True)
    if not resolved.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return resolved


def is_inside(path: str, root: str) -> bool:
    """``path`` is ``root`` or below it; both resolved."""
    return path == root or path.startswith(root if root.endswith(os.sep) else root + os.sep)


def leaves(key: str, root: str) -> str:
    """Message about a link that leads out of a store."""
    return (
        f"{key} of {root} is a link out of the store; open the store with "
        "follow_links=True to read through links"
    )
