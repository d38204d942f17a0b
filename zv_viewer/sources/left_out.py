"""Coarse levels of linked geometry that cannot stand for the finest."""

from __future__ import annotations

from zarr_vectors.constants import LINKS
from zarr_vectors.core.layouts.base import KeepsLinks
from zarr_vectors.lazy import ZVStore
from zv_viewer.sources.at_once import at_once
from zv_viewer.sources.drawable import PATHS, drawn_as, link_width
from zv_viewer.sources.stale import by_reason

NO_LINKS = "nothing joins the vertices"
OTHER_IDS = "objects have other ids than at the finest level"


def levels_left_out(store: ZVStore) -> dict[int, str]:
    """Why a level is not shown: level number -> reason. The finest is, whatever it holds."""
    kind = drawn_as(store.geometry_types)
    if not link_width(kind):
        return {}
    finest, *coarser = store.levels
    found = {}
    if len(store.object_ids):
        found = {n: OTHER_IDS for n in coarser if not store[n].preserves_object_ids}
    if kind not in PATHS and _names_links(store, finest):
        suspects = [n for n in coarser if not _names_links(store, n)]
        linked = at_once(lambda number: _has_links(store, number), suspects)
        found |= {n: NO_LINKS for n, some in zip(suspects, linked, strict=True) if not some}
    return found


def left_out_warnings(reasons: dict[int, str]) -> list[str]:
    """A sentence for each reason, naming the levels it holds for."""
    return by_reason(reasons, "not shown")


def _names_links(store: ZVStore, number: int) -> bool:
    return LINKS in store[number].described.meta.arrays_present


def _has_links(store: ZVStore, number: int) -> bool:
    layout: KeepsLinks = store.level_group(number).layout
    return 0 in layout.link_families(str(number))
