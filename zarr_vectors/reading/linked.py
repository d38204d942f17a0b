"""Reading vertices together with the edges or faces between them, by the store's own convention."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zarr_vectors.constants import LINKS
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.exceptions import ArrayError, ConventionError, StoreError, ZVWarning
from zarr_vectors.reading import assemble
from zarr_vectors.reading.edges import (
    Selection,
    renumbered,
    taken_ends,
    told_parents,
    tree_edges,
)
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.foreign import (
    cut_circles,
    is_foreign,
    tell_no_links,
    warn_of_other_rows,
    warn_of_shared_fragments,
)
from zarr_vectors.reading.heads import head_rows, tables_of
from zarr_vectors.reading.level import LevelArrays, describe_level
from zarr_vectors.reading.objects import fragments_of, lead_of_value, pieces_of_objects
from zarr_vectors.reading.plan import ReadPlan, check_box, pieces_in, plan_read
from zarr_vectors.reading.results import PointsResult
from zarr_vectors.reading.scatter import narrow
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, IntArray

EDGE_KINDS = ("graph", "skeleton", "line", "polyline", "streamline")
"""Geometry types whose links are edges."""


@dataclass(frozen=True, eq=False, slots=True)
class LinkedRows:
    """Vertices and the links between them.

    Attributes:
        points: The vertices.
        links: (M, W) int64 rows of ``points``.
        attributes: name -> (M,) or (M, C).
    """

    points: PointsResult
    links: IntArray
    attributes: dict[str, AnyArray] = field(default_factory=dict)


def read_edges(
    handle: StoreHandle,
    reader: LevelReader,
    plan: ReadPlan,
    attributes: Sequence[str] = (),
    link_attributes: Sequence[str] = (),
    *,
    text: bool = True,
) -> LinkedRows:
    """Vertices of a plan and the edges between them; edges with an end left out are left out.

    Args:
        handle: The store.
        reader: Of the level.
        plan: What to read.
        attributes: Names of vertex attributes.
        link_attributes: Names of edge attributes.
        text: Categories as strings.

    Raises:
        ConventionError: The store does not hold edges.
        ArrayError: Damage.
        StoreError: There is no such attribute.
    """
    kinds = handle.meta.geometry_types
    if kinds and not set(kinds) & set(EDGE_KINDS):
        raise ConventionError(
            f"{handle.backend.url} holds {', '.join(kinds)}: there are no edges to read"
        )
    if handle.meta.links_convention == "implicit_sequential":
        return _read_paths(handle, reader, plan, attributes, link_attributes, text=text)
    told = handle.meta.links_convention == "implicit_sequential_with_branches"
    points, selection = reader.select(plan, attributes, text=text, fragments=told)
    records = _records(handle, reader, plan, link_attributes, starting=told)
    if records.rows.shape[1] != 2:
        raise ConventionError(
            f"{handle.backend.url} has links of {records.rows.shape[1]} ends: faces, not edges"
        )
    warn_of_other_rows(handle, reader, selection, records)
    if not told:
        links, values = _told_links(reader, selection, records)
        return LinkedRows(points, links, values)
    path, url = f"{reader.arrays.path}/{LINKS}", handle.backend.url
    ends = taken_ends(records, selection, path, url, roots=True)
    columns = records.attributes
    if not columns and selection.rows is None and not is_foreign(handle, reader):
        del records
        known = np.flatnonzero(ends[:, 0] >= 0)
        known = known[np.argsort(ends[known, 0], kind="stable")]
        children, parents = narrow(ends[known, 0]), narrow(ends[known, 1])
        heads, stored = narrow(np.sort(_heads(reader, selection))), selection.stored
        del ends, known, selection  # much larger
        return LinkedRows(points, tree_edges(children, parents, heads, stored))
    return _read_skeleton(handle, reader, points, selection, ends, columns)


def read_faces(
    handle: StoreHandle,
    reader: LevelReader,
    plan: ReadPlan,
    attributes: Sequence[str] = (),
    link_attributes: Sequence[str] = (),
    *,
    text: bool = True,
) -> LinkedRows:
    """Vertices of a plan and the faces between them; faces with a corner left out are left out.

    Arguments and errors as of :func:`read_edges`.
    """
    kinds = handle.meta.geometry_types
    if kinds and "mesh" not in kinds:
        raise ConventionError(
            f"{handle.backend.url} holds {', '.join(kinds)}: there are no faces to read"
        )
    if plan.pieces is not None:
        warn_of_shared_fragments(handle, reader, plan.pieces)
    points, selection = reader.select(plan, attributes, text=text)
    records = _records(handle, reader, plan, link_attributes, width=3)
    links, values = _told_links(reader, selection, records)
    packed = reader.packed_faces(selection)
    if packed is not None:
        if link_attributes:
            raise ArrayError(
                f"level {reader.arrays.path} of {handle.backend.url} keeps faces inside encoded "
                "vertices, where faces have no attributes"
            )
        ends, _ = renumbered(packed, selection.places())
        if len(links) and links.shape[1] != ends.shape[1]:
            raise ArrayError(f"faces of {handle.backend.url} do not all have as many corners")
        links = np.concatenate([ends, links]) if len(links) else ends
    return LinkedRows(points, links, values)


def holds_faces(handle: StoreHandle) -> bool | None:
    """True where a store's links are faces, False where edges, None where nothing is joined."""
    kinds = set(handle.meta.geometry_types)
    if "mesh" in kinds:
        return True
    return False if kinds & set(EDGE_KINDS) else None


