"""The vertices of the finest level that a view shows, or that belong to some objects, in blocks.

Read in a worker, chunk by chunk: memory is bounded by a block, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.links import object_ranks
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning.frustum import planes, visible_cells
from zv_viewer.rows import RowFilter, rows_of
from zv_viewer.sources.base import ChunkSource, KnowsRowObjects, RawCell

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

AT_ONCE = 32
"""Chunks read in one go."""

BESIDE_PX = 1.0
"""A row may lie beside the box of its chunk, by rounding: boxes are looked at this much larger."""

ROUNDING = 1e-6
"""And by so much of the largest coordinate."""


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """Which vertices; all that is given must hold.

    Args:
        camera: Seen from here, within the slab; None: from anywhere.
        normals: (P, D) of clipping planes, and ``reach``: (P,) where each lies along its normal.
        kept_by: The filter in force.
        shown: (O,) of the objects of ``SceneInfo.objects``; None: all.
        chunks: (M,) rows of the finest level's chunks to look in; None: all.
    """

    camera: Camera | None = None
    normals: Float | None = None
    reach: Float | None = None
    kept_by: RowFilter | None = None
    shown: Bool | None = None
    chunks: Int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Some vertices.

    Args:
        positions: (N, D) in the store's type, world units.
        attributes: name -> (N,) or (N, C); strings for categories.
        objects: (N,) ids, -1 for none; None where the store has no objects.
    """

    positions: npt.NDArray[np.floating]
    attributes: dict[str, npt.NDArray[np.generic]]
    objects: Int | None

    def __len__(self) -> int:
        return len(self.positions)


def chosen_rows(
    source: ChunkSource,
    scene: SceneInfo,
    tree: CellTree,
    choice: Choice,
    progress: Callable[[float], None] = lambda share: None,
) -> Iterator[Block]:
    """The vertices of the finest level that are meant, in the order of the store.

    A vertex that several objects share comes once for each.

    Args:
        source: The store.
        scene: Its description.
        tree: Its cells.
        choice: Which are meant.
        progress: Told the share that is done; what it raises ends the reading.

    Raises:
        ZVError: A chunk cannot be read.
    """
    level = scene.levels[0]
    names = [info.name for info in scene.attributes if not info.computed]
    asked = tuple(dict.fromkeys((*names, *(choice.kept_by.attributes if choice.kept_by else ()))))
    places = _chunks(scene, tree, choice)
    for first in range(0, len(places), AT_ONCE):
        progress(first / len(places))
        chunks = level.chunks[places[first : first + AT_ONCE]]
        raw = source.read(level.index, chunks, asked)
        ids = _ids(source, scene, level.index, chunks, raw)
        kept = np.flatnonzero(_meant(scene, choice, raw, ids))
        if len(kept):
            yield Block(
                raw.positions[kept],
                {name: _told(scene, name, raw.values[name][kept]) for name in names},
                None if ids is None else ids[kept],
            )
    progress(1.0)


def _chunks(scene: SceneInfo, tree: CellTree, choice: Choice) -> Int:
    """Rows of the finest level's chunks that may hold some, ascending."""
    ids = np.arange(len(tree))[tree.ids_of_level(0)]
    may = np.ones(len(ids), bool)
    beside = np.abs(scene.bounds).max() * ROUNDING
    if choice.camera is not None:
        may &= visible_cells(tree, choice.camera, BESIDE_PX)[ids]
    if choice.kept_by is not None:
        may &= choice.kept_by.may_hold(scene, tree.lo[ids] - beside, tree.hi[ids] + beside)
    found = [tree.chunks(cell) for cell in ids[may].tolist()]
    places = np.sort(np.concatenate([np.zeros(0, np.int64), *found]))
    return places if choice.chunks is None else np.intersect1d(places, choice.chunks)


def _ids(
    source: ChunkSource, scene: SceneInfo, level: int, chunks: Int, raw: RawCell
) -> Int | None:
    if raw.links is not None:
        return raw.links.objects
    if scene.has_objects and isinstance(source, KnowsRowObjects):
        found, _, _ = source.objects_of_rows(level, chunks)
        return found
    return None


def _meant(scene: SceneInfo, choice: Choice, raw: RawCell, ids: Int | None) -> Bool:
    """(N,) which rows are."""
    rows = rows_of(scene, raw.positions, raw.values)
    meant = np.isfinite(rows.world).all(axis=1)
    if choice.kept_by is not None:
        meant &= choice.kept_by.keeps(rows)
    if choice.shown is not None and ids is not None:
        meant &= choice.shown[object_ranks(scene.objects, ids)]
    camera = choice.camera
    if camera is not None:
        faces, axes = planes(camera), list(camera.displayed)
        inside = rows.world[:, axes] @ faces[:, :-1].T + faces[:, -1]
        meant &= (inside >= 0).all(axis=1)
        meant &= ((rows.world >= camera.slab_lo) & (rows.world <= camera.slab_hi)).all(axis=1)
    if choice.normals is not None and choice.reach is not None:
        meant &= (rows.world @ choice.normals.T >= choice.reach).all(axis=1)
    return np.asarray(meant)


def _told(scene: SceneInfo, name: str, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Categories as their names."""
    categories = scene.attribute(name).categories
    if categories is None:
        return values
    codes = values.astype(np.int64)
    names = np.array([*categories, ""])
    return names[np.where((codes >= 0) & (codes < len(categories)), codes, len(categories))]
