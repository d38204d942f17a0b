"""One level in other chunks: every row, link and manifest says the same in new places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zarr_vectors.constants import LINKS
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.base import ChunkGrid, KeepsLinks, Layout, LinkRecords
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.edges import Selection, stored_ends
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays, describe_level
from zarr_vectors.reading.linked import link_attribute_names, read_edges
from zarr_vectors.reading.paths import PATH_KINDS, objects_of
from zarr_vectors.reading.plan import Pieces, plan_read
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.edges import link_records, stored_rows, tree_records
from zarr_vectors.writing.forest import depth_first
from zarr_vectors.writing.route import (
    Manifests,
    Route,
    manifests_of,
    route_bins,
    route_objects,
    route_rows,
    starts_of,
)
from zarr_vectors.writing.runs import route_paths

LeadOf = Callable[["Rows"], IntArray]
"""(n,) int64 bin of every row taken."""

_TREES = "implicit_sequential_with_branches"


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """A level in memory.

    Attributes:
        arrays: What the level holds.
        counts: (M,) int64 rows of every chunk.
        positions: (N, D) in stored order.
        values: Attribute name -> (N,) or (N, C), codes of categories.
        ids: (O,) int64 objects of the index, ascending.
        objects: (P,) int64 object of every taken row, and
        taken: (P,) int64 stored row: object after object in manifest order, then rows of none.
    """

    arrays: LevelArrays
    counts: IntArray
    positions: FloatArray
    values: dict[str, AnyArray]
    ids: IntArray | None
    objects: IntArray
    taken: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Moved:
    """Where the rows of a level went.

    Attributes:
        taken: (P,) int64 old stored row of every row of the new level as it was given, and
        route: Where those went.
        manifests: Of all objects, or None where there are none.
        links: The links to store, or None.
    """

    taken: IntArray
    route: Route
    manifests: Manifests | None
    links: Callable[[KeepsLinks], LinkRecords] | None

    def new_rows(self, count: int) -> IntArray:
        """(count,) int64 new stored row of every old one."""
        found = np.full(count, -1, np.int64)
        found[self.taken[::-1]] = stored_rows(self.route)[::-1]
        return found


def load(handle: StoreHandle, number: int) -> Rows:
    """Read a level whole."""
    layout = handle.layout
    arrays = describe_level(layout, handle.meta, handle.level(number))
    reader = LevelReader(layout, arrays)
    names = [name for name in arrays.attributes if name != arrays.lead_name]
    plan = plan_read(arrays.table.coords, arrays.chunk_shape)
    found = reader.read(plan, names, text=False)
    index = layout.get_objects(arrays.path)
    count, counts = len(found.positions), row_counts(reader)
    if index is None:
        everything = np.arange(count, dtype=np.int64)
        none = np.full(count, -1, np.int64)
        values = found.vertex_attributes
        return Rows(arrays, counts, found.positions, values, None, none, everything)
    table = objects_of(layout, arrays)
    pieces = Pieces(table.chunks, table.fragments, table.ids[table.owners()])
    keys = arrays.table.keys()
    firsts = starts_of(counts)
    taken, objects = piece_rows(
        pieces, reader.fragment_indexes(keys), keys, firsts, arrays.fragments_path, arrays.url
    )
    alone = np.ones(count, np.bool_)
    alone[taken] = False
    rest = np.flatnonzero(alone)
    return Rows(
        arrays,
        counts,
        found.positions,
        found.vertex_attributes,
        index.ids,
        np.concatenate([objects, np.full(len(rest), -1, np.int64)]),
        np.concatenate([taken, rest]),
    )


def move(
    handle: StoreHandle,
    target: Layout,
    rows: Rows,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    lead_of: LeadOf | None,
) -> Moved:
    """Decide where the rows of a level go.

    Args:
        handle: The store the level is of.
        target: How the new level is laid out.
        rows: The level.
        chunk_shape: D floats, world units.
        bin_shape: D floats that divide the chunk.
        lead_of: Leading chunk component, or None.

    Raises:
        ArrayError: Links between rows that several bins share.
    """
    lead = None if lead_of is None else lead_of(rows)
    kinds = handle.meta.geometry_types
    if rows.ids is None:
        route = route_bins(rows.positions[rows.taken], chunk_shape, bin_shape, lead)
        return Moved(rows.taken, route, None, None)
    shared = len(np.unique(rows.taken)) < len(rows.taken)
    if shared:
        return _move_shared(handle, rows, chunk_shape, bin_shape, lead)
    if set(kinds) & set(PATH_KINDS):
        return _move_paths(target, rows, chunk_shape, bin_shape, lead)
    positions = rows.positions[rows.taken]
    # rows of no object come after all others, as one fragment of a chunk
    owners = np.where(rows.objects < 0, rows.ids.max(initial=-1) + 1, rows.objects)
    tree = handle.meta.links_convention == _TREES
    edges, values = _links(handle, rows)
    place = _inverse(rows.taken, len(rows.positions))
    if tree and edges is not None:
        above = np.full(len(rows.taken), -1, np.int64)
        above[place[edges[:, 0]]] = place[edges[:, 1]]
        order, roots = depth_first(above)  # a root comes before all others of its fragment
        taken, lead = rows.taken[order], None if lead is None else lead[order]
        route = route_objects(positions[order], chunk_shape, owners[order], lead, roots[order])
        told = _tree_links(route, _inverse(taken, len(rows.positions))[edges], values)
        return Moved(taken, route, _with_all(manifests_of(route), rows.ids), told)
    route = route_objects(positions, chunk_shape, owners, lead)
    links: Callable[[KeepsLinks], LinkRecords] | None = None
    if edges is not None:
        links = _given(link_records(route, stored_rows(route)[place[edges]], values))
    return Moved(rows.taken, route, _with_all(manifests_of(route), rows.ids), links)


def moved_links(
    source: Layout,
    rows: tuple[Rows, Rows],
    moved: tuple[Moved, Moved],
    delta: int,
    names: Sequence[str],
) -> LinkRecords | None:
    """Links between two levels in their new places; those of rows that are gone are left out."""
    found = source.get_links(rows[0].arrays.path, delta=delta, attributes=names)
    if found is None:
        return None
    chunks, numbers = [], []
    there = np.ones(len(found.rows), np.bool_)
    for end in range(found.rows.shape[1]):
        level, to = rows[min(end, 1)], moved[min(end, 1)]
        one = LinkRecords(found.chunks[:, end : end + 1], found.rows[:, end : end + 1])
        old = stored_ends(one, _everything(level), f"{level.arrays.path}/{LINKS}", level.arrays.url)
        new = np.where(old >= 0, to.new_rows(len(level.positions))[old], -1)[:, 0]
        there &= new >= 0
        owner = np.searchsorted(to.route.chunk_rows, np.maximum(new, 0), side="right") - 1
        chunks.append(to.route.chunks[owner])
        numbers.append(new - to.route.chunk_rows[owner])
    values = {name: column[there] for name, column in found.attributes.items()}
    return LinkRecords(np.stack(chunks, axis=1)[there], np.stack(numbers, axis=1)[there], values)


def row_counts(reader: LevelReader) -> IntArray:
    """(M,) true rows per chunk."""
    table = reader.arrays.table
    if table.exact:
        return table.counts
    found = reader.read_chunks(table.keys())
    return np.array([len(part.positions) for part in found.values()], np.int64)


def put_moved(target: Layout, path: str, moved: Moved, grid: ChunkGrid) -> None:
    """Store the links of a level."""
    if moved.links is not None:
        target.put_links(path, moved.links(target), grid)


def table_of(moved: Moved) -> ChunkTable:
    """The chunks of the new level."""
    return ChunkTable(moved.route.chunks, moved.route.counts, exact=True)


def _move_paths(
    target: Layout,
    rows: Rows,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    lead: IntArray | None,
) -> Moved:
    ids = rows.ids if rows.ids is not None else np.zeros(0, np.int64)
    own = rows.objects >= 0
    taken, objects = rows.taken[own], rows.objects[own]
    starts = np.append(np.searchsorted(objects, ids), len(objects)).astype(np.int64)
    bins = bin_shape if target.splits_paths_by_bin else None
    runs = route_paths(
        rows.positions[taken],
        starts,
        chunk_shape,
        bins,
        ids=ids,
        lead=None if lead is None else lead[own],
    )
    return Moved(taken, runs.by_row(), runs.manifests(), _given(runs.links().records()))


def _move_shared(
    handle: StoreHandle,
    rows: Rows,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    lead: IntArray | None,
) -> Moved:
    """Rows that several objects have: each a fragment, once in every bin its objects fall into."""
    edges, _ = _links(handle, rows)
    if edges is not None and len(edges):
        raise ArrayError(
            f"level {rows.arrays.path} of {rows.arrays.url} has links between vertices that "
            "several objects share: it cannot be cut into other chunks"
        )
    bins = np.zeros(len(rows.taken), np.int64) if lead is None else lead
    span = int(bins.max(initial=0)) + 1
    keys, inverse = np.unique(rows.taken * span + bins, return_inverse=True)
    taken, leads = keys // span, keys % span
    positions = rows.positions[taken]
    route = route_rows(positions, chunk_shape, bin_shape, None if lead is None else leads)
    stored = stored_rows(route)[inverse.reshape(-1)]
    own = rows.objects >= 0
    stored, objects = stored[own], rows.objects[own]
    order = np.lexsort((stored, objects))
    stored, objects = stored[order], objects[order]
    chunk = np.searchsorted(route.chunk_rows, stored, side="right") - 1
    ids = rows.ids if rows.ids is not None else np.zeros(0, np.int64)
    starts = np.append(np.searchsorted(objects, ids), len(objects)).astype(np.int64)
    manifests = Manifests(ids, starts, route.chunks[chunk], stored - route.chunk_rows[chunk])
    return Moved(taken, route, manifests, None)


def _links(handle: StoreHandle, rows: Rows) -> tuple[IntArray | None, dict[str, AnyArray]]:
    """(M, W) stored rows of the links of a level, and their attributes."""
    number = rows.arrays.meta.level
    names = link_attribute_names(handle, number)
    if handle.meta.links_convention == _TREES:
        reader = LevelReader(handle.layout, rows.arrays)
        plan = plan_read(rows.arrays.table.coords, rows.arrays.chunk_shape)
        found = read_edges(handle, reader, plan, (), names)
        return found.links, found.attributes
    records = handle.layout.get_links(rows.arrays.path, attributes=names)
    if records is None:
        return None, {}
    where = f"{rows.arrays.path}/{LINKS}"
    return (
        stored_ends(records, _everything(rows), where, rows.arrays.url),
        dict(records.attributes),
    )


def _everything(rows: Rows) -> Selection:
    return Selection(rows.arrays.table.coords, starts_of(rows.counts))


def _inverse(taken: IntArray, count: int) -> IntArray:
    """(count,) int64 place of every stored row among those taken."""
    place = np.full(count, -1, np.int64)
    place[taken] = np.arange(len(taken))
    return place


def _tree_links(
    route: Route, edges: IntArray, values: dict[str, AnyArray]
) -> Callable[[KeepsLinks], LinkRecords]:
    stored = stored_rows(route)[edges]
    return lambda layout: tree_records(
        route, stored, values, mark_roots=layout.parents_cross_fragments
    )


def _given(records: LinkRecords) -> Callable[[KeepsLinks], LinkRecords]:
    return lambda layout: records


def _with_all(manifests: Manifests, ids: IntArray) -> Manifests:
    """Manifests of every object, those without rows empty; rows of no object have none."""
    blocks = np.repeat(manifests.ids, np.diff(manifests.starts))
    own = np.isin(blocks, ids)
    starts = np.append(np.searchsorted(blocks[own], ids), int(own.sum())).astype(np.int64)
    return Manifests(ids, starts, manifests.chunks[own], manifests.fragments[own])
