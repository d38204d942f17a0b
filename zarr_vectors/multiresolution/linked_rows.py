"""A level of lines, graphs or meshes in memory, and the one that follows from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.steps import Members, carried_members
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.multiresolution.strategies.collapse import collapse
from zarr_vectors.multiresolution.strategies.graphs import contract
from zarr_vectors.multiresolution.strategies.links import CarriedLinks, carry_links
from zarr_vectors.multiresolution.strategies.meshes import cluster
from zarr_vectors.multiresolution.strategies.polylines import merge_runs
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.forest import depth_first, parents_of
from zarr_vectors.writing.order import distinct
from zarr_vectors.writing.route import cell_ranks

PATHS = ("line", "polyline", "streamline")
"""Geometry types whose vertices are joined in the order of their object."""
KINDS = (*PATHS, "graph", "skeleton", "mesh")


@dataclass(frozen=True, eq=False, slots=True)
class LinkedRows:
    """A level in memory. Rows are numbered as suits it; ``members`` of paths are in path order.

    Attributes:
        positions: (N, D) float in the stored dtype, world units.
        members: Which rows each object has; None where the level has no objects.
        weights: (N,) float64 level-0 vertices behind every row, or None for one each.
        links: (M, W) int64 edges or faces; (0, 2) for paths.
        link_values: name -> (M,) or (M, C).
        link_weights: (M,) float64 level-0 links behind every link, or None for one each.
    """

    positions: FloatArray
    members: Members | None
    weights: FloatArray | None = None
    links: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    link_values: Mapping[str, AnyArray] = field(default_factory=dict)
    link_weights: FloatArray | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Coarser:
    """The level that follows.

    Attributes:
        rows: The level; its attributes of vertices follow from ``parents``.
        parents: (N,) int64 its row for every row of the level before, -1 for none.
        heads: (M,) int64 for forests, the row above every row, -1 for roots; else None.
    """

    rows: LinkedRows
    parents: IntArray
    heads: IntArray | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Owners:
    """Rows by the objects that have them: rows of one owner belong to the same objects.

    Attributes:
        of_rows: (N,) int64 owner of every row, ascending as the ids of objects do; the largest
            number where a row belongs to none.
        owners: (Q,) int64 owners, with
        objects: (Q,) int64 the objects each belongs to; pairs ascending.
    """

    of_rows: IntArray
    owners: IntArray
    objects: IntArray

    @property
    def shared(self) -> bool:
        """Some rows belong to several objects."""
        return len(np.unique(self.owners)) < len(self.owners)


def owners_of(members: Members | None, count: int) -> Owners:
    """Owners of the rows of a level of ``count`` rows."""
    none = np.zeros(0, np.int64)
    if members is None or not len(members.rows):
        return Owners(np.zeros(count, np.int64), none, none)
    objects, rows = members.objects, members.rows
    known, dense = np.unique(objects, return_inverse=True)
    dense = dense.reshape(-1).astype(np.int64)
    if np.bincount(rows, minlength=count).max() == 1:
        of_rows = np.full(count, len(known), np.int64)
        of_rows[rows] = dense
        return Owners(of_rows, np.arange(len(known)), known)
    pairs = np.unique(rows * len(known) + dense)
    rows, dense = pairs // len(known), pairs % len(known)
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    # rows of the same objects have the same sum; sums of scattered words do not meet by chance
    words = _scattered(known)
    sums = np.add.reduceat(words[dense], starts)
    order = np.lexsort((sums, dense[starts]))
    new = np.concatenate([[True], sums[order][1:] != sums[order][:-1]])
    number = np.cumsum(new) - 1
    of_rows = np.full(count, number[-1] + 1, np.int64)
    of_rows[rows[starts[order]]] = number
    firsts = starts[order[new]]
    sizes = np.diff(np.append(starts, len(rows)))[order[new]]
    take = np.repeat(firsts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    return Owners(of_rows, np.repeat(np.arange(len(firsts)), sizes), known[dense[take]])


def _scattered(ids: IntArray) -> npt.NDArray[np.uint64]:
    """(O,) a word for every id, which depends on nothing else."""
    words = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    return words ^ (words >> np.uint64(31))


def coarser(
    rows: LinkedRows,
    kept: Members | None,
    kind: str,
    bin_shape: tuple[float, ...],
    how: Mapping[str, reduce.Aggregation],
    offset: Sequence[float] | None = None,
    most: int | None = None,
) -> Coarser:
    """The level above.

    Args:
        rows: The level.
        kept: The members of the objects that stay.
        kind: Geometry type, one of :data:`KINDS`.
        bin_shape: D floats, bins of the level above, world units.
        how: Link attribute -> how values are reduced.
        offset: D floats near the data, from which sums are taken; the first position by default.
        most: Collapse edges until so many vertices are left, whatever the bins; None: bins.

    Raises:
        CoarseningError: Lines that are not objects.
        ArrayError: A skeleton that is no forest.
    """
    if kind in PATHS:
        return _coarser_paths(rows, kept, bin_shape, offset, most, always_two=kind == "line")
    live = np.ones(len(rows.positions), np.bool_)
    if kept is not None and kept is not rows.members:
        live[rows.members.rows if rows.members is not None else []] = False
        live[kept.rows] = True
    owners = owners_of(kept, len(live)).of_rows
    heads, collapsed = None, None
    if most is not None:
        joined = rows.links[live[rows.links].all(axis=1)]
        joined = joined[(owners[joined] == owners[joined[:, :1]]).all(axis=1)]
        collapsed = collapse(rows.positions[live], (np.cumsum(live) - 1)[joined], most)
        count, parents = len(collapsed.positions), np.full(len(live), -1, np.int64)
        parents[live] = collapsed.parents
        carried = carry_links(rows.links, parents)
    else:
        cells = np.full(len(live), -1, np.int64)
        top = int(owners.max(initial=0)) + 1
        cells[live] = cell_ranks(rows.positions[live], bin_shape)[1] * top + owners[live]
        merge = cluster if kind == "mesh" else contract
        merged = merge(cells, rows.links)
        count, parents, carried = merged.count, merged.parents, merged.links
    order = np.arange(count)
    if kind == "skeleton":
        order, _ = depth_first(parents_of(carried.links, count))
        places = np.empty(count, np.int64)
        places[order] = np.arange(count)
        parents = np.where(parents >= 0, places[parents], -1) if count else parents
        carried = CarriedLinks(places[carried.links], carried.parents)
        heads = parents_of(carried.links, count)
    positions, weights = _means(rows, parents, count, offset)
    if collapsed is not None:
        positions = collapsed.positions[order].astype(positions.dtype)
    values, link_weights = _carried_values(rows, carried, how)
    made = LinkedRows(
        positions,
        None if kept is None else carried_members(kept, parents, count),
        weights,
        carried.links,
        values,
        link_weights,
    )
    return Coarser(made, parents, heads)


def path_starts(members: Members) -> tuple[IntArray, IntArray]:
    """(P,) ids and (P + 1,) first row of the paths of a level whose rows lie path after path."""
    ids = distinct(members.objects)
    return ids, np.append(np.searchsorted(members.objects, ids), len(members.objects))


def _coarser_paths(
    rows: LinkedRows,
    kept: Members | None,
    bin_shape: tuple[float, ...],
    offset: Sequence[float] | None,
    most: int | None,
    *,
    always_two: bool,
) -> Coarser:
    if kept is None:
        raise CoarseningError("lines are joined by their object: there are no objects")
    _, starts = path_starts(kept)
    positions = rows.positions.take(kept.rows, axis=0)
    parents = np.full(len(rows.positions), -1, np.int64)
    if most is None:
        _, cells = cell_ranks(positions, bin_shape)
        merged = merge_runs(positions, cells, starts, always_two=always_two)
        parents[kept.rows] = merged.parents
        means, weights = _means(rows, parents, merged.count, offset)
        exact = np.flatnonzero(merged.exact >= 0)
        means[exact] = positions[merged.exact[exact]]
    else:
        at = np.flatnonzero(kept.objects[1:] == kept.objects[:-1])
        collapsed = collapse(positions, np.stack([at, at + 1], axis=1), most)
        parents[kept.rows] = collapsed.parents
        means, weights = _means(rows, parents, len(collapsed.positions), offset)
        means = collapsed.positions.astype(means.dtype)
    objects = np.empty(len(means), np.int64)
    objects[parents[kept.rows]] = kept.objects
    return Coarser(LinkedRows(means, Members(objects, np.arange(len(means))), weights), parents)


def _means(
    rows: LinkedRows, parents: IntArray, count: int, offset: Sequence[float] | None
) -> tuple[FloatArray, FloatArray]:
    """(count, D) mean positions, and (count,) level-0 vertices behind them."""
    positions, inner, weights = rows.positions, parents, rows.weights
    live = parents >= 0
    if not live.all():
        positions, inner = positions[live], parents[live]
        weights = None if weights is None else weights[live]
    totals = reduce.total_weights(inner, count, weights)
    return reduce.mean_positions(positions, inner, totals, weights, offset), totals


def _carried_values(
    rows: LinkedRows, carried: CarriedLinks, how: Mapping[str, reduce.Aggregation]
) -> tuple[dict[str, AnyArray], FloatArray]:
    """Attributes of the links above, each of all links it stands for, and their number."""
    live = carried.parents >= 0
    inner, count = carried.parents[live], len(carried.links)
    weights = None if rows.link_weights is None else rows.link_weights[live]
    values = {
        name: reduce.reduce_values(column[live], inner, count, how[name], weights)
        for name, column in rows.link_values.items()
    }
    return values, reduce.total_weights(inner, count, weights)
