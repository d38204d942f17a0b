"""Cells read lately, bounded in bytes and in number; safe to share between threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from zarr_vectors.typing import ChunkCoords

DEFAULT_BYTES = 64 * 2**20
"""Bytes a store handle keeps unless asked otherwise."""


class CellCache:
    """Least recently used cells go first.

    Args:
        max_bytes: Bytes to keep; 0 keeps nothing.
        max_cells: Cells to keep, or None for any number.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES, max_cells: int | None = None) -> None:
        self.max_bytes = max_bytes
        self.max_cells = max_cells
        self._cells: OrderedDict[tuple[str, ChunkCoords], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._cells)

    def get(self, path: str, coords: Iterable[ChunkCoords]) -> dict[ChunkCoords, bytes]:
        """The cells of an array that are kept."""
        if not self._cells:
            return {}
        found = {}
        with self._lock:
            for coord in coords:
                cell = self._cells.get((path, coord))
                if cell is not None:
                    self._cells.move_to_end((path, coord))
                    found[coord] = cell
        return found

    def takes(self, cells: int, nbytes: int) -> bool:
        """Whether so many cells of so many bytes together are worth keeping.

        A read of much of a level would drive out all else, and would not fit the next time.
        """
        few = self.max_cells is None or cells <= self.max_cells
        return few and nbytes <= self.max_bytes // 8

    def put(self, path: str, cells: Mapping[ChunkCoords, bytes]) -> None:
        """Keep cells; more than fit at once are not kept at all."""
        size = sum(map(len, cells.values()))
        if size > self.max_bytes or (self.max_cells is not None and len(cells) > self.max_cells):
            return
        with self._lock:
            for coord, cell in cells.items():
                old = self._cells.pop((path, coord), None)
                self._bytes += len(cell) - (len(old) if old is not None else 0)
                self._cells[path, coord] = cell
            while self._bytes > self.max_bytes or (
                self.max_cells is not None and len(self._cells) > self.max_cells
            ):
                _, gone = self._cells.popitem(last=False)
                self._bytes -= len(gone)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._cells.clear()
            self._bytes = 0
