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

BLOCK = 1 << 15
"""Rows of one draw call at most."""

POINT_COLUMNS = ("a_position", "a_value", "a_spacing")
"""Columns of points: 24 bytes a row."""

STANDS_FOR = "a_stands_for"
"""Column of points that is there while they are as opaque as what they stand for."""

SIZE = "a_size"
"""Column that is there while an attribute of its own says how large rows are drawn."""

OBJECT = "a_object"
"""Column of points that is there while it matters which object they belong to."""

LINK_COLUMNS = ("a_position", "a_value", OBJECT, "a_level")
"""Columns of rows that are joined: 28 bytes a row."""

LEFT_OUT = ("a_spacing", "a_level")
"""Columns that are -1 where a row is not drawn."""


@dataclass(frozen=True, eq=False, slots=True)
class RowWrite:
    """Consecutive rows to fill.

    Args:
        start: First row.
        positions: (N, 4) float32, C-contiguous; not changed by anyone until the next frame.
        values: (N,) float32, or None: missing.
        spacing: Of every row.
        objects: (N,) rank of the object each row belongs to; None: not known.
        sizes: (N,) of the attribute that says how large rows are drawn, or None: missing.
        level: Position of the level of every row; used where rows are linked.
        stands_for: Rows of level 0 that every row stands for, about.
        columns: Those to be filled; None: all.
        kept: (N,) whether each row is drawn; None: all are. A row that is not has spacing and
            level -1.
    """

    start: int
    positions: Float32
    values: Float32 | None
    spacing: float
    objects: npt.NDArray[np.uint32] | None = None
    level: int = 0
    stands_for: float = 1.0
    columns: frozenset[str] | None = None
    kept: npt.NDArray[np.bool_] | None = None
    sizes: Float32 | None = None

    @property
    def stop(self) -> int:
        """One past the last row."""
        return self.start + len(self.positions)

    def column(self, name: str) -> Float32:
        """(N,) or (N, 4) what the shader calls ``name``."""
        if name == "a_position":
            return self.positions
        if name == "a_value" and self.values is not None:
            return self.values
        if name == SIZE and self.sizes is not None:
            return self.sizes
        if name == OBJECT and self.objects is not None:
            return self.objects.astype(np.float32)
        of_all = {
            "a_value": np.nan,
            SIZE: np.nan,
            OBJECT: -1.0,
            "a_spacing": self.spacing,
            "a_level": self.level,
            STANDS_FOR: self.stands_for,
        }
        column = np.full(len(self.positions), of_all[name], np.float32)
        if self.kept is not None and name in LEFT_OUT:
            column[~self.kept] = -1
        return column


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
            and last.columns == write.columns
        ):
            groups[-1].append(write)
        else:
            groups.append([write])
    return groups


class RowBuffers:
    """Columns of ``capacity`` rows; allocated once, then written in part.

    Args:
        capacity: Rows.
        page: Rows a cell's last page may leave unused.
        names: The columns, as the shader calls them.
    """

    def __init__(self, capacity: int, page: int, names: tuple[str, ...] = POINT_COLUMNS) -> None:
        self.capacity = capacity
        self.page = page
        self.columns = {
            name: _allocate(np.zeros((1, 4) if name == "a_position" else 1, np.float32), capacity)
            for name in names
        }

    @property
    def position(self) -> gloo.VertexBuffer:
        """Where rows are."""
        return self.columns["a_position"]

    @property
    def value(self) -> gloo.VertexBuffer:
        """What rows are coloured by."""
        return self.columns["a_value"]

    def add(self, name: str) -> gloo.VertexBuffer:
        """One more column, of one number a row; what is in it is nobody's."""
        self.columns[name] = _allocate(np.zeros(1, np.float32), self.capacity)
        return self.columns[name]

    def fill(self, name: str, number: float) -> None:
        """The same number in a column of every row."""
        self.columns[name].set_subdata(np.full(self.capacity, number, np.float32))

    def remove(self, name: str) -> None:
        """One column less."""
        self.columns.pop(name).delete()

    def write(self, writes: Sequence[RowWrite]) -> None:
        """Upload rows before the next frame; large arrays go up as they are, without a copy."""
        for group in gather(writes, self.page):
            for name, buffer in self.columns.items():
                wanted = group[0].columns
                if wanted is not None and name not in wanted:
                    continue
                column = group[0].column(name) if len(group) == 1 else _joined(group, name)
                buffer.set_subdata(column, offset=group[0].start)

    def delete(self) -> None:
        """Free the memory on the card."""
        for buffer in self.columns.values():
            buffer.delete()


