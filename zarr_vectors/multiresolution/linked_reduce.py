"""One batch of objects made coarser: rows in, rows of the next level out, and where they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.multiresolution.cross_level import composed
from zarr_vectors.multiresolution.linked_routes import Routed, route_batch
from zarr_vectors.multiresolution.linked_rows import PATHS, Coarser, LinkedRows, coarser
from zarr_vectors.multiresolution.steps import Members, Target, kept_members
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.edges import stored_rows
from zarr_vectors.writing.order import dense_ranks
from zarr_vectors.writing.route import Route


@dataclass(frozen=True, eq=False, slots=True)
class BatchJob:
    """What is needed to make a batch coarser; can be sent to another process.

    Attributes:
        rows: The batch.
        values: Attributes of its rows.
        kept: (O,) int64 ids of the objects that stay, ascending; None for all.
        kind: Geometry type.
        target: Grids of the level to make.
        how: Attribute of rows -> how values are reduced.
        link_how: Attribute of links -> how values are reduced.
        offset: D floats near the data: sums are taken from here.
        mark_roots: As of :func:`~zarr_vectors.writing.edges.parent_links`.
        most: Vertices to make of it, or None for one in each bin.
    """

    rows: LinkedRows
    values: Mapping[str, AnyArray]
    kept: IntArray | None
    kind: str
    target: Target
    how: Mapping[str, reduce.Aggregation]
    link_how: Mapping[str, reduce.Aggregation]
    offset: tuple[float, ...]
    mark_roots: bool
    most: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class BatchResult:
    """A batch of the next level, rows as its route stores them.

    Attributes:
        routed: Where rows, objects and links go; the order of its route is that of the rows.
        rows: The batch.
        values: Attributes of its rows.
        parents: (N,) int64 row for every row of the batch before, -1 for none.
        lengths: (Q,) float64 world units: for each object with links, what they add up to.
        joined: Number of those links.
    """

    routed: Routed
    rows: LinkedRows
    values: dict[str, AnyArray]
    parents: IntArray
    lengths: FloatArray
    joined: int


def reduce_batch(job: BatchJob) -> BatchResult:
    """Make a batch coarser.

    Raises:
        ArrayError: A skeleton that is no forest.
    """
    rows = job.rows
    kept = rows.members
    if kept is not None and job.kept is not None:
        kept = kept_members(kept, job.kept)
    made = coarser(rows, kept, job.kind, job.target.bin_shape, job.link_how, job.offset, job.most)
    routed = route_batch(
        made, job.kind, job.target, mark_roots=job.mark_roots, objects=rows.members is not None
    )
    live = made.parents >= 0
    inner, count = made.parents, len(made.rows.positions)
    values, weights = job.values, rows.weights
    if not live.all():
        inner = inner[live]
        values = {name: column[live] for name, column in values.items()}
        weights = None if weights is None else weights[live]
    reduced = {
        name: reduce.reduce_values(column, inner, count, job.how[name], weights)
        for name, column in values.items()
    }
    return as_stored(made, reduced, routed, job.kind)


def joined_rows(rows: LinkedRows, kind: str) -> IntArray:
    """(M, 2) int64 rows that edges join."""
    if kind in PATHS:
        if rows.members is None:
            return np.zeros((0, 2), np.int64)
        at = np.flatnonzero(rows.members.objects[1:] == rows.members.objects[:-1])
        return np.stack([rows.members.rows[at], rows.members.rows[at + 1]], axis=1)
    if kind == "mesh":
        faces = rows.links
        return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return rows.links


def link_lengths(positions: FloatArray, links: IntArray) -> FloatArray:
    """(M,) float64 world units.

    Args:
        positions: (N, D) float.
        links: (M, 2) int64 rows.
    """
    moved = positions.take(links[:, 1], axis=0).astype(np.float64)
    moved -= positions.take(links[:, 0], axis=0)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", moved, moved)))


def as_stored(made: Coarser, values: dict[str, AnyArray], routed: Routed, kind: str) -> BatchResult:
    """Everything with rows numbered as the route stores them."""
    route, rows = routed.route, made.rows
    order, places = route.order, stored_rows(route)
    members = rows.members
    if members is not None:
        members = Members(members.objects, places[members.rows])
    moved = replace(
        rows,
        positions=rows.positions.take(order, axis=0),
        members=members,
        weights=None if rows.weights is None else rows.weights[order],
        links=places[rows.links],
    )
    parents = np.asarray(composed(made.parents, places), np.int64)
    joined = joined_rows(moved, kind)
    return BatchResult(
        Routed(_without_order(route), routed.manifests, routed.links, routed.chunks, routed.shared),
        moved,
        {name: column.take(order, axis=0) for name, column in values.items()},
        parents,
        _object_lengths(moved.positions, joined, route),
        len(joined),
    )


def _without_order(route: Route) -> Route:
    return replace(route, order=np.zeros(0, np.int64), fragment_objects=None)


def _object_lengths(positions: FloatArray, joined: IntArray, route: Route) -> FloatArray:
    """(Q,) sums of the lengths of links, by the object of their first row."""
    if not len(joined):
        return np.zeros(0)
    objects = route.fragment_objects
    assert objects is not None  # noqa: S101  routed by object
    owner = np.repeat(objects, np.diff(route.fragment_rows))[joined[:, 0]]
    found, ranks = dense_ranks(owner, int(owner.max()) + 1)
    sums = np.bincount(ranks, link_lengths(positions, joined), minlength=len(found))
    return sums.astype(np.float64)
