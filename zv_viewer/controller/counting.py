"""How many vertices of a level a filter keeps, chunk by chunk, in a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.links import object_ranks
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.rows import RowFilter, rows_of
from zv_viewer.sources.base import ChunkSource, KnowsAttributes

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]

AT_ONCE = 32
"""Chunks read in one go."""

QUICK = 100_000
"""Vertices of a level that is counted without asking."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Vertices a filter keeps of all of a level.

    Args:
        kept: How many.
        of: Of how many.
        level: Number of the level in the store.
        lacks: Attributes the filter looks at that the level does not have.
    """

    kept: int
    of: int
    level: int
    lacks: tuple[str, ...] = ()


def count_rows(
    source: ChunkSource,
    scene: SceneInfo,
    position: int,
    kept_by: RowFilter,
    shown: Bool | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Counted:
    """Count; exact for the level: of a coarse level it says little of level 0.

    Chunks that can hold no such vertex are not read. A vertex that several objects share counts
    once.

    Args:
        source: The store.
        scene: Its description.
        position: Of the level in ``SceneInfo.levels``.
        kept_by: The filter.
        shown: (O,) objects that count; None: all.
        progress: Told the share that is done; what it raises ends the counting.

    Raises:
        ZVError: A chunk cannot be read.
    """
    level = scene.levels[position]
    may = kept_by.may_hold(scene, *_boxes(scene, level))
    of = int(level.counts[~may].sum())
    kept, chunks, lacks = 0, level.chunks[may], set[str]()
    for first in range(0, len(chunks), AT_ONCE):
        progress(first / len(chunks))
        raw = source.read(level.index, chunks[first : first + AT_ONCE], kept_by.attributes)
        lacks.update(name for name in kept_by.attributes if name not in raw.values)
        keeps = kept_by.keeps(rows_of(scene, raw.positions, raw.values))
        if raw.links is None:
            kept += int(keeps.sum())
            of += len(keeps)
            continue
        if shown is not None:
            keeps &= shown[object_ranks(scene.objects, raw.links.objects)]
        kept += len(np.unique(raw.links.stored[keeps]))
        of += raw.links.stored_count
    progress(1.0)
    return Counted(kept, of, level.index, tuple(sorted(lacks)))


def _boxes(scene: SceneInfo, level: LevelInfo) -> tuple[Float, Float]:
    """(M, D) corners of chunks, and a little more: a row may lie beside a face by rounding."""
    size = np.where(np.isfinite(level.chunk_shape), level.chunk_shape, 1.0)
    low = level.chunks[:, -scene.ndim :] * size
    slack = (np.abs(scene.bounds).max(axis=0) + size) * 1e-6
    whole = ~np.isfinite(level.chunk_shape)
    return (
        np.where(whole, -np.inf, low - slack),
        np.where(whole, np.inf, low + size + slack),
    )


def quick_level(scene: SceneInfo, most: int = QUICK) -> int:
    """Position of the finest level of at most so many vertices, else of the coarsest."""
    sizes = [level.vertex_count for level in scene.levels]
    small = [position for position, size in enumerate(sizes) if size <= most]
    return small[0] if small else len(sizes) - 1


def lacking_levels(
    source: ChunkSource, scene: SceneInfo, kept_by: RowFilter
) -> dict[int, tuple[str, ...]]:
    """Numbers of the levels without attributes that a filter looks at, and the names of these."""
    if not isinstance(source, KnowsAttributes):
        return {}
    found = {}
    for level in scene.levels:
        lacks = tuple(sorted(set(kept_by.attributes) - source.attributes_of(level.index)))
        if lacks:
            found[level.index] = lacks
    return found
