"""Whole objects as paths: manifests decide what belongs to an object and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_INDEX
from zarr_vectors.core.layouts.base import KeepsObjects
from zarr_vectors.core.metadata import RootMetadata
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.exceptions import ArrayError, ConventionError
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.objects import decoded_objects, group_members, lead_of_value
from zarr_vectors.reading.plan import Pieces, ReadPlan, check_box
from zarr_vectors.reading.scatter import Places
from zarr_vectors.spatial.chunking import chunks_in_box
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, FloatArray, IntArray

PATH_KINDS = ("line", "polyline", "streamline")
"""Geometry types whose objects are paths: each row is joined to the next."""


@dataclass(frozen=True, eq=False, slots=True)
class PathTable:
    """Paths as the fragments that hold them, path after path.

    Attributes:
        ids: (P,) int64 object of every path; an object cut into several paths comes as often.
        starts: (P + 1,) int64, first piece of every path, and the end.
        chunks: (B, R) int64 chunk of every piece.
        fragments: (B,) int64 fragment of every piece.
    """

    ids: IntArray
    starts: IntArray
    chunks: IntArray
    fragments: IntArray

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: IntArray) -> PathTable:
        """Some paths, in the order asked."""
        counts = np.diff(self.starts)[rows]
        starts = _starts(counts)
        pieces = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], counts)
        return PathTable(self.ids[rows], starts, self.chunks[pieces], self.fragments[pieces])

    def owners(self) -> IntArray:
        """(B,) int64 path of every piece."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


@dataclass(frozen=True, eq=False, slots=True)
class PathRows:
    """Rows of paths, path after path.

    Attributes:
        ids: (P,) int64 object of every path.
        positions: (N, D) float as stored, world units.
        offsets: (P + 1,) int64, first row of every path, and the end.
        segments: (S + 1,) int64, first row of every fragment read, and the end.
        segment_offsets: (P + 1,) int64, first fragment of every path, and the end.
        attributes: name -> (N,) or (N, C).
    """

    ids: IntArray
    positions: FloatArray
    offsets: IntArray
    segments: IntArray
    segment_offsets: IntArray
    attributes: dict[str, AnyArray]


def check_paths(meta: RootMetadata, url: str) -> None:
    """Whether objects of a store are paths.

    Raises:
        ConventionError: They are points, or joined by links that are stored one by one.
    """
    kinds = meta.geometry_types
    if kinds and not set(kinds) & set(PATH_KINDS):
        raise ConventionError(
            f"{url} holds {', '.join(kinds)}: its objects are no paths, so there are no lines"
        )


def objects_of(
    layout: KeepsObjects,
    arrays: LevelArrays,
    object_ids: Iterable[int] | None = None,
    group_ids: Iterable[int] | None = None,
    *,
    absent: bool = False,
) -> PathTable:
    """Objects of a level: all of them ascending, or those asked for, in that order.

    Objects that the index knows to have no rows are there at a finest level, which holds every
    object; at coarser levels they have been left out.

    Args:
        layout: Where the object index is.
        arrays: The level.
        object_ids: Objects asked for; unknown ids are passed over.
        group_ids: Groups the objects must be in.
        absent: Also those that a coarser level has left out, with no pieces.

    Raises:
        StoreError: There is no such group.
        ArrayError: The index is damaged, or names chunks that are not there.
    """
    wanted = None if object_ids is None else list(dict.fromkeys(int(i) for i in object_ids))
    if group_ids is not None:
        members = group_members(layout, arrays, group_ids)
        known = set(members)
        wanted = members if wanted is None else [i for i in wanted if i in known]
    found = decoded_objects(layout, arrays, wanted)
    if found is None:
        none = np.zeros(0, np.int64)
        return PathTable(none, np.zeros(1, np.int64), np.zeros((0, arrays.rank), np.int64), none)
    ids, manifests = found
    table = PathTable(ids, manifests.offsets, manifests.chunks, manifests.fragments)
    rows = np.arange(len(ids))
    if wanted is not None:
        asked = np.array(wanted, np.int64)
        rows = np.searchsorted(ids, asked)
        rows = rows[(rows < len(ids)) & (ids[np.minimum(rows, len(ids) - 1)] == asked)]
    if arrays.meta.parent_level is not None and not absent:
        rows = rows[np.diff(table.starts)[rows] > 0]
    if len(rows) != len(ids) or (np.diff(rows) != 1).any():
        table = table.take(rows)
    return table