def plan_of(
    handle: StoreHandle,
    arrays: LevelArrays,
    *,
    bbox: BoundingBox | None = None,
    object_ids: Iterable[int] | None = None,
    group_ids: Iterable[int] | None = None,
    chunks: Iterable[ChunkCoords] | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
) -> ReadPlan:
    """The plan of a reader's filters, which intersect.

    Raises:
        ArrayError: A filter that does not fit the level, or a damaged object index.
        StoreError: There is no such group.
    """
    box = None if bbox is None else check_box(bbox, arrays.ndim)
    lead = None if attribute_filter is None else lead_of_value(arrays, attribute_filter)
    pieces = None
    if object_ids is not None or group_ids is not None:
        pieces = pieces_of_objects(handle.layout, arrays, object_ids, group_ids)
    return plan_read(
        arrays.table.coords, arrays.chunk_shape, box=box, chunks=chunks, lead=lead, pieces=pieces
    )


def describe_linked(
    handle: StoreHandle,
    level: int,
    attributes: Iterable[str] = (),
    link_attributes: Iterable[str] = (),
    *,
    objects: bool = False,
) -> LevelArrays:
    """A level's arrays, with the documents of its links and objects fetched in the same batch.

    Args:
        handle: The store.
        level: Its number.
        attributes: Names of the vertex attributes needed.
        link_attributes: Names of the attributes of links needed.
        objects: Objects are asked for.
    """
    convention = handle.meta.links_convention
    paths = convention == "implicit_sequential" and holds_faces(handle) is False
    document = handle.level(level)
    handle.layout.look_ahead(
        str(level),
        objects=objects or paths,
        fragments=objects or paths or convention == "implicit_sequential_with_branches",
        links=not paths,
        attributes=link_attributes,
    )
    return describe_level(handle.layout, handle.meta, document, attributes)


def link_attribute_names(handle: StoreHandle, level: int) -> tuple[str, ...]:
    """Names of the attributes of a level's links, sorted."""
    family = handle.layout.link_families(str(level)).get(0)
    return () if family is None else family.attributes


def _records(
    handle: StoreHandle,
    reader: LevelReader,
    plan: ReadPlan,
    names: Iterable[str],
    *,
    width: int = 2,
    starting: bool = False,
) -> LinkRecords:
    """Links of a level inside the chunks of a plan, or starting there; none where it has none.

    A skeleton needs those that start there: a parent elsewhere tells that it is not the row before.
    """
    arrays, wanted = reader.arrays, list(names)
    whole = len(plan.coords) == len(arrays.table.coords)
    within = None if whole else plan.keys()
    try:
        found = handle.layout.get_links(
            arrays.path, within=within, starting=starting, attributes=wanted
        )
    except ArrayError:
        _check_names(handle, arrays, wanted)
        raise
    if found is None:
        _check_names(handle, arrays, wanted)
        tell_no_links(handle, reader, stacklevel=6)
        none = np.zeros((0, width), np.int64)
        return LinkRecords(np.zeros((0, width, arrays.rank), np.int64), none)
    return found


