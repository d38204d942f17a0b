"""Which objects pass through a cell, through its parts, and on to which cells beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.links import LinkArrays
from zv_viewer.planning.ragged import offsets

Int = npt.NDArray[np.int64]
UInt = npt.NDArray[np.uint32]

_RANK_BITS = 32


@dataclass(frozen=True, eq=False, slots=True)
class CellObjects:
    """The objects of one cell by rank, ascending, each once; worked out once a cell is read.

    Args:
        objects: (U,) those with rows in the cell.
        part_start: (parts + 1,) objects with rows in part ``i`` are
            ``part_objects[part_start[i]:part_start[i + 1]]``.
        part_objects: (P,) see ``part_start``.
        beside: (B,) ascending ids of other cells that links of the cell reach.
        beside_start: (B + 1,) objects of the links to ``beside[i]`` are
            ``beside_objects[beside_start[i]:beside_start[i + 1]]``.
        beside_objects: (Q,) see ``beside_start``.
    """

    objects: UInt
    part_start: Int
    part_objects: UInt
    beside: Int
    beside_start: Int
    beside_objects: UInt

    @classmethod
    def of(cls, cell: int, links: LinkArrays, part_start: Int) -> CellObjects:
        """Work them out.

        Args:
            cell: Id of the cell.
            links: Its objects and links.
            part_start: (children + 1,) row offsets of its parts, as in ``CellArrays``; a cell
                without children is one part.
        """
        sizes = np.diff(part_start) if len(part_start) > 1 else part_start
        parts = len(sizes)
        part = np.repeat(np.arange(parts, dtype=np.int64), sizes)
        part, part_objects = _once(part, links.objects)
        owner = links.open.owner
        away = (owner != cell) & (owner >= 0)
        ends = np.broadcast_to(links.open.objects[:, None], owner.shape)
        reached, beside_objects = _once(owner[away], ends[away])
        beside, nth = np.unique(reached, return_inverse=True)
        return cls(
            objects=np.unique(part_objects),
            part_start=offsets(part, parts),
            part_objects=part_objects,
            beside=beside,
            beside_start=offsets(nth.reshape(-1), len(beside)),
            beside_objects=beside_objects,
        )

    def part(self, place: int) -> UInt:
        """The objects with rows in a part."""
        return self.part_objects[self.part_start[place] : self.part_start[place + 1]]

    def toward(self, place: int) -> UInt:
        """The objects of the links to ``beside[place]``."""
        return self.beside_objects[self.beside_start[place] : self.beside_start[place + 1]]

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        objects = self.objects.nbytes + self.part_objects.nbytes + self.beside_objects.nbytes
        return objects + self.part_start.nbytes + self.beside.nbytes + self.beside_start.nbytes


def _once(groups: Int, objects: UInt) -> tuple[Int, UInt]:
    """Pairs ascending by group and object, each once."""
    key = (groups << _RANK_BITS) | objects.astype(np.int64)
    new = np.ones(len(key), bool)
    new[1:] = key[1:] != key[:-1]  # rows of an object mostly follow one another
    key = np.unique(key[new])
    return key >> _RANK_BITS, (key & ((1 << _RANK_BITS) - 1)).astype(np.uint32)
