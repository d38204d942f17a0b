"""Links of a stored level: read by runs of chunks, and sorted by the object they start in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from zarr_vectors.constants import LINKS
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.multiresolution.scratch import Growing, Scratch, rest
from zarr_vectors.multiresolution.shelf import Sorting
from zarr_vectors.multiresolution.strategies.meshes import triangles_of
from zarr_vectors.reading.edges import Selection, stored_ends, told_parents
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.heads import first_rows
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.order import stable_order
from zarr_vectors.writing.route import starts_of

Links = tuple[IntArray, dict[str, AnyArray]]
"""(M, W) int64 rows, and attributes by name."""

_BLOCK = 1 << 18


def links_of_run(
    reader: LevelReader,
    found: LinkRecords | None,
    selection: Selection,
    within: Selection,
    first: int,
    *,
    kind: str,
) -> Links:
    """Links that start in a run of chunks, between stored rows of the level.

    Args:
        reader: Of the level.
        found: Links as stored, those that start there and maybe others.
        selection: All chunks of the level.
        within: Those of the run.
        first: First stored row of the run.
        kind: Geometry type.

    Raises:
        ArrayError: Damage.
    """
    arrays = reader.arrays
    stop = first + within.stored
    ends, values = np.zeros((0, 3 if kind == "mesh" else 2), np.int64), {}
    if found is not None:
        path = f"{arrays.path}/{LINKS}"
        ends = stored_ends(found, selection, path, arrays.url, roots=kind == "skeleton")
        own = (ends[:, 0] >= first) & (ends[:, 0] < stop)
        if kind != "skeleton":
            own &= (ends >= 0).all(axis=1)
        ends = ends[own]
        values = {name: np.asarray(column[own]) for name, column in found.attributes.items()}
    if kind == "skeleton":
        return _tree_links(reader, ends, values, within, first)
    if kind == "mesh":
        packed = reader.packed_faces(within)
        if packed is not None:
            packed = packed + first
            ends = np.concatenate([packed, ends]) if len(ends) else packed
    return ends, values


def as_triangles(links: Links) -> Links:
    """Faces of more than three corners cut into triangles, each with the attributes of its face."""
    ends, values = links
    if ends.shape[1] <= 3:
        return links
    triangles, faces = triangles_of(ends)
    return triangles, {name: column[faces] for name, column in values.items()}


def _tree_links(
    reader: LevelReader,
    ends: IntArray,
    values: Mapping[str, AnyArray],
    within: Selection,
    first: int,
) -> Links:
    """Edges of a skeleton: those that are told, and those that follow from the order of rows."""
    arrays = reader.arrays
    tables = reader.fragment_tables([tuple(row) for row in within.coords.tolist()])
    heads = first_rows(tables, within, arrays.fragments_path, arrays.url)
    moved = np.where(ends >= 0, ends - first, ends)
    parents, told = told_parents(moved, heads)
    implied = (told < 0) & (parents >= 0)
    known = told >= 0
    above = np.where(implied, parents, -1)
    above[known] = ends[told[known], 1]
    above[implied] += first
    children = np.flatnonzero(above >= 0)
    named = {name: column[told[children]] for name, column in values.items()}
    return np.stack([children + first, above[children]], axis=1), named


@dataclass(frozen=True, eq=False, slots=True)
class SortedLinks:
    """Links, where they were sorted in ascending object of their first row.

    Attributes:
        starts: (O + 1,) int64, first link of every object, and the end.
        between: (K, 2) int64 least and greatest object of links between objects.
        links: (M, W) int64 rows of the level.
        values: name -> (M,) or (M, C).
    """

    starts: IntArray
    between: IntArray
    links: IntArray
    values: dict[str, AnyArray]


def sort_links(
    parts: Iterable[Links],
    places: IntArray | None,
    rows: IntArray,
    scratch: Scratch,
    *,
    several: bool,
) -> SortedLinks:
    """Name the rows of links anew, and sort them by object.

    Args:
        parts: Links between stored rows; at least one part.
        places: (N,) int64 row of every stored row; None where they are the same.
        rows: (O + 1,) int64, first row of every object, and the end.
        scratch: Makes the arrays.
        several: Whether there may be several batches; otherwise all is left as it is.
    """
    counts = np.zeros(max(len(rows) - 1, 1), np.int64)
    columns: dict[str, Growing] = {}
    between = [np.zeros((0, 2), np.int64)]
    for ends, values in parts:
        named = ends if places is None else np.asarray(places[ends])
        if several and len(named):
            objects = np.searchsorted(rows, named.ravel(), side="right").reshape(named.shape) - 1
            counts += np.bincount(objects[:, 0], minlength=len(counts))
            low, high = objects.min(axis=1), objects.max(axis=1)
            apart = low < high
            if apart.any():
                between.append(np.unique(np.stack([low[apart], high[apart]], axis=1), axis=0))
        else:
            counts[0] += len(named)
        for name, column in {_LINKS: named, **values}.items():
            if name not in columns:
                columns[name] = scratch.growing(column.dtype, column.shape[1:])
            columns[name].add(column)
    whole = {name: column.whole() for name, column in columns.items()}
    starts = starts_of(counts)
    if several:
        whole = _by_object(whole, starts, rows, scratch)
    links = whole.pop(_LINKS)
    return SortedLinks(starts, np.concatenate(between), links, whole)


def in_order(links: SortedLinks, joints: IntArray, starts: IntArray) -> Links:
    """Links of every batch by their first row, rows numbered inside the batch.

    Args:
        links: What to sort; where there are several batches, it is changed.
        joints: (B + 1,) int64, first link of every batch, and the end.
        starts: (B + 1,) int64, first row of every batch, and the end.
    """
    if len(joints) == 2:
        order = stable_order(links.links[:, 0], max(int(starts[-1]), 1))
        return links.links[order], {name: v[order] for name, v in links.values.items()}
    for number, (first, stop) in enumerate(itertools.pairwise(joints.tolist())):
        own = np.asarray(links.links[first:stop]) - starts[number]
        order = stable_order(own[:, 0], max(int(starts[number + 1] - starts[number]), 1))
        links.links[first:stop] = own[order]
        for column in links.values.values():
            column[first:stop] = np.asarray(column[first:stop])[order]
        for column in (links.links, *links.values.values()):
            rest(column)
    return links.links, links.values


_LINKS = ""
"""Name of the column that holds the links themselves; no attribute has it."""


def _by_object(
    columns: dict[str, AnyArray], starts: IntArray, rows: IntArray, scratch: Scratch
) -> dict[str, AnyArray]:
    count = int(starts[-1])
    # pages of a file are written run after run: buckets of objects with about a block of links
    bucket = starts // _BLOCK
    cuts = np.flatnonzero(np.diff(bucket, prepend=-1))
    bounds = np.append(starts[cuts[cuts < len(starts) - 1]], count)
    bounds = np.unique(np.append(0, bounds))
    sorting = Sorting(scratch, bounds, columns)
    filled = np.zeros(len(starts) - 1, np.int64)
    for begin in range(0, count, _BLOCK):
        part = {name: column[begin : begin + _BLOCK] for name, column in columns.items()}
        own = np.searchsorted(rows, part[_LINKS][:, 0], side="right") - 1
        order = stable_order(own, len(filled))
        sizes = np.bincount(own, minlength=len(filled))
        turn = np.empty(len(own), np.int64)
        turn[order] = np.arange(len(own)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        sorting.add(starts[own] + filled[own] + turn, part)
        filled += sizes
        for column in columns.values():
            rest(column)
    sorting.settle()
    return sorting.columns
