"""Where the vertices, objects and links of a batch of objects go in a coarse level. Pure."""

from __future__ import annotations

from dataclasses import dataclass

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
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.edges import link_records, stored_rows, tree_records
from zarr_vectors.writing.route import Manifests, Route, route_objects
from zarr_vectors.writing.runs import route_paths


@dataclass(frozen=True, eq=False, slots=True)
class Routed:
    """Where the rows, objects and links of a batch go, as if it were the whole level.

    Attributes:
        route: Rows into chunks and fragments.
        manifests: Fragments of every object that has some, or None where there are no objects.
        links: Links to store, those of the least chunk first, each chunk's in ascending object.
        chunks: (M, W) int64 chunk of the route of every end of the links.
        shared: Whether a fragment belongs to several objects.
    """

    route: Route
    manifests: Manifests | None
    links: LinkRecords
    chunks: IntArray
    shared: bool


def route_batch(
    made: Coarser,
    kind: str,
    target: Target,
    *,
    mark_roots: bool,
    objects: bool,
    cut: tuple[float, ...] | None = None,
) -> Routed:
    """Route a batch.

    Args:
        made: Its rows, objects and links.
        kind: Geometry type.
        target: Grids of the level.
        mark_roots: As of :func:`~zarr_vectors.writing.edges.parent_links`.
        objects: Whether there are objects.
        cut: Bins that paths are cut at as well as at chunks. In a coarse level a vertex is alone in
            its bin, and would be a fragment of its own.
    """
    rows = made.rows
    if kind in PATHS:
        assert rows.members is not None  # noqa: S101  paths are objects
        ids, starts = path_starts(rows.members)
        runs = route_paths(rows.positions, starts, target.chunk_shape, cut, ids=ids)
        links = runs.links().records()
        return _sorted(Routed(runs.by_row(), runs.manifests(), links, _NONE, False))
    owners = owners_of(rows.members, len(rows.positions))
    if made.heads is None:
        route = route_objects(rows.positions, target.chunk_shape, owners.of_rows)
        records = link_records(route, stored_rows(route)[rows.links], rows.link_values)
    else:
        # rows lie tree after tree, and a root must be the first of its fragment
        trees = np.cumsum(made.heads < 0) - 1
        route = route_objects(rows.positions, target.chunk_shape, owners.of_rows, parts=trees)
        edges = stored_rows(route)[rows.links]
        records = tree_records(
            route,
            edges,
            rows.link_values,
            mark_roots=mark_roots,
            owners=owners.of_rows[route.order],
        )
    manifests = _manifests(route, owners) if objects else None
    return _sorted(Routed(route, manifests, records, _NONE, owners.shared))


def with_slots(manifests: Manifests, slots: IntArray) -> Manifests:
    """The manifests of every slot; those of objects that are not there are empty."""
    counts = np.zeros(len(slots) + 1, np.int64)
    counts[np.searchsorted(slots, manifests.ids) + 1] = np.diff(manifests.starts)
    return Manifests(slots, np.cumsum(counts), manifests.chunks, manifests.fragments)


_NONE = np.zeros((0, 2), np.int64)


def _sorted(routed: Routed) -> Routed:
    """The same with its links by their least chunk."""
    links, coords = routed.links, routed.route.chunks
    count, width = links.rows.shape
    ranks = chunk_ranks(links.chunks.reshape(count * width, coords.shape[1]), coords)
    chunks = ranks.reshape(count, width)
    order = np.argsort(chunks.min(axis=1), kind="stable")
    moved = LinkRecords(
        links.chunks[order],
        links.rows[order],
        {name: values[order] for name, values in links.attributes.items()},
    )
    return Routed(routed.route, routed.manifests, moved, chunks[order], routed.shared)


def _manifests(route: Route, owners: Owners) -> Manifests:
    """Fragments of every object in ascending chunks.

    Args:
        route: Where rows go, by owner.
        owners: The objects of each owner.
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
    ids = np.unique(owner)
    starts = np.append(np.searchsorted(owner, ids), len(owner)).astype(np.int64)
    return Manifests(ids, starts, route.chunks[chunk[blocks]], number[blocks])
