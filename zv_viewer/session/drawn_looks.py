"""What is drawn of a store, counted and outlined; in any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from zv_viewer.controller.drawer import DrawnCells
from zv_viewer.drawing.drawn import DrawnLevel, drawn_levels
from zv_viewer.drawing.outlines import (
    Boxes,
    Outlined,
    Outlines,
    bin_boxes,
    chunk_boxes,
    edges,
    joined,
    seen,
    view_edges,
)
from zv_viewer.drawing.tints import level_colours
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.session.looking import middle_of

Outline: TypeAlias = Literal["none"] | Outlined

VIEW_COLOUR = (255, 255, 255)
"""Colour of the edges of a frozen view."""


@dataclass(frozen=True, eq=False, slots=True)
class Looked:
    """What is drawn: of each level, what is outlined of it, and the edges of that."""

    levels: dict[int, DrawnLevel]
    boxes: Boxes | None
    outlines: Outlines | None


def look(
    scene: SceneInfo,
    tree: CellTree,
    drawn: DrawnCells,
    camera: Camera,
    outline: Outline,
    frozen: bool,
) -> Looked:
    """Count and outline what is drawn.

    Args:
        scene: The store.
        tree: Its cells.
        drawn: What is drawn.
        camera: The view it was selected for.
        outline: What to outline.
        frozen: Whether to outline the view, too.
    """
    middle = middle_of(scene, camera)
    pairs = seen(drawn.cells, drawn.items, drawn.object_levels)
    boxes = None
    if outline == "chunks":
        boxes = chunk_boxes(scene, tree, [item for _, item in pairs], middle)
    elif outline == "bins":
        boxes = bin_boxes(scene, tree, pairs, middle)
    colours = level_colours(np.arange(len(scene.levels)))
    parts = [] if boxes is None else [edges(boxes, camera.displayed, colours)]
    if frozen:
        parts.append(view_edges(camera, scene.bounds, VIEW_COLOUR))
    levels = drawn_levels(tree, pairs, drawn.object_levels)
    return Looked(levels, boxes, joined(*parts) if parts else None)
