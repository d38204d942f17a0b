"""Reading files that are open already: whole, in part, or many into one buffer."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Sequence
from typing import Any

from zarr_vectors.constants import MAX_DENSE_BYTES
from zarr_vectors.core.backends.joined import ABSENT, ByteArray, Room
from zarr_vectors.exceptions import StoreError

Opening = Callable[[str], int]
"""File descriptor of a key."""
GONE = (FileNotFoundError, NotADirectoryError)
"""What a key that is not there raises."""


class FileReader:
    """Reads files below a folder.

    Args:
        url: The folder, for messages.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def value(
        self, opening: Opening, key: str, start: int = 0, length: int | None = None
    ) -> bytes | None:
        """A value or part of one, None where there is none; a negative start counts from the end.

        Raises:
            StoreError: It cannot be read, is too large, or is no file.
        """
        try:
            fd = opening(key)
        except GONE:
            return None
        except OSError as error:
            raise self._unreadable(key, error) from error
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
                raise self._too_large(key, size)
            if start:
                os.lseek(fd, start, os.SEEK_SET)
            return _read_all(fd, size)
        except OSError as error:
            raise self._unreadable(key, error) from error
        finally:
            os.close(fd)

    def into(self, opening: Opening, key: str, head: ByteArray, room: Room) -> int:
        """Read a value to the end of ``room``; its bytes, or :data:`ABSENT`.

        Args:
            opening: Opens it.
            key: The key.
            head: (H,) uint8 that its first bytes go to instead.
            room: Where the others go.

        Raises:
            StoreError: It cannot be read, or is too large.
        """
        try:
            fd = opening(key)
        except GONE:
            return ABSENT
        except OSError as error:
            raise self._unreadable(key, error) from error
        try:
            size = _read_parts(fd, (head, room.view[room.used :]))
            room.used += max(size - len(head), 0)
            if room.used == len(room.view):  # there may be more
                size += self._rest(fd, key, size, room)
        except IsADirectoryError:
            return ABSENT
        except OSError as error:
            raise self._unreadable(key, error) from error
        finally:
            os.close(fd)
        return size

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
