"""Arrays that may be larger than memory: small ones in memory, large ones in files of their own."""

from __future__ import annotations

import math
import mmap
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

SMALL = 32 * 2**20
"""Bytes up to which an array is kept in memory."""


class Scratch:
    """Makes arrays; a context manager whose files go at the end.

    Args:
        folder: Where files are kept; the system's place for temporary files by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the files; arrays in them must not be used any more."""
        if self._place is not None:
            self._place.cleanup()
            self._place = None

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A new array of zeros."""
        kind = np.dtype(dtype)
        if math.prod(shape) * kind.itemsize <= SMALL:
            return np.zeros(shape, kind)
        return np.memmap(self.new_file(), kind, "w+", shape=shape)

    def growing(self, dtype: npt.DTypeLike, row_shape: tuple[int, ...] = ()) -> Growing:
        """An array made by adding rows at its end."""
        return Growing(self, np.dtype(dtype), row_shape)

    def new_file(self) -> Path:
        """A place for a file."""
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="zarr-vectors-", dir=self._folder)
        self._made += 1
        return Path(self._place.name) / str(self._made)


class Growing:
    """Rows of an array as they come: in memory while they are few, in a file when they are many.

    Args:
        scratch: Whose file.
        dtype: Of the rows.
        row_shape: ``()`` or ``(C,)``.
    """

    def __init__(self, scratch: Scratch, dtype: np.dtype[Any], row_shape: tuple[int, ...]) -> None:
        self._scratch = scratch
        self._dtype = dtype
        self._row_shape = row_shape
        self._parts: list[npt.NDArray[Any]] = []
        self._held = 0
        self._file: Path | None = None
        self.count = 0

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Put (n, ...) rows at the end; they must not be changed afterwards."""
        self.count += len(rows)
        self._parts.append(rows)
        self._held += rows.nbytes
        if self._held > SMALL:
            self._spill()

    def whole(self) -> npt.NDArray[Any]:
        """All rows; nothing may be added afterwards."""
        if self._file is None:
            none = np.zeros((0, *self._row_shape), self._dtype)
            return self._parts[0] if len(self._parts) == 1 else np.concatenate([none, *self._parts])
        self._spill()
        return np.memmap(self._file, self._dtype, "r+", shape=(self.count, *self._row_shape))

    def _spill(self) -> None:
        if self._file is None:
            self._file = self._scratch.new_file()
        with self._file.open("ab") as file:
            for part in self._parts:
                file.write(np.ascontiguousarray(part, self._dtype).reshape(-1).view(np.uint8).data)
        self._parts, self._held = [], 0


def rest(array: npt.NDArray[Any]) -> None:
    """Let the pages of an array leave memory until they are asked for again."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
