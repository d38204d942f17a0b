"""The pyramid that a store has, looked at in a box as one that is tried is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.lazy import ZVStore
from zarr_vectors.lazy.level import ZVLevel
from zv_viewer.model.camera import Camera
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning.switching import Switch
from zv_viewer.sources.drawable import drawn_as, link_width
from zv_viewer.sources.weight import stored_bytes
from zv_viewer.what_if.box import Box, Float, Int, rows_in
from zv_viewer.what_if.levels import BoxLevel, switches_of, told


def levels_now(
    store: ZVStore,
    scene: SceneInfo,
    box: Box,
    camera: Camera,
    settings: LodSettings,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[BoxLevel, ...]:
    """The levels of a store where they lie in a box, so that they compare with tried ones.

    Vertices and objects are those in the box, and bytes a part of the level's as large as that of
    its vertices; errors are those recorded for the whole level; switches those of what meets the
    box.

    Args:
        store: The store; it is read.
        scene: Its description.
        box: Chunks of its finest level.
        camera: A view, for its direction and canvas.
        settings: Quality and caps by which levels are chosen.
        cancelled: Asked before each level.

    Raises:
        CoarseningError: The work was cancelled.
        StoreError: The store cannot be read.
    """
    switches = switches_of(scene_of(scene, box), box, camera, settings)
    found = []
    for number in store.levels:
        if cancelled():
            raise CoarseningError("cancelled")
        found.append(_level(store, store[number], box, switches.get(number)))
    return tuple(found)


def scene_of(scene: SceneInfo, box: Box) -> SceneInfo:
    """What of a scene meets a box; levels that have nothing there are left out, but the finest."""
    levels: list[LevelInfo] = []
    for level in scene.levels:
        chunks = chunks_within(level.chunks, level.chunk_shape, box.bounds)
        if len(chunks) or not levels:
            kept = replace(level, chunks=level.chunks[chunks], counts=level.counts[chunks])
            levels.append(kept)
    return replace(scene, levels=tuple(levels))


def chunks_within(chunks: Int, shape: Float, bounds: Float) -> Int:
    """(K,) rows of a table of chunks that share more than a face with a box.

    Args:
        chunks: (M, R) their coordinates, the last D those of space.
        shape: (D,) world units.
        bounds: (2, D) the box, world units.
    """
    low = chunks[:, -len(shape) :] * shape
    slack = 1e-9 * shape
    meets = (low < bounds[1] - slack) & (low + shape > bounds[0] + slack)
    return np.flatnonzero(meets.all(axis=1))


def _level(store: ZVStore, level: ZVLevel, box: Box, switch: Switch | None) -> BoxLevel:
    linked = link_width(drawn_as(store.geometry_types)) > 0
    table, shape = level.chunk_table, np.asarray(level.chunk_shape, float)
    chunks = chunks_within(table.coords, shape, box.bounds)
    count = objects = 0
    if len(chunks):
        rows = rows_in(level, table.coords[chunks], linked=linked)
        inside = box.holds(rows.positions)
        count = int(inside.sum())
        objects = len(np.unique(rows.objects[inside & (rows.objects >= 0)])) if linked else 0
    stored = stored_bytes(store, level.level_index)
    share = count / max(level.vertex_count, 1)
    return told(
        level,
        vertices=count,
        nbytes=None if stored is None else round(stored * share),
        objects=objects,
        chunks=len(chunks),
        switch=switch,
    )
