"""In which order to load what is missing."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import Request, Tier
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.planning.error import measure
from zv_viewer.planning.frustum import visible_cells
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.ragged import gather
from zv_viewer.planning.steps import Selection

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

RING = 0.25
"""Width of the ring around the canvas that may be loaded ahead, as a part of its shorter side."""


def requests_for(
    tree: CellTree,
    chosen: Selection,
    visible: Bool,
    resident: Bool,
    camera: Camera,
    *,
    motion: Motion,
    spare_bytes: int,
    room_bytes: int,
    selected: SelectedObjects | None = None,
) -> tuple[Request, ...]:
    """The cells to load, best first.

    First what fills holes: the coarsest cells in view from the middle outwards, then those outside
    if the floor has them all (else they come after the target). Then refined cells that stand for
    their children outside the view, coarse first, and the target by error removed per byte. Then,
    as far as ``spare_bytes`` allow, the next coarser cells and a ring around the canvas.

    Args:
        tree: The cells.
        chosen: The selection.
        visible: (C,) cells in view.
        resident: (C,) cells that need no loading.
        camera: The view.
        motion: Cells the view has left before they arrive are not asked for.
        spare_bytes: Bytes that may be fetched for views to come.
        room_bytes: Bytes of memory they may take.
        selected: Objects whose cells come right after what fills holes, in view first.

    Returns:
        Requests; no cell twice.
    """
    wanted = np.union1d(chosen.target, chosen.floor)
    missing = wanted[~resident[wanted]]
    is_root = tree.parent[missing] < 0
    holes = missing[is_root]
    order = np.lexsort((-chosen.px_per_unit[holes], -chosen.focus[holes], ~visible[holes]))
    holes = holes[order]
    roots = np.flatnonzero(tree.parent < 0)
    few = bool(np.isin(roots, chosen.floor).all())
    later = holes[:0] if few else holes[~visible[holes]]
    holes = holes[: len(holes) - len(later)]
    rest = missing[~is_root]
    of_selected = holes[:0] if selected is None else np.unique(selected.cells)
    of_selected = of_selected[~resident[of_selected] & (tree.parent[of_selected] >= 0)]
    of_selected = of_selected[np.argsort(~visible[of_selected], kind="stable")]
    rest = np.setdiff1d(rest, of_selected)
    in_target = np.isin(rest, chosen.target, assume_unique=True)
    target = _in_time(chosen, rest[in_target], motion)
    target = target[np.argsort(-_gain_per_byte(tree, chosen, target, resident), kind="stable")]
    tiers = [
        (holes, Tier.HOLE),
        (of_selected, Tier.SELECTION),
        (rest[~in_target], Tier.TARGET),
        (target, Tier.TARGET),
        (later, Tier.ZOOM_OUT),
    ]
    if spare_bytes > 0:
        known = resident.copy()
        known[of_selected] = True
        tiers += _ahead(tree, chosen, visible, known, camera, spare_bytes, room_bytes)
    return tuple(
        request for cells, tier in tiers for request in map(Request, cells.tolist(), repeat(tier))
    )


def _gain_per_byte(tree: CellTree, chosen: Selection, cells: Int, resident: Bool) -> Float:
    """Screen error a cell removes, over the pixels it covers, per byte to fetch."""
    shown = tree.parent[cells]
    while True:
        go = (shown >= 0) & ~resident[shown]
        if not go.any():
            break
        shown = np.where(go, tree.parent[shown], shown)
    coarsest = tree.error.max(initial=0.0)
    error = np.where(shown >= 0, tree.error[shown], coarsest)
    removed = np.maximum(error - tree.error[cells], 0) * chosen.px_per_unit[cells]
    worth = removed * chosen.area_in_view[cells] * chosen.focus[cells]
    return np.asarray(worth / np.maximum(tree.fetch_bytes[cells], 1))


def _in_time(chosen: Selection, cells: Int, motion: Motion) -> Int:
    """Without the cells that the picture moves past before they can arrive."""
    if not motion.moving or motion.eta_s <= 0:
        return cells
    return cells[chosen.size_px[cells] >= motion.px_per_s * motion.eta_s]


def _ahead(
    tree: CellTree,
    chosen: Selection,
    visible: Bool,
    resident: Bool,
    camera: Camera,
    spare_bytes: int,
    room_bytes: int,
) -> list[tuple[Int, Tier]]:
    """Cells for views to come, within both limits."""
    known = resident.copy()
    known[chosen.target] = True
    known[chosen.floor] = True
    coarser = tree.parent[chosen.target]
    coarser = np.unique(coarser[coarser >= 0])
    coarser = coarser[~known[coarser]]
    fetched, held = tree.fetch_bytes, tree.nbytes
    fits = (np.cumsum(fetched[coarser]) <= spare_bytes) & (np.cumsum(held[coarser]) <= room_bytes)
    coarser = coarser[fits]
    spare_bytes -= int(fetched[coarser].sum())
    room_bytes -= int(held[coarser].sum())
    around = visible_cells(tree, camera, RING * min(camera.viewport)) & ~visible & ~known
    roots = np.flatnonzero(around & (tree.parent < 0))
    parents = np.unique(tree.parent[chosen.target])
    beside, _ = gather(tree.child_start, tree.child, parents[parents >= 0])
    ring = np.concatenate([roots, beside[around[beside]]])
    focus = measure(camera, tree.lo[ring], tree.hi[ring]).focus
    ring = ring[np.argsort(-focus / np.maximum(tree.fetch_bytes[ring], 1), kind="stable")]
    ring = ring[(np.cumsum(fetched[ring]) <= spare_bytes) & (np.cumsum(held[ring]) <= room_bytes)]
    return [(coarser, Tier.ZOOM_OUT), (ring, Tier.PREFETCH)]
