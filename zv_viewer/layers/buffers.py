"""Rows on the graphics card: buffers written in part, and the list of rows that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from vispy import gloo

Int = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

SMALL = 512
"""Writes of fewer rows than this are gathered with their neighbours into one upload."""


@dataclass(frozen=True, eq=False, slots=True)
class RowWrite:
    """Consecutive rows to fill.

    Args:
        start: First row.
        positions: (N, 4) float32, C-contiguous; not changed by anyone until the next frame.
        values: (N,) float32, or None: missing.
        spacing: Of every row.
    """

    start: int
    positions: Float32
    values: Float32 | None
    spacing: float

    @property
    def stop(self) -> int:
        """One past the last row."""
        return self.start + len(self.positions)


def gather(writes: Sequence[RowWrite], gap: int) -> list[list[RowWrite]]:
    """Group writes that one upload can carry: small neighbours, under ``gap`` unused rows apart."""
    groups: list[list[RowWrite]] = []
    for write in sorted(writes, key=lambda w: w.start):
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and 0 <= write.start - last.stop < gap
            and len(write.positions) < SMALL
            and len(last.positions) < SMALL
        ):
            groups[-1].append(write)
        else:
            groups.append([write])
    return groups


class RowBuffers:
    """Position, value and spacing of ``capacity`` rows; allocated once, then written in part.

    Args:
        capacity: Rows.
        page: Rows a cell's last page may leave unused.
    """

    def __init__(self, capacity: int, page: int) -> None:
        self.capacity = capacity
        self.page = page
        self.position = _allocate(np.zeros((1, 4), np.float32), capacity)
        self.value = _allocate(np.zeros(1, np.float32), capacity)
        self.spacing = _allocate(np.zeros(1, np.float32), capacity)

    def write(self, writes: Sequence[RowWrite]) -> None:
        """Upload rows before the next frame; large arrays go up as they are, without a copy."""
        for group in gather(writes, self.page):
            if len(group) == 1:
                positions, values, spacing = _columns(group[0])
            else:
                positions, values, spacing = _joined(group)
            start = group[0].start
            self.position.set_subdata(positions, offset=start)
            self.value.set_subdata(values, offset=start)
            self.spacing.set_subdata(spacing, offset=start)

    def delete(self) -> None:
        """Free the memory on the card."""
        for buffer in (self.position, self.value, self.spacing):
            buffer.delete()


def _allocate(like: Float32, rows: int) -> gloo.VertexBuffer:
    buffer = gloo.VertexBuffer(like)
    buffer.resize_bytes(like.nbytes * rows)
    return buffer


def _columns(write: RowWrite) -> tuple[Float32, Float32, Float32]:
    n = len(write.positions)
    values = np.full(n, np.nan, np.float32) if write.values is None else write.values
    return write.positions, values, np.full(n, write.spacing, np.float32)


def _joined(group: Sequence[RowWrite]) -> tuple[Float32, Float32, Float32]:
    start, stop = group[0].start, group[-1].stop
    positions = np.zeros((stop - start, 4), np.float32)
    values = np.full(stop - start, np.nan, np.float32)
    spacing = np.zeros(stop - start, np.float32)
    for write in group:
        rows = slice(write.start - start, write.stop - start)
        positions[rows] = write.positions
        if write.values is not None:
            values[rows] = write.values
        spacing[rows] = write.spacing
    return positions, values, spacing


class DrawnRows(gloo.IndexBuffer):  # type: ignore[misc]  # vispy is untyped
    """The rows that are drawn, in order. Only what a change touches is written and uploaded.

    Args:
        capacity: Rows there are.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(np.zeros(1, np.uint32))
        self.resize_bytes(4 * capacity)
        self._every = np.arange(capacity, dtype=np.uint32)
        self._rows = np.zeros(capacity, np.uint32)
        self._runs: Int = np.zeros((0, 2), np.int64)
        self._count = 0

    @property
    def size(self) -> int:
        """Rows drawn; what a draw call asks for."""
        return self._count

    def show(self, runs: Int) -> int:
        """Draw these rows from the next frame on.

        Args:
            runs: (R, 2) int64, first row and number of rows; no row twice.

        Returns:
            Rows whose place in the list changed, that is what is uploaded.
        """
        old, total = self._runs, int(runs[:, 1].sum())
        same = min(len(old), len(runs))
        differs = np.flatnonzero((old[:same] != runs[:same]).any(axis=1))
        head = int(differs[0]) if len(differs) else same
        tail = 0
        if total == self._count:
            rest = same - head
            differs = np.flatnonzero((old[::-1][:rest] != runs[::-1][:rest]).any(axis=1))
            tail = int(differs[0]) if len(differs) else rest
        first = at = int(runs[:head, 1].sum())
        for start, count in runs[head : len(runs) - tail].tolist():
            self._rows[at : at + count] = self._every[start : start + count]
            at += count
        if at > first:
            # No copy: a later change writes what it uploads itself, so the last upload is right.
            self.set_subdata(self._rows[first:at], offset=first)
        self._runs, self._count = runs, total
        return at - first
