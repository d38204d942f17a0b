"""Reading files that are open already: whole, in part, or many into one buffer."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from zarr_vectors.constants import MAX_DENSE_BYTES
from zarr_vectors.core.backends.beneath import Beneath
from zarr_vectors.core.backends.joined import ABSENT, ByteArray, Room
from zarr_vectors.exceptions import StoreError

GONE = (FileNotFoundError, NotADirectoryError)
"""What a key that is not there raises."""
_ABSENT = (*GONE, IsADirectoryError)
_MANY = 6
"""Fewer files are opened each by its whole path."""


class FileReader:
    """Reads files below a folder.

    Args:
        files: Opens them.
        url: The folder, for messages.
    """

    def __init__(self, files: Beneath, url: str) -> None:
        self._files = files
        self.url = url

    def many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist.

        Raises:
            StoreError: One cannot be read, is too large, or is no file.
        """
        found = {}
        if len(keys) < _MANY:
            for key in keys:
                data = self.part(key)
                if data is not None:
                    found[key] = data
            return found
        with closing(self._files.each(keys)) as opened:
            for key, file in zip(keys, opened, strict=True):
                data = self._value(file, key, 0, None)
                if data is not None:
                    found[key] = data
        return found

    def part(self, key: str, start: int = 0, length: int | None = None) -> bytes | None:
        """A value or part of one, None where there is none; a negative start is from the end.

        Raises:
            StoreError: It cannot be read, is too large, or is no file.
        """
        try:
            file = self._files.open(key)
        except OSError as error:  # kept nowhere: it would keep the callers' arrays
            self._absent(key, error)
            return None
        return self._value(file, key, start, length)

    def joined(self, keys: Sequence[str], heads: ByteArray, room: Room) -> list[int]:
        """Read values one after the other into ``room``; their bytes, or :data:`ABSENT`.

        Args:
            keys: The keys.
            heads: (n, H) uint8, where the first bytes of every value go instead.
            room: Where the others go.

        Raises:
            StoreError: One cannot be read, or is too large.
        """
        sizes = []
        size = heads.shape[1]
        tops = heads.reshape(-1).data
        at = 0
        with closing(self._files.each(keys)) as opened:
            for key, file in zip(keys, opened, strict=True):
                head, at = tops[at : at + size], at + size
                if not isinstance(file, int):
                    sizes.append(self._absent(key, file))
                    continue
                try:
                    got = _read_parts(file, (head, room.view[room.used :]))
                    if got > size:
                        room.used += got - size
                    if room.used == len(room.view):  # there may be more
                        got += self._rest(file, key, got, room)
                    sizes.append(got)
                except OSError as error:
                    sizes.append(self._absent(key, error))
                finally:
                    os.close(file)
        return sizes

    def _value(self, file: int | OSError, key: str, start: int, length: int | None) -> bytes | None:
        if not isinstance(file, int):
            self._absent(key, file)
            return None
        try:
            info = os.fstat(file)
            if not stat.S_ISREG(info.st_mode):
                if stat.S_ISDIR(info.st_mode):
                    return None
                raise StoreError(f"{key} of {self.url} is not a file")
            if start < 0:
                start = max(info.st_size + start, 0)
            size = max(info.st_size - start, 0)
            size = size if length is None else min(size, length)
            if size > MAX_DENSE_BYTES:
                raise self._too_large(key, size)
            if start:
                os.lseek(file, start, os.SEEK_SET)
            return _read_all(file, size)
        except OSError as error:
            raise self._unreadable(key, error) from error
        finally:
            os.close(file)

    def _rest(self, fd: int, key: str, got: int, room: Room) -> int:
        size = os.fstat(fd).st_size
        if size > MAX_DENSE_BYTES:
            raise self._too_large(key, size)
        rest = size - got
        if rest > 0:
            room.grow(rest)
        end, more = room.used + max(rest, 0), 1
        while room.used < end and more:
            more = _read_parts(fd, (room.view[room.used : end],))
            room.used += more
        return rest - (end - room.used)

    def _absent(self, key: str, error: OSError) -> int:
        """:data:`ABSENT`, where an error says that."""
        if isinstance(error, _ABSENT):
            return ABSENT
        raise self._unreadable(key, error) from error

    def _unreadable(self, key: str, error: OSError) -> StoreError:
        return StoreError(f"cannot read {key} of {self.url}: {error.strerror}")

    def _too_large(self, key: str, size: int) -> StoreError:
        return StoreError(
            f"{key} of {self.url} has {size} bytes, more than {MAX_DENSE_BYTES} at once"
        )


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
