"""The answers of planning: what to show, what to load for it, what is drawn meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from zv_viewer.model.selected import SelectedObjects

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


class Tier(IntEnum):
    """Order of loading; lower first."""

    HOLE = 0
    SELECTION = 1
    TARGET = 2
    ATTRIBUTE = 3
    ZOOM_OUT = 4
    PREFETCH = 5


@dataclass(frozen=True, slots=True)
class Request:
    """A cell to load, with the attribute coloured by."""

    cell: int
    tier: Tier


@dataclass(frozen=True, eq=False, slots=True)
class ViewPlan:
    """What one view should show, from the scene, the camera and the settings alone.

    Args:
        visible: (C,) bool, cells whose box meets the view.
        target: (T,) ascending ids of the cells to show; no cell with its own ancestor. Where there
            is one level for whole objects, those of a little more than the view.
        floor: (F,) ids kept resident whatever the view.
        requests: Cells to load, best first; cells already resident are not in it.
        tau_px: Screen error of the picture: the first refinement not taken, or the worst cell
            shown.
        vertices, nbytes: Totals over ``target``.
        refused_by_budget: Refinements (or coarsest cells) wanted but over a cap.
        limited_by: Why it is not finer: ``quality``, ``density``, ``vertices``, ``bytes``,
            ``finest``, ``locked``.
        vertices_in_view_level0: Level-0 vertices under the visible cells.
        error_px: (T,) screen error of each target cell.
        level: The level whole objects are to be shown at, position in ``SceneInfo.levels``; None
            where each cell has its own.
        extra: (X,) ascending ids of cells of the finest level for objects that are shown at it
            whatever the view; none of ``target`` or ``floor``.
        selected: Those objects, with all their cells of it in or around the view; None: none.
        selected_refused: Objects that were to be shown so and are over a cap.
        moving: Whether the camera moves, or has moved just now.
    """

    visible: Bool
    target: Int
    floor: Int
    requests: tuple[Request, ...]
    tau_px: float
    vertices: int
    nbytes: int
    refused_by_budget: int
    limited_by: str
    vertices_in_view_level0: int
    error_px: npt.NDArray[np.float64]
    level: int | None = None
    extra: Int = field(default_factory=lambda: np.empty(0, np.int64))
    selected: SelectedObjects | None = None
    selected_refused: int = 0
    moving: bool = False

    @property
    def shown(self) -> Int:
        """Ids of the cells to show, for all objects and for those selected."""
        return np.concatenate([self.target, self.extra])

    @property
    def cells(self) -> Int:
        """Ascending ids of all cells the plan shows or keeps."""
        return np.unique(np.concatenate([self.target, self.floor, self.extra]))


@dataclass(frozen=True, slots=True)
class DrawItem:
    """A cell to draw: whole (``parts`` None), or its rows inside some of its children.

    ``parts`` are places in ``CellTree.children(cell)``.
    """

    cell: int
    parts: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class DrawSet:
    """What is drawn now from what is resident; never the same area twice.

    Args:
        items: Cells and parts, ascending by cell.
        holes: (H,) visible cells of the plan's target whose area is not drawn at all, nor in part.
        settled: Every visible target cell is drawn at its target.
    """

    items: tuple[DrawItem, ...]
    holes: Int
    settled: bool

    @property
    def cells(self) -> Int:
        """(N,) the cells drawn, whole or in part."""
        return np.array([item.cell for item in self.items], np.int64)
