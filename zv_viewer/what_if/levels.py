"""What is known of the levels of a pyramid in a box: vertices, bytes, errors, switches."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from zarr.storage import MemoryStore

from zarr_vectors.constants import VERTEX_FRAGMENTS
from zarr_vectors.lazy.level import ZVLevel
from zv_viewer.model.camera import Camera
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning import build_cells, plan_view
from zv_viewer.planning.switching import Switch, switch_of
from zv_viewer.what_if.box import Box

Float = npt.NDArray[np.float64]

BETWEEN = re.compile(r"\d+/(cross_chunk_)?link\w*/-?[1-9]")
"""Keys of links to other levels, in both formats."""

OF_A_CHUNK = re.compile(r"/-?\d+(\.-?\d+)+/zarr\.json$")
"""Keys of metadata that there are for each chunk."""


@dataclass(frozen=True, slots=True)
class BoxLevel:
    """A level of a pyramid, where it lies in a box.

    Args:
        level: Its number.
        vertices: Vertices.
        nbytes: Bytes of all its arrays as stored; None where the place does not tell.
        objects: Objects that have some there; 0 where there are none.
        chunks: Chunks.
        error_p50: Distance of level-0 vertices to what stands for them, world units: the median,
            95 % of them, the largest; None at level 0, and where nobody told.
        error_p95: Likewise.
        error_max: Likewise.
        switch: Where it is left for a finer one in the middle of the box; None where it never is.
    """

    level: int
    vertices: int
    nbytes: int | None
    objects: int
    chunks: int
    error_p50: float | None
    error_p95: float | None
    error_max: float | None
    switch: Switch | None


def told(
    level: ZVLevel,
    *,
    vertices: int,
    nbytes: int | None,
    objects: int,
    chunks: int,
    switch: Switch | None,
) -> BoxLevel:
    """A level with the errors that are recorded for it."""
    error = level.error if level.level_index else None
    return BoxLevel(
        level=level.level_index,
        vertices=vertices,
        nbytes=nbytes,
        objects=objects,
        chunks=chunks,
        error_p50=None if error is None else error.p50,
        error_p95=None if error is None else error.p95,
        error_max=None if error is None else error.max,
        switch=switch,
    )


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of all that is stored of a level.

    Args:
        rows: Of what there is for each vertex.
        between: Of links to the level before.
        chunks: Of what there is for each chunk, however full.
        once: Of what there is once.
    """

    rows: int
    between: int
    chunks: int
    once: int

    @property
    def whole(self) -> int:
        """All of them."""
        return self.rows + self.between + self.chunks + self.once


def weight_of(place: MemoryStore, number: int, *, linked: bool) -> Weight:
    """Bytes of a level, by what they grow with.

    Fragment tables of points list every bin of a chunk, those of others the pieces of objects.
    """
    kept = place._store_dict  # noqa: SLF001 - zarr has no public word for the bytes of one
    sums = {"rows": 0, "between": 0, "chunks": 0, "once": 0}
    for key, value in kept.items():
        if not key.startswith(f"{number}/"):
            continue
        kind = "between" if BETWEEN.match(key) else "rows"
        if not linked and key.startswith(f"{number}/{VERTEX_FRAGMENTS}/"):
            kind = "chunks"
        if key.endswith("/zarr.json"):
            kind = "chunks" if OF_A_CHUNK.search(key) else "once"
        sums[kind] += len(value)
    return Weight(**sums)


def switches_of(
    scene: SceneInfo, box: Box, camera: Camera, settings: LodSettings
) -> dict[int, Switch]:
    """Number of a level -> where it is left for a finer one, seen in the middle of a box.

    Args:
        scene: What there is to draw.
        box: Where to look.
        camera: A view, for its direction and canvas.
        settings: Quality and caps by which levels are chosen.
    """
    tree = build_cells(scene)
    middle = box.bounds.mean(axis=0)
    view = aimed(camera, middle)
    hidden = [axis for axis in range(len(middle)) if axis not in camera.displayed]
    place_of = middle.copy()
    place_of[hidden] = np.nan

    def plan_at(seen: Camera, previous: ViewPlan | None) -> ViewPlan:
        return plan_view(tree, scene, seen, settings, previous=previous)

    found = {}
    for position, level in enumerate(scene.levels[1:], start=1):
        switch = switch_of(tree, view, place_of, position, plan_at)
        if switch is not None:
            fine = scene.levels[switch.fine].index
            found[level.index] = replace(switch, coarse=level.index, fine=fine)
    return found


def aimed(camera: Camera, middle: Float) -> Camera:
    """The view with another place in its middle; sliders go there, too."""
    axes, n = list(camera.displayed), len(camera.displayed)
    matrix = camera.matrix.copy()
    home = np.array([0.0, 0.0, 0.0, 1.0])
    matrix[:, 3] = home - matrix[:, :n] @ middle[axes]
    half = (camera.slab_hi - camera.slab_lo) / 2
    low = np.where(np.isfinite(camera.slab_lo), middle - half, camera.slab_lo)
    high = np.where(np.isfinite(camera.slab_hi), middle + half, camera.slab_hi)
    return replace(camera, matrix=matrix, slab_lo=low, slab_hi=high)
