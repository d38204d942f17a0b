"""Makes the layer that draws a store: the fast one, or a standard one where asked or needed."""

from __future__ import annotations

import logging
from typing import Literal, TypeAlias, get_args

import numpy as np

from zv_viewer.drawing.slots import PAGE, rows_for
from zv_viewer.layers.buffers import LINK_COLUMNS, POINT_COLUMNS
from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.drawn_links import BLOCK
from zv_viewer.layers.linked import CellLines, CellMesh
from zv_viewer.layers.points import CellPoints
from zv_viewer.layers.standard_layer import StandardLayer
from zv_viewer.layers.standard_points import StandardPoints
from zv_viewer.layers.standard_shapes import StandardShapes
from zv_viewer.layers.standard_surface import StandardSurface
from zv_viewer.layers.standard_tracks import StandardTracks
from zv_viewer.layers.standard_vectors import StandardVectors
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget

try:
    import zv_viewer.layers.vispy_cells  # noqa: F401 - registers the visual with napari
except (ImportError, AttributeError) as error:  # napari's private modules moved
    WHY_STANDARD: str | None = str(error)
else:
    WHY_STANDARD = None

log = logging.getLogger(__name__)

ROW_FLOATS = 4 + len(POINT_COLUMNS)
"""Numbers of a point at most: its position has four, and there may be a column more."""

LINKS_SHARE = 1.25
"""Links there is room for, beside those of as many rows as fit: some cells have more."""

Backend: TypeAlias = Literal["auto", "fast", "standard"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
"""``fast`` draws in slots, ``standard`` through layers of napari's own, ``auto`` the fast way where
this napari allows it."""


def make_layer(
    scene: SceneInfo,
    capacity: int | Budget,
    *,
    name: str | None = None,
    backend: Backend = "auto",
) -> CellLayer[NapariValue] | StandardLayer:
    """A layer for ``scene``, empty, on no viewer yet.

    Args:
        scene: The store.
        capacity: Rows it can hold, or the budget they are worked out from.
        name: Shown in the layer list; the store's name by default.
        backend: One of :data:`BACKENDS`.

    Raises:
        LayerError: Fast layers are asked for, and this napari allows none.
    """
    rows = capacity if isinstance(capacity, int) else rows_of_budget(scene, capacity)
    if backend == "fast" and WHY_STANDARD is not None:
        raise LayerError(f"this napari has only layers of its own for a store: {WHY_STANDARD}")
    if backend == "standard" or WHY_STANDARD is not None:
        if backend == "auto":
            log.warning("stores are drawn by napari's own layers, slower: %s", WHY_STANDARD)
        made: StandardLayer = standard_class(scene)(scene, rows, name=name)
        return made
    if scene.link_width == 2:
        return CellLines(scene, rows, name=name)
    if scene.link_width == 3:
        return CellMesh(scene, rows, name=name)
    return CellPoints(scene, rows, name=name)


def standard_class(scene: SceneInfo) -> type[NapariValue]:
    """The class of the standard layer that shows a store.

    Edges are Tracks, which napari replaces 2 to 3 times as fast as as many Vectors, and of which it
    draws twice as many; lines and polylines are Shapes where they are few.
    """
    if scene.link_width == 0:
        return StandardPoints
    if scene.link_width == 3:
        return StandardSurface
    if scene.geometry in ("line", "polyline") and StandardShapes.can_show(scene):
        return StandardShapes
    return StandardTracks if StandardTracks.can_show(scene) else StandardVectors


def rows_of_budget(scene: SceneInfo, budget: Budget) -> int:
    """Rows a layer needs for a budget: whole pages, and room for cells that are being swapped.

    Never more than fit on the graphics card, and a page at least.
    """
    counts = np.concatenate([level.counts for level in scene.levels])
    return min(rows_for(budget.vertices, counts), rows_on_card(scene, budget.card_bytes))


def rows_on_card(scene: SceneInfo, nbytes: int) -> int:
    """Rows that take ``nbytes`` on the graphics card, with their links and the table of objects."""
    index = 4
    if not scene.link_width:
        return max(nbytes // (4 * ROW_FLOATS + index) // PAGE, 1) * PAGE
    width = scene.link_width
    point = index if width == 2 else 0
    row = 4 * len(LINK_COLUMNS) + 12 + point + index * width * scene.links_per_vertex * LINKS_SHARE
    fixed = index * width * BLOCK + 4 * len(scene.objects)
    return max(int((nbytes - fixed) / row) // PAGE, 1) * PAGE