def _allocate(like: Float32, rows: int) -> gloo.VertexBuffer:
    buffer = gloo.VertexBuffer(like)
    buffer.resize_bytes(like.nbytes * rows)
    return buffer


def _joined(group: Sequence[RowWrite], name: str) -> Float32:
    """A column of several writes; rows between them are nobody's."""
    start, columns = group[0].start, [write.column(name) for write in group]
    whole = np.zeros((group[-1].stop - start, *columns[0].shape[1:]), np.float32)
    for write, column in zip(group, columns, strict=True):
        whole[write.start - start : write.stop - start] = column
    return whole


class Block(gloo.IndexBuffer):  # type: ignore[misc]  # vispy is untyped
    """Rows drawn out of one stretch of the buffers; one draw call.

    Args:
        capacity: Rows of the stretch.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(np.zeros(1, np.uint32))
        self.resize_bytes(4 * capacity)
        self._count = 0

    @property
    def size(self) -> int:
        """Rows drawn; what a draw call asks for."""
        return self._count

    def show(self, runs: Int) -> int:
        """Draw these (R, 2) runs from the next frame on; returns their rows."""
        starts, counts = runs.T
        ends = np.cumsum(counts)
        self._count = int(ends[-1]) if len(ends) else 0
        if self._count:
            rows = np.repeat(starts - (ends - counts), counts) + np.arange(self._count)
            self.set_subdata(rows.astype(np.uint32))
        return self._count


class DrawnRows:
    """The rows that are drawn, in blocks of neighbours. Only blocks that change are uploaded.

    Args:
        capacity: Rows there are.
        block: Rows of one block.
    """

    def __init__(self, capacity: int, block: int = BLOCK) -> None:
        self._block = block
        self.blocks = [Block(min(block, capacity - at)) for at in range(0, capacity, block)]
        self._pieces: list[Int] = [np.zeros((0, 2), np.int64) for _ in self.blocks]

    @property
    def size(self) -> int:
        """Rows drawn."""
        return sum(block.size for block in self.blocks)

    def show(self, runs: Int) -> int:
        """Draw these rows from the next frame on.

        Args:
            runs: (R, 2) int64, first row and number of rows; no row twice.

        Returns:
            Rows that are uploaded.
        """
        uploaded = 0
        for number, pieces in enumerate(cut(runs, self._block, len(self.blocks))):
            if not np.array_equal(pieces, self._pieces[number]):
                self._pieces[number] = pieces.copy()
                uploaded += self.blocks[number].show(pieces)
        return uploaded

    def delete(self) -> None:
        """Free the memory on the card."""
        for block in self.blocks:
            block.delete()


def cut(runs: Int, block: int, blocks: int) -> list[Int]:
    """Runs cut where blocks end: the (R, 2) runs of each block, ascending.

    Args:
        runs: (R, 2) int64 first row and number of rows, in any order; no row twice.
        block: Rows of a block.
        blocks: Number of blocks.
    """
    runs = runs[np.argsort(runs[:, 0])]
    start, stop = runs[:, 0], runs[:, 0] + runs[:, 1]
    first = start // block
    times = np.maximum(stop - 1, start) // block - first + 1
    which = np.repeat(np.arange(len(runs)), times)
    place = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
    low = np.maximum(start[which], place * block)
    high = np.minimum(stop[which], (place + 1) * block)
    ends = np.searchsorted(place, np.arange(1, blocks))
    return np.split(np.stack([low, high - low], axis=1), ends)
