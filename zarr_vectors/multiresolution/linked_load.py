"""A stored level of linked geometry: read by runs of chunks, set aside by object."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from zarr_vectors.constants import LINKS_KEY
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.encoding.manifests import ManifestTable
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.linked_links import (
    Links,
    as_triangles,
    in_order,
    links_of_run,
    sort_links,
)
from zarr_vectors.multiresolution.linked_rows import PATHS
from zarr_vectors.multiresolution.merging import runs_of
from zarr_vectors.multiresolution.scratch import SMALL, Scratch, rest
from zarr_vectors.multiresolution.shelf import Shelf, Sorting, batch_bounds
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.edges import Selection
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import LinkedRows, read_edges, read_faces
from zarr_vectors.reading.plan import Pieces, plan_read
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.route import starts_of


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """A level to be read.

    Attributes:
        handle: The store.
        reader: Of the level.
        table: Its chunks with exact counts.
        kind: Geometry type.
        objects: Ids of objects, ascending, and the fragments of each; None where there are none.
        attributes: Names of attributes of vertices to read.
        link_attributes: Names of attributes of links to read.
    """

    handle: StoreHandle
    reader: LevelReader
    table: ChunkTable
    kind: str
    objects: tuple[IntArray, ManifestTable] | None
    attributes: tuple[str, ...]
    link_attributes: tuple[str, ...]


class Loader:
    """Reads a level.

    Args:
        source: The level.
        scratch: Where it is set aside.
        check: Called between runs of chunks; may raise to stop.
        most: Vertices of a batch, and of a run of chunks.
        alone: Whether vertices that none of the objects has are read, too.

    Raises:
        CoarseningError: Lines that are not objects.
    """

    def __init__(
        self,
        source: Source,
        scratch: Scratch,
        check: Callable[[], None],
        most: int,
        *,
        alone: bool = True,
    ) -> None:
        self._source = source
        self._scratch = scratch
        self._check = check
        self._most = most
        self._alone = alone
        self._arrays = source.reader.arrays
        self._keys = source.table.keys()
        self._starts = starts_of(source.table.counts)
        self._paths = source.kind in PATHS
        if self._paths and source.objects is None:
            raise CoarseningError(
                f"level {self._arrays.path} of {source.handle.backend.url} has no objects: "
                "lines are joined by their object"
            )
        foreign = LINKS_KEY not in source.handle.level(self._arrays.meta.level).attributes
        self._runs = runs_of(source.table.counts, most)
        if foreign and not self._paths:  # what is doubtful of them is told from all of them
            self._runs = [(0, len(self._keys))]
        self._whole: LinkedRows | None = None
        self._pieces = _pieces_of(source.objects, self._arrays.rank)
        ranks = chunk_ranks(self._pieces.chunks, source.table.coords)
        ends = np.array([stop for _, stop in self._runs], np.int64)
        # a piece of a chunk that is not there is asked for too: the error names it
        run = np.searchsorted(ends, np.maximum(ranks, 0), side="right")
        several = len(self._runs) > 1
        self._of_run: list[IntArray | slice] = [slice(None)]
        if several:
            self._of_run = [np.flatnonzero(run == number) for number in range(len(self._runs))]
        self._known: dict[int, tuple[IntArray, IntArray]] = {}

    def load(self, *, stored: bool) -> tuple[Shelf, IntArray | None]:
        """The level in batches.

        Args:
            stored: Whether the stored row of every row is wanted.

        Returns:
            The level, and (N,) int64 stored rows or None.

        Raises:
            ArrayError: Damage.
        """
        if not self._paths and len(self._runs) == 1:
            self._whole = self._read_whole()
        lengths = np.zeros(len(self._pieces.chunks), np.int64)
        alone, shared = [np.zeros(0, np.int64)], False
        for number, (first, stop) in enumerate(self._runs):
            self._check()
            rows, counts = self._piece_rows(number)
            lengths[self._of_run[number]] = counts
            begin, end = self._starts[first], self._starts[stop]
            if not self._paths:
                times = np.bincount(rows - begin, minlength=end - begin)
                shared |= bool((times > 1).any())
                if self._alone:
                    alone.append(np.flatnonzero(times == 0) + begin)
        if shared or self._source.objects is None:
            return self._as_stored(stored=stored)
        return self._by_object(lengths, np.concatenate(alone), stored=stored)

    def _by_object(
        self, lengths: IntArray, alone: IntArray, *, stored: bool
    ) -> tuple[Shelf, IntArray | None]:
        """Object after object; rows that no object has come last."""
        assert self._source.objects is not None  # noqa: S101  checked by the caller
        ids, table = self._source.objects
        first = starts_of(lengths)
        sizes = np.diff(first[table.offsets])
        firsts, total = first[:-1], int(first[-1])
        rows = starts_of(np.append(sizes, len(alone)))
        places = None if self._paths else self._places(firsts, alone, total)
        several = int(rows[-1]) > self._most
        found_links = self._links()
        if not self._alone and places is not None:
            found_links = _between(found_links, places)
        links = sort_links(found_links, places, rows, self._scratch, several=several)
        bounds = batch_bounds(np.diff(rows), links.between, self._most)
        starts = rows[bounds]
        positions, columns, found = self._columns(starts, firsts, alone, total, stored=stored)
        pairs = np.minimum(starts, total)
        objects, own = (self._scratch.growing(np.int64) for _ in range(2))
        joints = links.starts[bounds] if several else np.array([0, len(links.links)])
        ends, values = in_order(links, joints, starts)
        for number, (low, high) in enumerate(itertools.pairwise(bounds.tolist())):
            objects.add(np.repeat(ids[low:high], sizes[low:high]))
            own.add(np.arange(pairs[number + 1] - pairs[number]))
        shelf = Shelf(
            starts,
            positions,
            columns,
            None,
            pairs,
            objects.whole(),
            own.whole(),
            joints,
            ends,
            values,
        )
        return shelf, found

    def _as_stored(self, *, stored: bool) -> tuple[Shelf, IntArray | None]:
        """One batch: there are no objects, or they share rows."""
        count = int(self._starts[-1])
        rows = np.array([0, count])
        links = sort_links(self._links(), None, rows, self._scratch, several=False)
        joints = np.array([0, len(links.links)])
        ends, values = in_order(links, joints, rows)
        positions, columns, found = self._columns(
            rows, None, np.zeros(0, np.int64), count, stored=stored
        )
        none = np.zeros(0, np.int64)
        objects, own = None, none
        if self._source.objects is not None:
            parts = [self._piece_rows(number) for number in range(len(self._runs))]
            of_pieces = [self._pieces.objects[pick] for pick in self._of_run]
            every = [np.repeat(o, c) for o, (_, c) in zip(of_pieces, parts, strict=True)]
            objects, own = np.concatenate(every), np.concatenate([r for r, _ in parts])
            order = np.argsort(objects, kind="stable")
            objects, own = objects[order], own[order]
        shelf = Shelf(
            rows,
            positions,
            columns,
            None,
            np.array([0, len(own)]),
            objects,
            own,
            joints,
            ends,
            values,
        )
        return shelf, found

    def _columns(
        self,
        starts: IntArray,
        firsts: IntArray | None,
        alone: IntArray,
        total: int,
        *,
        stored: bool,
    ) -> tuple[FloatArray, dict[str, AnyArray], IntArray | None]:
        """Positions and attributes in batches, and the stored rows where they are wanted."""
        sorting: Sorting | None = None
        for number, (first, stop) in enumerate(self._runs):
            self._check()
            begin, end = int(self._starts[first]), int(self._starts[stop])
            positions, values = self._rows(number)
            if firsts is None:
                rows = places = np.arange(begin, end)
            else:
                rows, places = self._moved(number, firsts)
                own = slice(*np.searchsorted(alone, (begin, end)).tolist())
                rows = np.concatenate([rows, alone[own]])
                places = np.concatenate([places, np.arange(total, total + len(alone))[own]])
            inside = rows - begin if begin else rows
            every: dict[str, AnyArray] = {_POSITIONS: positions, **values}
            picked = {name: column.take(inside, axis=0) for name, column in every.items()}
            if stored:
                picked[_STORED] = rows
            if sorting is None:
                sorting = Sorting(self._scratch, starts, picked)
            sorting.add(places, picked)
        assert sorting is not None  # noqa: S101  there is at least one run
        sorting.settle()
        made = dict(sorting.columns)
        positions = made.pop(_POSITIONS)
        found = made.pop(_STORED, None)
        return positions, made, found

    def _rows(self, number: int) -> tuple[FloatArray, dict[str, AnyArray]]:
        """Positions and attributes of a run, as stored."""
        if self._whole is not None:
            return self._whole.points.positions, self._whole.points.vertex_attributes
        arrays, keys = self._arrays, self._keys[slice(*self._runs[number])]
        plan = plan_read(arrays.table.coords, arrays.chunk_shape, chunks=keys)
        found = self._source.reader.read(plan, self._source.attributes, text=False)
        return found.positions, found.vertex_attributes

    def _links(self) -> Iterator[Links]:
        """Links by runs of chunks, between stored rows."""
        source, arrays = self._source, self._arrays
        if self._paths:
            yield np.zeros((0, 2), np.int64), {}
            return
        if self._whole is not None:
            yield as_triangles((self._whole.links, self._whole.attributes))
            return
        selection = Selection(source.table.coords, self._starts)
        for first, stop in self._runs:
            self._check()
            keys = self._keys[first:stop]
            found = source.handle.layout.get_links(
                arrays.path, within=keys, starting=True, attributes=source.link_attributes
            )
            begin = int(self._starts[first])
            within = Selection(
                source.table.coords[first:stop], self._starts[first : stop + 1] - begin
            )
            links = links_of_run(source.reader, found, selection, within, begin, kind=source.kind)
            yield as_triangles(links)

    def _read_whole(self) -> LinkedRows:
        source, arrays = self._source, self._arrays
        read = read_faces if source.kind == "mesh" else read_edges
        coords = arrays.table.coords
        some = None if len(self._keys) == len(coords) else self._keys
        plan = plan_read(coords, arrays.chunk_shape, chunks=some)
        names, links = source.attributes, source.link_attributes
        return read(source.handle, source.reader, plan, names, links, text=False)

    def _places(self, firsts: IntArray, alone: IntArray, total: int) -> IntArray:
        """(N,) row of every stored row, -1 where it is left out."""
        places: IntArray = self._scratch.array((int(self._starts[-1]),), np.int64)
        if not self._alone:
            places[:] = -1
        for number in range(len(self._runs)):
            rows, moved = self._moved(number, firsts)
            places[rows] = moved
            rest(places)
        places[alone] = np.arange(total, total + len(alone))
        return places

    def _moved(self, number: int, firsts: IntArray) -> tuple[IntArray, IntArray]:
        """(n,) stored rows that objects have in a run, and (n,) their rows object by object."""
        rows, counts = self._piece_rows(number)
        shift = firsts[self._of_run[number]] - (np.cumsum(counts) - counts)
        return rows, np.arange(len(rows)) + np.repeat(shift, counts)

    def _piece_rows(self, number: int) -> tuple[IntArray, IntArray]:
        """Stored rows of the pieces of a run, piece after piece, and the rows of each."""
        if number in self._known:
            return self._known[number]
        first, stop = self._runs[number]
        keys, pick = self._keys[first:stop], self._of_run[number]
        chunks, fragments = self._pieces.chunks[pick], self._pieces.fragments[pick]
        rows, piece = piece_rows(
            Pieces(chunks, fragments, np.arange(len(chunks))),
            self._source.reader.fragment_tables(keys),
            keys,
            self._starts[first : stop + 1] - self._starts[first],
            self._arrays.fragments_path,
            self._arrays.url,
        )
        found = rows + self._starts[first], np.bincount(piece, minlength=len(chunks))
        if len(self._runs) == 1 or 8 * int(self._starts[-1]) <= SMALL:
            self._known[number] = found
        return found


_POSITIONS, _STORED = "", "/"
"""Names of columns that no attribute has."""


def _between(parts: Iterator[Links], places: IntArray) -> Iterator[Links]:
    """Links whose ends are all there."""
    for ends, values in parts:
        there = (places[ends] >= 0).all(axis=1)
        yield ends[there], {name: column[there] for name, column in values.items()}


def _pieces_of(objects: tuple[IntArray, ManifestTable] | None, rank: int) -> Pieces:
    """Fragments of all objects, object after object."""
    if objects is None:
        none = np.zeros(0, np.int64)
        return Pieces(np.zeros((0, rank), np.int64), none, none)
    ids, table = objects
    return Pieces(table.chunks, table.fragments, np.repeat(ids, np.diff(table.offsets)))
