"""Makes the layer that draws a store: the fast one, or the standard one where napari changed."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np

from zv_viewer.drawing.slots import rows_for
from zv_viewer.layers.linked import CellLines, CellMesh
from zv_viewer.layers.points import CellPoints
from zv_viewer.layers.standard import StandardPoints
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget

try:
    import zv_viewer.layers.vispy_cells  # noqa: F401 - registers the visual with napari
except (ImportError, AttributeError) as error:  # napari's private modules moved
    WHY_STANDARD: str | None = str(error)
else:
    WHY_STANDARD = None

log = logging.getLogger(__name__)


def make_layer(
    scene: SceneInfo,
    capacity: int | Budget,
    *,
    name: str | None = None,
    backend: Literal["auto", "fast", "standard"] = "auto",
) -> CellPoints | CellLines | CellMesh | StandardPoints:
    """A layer for ``scene``, empty, on no viewer yet.

    Args:
        scene: The store.
        capacity: Rows it can hold, or the budget they are worked out from.
        name: Shown in the layer list; the store's name by default.
        backend: ``fast`` draws in slots, ``standard`` through napari's public Points, ``auto`` the
            fast one where this napari allows it.
    """
    rows = capacity if isinstance(capacity, int) else rows_of_budget(scene, capacity)
    if backend == "standard" or (backend == "auto" and WHY_STANDARD is not None):
        if backend == "auto":
            log.warning("points are drawn by napari's own layer, which is slower: %s", WHY_STANDARD)
        return StandardPoints(scene, rows, name=name)
    if scene.link_width == 2:
        return CellLines(scene, rows, name=name)
    if scene.link_width == 3:
        return CellMesh(scene, rows, name=name)
    return CellPoints(scene, rows, name=name)


def rows_of_budget(scene: SceneInfo, budget: Budget) -> int:
    """Rows a layer needs for a budget: whole pages, and room for cells that are being swapped."""
    counts = np.concatenate([level.counts for level in scene.levels])
    return rows_for(budget.vertices, counts)
