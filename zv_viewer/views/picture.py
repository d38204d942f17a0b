"""Which chunks a picture shows, and how many rows of each."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import numpy.typing as npt

from zv_viewer.controller import LodController
from zv_viewer.layers.object_states import ObjectStates
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.session import StoreSession
from zv_viewer.state.manifest import DrawnChunk, DrawnStore
from zv_viewer.views.places import plain_address

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

PROGRAMS = ("zv-viewer", "napari", "vispy", "numpy")


def drawn_store(session: StoreSession, printed: Fingerprint) -> DrawnStore:
    """What the layer of a store draws now, chunk by chunk, finest level first."""
    scene, controller = session.scene, session.controller
    if scene is None or controller is None:
        raise RuntimeError(f"{session.path} is not open")
    found = list(_chunks(scene, controller, states_of(session)))
    found.sort(key=lambda one: (one.level, one.chunk))
    return DrawnStore(plain_address(scene.url), printed, tuple(found))


def drawn_by(renderer: str) -> dict[str, str]:
    """Versions of the programs that make a picture."""
    known = {"python": ".".join(map(str, sys.version_info[:3])), "renderer": renderer}
    for name in PROGRAMS:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            known[name] = "unknown"
    return known


def states_of(session: StoreSession) -> ObjectStates | None:
    """Levels and looks of the objects of a layer; None where it has none."""
    scene, controller, layer = session.scene, session.controller, session.layer
    if scene is None or controller is None or not hasattr(layer, "object_looks"):
        return None
    if not scene.has_objects:
        return None
    states = ObjectStates(len(scene.objects))
    levels = controller.drawn.object_levels
    if levels is not None:
        states.set_levels(levels)
    states.set_looks(layer.object_looks)
    return states


def rows_drawn(arrays: CellArrays, item: DrawItem, states: ObjectStates | None) -> Bool:
    """(N,) which rows of a cell are in the picture."""
    drawn = np.ones(len(arrays), bool)
    if item.parts is not None:
        drawn[:] = False
        for part in item.parts:
            drawn[arrays.part_start[part] : arrays.part_start[part + 1]] = True
    if arrays.kept is not None:
        drawn &= arrays.kept
    if arrays.links is not None and states is not None:
        level = np.full(len(arrays), arrays.links.level, np.uint8)
        drawn &= states.drawn(arrays.links.objects, level)
    elif arrays.objects is not None and states is not None:
        drawn &= states.seen(arrays.objects)
    return drawn


def chunks_of_rows(scene: SceneInfo, tree: CellTree, arrays: CellArrays) -> tuple[Int, Int]:
    """Where the rows of a cell come from.

    Returns:
        (K,) rows of ``LevelInfo.chunks``, and (N,) which of these each row of the cell is of.
    """
    level = scene.levels[int(tree.level[arrays.cell])]
    chunks = tree.chunks(arrays.cell)
    if len(chunks) == 1:
        return chunks, np.zeros(len(arrays), np.int64)
    ends = np.cumsum(level.counts[chunks])
    if level.counts_exact and len(arrays) and int(arrays.order.max()) < ends[-1]:
        return chunks, np.searchsorted(ends, arrays.order, side="right")
    return chunks, _by_place(scene, level, chunks, arrays)


def _chunks(
    scene: SceneInfo, controller: LodController, states: ObjectStates | None
) -> Iterator[DrawnChunk]:
    drawn, tree, plan = controller.drawn, controller.tree, controller.plan
    for arrays, item in zip(drawn.cells, drawn.items, strict=True):
        level = scene.levels[int(tree.level[arrays.cell])]
        mask = rows_drawn(arrays, item, states)
        chunks, of = chunks_of_rows(scene, tree, arrays)
        in_view = plan is not None and bool(plan.visible[arrays.cell])
        for place, chunk in enumerate(chunks.tolist()):
            rows = np.flatnonzero(mask & (of == place))
            if len(rows):
                yield DrawnChunk(
                    level.index,
                    tuple(level.chunks[chunk].tolist()),
                    len(rows),
                    in_view,
                    _digest(arrays, rows),
                )


def _digest(arrays: CellArrays, rows: Int) -> str:
    rows = rows[np.argsort(arrays.order[rows], kind="stable")]
    found = hashlib.sha256(np.ascontiguousarray(arrays.positions[rows]).tobytes())
    if arrays.sizes is not None:
        found.update(np.ascontiguousarray(arrays.sizes[rows]).tobytes())
    if arrays.values is not None:
        found.update(np.ascontiguousarray(arrays.values[rows]).tobytes())
    return found.hexdigest()[:16]


def _by_place(scene: SceneInfo, level: LevelInfo, chunks: Int, arrays: CellArrays) -> Int:
    """(N,) the chunk each row lies in, the nearest where it lies in none."""
    ndim = scene.ndim
    world = arrays.positions[:, :ndim].astype(np.float64) + scene.origin
    low = level.chunks[chunks, -ndim:] * level.chunk_shape
    away = np.zeros((len(world), len(chunks)))
    for axis in range(ndim):
        beyond = world[:, axis, None] - low[None, :, axis]
        away += np.maximum(np.maximum(-beyond, beyond - level.chunk_shape[axis]), 0) ** 2
    return np.asarray(away.argmin(axis=1))
