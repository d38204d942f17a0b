"""Plan one view."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning.budget import Caps
from zv_viewer.planning.demand import Demand
from zv_viewer.planning.frustum import visible_cells
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.one_level import level_demand, select_level
from zv_viewer.planning.priority import requests_for
from zv_viewer.planning.select import demand, select

Bool = npt.NDArray[np.bool_]

MARGIN_PX = 8.0
"""The canvas is planned this much larger on every side, for points that reach into it."""

AROUND_PX = 32.0
"""Whole objects are planned this much further still, and as far as the camera goes meanwhile."""

AHEAD_S = 0.3
"""Time for which the way of the camera is planned where it is not known how long loads take."""

AROUND_SHARE = 0.25
"""Most of it, as a part of the canvas' shorter side."""

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
) -> ViewPlan:
    """What a view should show and what to load for it; equal arguments give equal plans.

    Where rows belong to objects there is one level for the whole view, else one for each cell. An
    object falls back to a coarser level when a cell it runs through comes into view and is not
    there; so its cells are planned from a little outside the view, where nothing waits for them.

    Args:
        tree: The cells of ``scene``.
        scene: The store.
        camera: The view.
        settings: Budget, quality, lock and switches.
        resident: (C,) bool, cells that need no loading; None: none are there.
        previous: The plan before, for hysteresis.
        motion: How the camera moves.
        spare_bytes: Bytes that may be fetched for views to come; 0 asks for this view only.

    Returns:
        The plan. The cells of ``target`` and ``floor`` together stay within the vertex cap and
        within the share of the byte cap that plans may fill.

    Raises:
        ValueError: ``settings.level_lock`` names a level the store does not have.
    """
    motion = motion or Motion()
    if resident is None:
        resident = np.zeros(len(tree), bool)
    visible = visible_cells(tree, camera, MARGIN_PX)
    choose = select_level if scene.by_object else select
    chosen = choose(
        tree,
        seen_or_beside(tree, scene, camera, motion) if scene.by_object else visible,
        camera,
        settings,
        locked=_position(scene, settings.level_lock),
        previous=previous,
        motion=motion,
    )
    target = chosen.target
    room = Caps.of(settings.budget).bytes - int(tree.nbytes[np.union1d(target, chosen.floor)].sum())
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
        ),
        tau_px=chosen.tau_px,
        vertices=int(tree.count[target].sum()),
        nbytes=int(tree.nbytes[target].sum()),
        refused_by_budget=chosen.refused,
        limited_by=chosen.limited_by,
        vertices_in_view_level0=int(tree.count[finest][visible[finest]].sum()),
        error_px=chosen.error_px[target],
        level=chosen.level if scene.by_object else None,
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
    """
    motion = motion or Motion()
    ask = level_demand if scene.by_object else demand
    return ask(
        tree,
        seen_or_beside(tree, scene, camera, motion),
        camera,
        settings,
        layers=layers,
        locked=_position(scene, settings.level_lock),
        previous=previous,
        motion=motion,
    )


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
    ahead = AROUND_PX + motion.px_per_s * max(motion.eta_s, AHEAD_S) * motion.moving
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
