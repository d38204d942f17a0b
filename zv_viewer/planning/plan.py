"""Plan one view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning.budget import BYTES_SHARE, Caps
from zv_viewer.planning.cell_objects import CellObjects
from zv_viewer.planning.demand import Demand
from zv_viewer.planning.frustum import visible_cells
from zv_viewer.planning.joined import with_joined
from zv_viewer.planning.level_per_cell import LevelPerCell
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.one_level import OneLevel
from zv_viewer.planning.priority import requests_for
from zv_viewer.planning.selected import SELECTION_SHARE, affordable, cells_of
from zv_viewer.planning.steps import Selection
from zv_viewer.planning.viewed import NONE, cost, union

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

MARGIN_PX = 8.0
"""The canvas is planned this much larger on every side, for points that reach into it."""

AROUND_PX = 32.0
"""Whole objects are planned this much further still, and as far as the camera goes meanwhile."""

AHEAD_S = 0.3
"""Time for which the way of the camera is planned where it is not known how long loads take."""

AROUND_SHARE = 0.25
"""Most of it, as a part of the canvas' shorter side."""

FULL_SHARE = 0.85
"""What a moving camera may start to load at one level: more would soon be too much."""

BESIDE_SLAB = 1.0
"""Cells on either side of the slab that whole objects are planned from."""


def plan_view(
    tree: CellTree,
    scene: SceneInfo,
    camera: Camera,
    settings: LodSettings,
    resident: npt.NDArray[np.bool_] | None = None,
    previous: ViewPlan | None = None,
    *,
    motion: Motion | None = None,
    spare_bytes: int = 0,
    selected: SelectedObjects | None = None,
    content: Mapping[int, CellObjects] | None = None,
) -> ViewPlan:
    """What a view should show and what to load for it; equal arguments give equal plans.

    Where rows belong to objects there is one level for the whole view, else one for each cell. An
    object falls back to a coarser level when a cell it runs through comes into view and is not
    there; so its cells are planned from a little outside the view, where nothing waits for them,
    and cells that links in view run into, however far, as soon as these are known.

    Objects that are to be shown at the finest level whatever the view have their cells beside the
    target, as many objects as fit into ``SELECTION_SHARE`` of the caps; none where a level is
    locked.

    Args:
        tree: The cells of ``scene``.
        scene: The store.
        camera: The view.
        settings: Budget, quality, lock and switches.
        resident: (C,) bool, cells that need no loading; None: none are there.
        previous: The plan before, for hysteresis.
        motion: How the camera moves.
        spare_bytes: Bytes that may be fetched for views to come; 0 asks for this view only.
        selected: Objects to be shown at the finest level.
        content: The objects of linked cells in memory; None: of none.

    Returns:
        The plan. The cells of ``target``, ``floor`` and ``extra`` together stay within the vertex
        cap and within the share of the byte cap that plans may fill.

    Raises:
        ValueError: ``settings.level_lock`` names a level the store does not have.
    """
    motion = motion or Motion()
    if resident is None:
        resident = np.zeros(len(tree), bool)
    visible = visible_cells(tree, camera, MARGIN_PX)
    choice = OneLevel if scene.by_object else LevelPerCell
    level = _position(scene, settings.level_lock)
    around = seen_or_beside(tree, scene, camera, motion) if scene.by_object else visible
    asked = _asked_for(scene, settings, selected, around)

    def select(budget: Budget) -> Selection:
        limited = replace(settings, budget=budget)
        found = choice(tree, around, camera, limited, previous, motion).select(level)
        if not (scene.by_object and content):
            return found
        return with_joined(tree, found, visible, content, Caps.of(budget))

    def within(budget: Budget) -> Selection:
        found = select(budget)
        if level is not None or found.level is None or not motion.moving:
            return found
        caps, coarsest = Caps.of(budget), np.flatnonzero(around & (tree.parent < 0))
        if (
            caps.hold(*cost(tree, found.target), FULL_SHARE)
            or not caps.hold(*cost(tree, coarsest), FULL_SHARE)
            or resident[found.target].all()
            or _under_way(tree, found, previous, resident, caps)
        ):
            return found
        return select(budget.part(FULL_SHARE))

    chosen = within(settings.budget)
    extra, taken = NONE, asked
    if asked is not None and (chosen.level != 0 or chosen.refused):
        fits = affordable(tree, asked, _room_for_selected(tree, around, settings))
        taken = asked.taken(fits)
        chosen = within(_less(settings.budget, tree, cells_of(taken)))
        extra = np.setdiff1d(cells_of(taken), np.union1d(chosen.target, chosen.floor))
    target = chosen.target
    planned = union(target, chosen.floor, extra)
    room = Caps.of(settings.budget).bytes - int(tree.nbytes[planned].sum())
    finest = tree.ids_of_level(0)
    return ViewPlan(
        visible=visible,
        target=target,
        floor=chosen.floor,
        requests=requests_for(
            tree,
            chosen,
            visible,
            resident,
            camera,
            motion=motion,
            spare_bytes=spare_bytes,
            room_bytes=room,
            selected=taken,
        ),
        tau_px=chosen.tau_px,
        vertices=int(tree.count[target].sum()),
        nbytes=int(tree.nbytes[target].sum()),
        refused_by_budget=chosen.refused,
        limited_by=chosen.limited_by,
        vertices_in_view_level0=int(tree.count[finest][visible[finest]].sum()),
        error_px=chosen.error_px[target],
        level=chosen.level if scene.by_object else None,
        extra=extra,
        selected=taken,
        selected_refused=0 if asked is None or taken is None else len(asked) - len(taken),
        moving=motion.moving,
    )


