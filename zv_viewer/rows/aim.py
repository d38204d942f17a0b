"""A place on the canvas: which cells and rows are near it, and which of them is meant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning.frustum import frustum_test
from zv_viewer.planning.slab import slab_test
from zv_viewer.rows.drawn import Bool, Drawn, Float

Int = npt.NDArray[np.int64]

UNDER_PX = 2.5
"""What is this near is under the pointer: of that the nearest to the viewer is meant."""


class Aim:
    """A place on the canvas and what is seen there.

    Args:
        scene: The store.
        camera: The view.
        pointer: (x, y) device pixels from the upper left corner.
        radius_px: How far around it to look.
    """

    def __init__(
        self, scene: SceneInfo, camera: Camera, pointer: tuple[float, float], radius_px: float
    ) -> None:
        width, height = camera.viewport
        self.camera, self.radius_px = camera, radius_px
        self.at = np.array([pointer[0], pointer[1]])
        self._half = np.array([width, height]) / 2
        self._axes = list(camera.displayed)
        n = len(self._axes)
        self._rows = camera.matrix[:, [*range(n), 3]].copy()
        self._origin = scene.origin
        self._rows[:, n] += self._rows[:, :n] @ scene.origin[self._axes]
        hidden = [axis for axis in range(scene.ndim) if axis not in self._axes]
        self.hidden = np.array(hidden, np.int64)
        self.low = camera.slab_lo[hidden] - scene.origin[hidden]
        self.high = camera.slab_hi[hidden] - scene.origin[hidden]

    def near(self, tree: CellTree, cells: Int) -> Bool:
        """(C,) cells that have something near the ray."""
        x, y = self.at / self._half - 1
        grow_x, grow_y = (self.radius_px + 1) / self._half
        y = -y
        n = len(self._axes)
        of = self.camera.matrix[:, [*range(n), 3]]
        faces = np.stack(
            [
                of[0] - (x - grow_x) * of[3],
                (x + grow_x) * of[3] - of[0],
                of[1] - (y - grow_y) * of[3],
                (y + grow_y) * of[3] - of[1],
                of[3],
            ]
        )
        lo, hi = tree.lo[cells], tree.hi[cells]
        meets, _ = frustum_test(faces, lo[:, self._axes], hi[:, self._axes])
        in_slab, _ = slab_test(self.camera, lo, hi)
        return np.asarray(meets & in_slab)

    def project(self, positions: npt.NDArray[np.floating]) -> tuple[Float, Float]:
        """(N, 2) pixels from the pointer (NaN behind the viewer), and (N,) depth."""
        shown = positions[:, self._axes].astype(np.float64)
        n = len(self._axes)
        x, y, z, w = (shown @ row[:n] + row[n] for row in self._rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.where(w > 0, 1 / w, np.nan)
        on = np.stack([(x * scale + 1) * self._half[0], (1 - y * scale) * self._half[1]], axis=1)
        deep = w if self.camera.matrix[3, :n].any() else z
        return on - self.at, deep

    def best(self, away: Float, depth: Float) -> int | None:
        """Which candidate is meant; None where none is near."""
        near = np.flatnonzero(away <= self.radius_px)
        if not len(near):
            return None
        under = near[away[near] <= UNDER_PX]
        if len(under):
            return int(under[np.lexsort((away[under], depth[under]))[0]])
        return int(near[np.argmin(away[near])])

    def uncut(self, drawn: Drawn, positions: npt.NDArray[np.floating]) -> Bool:
        """(N,) positions, relative to the origin, in the slab and beyond all planes."""
        hidden = positions[:, self.hidden]
        found = ((hidden >= self.low) & (hidden <= self.high)).all(axis=1)
        if len(drawn.normals):
            along = positions[:, : drawn.normals.shape[1]] @ drawn.normals.T
            found &= (along >= drawn.reach).all(axis=1)
        return np.asarray(found)
