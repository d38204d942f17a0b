"""Where the vertices, objects and links of a coarse level of linked geometry go. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.multiresolution.linked_rows import (
    PATHS,
    Coarser,
    Owners,
    owners_of,
    path_starts,
)
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.edges import link_records, stored_rows, tree_records
from zarr_vectors.writing.route import Manifests, Route, route_objects, route_parts
from zarr_vectors.writing.runs import route_paths


@dataclass(frozen=True, eq=False, slots=True)
class Routed:
    """Where the rows, objects and links of a level go.

    Attributes:
        route: Rows into chunks and fragments.
        stored: (N,) int64 stored row of every row.
        manifests: Fragments of every object slot, or None where there are no objects.
        links: Links to store.
        shared: Whether a fragment belongs to several objects.
    """

    route: Route
    stored: IntArray
    manifests: Manifests | None
    links: LinkRecords
    shared: bool


def route_level(
    made: Coarser, kind: str, target: Target, slots: IntArray | None, *, mark_roots: bool
) -> Routed:
    """Route a level.

    Args:
        made: The level.
        kind: Geometry type.
        target: Its grids.
        slots: (O,) int64 ids of all objects, ascending; None where there are none.
        mark_roots: As of :func:`~zarr_vectors.writing.edges.parent_links`.
    """
    rows = made.rows
    if kind in PATHS:
        assert rows.members is not None  # noqa: S101  paths are objects
        ids, starts = path_starts(rows.members)
        # cut at chunks only: a vertex is alone in its bin, and would be a fragment of its own
        runs = route_paths(rows.positions, starts, target.chunk_shape, ids=ids)
        whole = _with_slots(runs.manifests, ids if slots is None else slots)
        return Routed(runs.route, stored_rows(runs.route), whole, runs.links, False)
    owners = owners_of(rows.members, len(rows.positions))
    if made.heads is None:
        route = route_objects(rows.positions, target.chunk_shape, owners.of_rows)
        stored = stored_rows(route)
        records = link_records(route, stored[rows.links], rows.link_values)
    else:
        # rows lie tree after tree, and a root must be the first of its fragment
        trees = np.cumsum(made.heads < 0) - 1
        route = route_parts(rows.positions, target.chunk_shape, owners.of_rows, trees)
        stored = stored_rows(route)
        edges = stored[rows.links]
        records = tree_records(route, edges, rows.link_values, mark_roots=mark_roots)
    manifests = None if slots is None else _manifests(route, owners, slots)
    return Routed(route, stored, manifests, records, owners.shared)


def _with_slots(manifests: Manifests, slots: IntArray) -> Manifests:
    """The manifests of every slot; those of objects that are not there are empty."""
    counts = np.zeros(len(slots) + 1, np.int64)
    counts[np.searchsorted(slots, manifests.ids) + 1] = np.diff(manifests.starts)
    return replace(manifests, ids=slots, starts=np.cumsum(counts))


def _manifests(route: Route, owners: Owners, slots: IntArray) -> Manifests:
    """Fragments of every slot in ascending chunks.

    Args:
        route: Where rows go, by owner.
        owners: The objects of each owner.
        slots: (O,) int64 ids of all objects, ascending.
    """
    of_fragments = route.fragment_objects
    assert of_fragments is not None  # noqa: S101  routed by owner
    chunk = np.repeat(np.arange(len(route.chunks)), np.diff(route.chunk_fragments))
    number = np.arange(len(of_fragments)) - route.chunk_fragments[chunk]
    by_owner = np.argsort(of_fragments, kind="stable")
    first = np.searchsorted(of_fragments[by_owner], owners.owners, side="left")
    sizes = np.searchsorted(of_fragments[by_owner], owners.owners, side="right") - first
    take = np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    blocks, owner = by_owner[take], np.repeat(owners.objects, sizes)
    order = np.lexsort((blocks, owner))
    blocks, owner = blocks[order], owner[order]
    starts = np.append(np.searchsorted(owner, slots), len(owner)).astype(np.int64)
    return Manifests(slots, starts, route.chunks[chunk[blocks]], number[blocks])
