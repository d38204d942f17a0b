"""What is drawn, counted: cells, vertices and bytes of each level."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.tints import bytes_text
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem


@dataclass(frozen=True, slots=True)
class DrawnLevel:
    """What is drawn of one level.

    Args:
        cells: Cells, in whole or part.
        vertices: Vertices drawn.
        nbytes: Bytes the geometry of these cells takes in the store, about.
    """

    cells: int = 0
    vertices: int = 0
    nbytes: int = 0

    @property
    def text(self) -> str:
        """In words."""
        word = "cell" if self.cells == 1 else "cells"
        size = bytes_text(self.nbytes)
        return f"{self.cells:,} {word}, {self.vertices:,} vertices, {size}"


def rows_drawn(
    item: DrawItem, arrays: CellArrays, object_levels: npt.NDArray[np.uint8] | None
) -> int:
    """Rows an item draws of a cell that is in memory."""
    if object_levels is not None and arrays.links is not None:
        links = arrays.links
        drawn = object_levels[links.objects] == links.level
        return int((drawn if arrays.kept is None else drawn & arrays.kept).sum())
    if item.parts is None:
        return len(arrays) if arrays.kept is None else int(arrays.kept.sum())
    places = np.asarray(item.parts, np.int64)
    ends = arrays.part_start
    if arrays.kept is not None:
        ends = np.append(0, np.cumsum(arrays.kept))[ends]
    return int((ends[places + 1] - ends[places]).sum())


def drawn_levels(
    tree: CellTree,
    drawn: Iterable[tuple[CellArrays, DrawItem]],
    object_levels: npt.NDArray[np.uint8] | None,
) -> dict[int, DrawnLevel]:
    """Position of a level -> what is drawn of it.

    Args:
        tree: The cells.
        drawn: Cells of which something is drawn, and what.
        object_levels: (O,) the level each object is drawn at; None where levels go by cells.
    """
    found: dict[int, DrawnLevel] = {}
    for arrays, item in drawn:
        level = int(tree.level[item.cell])
        before = found.get(level, DrawnLevel())
        found[level] = DrawnLevel(
            before.cells + 1,
            before.vertices + rows_drawn(item, arrays, object_levels),
            before.nbytes + int(tree.fetch_bytes[item.cell]),
        )
    return found
