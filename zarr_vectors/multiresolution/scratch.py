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
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="zarr-vectors-", dir=self._folder)
        self._made += 1
        return np.memmap(Path(self._place.name) / str(self._made), kind, "w+", shape=shape)


def rest(array: npt.NDArray[Any]) -> None:
    """Let the pages of an array leave memory until they are asked for again."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
