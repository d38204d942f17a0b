"""All that is known of one row that is drawn: its values as stored, its chunk, why it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import NO_OBJECT
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import AttributeInfo, SceneInfo
from zv_viewer.planning.error import measure
from zv_viewer.rows.drawn import Hit
from zv_viewer.sources.base import ChunkSource, KnowsRowObjects, RawCell

Int = npt.NDArray[np.int64]
Value = str | tuple[Any, ...]

MOST_CHUNKS = 64
"""Chunks of level 0 searched for what a coarser row stands for."""


@dataclass(frozen=True, eq=False, slots=True)
class StoredRow:
    """A row as the store has it.

    Args:
        level: Number of the level.
        chunk: Its coordinates.
        row: Its place in the chunk.
        position: D numbers.
        values: Of every attribute the level has; numbers as tuples of its columns.
        object_id: None where it belongs to none.
    """

    level: int
    chunk: tuple[int, ...]
    row: int
    position: tuple[float, ...]
    values: dict[str, Value]
    object_id: int | None


@dataclass(frozen=True, eq=False, slots=True)
class WhatIsThis:
    """What was clicked on.

    Args:
        shown: The row that is drawn.
        exact: The row of level 0 nearest to it, of the same object; the same where level 0 is
            drawn, None where none was found.
        wanted: Number of the level the view is planned with there; None while nothing is planned.
        error_px: How far, in pixels, the row may be from those it stands for.
        problems: What could not be read.
    """

    shown: StoredRow
    exact: StoredRow | None
    wanted: int | None
    error_px: float
    problems: tuple[str, ...] = ()


def what_is(
    source: ChunkSource,
    scene: SceneInfo,
    tree: CellTree,
    camera: Camera,
    plan: ViewPlan | None,
    arrays: CellArrays,
    unread: tuple[int, ...],
    hit: Hit,
) -> WhatIsThis:
    """What a hit is; reads the chunk it lies in, and of level 0 those around it.

    Args:
        source: The store.
        scene: Its description.
        tree: Its cells.
        camera: The view.
        plan: The plan in force.
        arrays: The cell that was hit.
        unread: Places among its chunks that could not be read.
        hit: What was hit.

    Raises:
        ZVError: The chunk cannot be read.
    """
    position = int(tree.level[hit.cell])
    level = scene.levels[position]
    chunks = np.delete(level.chunks[tree.chunks(hit.cell)], list(unread), axis=0)
    rank = None if arrays.links is None else int(arrays.links.objects[hit.row])
    wanted_id = None if rank is None else int(scene.objects[rank])
    shown = _stored(source, scene, level.index, chunks, int(arrays.order[hit.row]), wanted_id)
    problems: tuple[str, ...] = ()
    exact: StoredRow | None = shown
    if position:
        try:
            exact = _nearest(source, scene, tree, shown, position)
        except ArrayError as error:
            exact, problems = None, (str(error),)
    at = np.array([shown.position])
    scale = float(measure(camera, at, at).px_per_unit[0])
    wanted = _wanted(scene, tree, plan, at[0])
    return WhatIsThis(shown, exact, wanted, float(tree.error[hit.cell]) * scale, problems)


def _stored(
    source: ChunkSource,
    scene: SceneInfo,
    level: int,
    chunks: Int,
    order: int,
    object_id: int | None,
) -> StoredRow:
    """The row of some chunks that is stored in place ``order`` among all of theirs."""
    names = _names(scene)
    first = 0
    for number in range(len(chunks)):
        raw = source.read(level, chunks[number : number + 1], names)
        count = len(raw.positions) if raw.links is None else raw.links.stored_count
        if order < first + count:
            row = order - first
            if raw.links is not None:
                same = (raw.links.stored == row) & (raw.links.objects == object_id)
                row = int(np.flatnonzero(same)[0])
            objects = _objects(source, scene, level, chunks[number : number + 1], raw)
            return _row(scene, level, chunks[number], order - first, raw, row, objects)
        first += count
    raise ArrayError(f"{scene.url}: level {level} holds fewer vertices than when it was read")


def _nearest(
    source: ChunkSource, scene: SceneInfo, tree: CellTree, shown: StoredRow, position: int
) -> StoredRow | None:
    """The row of level 0 nearest to a coarser one, of the same object."""
    at = np.array(shown.position)
    reach = scene.levels[position].bin_shape
    finest = tree.ids_of_level(0)
    lo, hi = tree.lo[finest], tree.hi[finest]
    away = np.maximum(np.maximum(lo - at, at - hi), 0)
    near = np.flatnonzero((away <= reach).all(axis=1))
    near = near[np.argsort((away[near] ** 2).sum(axis=1), kind="stable")]
    rows = [row for cell in near.tolist() for row in tree.chunks(finest.start + cell).tolist()]
    coords = scene.levels[0].chunks[rows[:MOST_CHUNKS]]
    level, best = scene.levels[0].index, np.inf
    found: StoredRow | None = None
    for number in range(len(coords)):
        raw = source.read(level, coords[number : number + 1], _names(scene))
        squared = ((raw.positions.astype(np.float64) - at) ** 2).sum(axis=1)
        objects = _objects(source, scene, level, coords[number : number + 1], raw)
        if objects is not None:
            other = shown.object_id if shown.object_id is not None else NO_OBJECT
            if raw.links is not None or shown.object_id is not None:
                squared[objects != other] = np.inf
        if len(squared) and squared.min() < best:
            row = int(np.argmin(squared))
            best = float(squared[row])
            place = row if raw.links is None else int(raw.links.stored[row])
            found = _row(scene, level, coords[number], place, raw, row, objects)
    return found


def _objects(
    source: ChunkSource, scene: SceneInfo, level: int, chunk: Int, raw: RawCell
) -> Int | None:
    """(N,) ids of the objects of the rows of a chunk; None where there are no objects."""
    if raw.links is not None:
        return raw.links.objects
    if not scene.has_objects or not isinstance(source, KnowsRowObjects):
        return None
    return source.objects_of_rows(level, chunk)[0]


def _row(
    scene: SceneInfo,
    level: int,
    chunk: Int,
    place: int,
    raw: RawCell,
    row: int,
    objects: Int | None,
) -> StoredRow:
    object_id = None if objects is None else int(objects[row])
    return StoredRow(
        level,
        tuple(chunk.tolist()),
        place,
        tuple(raw.positions[row].astype(float).tolist()),
        {name: _value(scene.attribute(name), found[row]) for name, found in raw.values.items()},
        None if object_id == NO_OBJECT else object_id,
    )


def _value(info: AttributeInfo, stored: Any) -> Value:  # noqa: ANN401 - a number or some
    if info.categories is not None:
        code = int(stored)
        return info.categories[code] if 0 <= code < len(info.categories) else ""
    return tuple(np.atleast_1d(stored).tolist())


def _names(scene: SceneInfo) -> tuple[str, ...]:
    return tuple(info.name for info in scene.attributes if not info.computed)


def _wanted(
    scene: SceneInfo, tree: CellTree, plan: ViewPlan | None, at: npt.NDArray[np.float64]
) -> int | None:
    """Number of the level planned where a vertex is."""
    if plan is None:
        return None
    if plan.level is not None:
        return scene.levels[plan.level].index
    inside = ((tree.lo[plan.target] <= at) & (at <= tree.hi[plan.target])).all(axis=1)
    cells = plan.target[inside]
    return scene.levels[int(tree.level[cells].min())].index if len(cells) else None
