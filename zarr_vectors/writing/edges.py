"""Edges and faces between input rows made into links between stored rows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import LinkRecords, NumberedLinks
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.columns import numbers
from zarr_vectors.writing.route import Route

NO_ROW = -(2**40)
"""Second end of a skeleton's link whose first end is a root: no row of any chunk."""

PART_LINKS = 1 << 16
MOST_PARTS = 250
"""Links are stored in parts of so many, about; more in each where there would be too many."""


def checked_links(
    given: npt.ArrayLike, count: int, what: str, *, least: int, most: int | None = None
) -> IntArray:
    """Edges or faces as (M, W) int64 rows of vertices.

    Args:
        given: (M, W) integers; W need not be given where M is 0.
        count: Number of vertices.
        what: ``edges`` or ``faces``.
        least: Ends a link must have.
        most: Ends it may have, or None for any number.

    Raises:
        ArrayError: Another shape or type, or a vertex that is not there.
    """
    found = np.asarray(given)
    if not found.size and found.ndim < 2:
        found = np.zeros((0, least), np.int64)
    if found.ndim != 2 or found.shape[1] < least or (most and found.shape[1] > most):
        shape = f"(M, {least})" if least == most else f"(M, L) with L of {least} or more"
        raise ArrayError(f"{what} must be {shape}, not {found.shape}")
    if found.dtype.kind not in "iu" and found.size:
        raise ArrayError(f"{what} must be integers, not {found.dtype}")
    if found.size:
        low, high = int(found.min()), int(found.max())
        if low < 0 or high >= count:
            wrong = low if low < 0 else high
            row = int(np.flatnonzero((found == wrong).any(axis=1))[0])
            raise ArrayError(f"{what} row {row} names vertex {wrong}; there are {count}")
    return np.ascontiguousarray(found, np.int64)


def link_columns(
    attributes: Mapping[str, npt.ArrayLike] | None, count: int, what: str
) -> dict[str, AnyArray]:
    """Attributes of links ready to be stored.

    Args:
        attributes: name -> (M,) or (M, C) numbers.
        count: Number of links.
        what: ``link`` or ``face``, for messages.

    Raises:
        ArrayError: Not one row per link, or values that cannot be stored.
    """
    columns = {}
    for name, given in (attributes or {}).items():
        values = numbers(given, f"{what} attribute {name!r}")
        if len(values) != count:
            raise ArrayError(
                f"{what} attribute {name!r} has {len(values)} rows; there are {count} {what}s"
            )
        columns[name] = values
    return columns


def stored_rows(route: Route) -> IntArray:
    """(N,) int64 stored row of every input row."""
    rows = np.empty(len(route.order), np.int64)
    rows[route.order] = np.arange(len(rows))
    return rows


def link_records(
    route: Route, links: IntArray, attributes: Mapping[str, AnyArray] | None = None
) -> LinkRecords:
    """Links between rows of chunks.

    Args:
        route: Where rows go.
        links: (M, W) int64 stored rows; :data:`NO_ROW` stays, in the chunk of the first end.
        attributes: name -> (M,) or (M, C).
    """
    chunk_of = np.repeat(np.arange(len(route.chunks), dtype=np.int32), route.counts)
    none = links < 0
    ends = np.where(none, links[:, :1], links) if none.any() else links
    owner = chunk_of[ends]
    rows = ends - route.chunk_rows[owner]
    rows[none] = NO_ROW
    return LinkRecords(route.chunks[owner], rows, dict(attributes or {}))


def crossing_links(route: Route, rows: IntArray, links: IntArray) -> npt.NDArray[np.bool_]:
    """(M,) bool: which links have ends in several chunks.

    Args:
        route: Where rows go.
        rows: (N,) int64, stored row of every input row.
        links: (M, W) int64 input rows.
    """
    crossing = np.zeros(len(links), np.bool_)
    for block in _blocks(len(links)):
        chunks = _chunk_of(route, rows[links[block]])
        for column in range(1, links.shape[1]):
            crossing[block] |= chunks[:, column] != chunks[:, 0]
    return crossing


