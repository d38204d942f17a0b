"""Cells beyond the view into which links run from cells in view: without them these are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.planning.budget import Caps
from zv_viewer.planning.cell_objects import CellObjects
from zv_viewer.planning.known_objects import is_below
from zv_viewer.planning.steps import Selection
from zv_viewer.planning.viewed import NONE, cost, union

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

JOINED_SHARE = 0.25
"""Part of the caps that such cells may take, of what the others leave."""


def with_joined(
    tree: CellTree,
    chosen: Selection,
    visible: Bool,
    content: Mapping[int, CellObjects],
    caps: Caps,
) -> Selection:
    """The same with the cells of the level that links of its cells in view run into.

    They are known once the cells in view are read. Where they do not fit, those of the fewest
    vertices come first.

    Args:
        tree: The cells.
        chosen: One level for all that a view shows.
        visible: (C,) cells in view.
        content: The objects of cells in memory.
        caps: Of the whole plan.
    """
    cells = chosen.target[visible[chosen.target]]
    cells = cells[tree.level[cells] == chosen.level]
    held = [content[cell].beside for cell in cells.tolist() if cell in content]
    reached = union(NONE, *held) if held else NONE
    reached = reached[tree.level[reached] == chosen.level]
    reached = np.setdiff1d(reached, chosen.target, assume_unique=True)
    marked = np.zeros(len(tree), bool)
    marked[chosen.target] = True
    reached = reached[~is_below(tree, reached, marked)]
    if not len(reached):
        return chosen
    more = np.setdiff1d(reached, chosen.floor, assume_unique=True)
    left = caps.less(*cost(tree, union(chosen.target, chosen.floor)))
    most = caps.part(JOINED_SHARE)
    more = more[np.argsort(tree.count[more], kind="stable")]
    vertices, nbytes = np.cumsum(tree.count[more]), np.cumsum(tree.nbytes[more])
    fits = (vertices <= min(left.vertices, most.vertices)) & (nbytes <= min(left.bytes, most.bytes))
    kept = union(more[fits], np.intersect1d(reached, chosen.floor, assume_unique=True))
    return replace(chosen, target=union(chosen.target, kept))
