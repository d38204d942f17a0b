"""A pyramid built in memory for a box, and what is known of its levels then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from zarr.storage import MemoryStore

from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zv_viewer.model.camera import Camera
from zv_viewer.model.settings import LodSettings
from zv_viewer.sources.drawable import drawn_as, link_width
from zv_viewer.sources.store import StoreSource
from zv_viewer.what_if.box import Box, rows_in
from zv_viewer.what_if.levels import BoxLevel, switches_of, told, weight_of
from zv_viewer.what_if.part import write_part
from zv_viewer.what_if.question import Question
from zv_viewer.what_if.whole import WholeLevel, whole_count

Progress = Callable[[int, int, str], None]

MOST_VERTICES = 1_000_000
"""Vertices of a box at most, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a question.

    Args:
        levels: Its levels in the box, the finest among them.
        vertices: Those it was asked of.
        of: Vertices of the store.
        whole: What its levels above the finest come to for the whole store.
        notes: What was left out, a sentence each.
    """

    levels: tuple[BoxLevel, ...]
    vertices: int
    of: int
    whole: tuple[WholeLevel, ...]
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
    level = store[store.levels[0]]
    rows = rows_in(level, box.chunks, linked=linked)
    place = MemoryStore()
    write_part(place, store, level, kind, rows, box)
    arguments: dict[str, Any] = question.arguments()
    build_pyramid(place, **arguments, progress=progress, cancelled=cancelled)
    notes = []
    if linked and len(rows.open_rows):
        notes.append(f"{len(rows.open_rows):,} edges or faces that leave the box are left out")
    if not linked and any(sparsity > 1 for _, sparsity in question.factors):
        notes.append("plain points are not thinned by sparsity here")
    source = StoreSource(place)
    switches = switches_of(source.describe(), box, camera, settings)
    source.close()
    built = open_zv(place)
    levels, whole = [], [WholeLevel(0, box.of, 0.0)]
    for number in built.levels:
        own, weight = built[number], weight_of(place, number, linked=linked)
        levels.append(
            told(
                own,
                vertices=own.vertex_count,
                nbytes=weight.whole,
                objects=len(own.present_oids) if linked else 0,
                chunks=own.chunk_count,
                switch=switches.get(number),
            )
        )
        if number:
            coarse = box.counted(own.vertices.compute())
            count = whole_count(box.all_counts, box.counts, coarse)
            below = whole[-1].vertices / max(levels[-2].vertices, 1)
            nbytes = (
                weight.rows * count / max(own.vertex_count, 1)
                + weight.between * below
                + weight.chunks * box.growth(np.asarray(own.chunk_shape))
                + weight.once
            )
            whole.append(WholeLevel(number, count, nbytes))
    return Trial(tuple(levels), len(rows.positions), box.of, tuple(whole[1:]), tuple(notes))
