"""What is on the screen: figures of it, and the holes each painted frame has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.policy import NOTHING, Drawing, DrawPolicy
from zv_viewer.controller.tree_marks import below
from zv_viewer.drawing.drawn import rows_drawn
from zv_viewer.loading.cache import CellCache
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import DrawItem, DrawSet, ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning import items_in_view, visible_cells
from zv_viewer.planning.error import measure

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is drawn in view.

    Args:
        levels: Cells per level.
        vertices: Vertices drawn.
        error_px: The largest error, in pixels.
        object_share: Part of the store's objects that the level with the fewest of them keeps.
    """

    levels: dict[int, int] = field(default_factory=dict)
    vertices: int = 0
    error_px: float = 0.0
    object_share: float = 1.0


class Picture:
    """The draw set in force. Answers are kept until it, or the view, is another one.

    Args:
        scene: For the numbers levels have in the store.
        policy: Says what of it is seen.
    """

    def __init__(self, scene: SceneInfo, policy: DrawPolicy) -> None:
        self._scene = scene
        self._policy = policy
        self._drawing: Drawing | None = None
        self._was_whole = False
        self._for_figures: tuple[Drawing | None, ViewPlan | None] | None = None
        self._figures = Figures()
        self._for_holes: tuple[Drawing | None, Camera, int, tuple[object, ...]] | None = None
        self._holes = 0
        self.hole_frames = 0

    def drawn(self, drawing: Drawing) -> None:
        """This is drawn from now on."""
        self._drawing = drawing

    def recount(self) -> None:
        """Other rows of the same cells are drawn."""
        self._for_figures = None

    def painted(self, tree: CellTree, failed: Bool, camera: Camera) -> None:
        """Count a frame painted from ``camera``, if all of a view was on screen before."""
        drawing = self._drawing
        if drawing is None or not (self._was_whole or drawing.draw.items):
            return
        if not self.holes(tree, failed, camera):
            self._was_whole = True
        elif self._was_whole:
            self.hole_frames += 1

    def holes(self, tree: CellTree, failed: Bool, camera: Camera | None) -> int:
        """Finest cells that ``camera`` sees and in whose place nothing is drawn.

        Those at or below a cell that cannot be read are left out: they are reported as failed.
        """
        if camera is None:
            return 0
        key = (self._drawing, camera, int(failed.sum()), self._policy.known)
        if self._for_holes is None or any(
            a is not b and a != b for a, b in zip(self._for_holes, key, strict=True)
        ):
            drawing = self._drawing or NOTHING
            found = self._policy.holes(drawing, visible_cells(tree, camera))
            self._holes = int((~below(tree, failed)[found]).sum())
            self._for_holes = key
        return self._holes

    def figures(
        self, tree: CellTree, plan: ViewPlan | None, cache: CellCache, camera: Camera | None
    ) -> Figures:
        """What is drawn in the planned view."""
        drawing = self._drawing
        if plan is None or drawing is None or camera is None:
            return Figures()
        if self._for_figures != (drawing, plan):
            levels: dict[int, int] = {}
            vertices = 0
            items = items_in_view(tree, plan.visible, self._policy.shown(drawing))
            for item in items:
                number = self._scene.levels[int(tree.level[item.cell])].index
                levels[number] = levels.get(number, 0) + 1
                vertices += _rows(item, cache, drawing.object_levels)
            cells = np.array([item.cell for item in items], np.int64)
            scale = measure(camera, tree.lo[cells], tree.hi[cells]).px_per_unit
            error = float((tree.error[cells] * scale).max(initial=0.0))
            known = [level.object_share for level in self._scene.levels if level.index in levels]
            self._figures = Figures(levels, vertices, error, min(known, default=1.0))
            self._for_figures = (drawing, plan)
        return self._figures

    @staticmethod
    def rows_of(tree: CellTree, draw: DrawSet, cache: CellCache) -> int:
        """Rows a draw set draws."""
        whole = np.array([item.cell for item in draw.items if item.parts is None], np.int64)
        parts = sum(_rows(item, cache) for item in draw.items if item.parts is not None)
        return int(tree.count[whole].sum()) + parts


def _rows(
    item: DrawItem, cache: CellCache, object_levels: npt.NDArray[np.uint8] | None = None
) -> int:
    """Rows an item draws; a cell that was let go a moment ago draws none."""
    if item.cell not in cache:
        return 0
    return rows_drawn(item, cache[item.cell], object_levels)
