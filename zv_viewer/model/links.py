"""What joins the rows of a cell: edges or faces, and the objects the rows belong to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
UInt = npt.NDArray[np.uint32]

NO_OBJECT = -1
"""Id of the object of a row that belongs to none."""

BYTES_PER_LINKS = 1000
"""Memory of a cell's links beside their arrays: the objects that hold these (CPython 3.11)."""
BYTES_PER_GROUP = 140
"""Memory of the name of one group of open links."""


@dataclass(frozen=True, eq=False, slots=True)
class RawLinks:
    """What joins the rows of some chunks, as a source gives it.

    Args:
        objects: (N,) id of the object of each row, ``NO_OBJECT`` for none.
        inner: (M, W) rows of links with every end in these chunks.
        open_rows: (K, W) rows of links with an end elsewhere; -1 for that end.
        open_ends: (K, W) which vertex each end is, ``chunk << 32 | place``, where ``chunk`` is a
            row of ``LevelInfo.chunks``; the same link has the same ends from whichever chunk it is
            read.
        open_objects: (K,) id of the object, ``NO_OBJECT`` for none.
        stored: (N,) which of the rows stored in these chunks, counted from 0 through all of them,
            each row is: a row that several objects share is there once for each.
        stored_count: Rows stored in these chunks.
    """

    objects: Int
    inner: Int
    open_rows: Int
    open_ends: Int
    open_objects: Int
    stored: Int
    stored_count: int


@dataclass(frozen=True, eq=False, slots=True)
class OpenLinks:
    """Links that reach other cells of the same level; drawn where all their cells are.

    Args:
        groups: The cells each group of links joins, ascending ids, the own one among them.
        start: (G + 1,) links of group ``g`` are ``start[g]:start[g + 1]``; in a group they ascend
            by object, then by ends, so that the groups of two cells line up row by row.
        rows: (K, W) rows of the own cell; -1 where the end is another cell's.
        ends: (K, W) which vertex each end is, the same number seen from any cell.
        owner: (K, W) id of the cell each end lies in.
        objects: (K,) rank of the object.
    """

    groups: tuple[tuple[int, ...], ...]
    start: Int
    rows: Int
    ends: Int
    owner: Int
    objects: UInt

    @property
    def nbytes(self) -> int:
        """Memory of the arrays and names."""
        rows = self.rows.nbytes + self.ends.nbytes + self.owner.nbytes + self.objects.nbytes
        return rows + self.start.nbytes + BYTES_PER_GROUP * len(self.groups)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False, slots=True)
class LinkArrays:
    """Edges (W = 2) or faces (W = 3) of one cell.

    Args:
        level: Position of the cell's level in ``SceneInfo.levels``.
        objects: (N,) rank of the object each row belongs to.
        inner: (M, W) rows of the cell that a link joins.
        open: Links that reach other cells.
        lone: (L,) ascending rows of the cell that no edge joins to another; faces tell none.
    """

    level: int
    objects: UInt
    inner: UInt
    open: OpenLinks
    lone: UInt = field(default_factory=lambda: np.zeros(0, np.uint32))

    @property
    def nbytes(self) -> int:
        """Memory the links take: their arrays, and what holds them."""
        own = self.objects.nbytes + self.inner.nbytes + self.lone.nbytes
        return own + self.open.nbytes + BYTES_PER_LINKS