def view_demand(
    tree: CellTree,
    scene: SceneInfo,
    camera: Camera,
    settings: LodSettings,
    previous: ViewPlan | None = None,
    *,
    layers: int,
    motion: Motion | None = None,
    selected: SelectedObjects | None = None,
) -> Demand:
    """What a view asks of caps that several layers share; what :func:`plan_view` then takes.

    Args:
        tree: The cells of ``scene``.
        scene: The store.
        camera: The view.
        settings: The caps of all layers together; quality, lock and switches of this one.
        previous: The plan before.
        layers: How many share the caps.
        motion: How the camera moves.
        selected: Objects to be shown at the finest level.
    """
    motion = motion or Motion()
    around = seen_or_beside(tree, scene, camera, motion)
    choice = OneLevel if scene.by_object else LevelPerCell
    level = _position(scene, settings.level_lock)
    asks = choice(tree, around, camera, settings, previous, motion).demand(layers, level)
    asked = _asked_for(scene, settings, selected, around)
    if asked is None:
        return asks
    fits = affordable(tree, asked, _room_for_selected(tree, around, settings))
    vertices, nbytes = cost(tree, cells_of(asked.taken(fits)))
    # Of its share a layer gives only a part to what is selected.
    return asks.first(int(vertices / SELECTION_SHARE), int(nbytes / SELECTION_SHARE))


def _under_way(
    tree: CellTree, chosen: Selection, previous: ViewPlan | None, resident: Bool, caps: Caps
) -> bool:
    """Whether much of this level is being loaded already: to leave it would be waste."""
    if previous is None or chosen.level != previous.level:
        return False
    missing = previous.target[~resident[previous.target]]
    return not caps.hold(*cost(tree, missing), 1 - FULL_SHARE)


def _asked_for(
    scene: SceneInfo,
    settings: LodSettings,
    selected: SelectedObjects | None,
    around: Bool,
) -> SelectedObjects | None:
    """The objects to be shown at the finest level, with their cells in or around the view."""
    if selected is None or not scene.by_object or settings.level_lock is not None:
        return None
    return selected.within(around)


def _room_for_selected(tree: CellTree, around: Bool, settings: LodSettings) -> Caps:
    """What their cells may take: a part of the caps, and nothing that the coarsest cells need."""
    caps = Caps.of(settings.budget)
    left = caps.less(*cost(tree, np.flatnonzero(around & (tree.parent < 0))))
    part = caps.part(SELECTION_SHARE)
    return Caps(min(part.vertices, left.vertices), min(part.bytes, left.bytes))


def _less(budget: Budget, tree: CellTree, cells: npt.NDArray[np.int64]) -> Budget:
    """A budget that leaves room for some cells."""
    vertices, nbytes = cost(tree, cells)
    memory = budget.bytes - math.ceil(nbytes / BYTES_SHARE)
    return Budget(max(budget.vertices - vertices, 1), max(memory, 1))


def seen_or_beside(tree: CellTree, scene: SceneInfo, camera: Camera, motion: Motion) -> Bool:
    """(C,) the cells a view is planned from.

    Links run from cell to cell: one of a cell beside the slab may lie in it, as far as it runs no
    farther than to the next.
    """
    if not scene.by_object:
        return visible_cells(tree, camera, MARGIN_PX)
    return visible_cells(tree, camera, around_px(camera, motion), cells_beyond=BESIDE_SLAB)


def around_px(camera: Camera, motion: Motion) -> float:
    """How much larger than the canvas, on every side, whole objects are planned."""
    speed = max(motion.px_per_s, motion.lately_px_per_s) * motion.moving
    ahead = AROUND_PX + speed * max(motion.eta_s, AHEAD_S)
    return MARGIN_PX + min(ahead, AROUND_SHARE * min(camera.viewport))


def _position(scene: SceneInfo, level_lock: int | None) -> int | None:
    """Where the locked level stands among the scene's levels."""
    if level_lock is None:
        return None
    numbers = [level.index for level in scene.levels]
    if level_lock not in numbers:
        has = ", ".join(str(number) for number in numbers)
        raise ValueError(f"{scene.name} has no level {level_lock}; it has {has}")
    return numbers.index(level_lock)