def cropped(
    table: PathTable,
    arrays: LevelArrays,
    *,
    chunks: Iterable[ChunkCoords] | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
    box: BoundingBox | None = None,
) -> PathTable:
    """What filters leave of paths.

    Args:
        table: The paths.
        arrays: The level.
        chunks: Only pieces in these chunks; every run of pieces left is a path of its own.
        attribute_filter: Only pieces with that value of the attribute the level is chunked by; a
            path stays one.
        box: After the others: only paths with a piece in a chunk that the box touches.

    Raises:
        ArrayError: A filter that does not fit the level.
    """
    if attribute_filter is not None:
        lead = lead_of_value(arrays, attribute_filter)
        table = _kept(table, table.chunks[:, 0] == lead, np.zeros(len(table.chunks), np.bool_))
    if chunks is not None:
        keep = _in_chunks(table, arrays, chunks)
        table = _kept(table, keep, np.concatenate([[False], ~keep[:-1]])[: len(keep)])
    if box is not None:
        checked = check_box(box, arrays.ndim)
        touched = chunks_in_box(table.chunks, arrays.chunk_shape, checked)
        hits = np.bincount(table.owners()[touched], minlength=len(table))
        table = table.take(np.flatnonzero(hits))
    return table


@dataclass(frozen=True, eq=False, slots=True)
class PlacedPaths:
    """Paths about to be read.

    Attributes:
        ids: (P,) int64 object of every path.
        starts: (P + 1,) int64, first piece of every path, and the end.
        plan: What to read at once, or where the rows of what is read in parts go.
        attributes: Names of vertex attributes.
    """

    ids: IntArray
    starts: IntArray
    plan: ReadPlan | Places
    attributes: tuple[str, ...]


def placed(reader: LevelReader, table: PathTable, attributes: Sequence[str] = ()) -> PlacedPaths:
    """Look up the pieces of paths; what is found takes less memory than they do.

    Args:
        reader: Of the level.
        table: The paths.
        attributes: Names of vertex attributes.

    Raises:
        ArrayError: A path names a chunk that is not there, or a fragment that is damaged.
        StoreError: The level lacks an attribute.
    """
    ranks = reader.ranks_of(table.chunks)
    if len(ranks) and ranks.min() < 0:
        raise _without_chunk(reader.arrays, table, int(ranks.argmin()))
    names = tuple(attributes)
    plan: ReadPlan | Places | None = reader.places(ranks, table.fragments, names)
    if plan is None:
        # read by piece number instead of by object: the counts tell where fragments begin
        pieces = Pieces(table.chunks, table.fragments, np.arange(len(table.fragments)))
        known = reader.arrays.table.coords
        coords = known[_ascending(ranks, len(known))]
        plan = ReadPlan(coords, None, np.zeros(len(coords), np.bool_), pieces)
    return PlacedPaths(table.ids, table.starts, plan, names)