def link_parts(
    route: Route,
    rows: IntArray,
    links: IntArray,
    crossing: npt.NDArray[np.bool_],
    attributes: Mapping[str, AnyArray],
) -> Iterator[NumberedLinks]:
    """Links between rows of chunks, part after part: those between chunks, then all others.

    Args:
        route: Where rows go.
        rows: (N,) int64, stored row of every input row.
        links: (M, W) int64 input rows.
        crossing: (M,) bool, which have ends in several chunks.
        attributes: name -> (M,) or (M, C).
    """
    inner = max(1, min(MOST_PARTS, len(links) // PART_LINKS))
    part_of = np.zeros(len(route.chunks), np.uint8)
    if inner > 1:  # chunks of about as many rows each
        part_of[:] = route.chunk_rows[:-1] * inner // len(route.order)
    part = np.empty(len(links), np.uint8)
    for block in _blocks(len(links)):
        first = _chunk_of(route, rows[links[block, 0]])
        part[block] = np.where(crossing[block], 0, part_of[first] + 1)
    for number in range(inner + 1):
        chosen = np.flatnonzero(part == number)
        if not len(chosen) and number < inner:
            continue
        ends = rows[links[chosen]]
        chunks = _chunk_of(route, ends)
        ends -= route.chunk_rows[chunks]
        named = {name: values[chosen] for name, values in attributes.items()}
        yield NumberedLinks(route.chunks, chunks, ends, named)


def _chunk_of(route: Route, rows: IntArray) -> IntArray:
    """The chunk of each of some stored rows."""
    found = np.searchsorted(route.chunk_rows, rows, side="right")
    found -= 1
    return found


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + PART_LINKS) for start in range(0, count, PART_LINKS))


def parent_links(
    route: Route, parents: IntArray, *, every: bool, mark_roots: bool, follows: bool = False
) -> IntArray:
    """The links of a skeleton that a reader does not know without being told.

    A reader takes the row before as the parent, unless a row is the first of its fragment or a
    link says otherwise.

    Args:
        route: Where rows go; a root must be the first row of its fragment.
        parents: (N,) integers, stored row of the parent of every stored row, -1 for roots.
        every: Whether each row that has a parent gets a link, known or not.
        mark_roots: Whether readers take the row before as the parent also across fragments, so
            that roots must be told from others by a link to :data:`NO_ROW`.
        follows: Whether other rows may come before these.

    Returns:
        (K, 2) int64 stored rows (child, parent).
    """
    root = parents < 0
    told = parents != np.arange(len(parents)) - 1
    told[route.fragment_rows[:-1]] = True
    told |= every
    told &= ~root
    if mark_roots:
        later = 0 if follows else 1
        told[later:] |= root[later:]
    children = np.flatnonzero(told)
    above = parents[children].astype(np.int64)
    above[root[children]] = NO_ROW
    return np.stack([children, above], axis=1)


def tree_records(
    route: Route,
    edges: IntArray,
    values: Mapping[str, AnyArray],
    *,
    mark_roots: bool,
    owners: IntArray | None = None,
) -> LinkRecords:
    """The edges of a skeleton that a reader has to be told; all, where edges have values.

    Args:
        route: Where rows go; a root must be the first row of its fragment, or be marked.
        edges: (M, 2) int32 or int64 stored rows (child, parent).
        values: Edge attributes, name -> (M,) or (M, C).
        mark_roots: As in :func:`parent_links`.
        owners: (N,) int64 where rows are part of a level: edges are in ascending owner of the
            stored row that is their child, and other rows may come before these.
    """
    count = len(route.order)
    above = np.full(count, -1, edges.dtype)
    above[edges[:, 0]] = edges[:, 1]
    part = owners is not None
    told = parent_links(route, above, every=bool(values), mark_roots=mark_roots, follows=part)
    if owners is not None:
        told = told[np.argsort(owners[told[:, 0]], kind="stable")]
    del above
    named = {}
    if values:
        edge_of = np.full(count, -1, np.int64)
        edge_of[edges[:, 0]] = np.arange(len(edges))
        named = {name: _spread_rows(v, edge_of[told[:, 0]]) for name, v in values.items()}
    return link_records(route, told, named)


def _spread_rows(values: AnyArray, rows: IntArray) -> AnyArray:
    """Rows of ``values`` by number; zeros where the number is below zero.

    Args:
        values: (M,) or (M, C).
        rows: (K,) int64.
    """
    found = np.zeros((len(rows), *values.shape[1:]), values.dtype)
    known = rows >= 0
    found[known] = values[rows[known]]
    return found
