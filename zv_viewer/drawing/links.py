"""Links as a store has them -> links of one cell as a layer draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import NO_OBJECT, LinkArrays, OpenLinks, RawLinks

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
UInt = npt.NDArray[np.uint32]

CHUNK_SHIFT = 32
"""Bits of an end of an open link that say which vertex of the chunk it is."""


def cells_of_chunks(tree: CellTree) -> tuple[Int, ...]:
    """Per level, (M,) the cell that each row of ``LevelInfo.chunks`` lies in."""
    found = []
    for level in range(len(tree.level_start) - 1):
        ids = tree.ids_of_level(level)
        start = tree.chunk_start[ids.start : ids.stop + 1]
        cells = np.empty(int(start[-1] - start[0]), np.int64)
        cells[tree.chunk[start[0] : start[-1]]] = np.repeat(
            np.arange(ids.start, ids.stop), np.diff(start)
        )
        found.append(cells)
    return tuple(found)


def object_ranks(objects: Int, ids: Int) -> UInt:
    """Ranks of objects.

    Args:
        objects: (O,) ascending ids.
        ids: (N,) ids; those that are not among ``objects`` are of rows of no object.

    Returns:
        (N,) places in ``objects``; 0 for rows of no object.

    Raises:
        ValueError: ``objects`` has no place for them: its first is an object of its own.
    """
    place = np.minimum(np.searchsorted(objects, ids), len(objects) - 1)
    known = objects[place] == ids
    if not known.all():
        if len(objects) > 1 and objects[0] != NO_OBJECT:
            raise ValueError("rows of no object need a place before all objects")
        place[~known] = 0
    return place.astype(np.uint32)


def with_links(
    arrays: CellArrays, level: int, raw: RawLinks, objects: Int, chunk_cells: Int
) -> CellArrays:
    """A cell with what joins its rows; its ``order`` becomes that of the rows stored.

    Args:
        arrays: The cell, whose ``order`` is that of the rows read.
        level: Position of its level.
        raw: What was read of its chunks.
        objects: (O,) ids of the scene's objects.
        chunk_cells: (M,) the cell of each chunk of the level, of :func:`cells_of_chunks`.
    """
    order = arrays.order.astype(np.int64)
    links = link_arrays(arrays.cell, level, raw, order, objects, chunk_cells)
    return replace(arrays, links=links, order=raw.stored[order].astype(np.uint32))


def link_arrays(
    cell: int, level: int, raw: RawLinks, order: Int, objects: Int, chunk_cells: Int
) -> LinkArrays:
    """The links of a cell, by its own rows.

    Args:
        cell: Whose rows they are.
        level: Position of its level.
        raw: What was read of its chunks.
        order: (N,) which row read each row of the cell is; links of others are left out.
        objects: (O,) ids of the scene's objects.
        chunk_cells: (M,) the cell of each chunk of the level, of :func:`cells_of_chunks`.
    """
    row_of = np.full(len(raw.objects) + 1, -1, np.int64)  # the last is that of an end elsewhere
    row_of[order] = np.arange(len(order))
    inner = row_of[raw.inner]
    rows = row_of[raw.open_rows]
    owner = chunk_cells[raw.open_ends >> CHUNK_SHIFT]
    own = owner == cell
    known = ((rows >= 0) == own).all(axis=1) & own.any(axis=1)
    whole = known & own.all(axis=1)
    reaches = np.flatnonzero(known & ~whole)
    return LinkArrays(
        level=level,
        objects=object_ranks(objects, raw.objects[order]),
        inner=np.concatenate([inner[(inner >= 0).all(axis=1)], rows[whole]]).astype(np.uint32),
        open=_grouped(
            rows[reaches],
            raw.open_ends[reaches],
            owner[reaches],
            object_ranks(objects, raw.open_objects[reaches]),
        ),
        lone=_lone(len(order), inner, rows),
    )


def _lone(rows: int, *ends: Int) -> UInt:
    """Rows that are no end of an edge, -1 being none; no row is told where there are faces."""
    alone = np.ones(rows + 1, bool)
    alone[-1] = False
    for one in ends:
        alone[one.reshape(-1)] = False
        if one.shape[1] != 2:
            alone[:] = False
    return np.flatnonzero(alone).astype(np.uint32)


def joined_links(parts: Sequence[RawLinks]) -> RawLinks:
    """Links of several reads of one level as one read of all their chunks gives them.

    Links open in several of them are joined; of equal ones the first of each with the first of
    the others, and so on.

    Args:
        parts: What was read, at least one, no chunk twice; all with as many ends to a link.
    """
    if len(parts) == 1:
        return parts[0]
    first = _starts([len(part.objects) for part in parts])
    stored = _starts([part.stored_count for part in parts])
    rows = np.concatenate(
        [
            np.where(part.open_rows < 0, -1, part.open_rows + start)
            for part, start in zip(parts, first, strict=False)
        ]
    )
    ends = np.concatenate([part.open_ends for part in parts])
    owners = np.concatenate([part.open_objects for part in parts])
    source = np.repeat(np.arange(len(parts)), [len(part.open_rows) for part in parts])
    sure, starts = _same_links(owners, ends, source)
    if len(sure):
        rows = np.maximum.reduceat(rows[sure], starts, axis=0)
        ends, owners = ends[sure[starts]], owners[sure[starts]]
    whole = (rows >= 0).all(axis=1)
    inner = [part.inner + start for part, start in zip(parts, first, strict=False)]
    return RawLinks(
        objects=np.concatenate([part.objects for part in parts]),
        inner=np.concatenate([*inner, rows[whole]]),
        open_rows=rows[~whole],
        open_ends=ends[~whole],
        open_objects=owners[~whole],
        stored=np.concatenate(
            [part.stored + start for part, start in zip(parts, stored, strict=False)]
        ),
        stored_count=stored[-1],
    )


def _same_links(objects: Int, ends: Int, source: Int) -> tuple[Int, Int]:
    """Order in which links seen from several sources lie together, and where each link begins."""
    order = np.lexsort((source, *ends.T[::-1], objects))
    fresh = changes(objects[order], ends[order])
    nth = repeats(fresh | changes(source[order]))
    link = np.cumsum(fresh)
    together = np.lexsort((nth, link))
    begins = changes(link[together], nth[together])
    return order[together], np.flatnonzero(begins)


def repeats(fresh: Bool) -> Int:
    """(N,) how many rows lie between each row and the last fresh one before it, or at it."""
    at = np.arange(len(fresh))
    return at - np.maximum.accumulate(np.where(fresh, at, 0))


def _grouped(rows: Int, ends: Int, owner: Int, objects: UInt) -> OpenLinks:
    """Open links grouped by the cells they join, each group ascending by object, then ends."""
    cells = np.sort(owner, axis=1)
    cells[:, 1:][cells[:, 1:] == cells[:, :-1]] = -1
    cells.sort(axis=1)
    order = np.lexsort((*ends.T[::-1], objects, *cells.T[::-1]))
    cells = cells[order]
    begins = np.flatnonzero(changes(cells))
    return OpenLinks(
        groups=tuple(tuple(c for c in row if c >= 0) for row in cells[begins].tolist()),
        start=np.append(begins, len(rows)),
        rows=rows[order],
        ends=ends[order],
        owner=owner[order],
        objects=objects[order],
    )


def changes(*columns: npt.NDArray[np.generic]) -> Bool:
    """(N,) whether a row differs from the one before it in any of the columns."""
    fresh = np.zeros(len(columns[0]), bool)
    fresh[:1] = True
    for column in columns:
        other = column[1:] != column[:-1]
        fresh[1:] |= other if other.ndim == 1 else other.any(axis=1)
    return fresh


def _starts(counts: Sequence[int]) -> list[int]:
    """Where each of several lists begins among all, and the number of all."""
    return [0, *np.cumsum(counts).tolist()]