def _check_names(handle: StoreHandle, arrays: LevelArrays, wanted: Sequence[str]) -> None:
    if not wanted:
        return
    known = link_attribute_names(handle, arrays.meta.level)
    missing = next((name for name in wanted if name not in known), None)
    if missing is not None:
        raise StoreError(
            f"level {arrays.path} of {arrays.url} has no link attribute {missing!r}; it has "
            f"{', '.join(map(repr, known)) or 'none'}"
        )


def _told_links(
    reader: LevelReader, selection: Selection, records: LinkRecords
) -> tuple[IntArray, dict[str, AnyArray]]:
    """Links that are stored one by one."""
    arrays = reader.arrays
    ends = taken_ends(records, selection, f"{arrays.path}/{LINKS}", arrays.url)
    links, kept = renumbered(ends, selection.places())
    if kept is None:
        return links, dict(records.attributes)
    return links, {name: values[kept] for name, values in records.attributes.items()}


def _read_skeleton(
    handle: StoreHandle,
    reader: LevelReader,
    points: PointsResult,
    selection: Selection,
    ends: IntArray,
    columns: Mapping[str, AnyArray],
) -> LinkedRows:
    first = np.zeros(selection.stored, np.bool_)
    first[_heads(reader, selection)] = True
    parents, told = told_parents(ends, first)
    if is_foreign(handle, reader):
        cut_circles(parents, told, reader)
    children = np.flatnonzero(parents >= 0)
    links = np.stack([children, parents[children]], axis=1)
    links, kept = renumbered(links, selection.places())
    told = told[children] if kept is None else told[children][kept]
    values = {
        name: _told_values(column, told, name, handle.backend.url)
        for name, column in columns.items()
    }
    return LinkedRows(points, links, values)


def _told_values(column: AnyArray, told: IntArray, name: str, url: str) -> AnyArray:
    """Attribute rows of edges; an edge that is implied has none."""
    if not (told < 0).any():
        return column[told]
    floats = column.dtype.kind == "f"
    warnings.warn(
        f"link attribute {name!r} of {url} has no value for {int((told < 0).sum())} edges that "
        f"are implied: they are given {'NaN' if floats else '0'}",
        ZVWarning,
        stacklevel=6,
    )
    values = np.full((len(told), *column.shape[1:]), np.nan if floats else 0, column.dtype)
    values[told >= 0] = column[told[told >= 0]]
    return values


def _read_paths(
    handle: StoreHandle,
    reader: LevelReader,
    plan: ReadPlan,
    attributes: Sequence[str],
    link_attributes: Sequence[str],
    *,
    text: bool,
) -> LinkedRows:
    """Consecutive vertices of every object's path are joined, earlier first."""
    if link_attributes:
        raise StoreError(f"edges of {handle.backend.url} are implied: they have no attributes")
    points, selection = reader.select(plan, attributes, text=text, fragments=True)
    pieces = fragments_of(handle.layout, reader.arrays, None)
    numbered = replace(pieces, objects=np.arange(len(pieces.objects)))
    inside = pieces_in(numbered, selection.coords)
    keys = [tuple(row) for row in selection.coords.tolist()]
    tables = tables_of(reader, selection)
    path, url = reader.arrays.fragments_path, handle.backend.url
    rows, piece = assemble.piece_rows(inside, tables, keys, selection.starts, path, url)
    owner = pieces.objects[piece]
    # a piece without rows between two others would part them: none is written
    joined = (owner[1:] == owner[:-1]) & (np.diff(piece) <= 1)
    at = np.flatnonzero(joined)
    links, _ = renumbered(np.stack([rows[at], rows[at + 1]], axis=1), selection.places())
    return LinkedRows(points, links)


def _heads(reader: LevelReader, selection: Selection) -> IntArray:
    arrays = reader.arrays
    return head_rows(tables_of(reader, selection), selection, arrays.fragments_path, arrays.url)
