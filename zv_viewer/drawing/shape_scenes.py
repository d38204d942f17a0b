"""Parametric objects -> what a layer of linked cells takes: one cell of one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.parametric import Pieces, box_around
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import LinkArrays, OpenLinks
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.model.shapes import ParametricObject
from zv_viewer.model.update import LayerUpdate

Float = npt.NDArray[np.float64]

NAMES = ("x", "y", "z")


@dataclass(frozen=True, eq=False, slots=True)
class ShapeScene:
    """A scene of triangles or segments, and the one update that shows them."""

    scene: SceneInfo
    update: LayerUpdate


def axes_of(scene: SceneInfo) -> tuple[int, int, int] | None:
    """Axes of a store that coefficients mean by x, y and z; None where it has not all three.

    They go by their names; three axes of other names are taken in their order. Other axes come
    before these, as napari shows fewer axes beside more by their last.
    """
    names = [name.lower() for name in scene.axis_names]
    if set(NAMES) <= set(names):
        found = (names.index("x"), names.index("y"), names.index("z"))
        return found if min(found) == scene.ndim - 3 else None
    return (0, 1, 2) if scene.ndim == 3 else None


def box_of(scene: SceneInfo, axes: tuple[int, int, int]) -> Float:
    """(2, 3) bounds along x, y and z."""
    return np.asarray(scene.bounds[:, list(axes)], np.float64)


def around_shapes(scene: SceneInfo, objects: Sequence[ParametricObject]) -> SceneInfo:
    """A store without vertices, with the bounds of its objects; as it is where it has some."""
    axes, box = axes_of(scene), box_around(objects)
    if axes is None or box is None or any(level.vertex_count for level in scene.levels):
        return scene
    bounds = np.array(scene.bounds, np.float64)
    bounds[:, list(axes)] = box
    return replace(scene, bounds=bounds)


def shape_scene(
    scene: SceneInfo, axes: tuple[int, int, int], pieces: Pieces, objects: int, title: str
) -> ShapeScene:
    """What shows pieces beside a store.

    Args:
        scene: The store.
        axes: Its x, y and z, of :func:`axes_of`.
        pieces: Triangles or segments.
        objects: How many objects there are, drawn or not.
        title: Said behind the store's name.
    """
    kept = sorted(axes)
    order = [axes.index(axis) for axis in kept]
    many, width = pieces.ends.shape[:2]
    rows = many * width
    level = LevelInfo(
        index=0,
        chunk_shape=np.ones(3),
        bin_shape=np.ones(3),
        chunks=np.zeros((1, 3), np.int64),
        counts=np.array([rows]),
        counts_exact=True,
        error=0.0,
        error_source="stored",
    )
    own = replace(
        scene,
        name=f"{scene.name} ({title})",
        geometry="mesh" if width == 3 else "line",
        axis_names=tuple(scene.axis_names[axis] for axis in kept),
        axis_units=tuple(scene.axis_units[axis] for axis in kept),
        bounds=scene.bounds[:, kept],
        levels=(level,),
        attributes=(),
        link_width=width,
        links_per_vertex=1.0,
        objects=np.arange(objects, dtype=np.int64),
    )
    positions = np.zeros((rows, 4), np.float32)
    positions[:, :3] = pieces.ends[..., order].reshape(-1, 3) - own.origin
    none = np.zeros((0, width), np.int64)
    nobody = np.zeros(0, np.uint32)
    links = LinkArrays(
        level=0,
        objects=np.repeat(pieces.objects, width).astype(np.uint32),
        inner=np.arange(rows, dtype=np.uint32).reshape(-1, width),
        open=OpenLinks((), np.zeros(1, np.int64), none, none, none, nobody),
    )
    arrays = CellArrays(
        cell=0,
        positions=positions,
        values=None,
        attribute=None,
        part_start=np.array([rows], np.int64),
        spacing=0.0,
        order=np.arange(rows, dtype=np.uint32),
        fetched_bytes=0,
        requests=0,
        links=links,
    )
    levels = np.zeros(objects, np.uint8)
    return ShapeScene(own, LayerUpdate((), (arrays,), (DrawItem(0),), levels))
