"""Scenes made of numbers alone, regular or random, without any store behind them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.testing.cameras import look_at, orthographic

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def scene_of(levels: list[LevelInfo], bounds: Float, bytes_per_vertex: float = 12.0) -> SceneInfo:
    """A scene of these levels, finest first; ``bounds`` is (2, D)."""
    ndim = bounds.shape[1]
    return SceneInfo(
        url="memory://scene",
        name="scene",
        format_version="0.7.0",
        geometry="point_cloud",
        axis_names=tuple("tzyx"[-ndim:]),
        axis_units=(None,) * ndim,
        bounds=bounds,
        levels=tuple(levels),
        attributes=(),
        bytes_per_vertex=bytes_per_vertex,
    )


def grid_scene(
    cells: int, levels: int, per_chunk: int, *, ndim: int = 3, chunk: float = 1.0
) -> SceneInfo:
    """A full cube of chunks, all levels with chunks of equally many vertices.

    Args:
        cells: Chunks per axis at level 0.
        levels: Levels, each with chunks twice as large.
        per_chunk: Vertices in a chunk.
        ndim: Axes.
        chunk: Edge of a level-0 chunk.
    """
    made = []
    for i in range(levels):
        n = -(-cells // 2**i)
        axes = np.meshgrid(*[np.arange(n)] * ndim, indexing="ij")
        rows = np.stack(axes, axis=-1).reshape(-1, ndim).astype(np.int64)
        edge = np.full(ndim, chunk * 2**i)
        bins = edge / max(round(per_chunk ** (1 / ndim)), 1)
        error = 0.0 if i == 0 else float(np.linalg.norm(bins)) / 2
        made.append(level(i, edge, bins, rows, np.full(len(rows), per_chunk), error))
    return scene_of(made, np.array([[0.0] * ndim, [cells * chunk] * ndim]))


def level(
    index: int, chunk: Float, bins: Float, chunks: Int, counts: Int, error: float = np.nan
) -> LevelInfo:
    """A level; without an error it is left to planning to estimate it."""
    return LevelInfo(
        index=index,
        chunk_shape=np.asarray(chunk, float),
        bin_shape=np.asarray(bins, float),
        chunks=chunks,
        counts=np.asarray(counts, np.int64),
        counts_exact=True,
        error=error,
        error_source="density" if np.isnan(error) else "stored",
    )


def random_scene(rng: np.random.Generator) -> SceneInfo:
    """A scene of 2 to 4 axes and 1 to 4 levels, in any of the ways stores come.

    Chunk grids may nest or not, stay one size or have no common multiple; coarser chunks may be
    missing; levels may be split by an attribute; coordinates may be negative and far from zero.
    """
    ndim, n_levels = int(rng.integers(2, 5)), int(rng.integers(1, 5))
    chunk = rng.choice([0.5, 1.0, 3.0, 10.0, 64.0], ndim)
    growth = rng.choice([1.0, 2.0, 2.0, 2.0, 3.0, 1.5, np.sqrt(2)], ndim)
    shapes = [chunk * growth**i for i in range(n_levels)]
    places = np.unique(rng.integers(-4, 5, (int(rng.integers(1, 60)), ndim)), axis=0)
    places = places + rng.choice([0, 0, 1000])
    split = bool(rng.random() < 0.2)
    gaps = rng.choice([0.0, 0.0, 0.3])
    stored, growing = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    levels = []
    for i, shape in enumerate(shapes):
        middles = (places + rng.random((8, *places.shape))).reshape(-1, ndim) * chunk
        rows = places
        if i:
            rows = np.unique(np.floor(middles / shape), axis=0).astype(np.int64)
        if i and gaps:
            rows = rows[rng.random(len(rows)) >= gaps]
        if split and len(rows):
            rows = np.concatenate([np.insert(rows, 0, split_bin, axis=1) for split_bin in (0, 2)])
        parts = 2 ** rng.integers(0, 3) * 2.0**i
        counts = rng.integers(1, 400, len(rows))
        measured = float(np.linalg.norm(shapes[i if growing else 0]) / 16) if stored else np.nan
        error = measured if i else 0.0
        bins = np.minimum(chunk * parts / 4, shape)
        levels.append(level(i, shape, bins, rows, counts, error))
    lo = places.min(0) * chunk
    hi = (places.max(0) + 1) * chunk
    return scene_of(levels, np.stack([lo, hi]))


def random_camera(rng: np.random.Generator, scene: SceneInfo) -> Camera:
    """A view of a scene: two or three axes, parallel or perspective, from outside or inside."""
    lo, hi = scene.bounds
    size = hi - lo
    axes = rng.permutation(scene.ndim)
    center = lo + rng.random(scene.ndim) * size
    thickness = float(rng.choice([0.0, 0.2, 3.0])) * float(size.mean())
    zoom = 600 / float(size.max()) * float(2.0 ** rng.uniform(-1, 5))
    if scene.ndim == 2 or rng.random() < 0.4:
        shown = tuple(int(axis) for axis in axes[:2])
        return orthographic(center, zoom, displayed=shown, thickness=thickness)
    shown = tuple(int(axis) for axis in axes[:3])
    if rng.random() < 0.4:
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        return orthographic(center, zoom, displayed=shown, thickness=thickness, rotation=turn)
    away = rng.normal(size=scene.ndim)
    eye = center + away / np.linalg.norm(away) * size.max() * float(rng.choice([0.05, 0.5, 2.0]))
    hidden = [axis for axis in range(scene.ndim) if axis not in shown]
    eye[hidden] = center[hidden]
    fov = float(rng.choice([20.0, 45.0, 90.0]))
    return look_at(eye, center, fov=fov, displayed=shown, thickness=thickness)
