"""What a layer draws, as far as rows of it can be picked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.objects import Look
from zv_viewer.model.plan import DrawItem

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """What a layer draws.

    Args:
        cells: Cells, and what is drawn of each.
        items: Likewise.
        object_levels: (O,) position of the level each object is drawn at; None for points.
        looks: (O,) looks of the objects; None: all are drawn.
        normals: (P, D) planes that clip, store axes.
        reach: (P,) where each lies along its normal, relative to the scene's origin.
    """

    cells: tuple[CellArrays, ...]
    items: tuple[DrawItem, ...]
    object_levels: UInt8 | None
    looks: UInt8 | None
    normals: Float
    reach: Float


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was clicked on.

    Args:
        cell: Its cell.
        row: Its place in the cell.
        away_px: How far from the pointer what was hit is.
    """

    cell: int
    row: int
    away_px: float


def is_drawn(arrays: CellArrays, item: DrawItem, drawn: Drawn) -> Bool:
    """(N,) rows of a cell that are drawn, whatever clips them."""
    found = np.ones(len(arrays), np.bool_) if arrays.kept is None else arrays.kept.copy()
    if item.parts is not None:
        inside = np.zeros(len(arrays), np.bool_)
        for part in item.parts:
            inside[arrays.part_start[part] : arrays.part_start[part + 1]] = True
        found &= inside
    links = arrays.links
    if links is not None and drawn.object_levels is not None:
        found &= drawn.object_levels[links.objects] == links.level
    objects = arrays.objects if links is None else links.objects
    if drawn.looks is not None and objects is not None:
        found &= drawn.looks[objects] >= Look.NORMAL
    return found