def read_paths(reader: LevelReader, paths: PlacedPaths, *, text: bool = True) -> PathRows:
    """Rows of paths: everything they need in one batch, or in parts where that is much.

    Args:
        reader: Of the level.
        paths: The paths.
        text: Categories as strings; as stored codes otherwise.

    Raises:
        ArrayError: A chunk is missing or damaged.
    """
    plan = paths.plan
    if isinstance(plan, ReadPlan):
        found = reader.read(plan, paths.attributes, text=text)
        assert found.object_ids is not None  # noqa: S101  pieces were asked for
        assert plan.pieces is not None  # noqa: S101
        counts = np.bincount(found.object_ids, minlength=len(plan.pieces.fragments))
        positions, values, segments = found.positions, found.vertex_attributes, _starts(counts)
    else:
        positions, values = reader.read_places(plan, text=text)
        segments = plan.segments
    return PathRows(
        ids=paths.ids,
        positions=positions,
        offsets=segments[paths.starts],
        segments=segments,
        segment_offsets=paths.starts,
        attributes=values,
    )


def path_lengths(positions: npt.NDArray[np.floating], offsets: IntArray) -> FloatArray:
    """(P,) float64 Euclidean length of every path, world units.

    Args:
        positions: (N, D) float, path after path.
        offsets: (P + 1,) int64, first row of every path, and the end.
    """
    lengths = np.zeros(len(offsets) - 1, np.float64)
    full = np.diff(offsets) > 0
    steps = np.zeros(len(positions), np.float64)
    for axis in range(positions.shape[1]):
        column = positions[:, axis].astype(np.float64)
        steps[1:] += np.square(np.diff(column))
    steps[offsets[:-1][full]] = 0
    # summed path by path: differences of one running sum would carry the errors of all before
    if full.any():
        lengths[full] = np.add.reduceat(np.sqrt(steps), offsets[:-1][full])
    return lengths


def _in_chunks(
    table: PathTable, arrays: LevelArrays, chunks: Iterable[ChunkCoords]
) -> npt.NDArray[np.bool_]:
    given = [tuple(int(x) for x in chunk) for chunk in chunks]
    wrong = next((chunk for chunk in given if len(chunk) != arrays.rank), None)
    if wrong is not None:
        raise ArrayError(
            f"chunk {wrong} has {len(wrong)} components; chunks of level {arrays.path} of "
            f"{arrays.url} have {arrays.rank}"
        )
    wanted = set(given)
    if not wanted:
        return np.zeros(len(table.chunks), np.bool_)
    distinct, which = _distinct(table.chunks)
    inside = np.array([tuple(row) in wanted for row in distinct.tolist()], np.bool_)
    return inside[which]


def _distinct(chunks: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct rows, and which of them every row is."""
    found, which = np.unique(chunks, axis=0, return_inverse=True)
    return found, which.reshape(-1)


def _kept(
    table: PathTable, keep: npt.NDArray[np.bool_], after_gap: npt.NDArray[np.bool_]
) -> PathTable:
    """Paths of the pieces kept; one begins anew ``after_gap``, and those without pieces go."""
    rows = np.flatnonzero(keep)
    owner = table.owners()[rows]
    new = after_gap[rows]
    new[:1] = True
    new[1:] |= owner[1:] != owner[:-1]
    heads = np.flatnonzero(new)
    return replace(
        table,
        ids=table.ids[owner[heads]],
        starts=np.append(heads, len(rows)).astype(np.int64),
        chunks=table.chunks[rows],
        fragments=table.fragments[rows],
    )


def _ascending(ranks: IntArray, most: int) -> IntArray:
    """The distinct ranks, all below ``most``."""
    if len(ranks) < most:
        return np.array(sorted(set(ranks.tolist())), np.int64)
    return np.flatnonzero(np.bincount(ranks, minlength=most))


def _without_chunk(arrays: LevelArrays, table: PathTable, piece: int) -> ArrayError:
    chunk: ChunkCoords = tuple(table.chunks[piece].tolist())
    oid = int(table.ids[table.owners()[piece]])
    path = f"{arrays.path}/{OBJECT_INDEX}"
    return ArrayError(
        f"{path} in {arrays.url} is damaged: object {oid} has vertices in chunk "
        f"{format_chunk(chunk)}, which is not there",
        array=path,
        chunk=chunk,
    )


def _starts(counts: IntArray) -> IntArray:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
