"""Coarse levels that hold vertices without what joins them."""

from __future__ import annotations

from zarr_vectors.constants import LINKS
from zarr_vectors.core.layouts.base import KeepsLinks
from zarr_vectors.lazy import ZVStore
from zv_viewer.sources.at_once import at_once
from zv_viewer.sources.stale import levels_named


def bare_levels(store: ZVStore) -> list[int]:
    """Levels but the finest that have no links, where the finest has some.

    Not for stores of paths, whose edges are not kept as links.
    """
    finest, *coarser = store.levels
    if LINKS not in store[finest].described.meta.arrays_present:
        return []
    suspects = [n for n in coarser if LINKS not in store[n].described.meta.arrays_present]
    linked = at_once(lambda number: _has_links(store, number), suspects)
    return [number for number, has_some in zip(suspects, linked, strict=True) if not has_some]


def bare_warning(levels: list[int]) -> str:
    """A sentence that names them."""
    return f"{levels_named(levels)} without links, and not shown; build the pyramid again"


def _has_links(store: ZVStore, number: int) -> bool:
    layout: KeepsLinks = store.level_group(number).layout
    return 0 in layout.link_families(str(number))
