"""A pyramid built in memory for a box, and what is known of its levels then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from zarr.storage import MemoryStore

from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.reading.linked_chunks import LinkedChunks
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines
from zv_viewer.model.camera import Camera
from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning import build_cells, plan_view
from zv_viewer.planning.switching import Switch, switch_of
from zv_viewer.sources.drawable import drawn_as, link_width
from zv_viewer.sources.store import StoreSource
from zv_viewer.what_if.box import Box, paths_of, rows_in
from zv_viewer.what_if.question import Question

Float = npt.NDArray[np.float64]
Progress = Callable[[int, int, str], None]

MOST_VERTICES = 1_000_000
"""Vertices of a box at most, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class TrialLevel:
    """A level of a pyramid that was tried.

    Args:
        level: Its number.
        vertices: Vertices.
        nbytes: Bytes of all its arrays as stored.
        objects: Objects that have some there; 0 where there are none.
        chunks: Chunks.
        error_p50: Distance of level-0 vertices to what stands for them, world units: the median,
            95 % of them, the largest; None at level 0.
        error_p95: Likewise.
        error_max: Likewise.
        switch: Where it is left for a finer one in the middle of the box; None where it never is.
    """

    level: int
    vertices: int
    nbytes: int
    objects: int
    chunks: int
    error_p50: float | None
    error_p95: float | None
    error_max: float | None
    switch: Switch | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a question, level by level, and the vertices it was asked of."""

    levels: tuple[TrialLevel, ...]
    vertices: int
    of: int
    notes: tuple[str, ...] = ()


def try_pyramid(
    store: ZVStore,
    box: Box,
    question: Question,
    camera: Camera,
    settings: LodSettings,
    *,
    progress: Progress = lambda done, total, text: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Trial:
    """Build a pyramid of a box in memory; the store is read, never written.

    Objects are cut where the box ends, and the objects of plain points are not told apart.

    Args:
        store: The store.
        box: Chunks of its finest level.
        question: The pyramid.
        camera: A view, for its direction and canvas.
        settings: Quality and caps by which levels are chosen.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked now and then.

    Raises:
        CoarseningError: The pyramid cannot be built, or the work was cancelled.
        StoreError: The store cannot be read.
    """
    kind = drawn_as(store.geometry_types)
    linked = link_width(kind) > 0
    progress(0, 1, f"reading {box.vertices:,} vertices")
    rows = rows_in(store, box, linked=linked)
    place = MemoryStore()
    _write(place, store, kind, rows, box)
    build_pyramid(
        place,
        **_arguments(question),
        progress=progress,
        cancelled=cancelled,
    )
    notes = []
    if linked and len(rows.open_rows):
        notes.append(f"{len(rows.open_rows):,} edges or faces that leave the box are left out")
    if not linked and any(sparsity > 1 for _, sparsity in question.factors):
        notes.append("plain points are not thinned by sparsity here")
    built = open_zv(place)
    switches = _switches(place, box, camera, settings)
    levels = tuple(
        _told(built, place, number, switches.get(number), linked=linked) for number in built.levels
    )
    return Trial(levels, len(rows.positions), box.of, tuple(notes))


def _arguments(question: Question) -> dict[str, Any]:
    return dict(question.arguments())


def _write(place: MemoryStore, store: ZVStore, kind: str, rows: LinkedChunks, box: Box) -> None:
    level = store[store.levels[0]]
    options: dict[str, Any] = {
        "chunk_shape": level.chunk_shape,
        "bin_shape": store.bin_shape,
        "bounds": (box.bounds[0].tolist(), box.bounds[1].tolist()),
        "dtype": level.vertex_dtype,
        "format_version": store.zv_version,
        "out_of_bounds": "expand",
    }
    positions, values = rows.positions, rows.attributes
    objects: dict[str, Any] = {}
    if (rows.objects >= 0).all() and len(rows.objects):
        objects["object_ids"] = np.unique(rows.objects, return_inverse=True)[1]
    if link_width(kind) == 0:
        write_points(place, positions, vertex_attributes=values, **options)
    elif kind == "line":
        ends = {name: value[rows.links] for name, value in values.items()}
        write_lines(place, positions[rows.links], vertex_attributes=ends, **options)
    elif kind in ("polyline", "streamline"):
        paths = paths_of(rows.links, len(positions))
        along: Any = {name: [value[path] for path in paths] for name, value in values.items()}
        lines = [positions[path] for path in paths]
        write_polylines(place, lines, geometry_type=kind, vertex_attributes=along, **options)
    elif kind == "mesh":
        write_mesh(place, positions, rows.links, vertex_attributes=values, **objects, **options)
    else:
        write_graph(
            place, positions, rows.links, kind=kind, vertex_attributes=values, **objects, **options
        )


def _switches(
    place: MemoryStore, box: Box, camera: Camera, settings: LodSettings
) -> dict[int, Switch]:
    """Number of a level -> where it is left for a finer one, seen in the middle of the box."""
    source = StoreSource(place)
    scene = source.describe()
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
    source.close()
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


def _told(
    built: ZVStore, place: MemoryStore, number: int, switch: Switch | None, *, linked: bool
) -> TrialLevel:
    level = built[number]
    error = level.error if number else None
    kept = place._store_dict  # noqa: SLF001 - zarr has no public word for the bytes of one
    return TrialLevel(
        level=number,
        vertices=level.vertex_count,
        nbytes=sum(len(value) for key, value in kept.items() if key.startswith(f"{number}/")),
        objects=len(level.present_oids) if linked else 0,
        chunks=level.chunk_count,
        error_p50=None if error is None else error.p50,
        error_p95=None if error is None else error.p95,
        error_max=None if error is None else error.max,
        switch=switch,
    )
