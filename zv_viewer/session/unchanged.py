"""What of a store that is read anew is as it was."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.sources.base import KnowsChanges

Int = npt.NDArray[np.int64]


def is_like(old: SceneInfo, new: SceneInfo) -> bool:
    """Whether one layer can show both."""
    return (old.geometry, old.axis_names, old.axis_units, old.link_width) == (
        new.geometry,
        new.axis_names,
        new.axis_units,
        new.link_width,
    )


def same_cells(
    old: SceneInfo,
    old_tree: CellTree,
    new: SceneInfo,
    new_tree: CellTree,
    source: object,
    attribute: str | None,
) -> Int:
    """Cells that are surely the same in a store read anew.

    Args:
        old: The store as it was.
        old_tree: Its cells.
        new: The store as it is.
        new_tree: Its cells.
        source: Where it is read, which may know what has changed.
        attribute: The attribute coloured by.
    """
    none = np.zeros(0, np.int64)
    if not isinstance(source, KnowsChanges) or not _same_tree(old_tree, new_tree):
        return none
    same_frame = np.array_equal(old.bounds, new.bounds) and is_like(old, new)
    if not same_frame or not np.array_equal(old.objects, new.objects):
        return none
    kept = np.zeros(len(new_tree), bool)
    for place, (was, level) in enumerate(zip(old.levels, new.levels, strict=True)):
        same = was.index == level.index and np.array_equal(was.chunks, level.chunks)
        if same and np.array_equal(was.counts, level.counts):
            kept[new_tree.ids_of_level(place)] = source.unchanged(level.index, attribute)
    return np.flatnonzero(kept)


def _same_tree(old: CellTree, new: CellTree) -> bool:
    names = ("level_start", "level", "lo", "hi", "parent", "child", "chunk_start", "chunk")
    return all(np.array_equal(getattr(old, name), getattr(new, name)) for name in names)
