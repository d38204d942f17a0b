"""Values of many keys in one buffer: for thousands of small ones an object each costs too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import IntArray

ByteArray = npt.NDArray[np.uint8]

ABSENT = -1
"""Size of a value that is not there."""
_LEAST_ROOM = 2**16
_USUAL_BYTES = 2**13


@dataclass(frozen=True, eq=False, slots=True)
class Joined:
    """Values one after the other, the first bytes of each kept apart.

    Attributes:
        heads: (n, H) uint8, the first bytes of every value, zeros beyond its end.
        data: (N,) uint8, what follows them, value after value; nobody else's.
        sizes: (n,) int64 bytes of every value, its head among them; :data:`ABSENT` where there is
            no such key.
    """

    heads: ByteArray
    data: ByteArray
    sizes: IntArray

    def bodies(self) -> IntArray:
        """(n,) int64 bytes of every value in ``data``."""
        sizes: IntArray = np.maximum(self.sizes - self.heads.shape[1], 0)
        return sizes


@runtime_checkable
class ReadsJoined(Protocol):
    """A backend that reads many small values faster together than one by one."""

    def get_joined(
        self, keys: Sequence[str], head: int = 0, room: ByteArray | None = None
    ) -> Joined:
        """Whole values of many keys in one buffer.

        A value ends where the system gives less than was asked for: callers compare its size with
        what it must be.

        Args:
            keys: The keys.
            head: First bytes of every value to keep apart.
            room: (N,) uint8 to read into, where it is large enough.
        """
        ...


class Room:
    """A buffer that is filled from the start and grows where it must.

    Args:
        values: How many values are to come.
        given: (N,) uint8 to fill first, or None.
    """

    def __init__(self, values: int, given: ByteArray | None = None) -> None:
        size = _LEAST_ROOM + values * _USUAL_BYTES
        self._data = np.empty(size, np.uint8) if given is None else given
        self.view = self._data.data
        self.used = 0

    def grow(self, more: int) -> None:
        """Make room for so many bytes after those used."""
        data = np.empty(max(2 * len(self._data), self.used + more), np.uint8)
        data[: self.used] = self._data[: self.used]
        self._data, self.view = data, data.data

    def filled(self) -> ByteArray:
        """(used,) uint8."""
        return self._data[: self.used]
