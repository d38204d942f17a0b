"""Which vertices of a level the vertices of the level above stand for, told from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.exceptions import ArrayError, CoarseningError
from zarr_vectors.multiresolution.builder import exact_table
from zarr_vectors.multiresolution.linked_load import Loader, Source
from zarr_vectors.multiresolution.linked_reduce import BatchJob, reduce_batch
from zarr_vectors.multiresolution.linked_rows import KINDS
from zarr_vectors.multiresolution.merging import merge
from zarr_vectors.multiresolution.scratch import Scratch
from zarr_vectors.multiresolution.shelf import BATCH_ROWS
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.multiresolution.tiles import chunk_scales, rows_of, target_chunks, tiles_of
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.objects import decoded_objects, fragments_of
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import FloatArray, IntArray
from zarr_vectors.writing.route import cell_ranks, starts_of

Check = Callable[[], None]


@dataclass(frozen=True, eq=False, slots=True)
class Family:
    """Some chunks of a level, all vertices of the level below behind their vertices, and the pairs.

    Attributes:
        source_chunks: (m,) int64 numbers of chunks of the level below, ascending.
        source_rows: (P,) int64 rows among those of these chunks, one chunk after the other.
        target_chunks: (k,) int64 numbers of chunks of the level, ascending.
        target_rows: (P,) int64 rows among those of these chunks.
    """

    source_chunks: IntArray
    source_rows: IntArray
    target_chunks: IntArray
    target_rows: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Pair:
    """Two levels, one made from the other.

    Attributes:
        handle: The store.
        below: Reads the finer level.
        above: Reads the coarser level.
        fine: Chunks of the finer level, with exact counts.
        coarse: Chunks of the coarser level, with exact counts.
    """

    handle: StoreHandle
    below: LevelReader
    above: LevelReader
    fine: ChunkTable
    coarse: ChunkTable

    @classmethod
    def of(cls, handle: StoreHandle, below: int, above: int) -> Pair:
        """Two levels of a store."""
        fine, coarse = (reader_of(handle, number) for number in (below, above))
        return cls(handle, fine, coarse, exact_table(fine), exact_table(coarse))

    @property
    def target(self) -> Target:
        """The grids of the coarser level.

        Raises:
            CoarseningError: Its bins are not recorded.
        """
        meta, root = self.above.arrays.meta, self.handle.meta
        if meta.bin_shape is None:
            raise CoarseningError(f"level {meta.level} of {self._url} does not tell its bins")
        ratio = meta.bin_ratio or (1.0,) * root.ndim
        return Target(meta.level, meta.bin_shape, ratio, self.above.arrays.chunk_shape)

    @property
    def _url(self) -> str:
        return self.handle.backend.url


def reader_of(handle: StoreHandle, level: int) -> LevelReader:
    """What reads a level as it is now."""
    return LevelReader(
        handle.layout, describe_level(handle.layout, handle.meta, handle.level(level))
    )


def families(pair: Pair, weights: FloatArray | None, check: Check) -> tuple[str, Iterable[Family]]:
    """How the vertices of a level are told from those below, and which they are.

    Args:
        pair: The levels.
        weights: (N,) vertices of the first level behind each of the level below; None: one each.
        check: Called between parts; may raise to stop.

    Returns:
        ``links``, ``bins`` or ``again``, and parts that hold every chunk of the level once.

    Raises:
        CoarseningError: It cannot be told.
        ArrayError: Damage.
    """
    kinds = pair.handle.meta.geometry_types
    if kinds != ("point_cloud",):
        linked = _by_links(pair)
        if linked is not None:
            return "links", [linked]
    if _one_in_each_bin(pair, check):
        return "bins", _by_bins(pair, check)
    if len(kinds) == 1 and kinds[0] in KINDS:
        return "again", [_again(pair, kinds[0], weights, check)]
    number = pair.above.arrays.path
    raise CoarseningError(
        f"several vertices of level {number} of {pair.handle.backend.url} lie in one bin, so that "
        "it is not known which vertices each stands for: build the pyramid again"
    )


def _by_links(pair: Pair) -> Family | None:
    """By the links between the levels, None where there are none."""
    layout, coarse, fine = pair.handle.layout, pair.coarse, pair.fine
    below, above = pair.below.arrays.meta.level, pair.above.arrays.meta.level
    found = layout.get_links(str(below), delta=above - below)
    ends = (0, 1)
    if found is None or not len(found.rows):
        found, ends = layout.get_links(str(above), delta=below - above), (1, 0)
    if found is None or not len(found.rows):
        return None
    rows = []
    for end, (table, reader) in zip(ends, ((fine, pair.below), (coarse, pair.above)), strict=True):
        chunk = chunk_ranks(found.chunks[:, end], table.coords)
        own = found.rows[:, end]
        if (chunk < 0).any() or (own < 0).any() or (own >= table.counts[chunk]).any():
            raise ArrayError(
                f"links between levels {below} and {above} of {pair.handle.backend.url} name "
                f"vertices that level {reader.arrays.path} does not have"
            )
        rows.append(starts_of(table.counts)[chunk] + own)
    every = [np.arange(len(table.coords), dtype=np.int64) for table in (fine, coarse)]
    order = np.argsort(rows[0], kind="stable")
    return Family(every[0], rows[0][order], every[1], rows[1][order])


def _one_in_each_bin(pair: Pair, check: Check) -> bool:
    """No two vertices of the coarser level lie in one bin."""
    target, table = pair.target, pair.coarse
    scales = chunk_scales(target.chunk_shape, target)
    for tile in tiles_of(table, scales):
        check()
        positions = _positions(pair.above, table, tile.chunks)
        if cell_ranks(positions, target.bin_shape)[0] != len(positions):
            return False
    return True


def _by_bins(pair: Pair, check: Check) -> Iterator[Family]:
    """By bins: a vertex stands for those of its objects in its bin."""
    target, fine, coarse = pair.target, pair.fine, pair.coarse
    live = _live(pair)
    starts = starts_of(fine.counts)
    scales = chunk_scales(pair.below.arrays.chunk_shape, target)
    owners = None if scales is None else target_chunks(fine.coords, scales)
    met = np.zeros(len(coarse.coords), np.bool_)
    for tile in tiles_of(fine, scales):
        check()
        own = np.arange(len(coarse.coords), dtype=np.int64)
        if owners is not None:
            places = chunk_ranks(np.unique(owners[tile.chunks], axis=0), coarse.coords)
            own = places[places >= 0]
        met[own] = True
        below = _positions(pair.below, fine, tile.chunks)
        above = _positions(pair.above, coarse, own)
        rows = np.arange(len(below), dtype=np.int64)
        if live is not None:
            rows = rows[live[rows_of(tile.chunks, starts)]]
            below = below[rows]
        count, ranks = cell_ranks(np.concatenate([below, above]), target.bin_shape)
        row_of = np.full(count, -1, np.int64)
        row_of[ranks[len(below) :]] = np.arange(len(above))
        parents = row_of[ranks[: len(below)]]
        there = parents >= 0
        yield Family(tile.chunks, rows[there], own, parents[there])
    rest = np.flatnonzero(~met)
    if len(rest):  # no vertex below lies where these are
        none = np.zeros(0, np.int64)
        yield Family(none, none, rest, none)


def _live(pair: Pair) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
    """(N,) rows of the finer level that objects of the coarser one have; None: all."""
    layout, arrays = pair.handle.layout, pair.below.arrays
    there, before = _there(pair, pair.above), _there(pair, pair.below)
    if there is None or before is None or np.array_equal(there, before):
        return None
    keys = pair.fine.keys()
    rows, objects = piece_rows(
        fragments_of(layout, arrays, None),
        pair.below.fragment_tables(keys),
        keys,
        starts_of(pair.fine.counts),
        arrays.fragments_path,
        arrays.url,
    )
    live = np.zeros(int(pair.fine.counts.sum()), np.bool_)
    live[rows[np.isin(objects, there)]] = True
    return live


def _there(pair: Pair, reader: LevelReader) -> IntArray | None:
    """Objects that have vertices at a level, ascending; None where it has no objects."""
    index = pair.handle.layout.get_objects(reader.arrays.path)
    if index is None:
        return None
    there = np.array([blob != EMPTY_MANIFEST for blob in index.manifests], np.bool_)
    return np.asarray(index.ids[there])


def _again(pair: Pair, kind: str, weights: FloatArray | None, check: Check) -> Family:
    """By making the level once more, in memory, and comparing.

    Raises:
        CoarseningError: What is made is not what is stored.
    """
    handle, arrays = pair.handle, pair.below.arrays
    objects = decoded_objects(handle.layout, arrays, None)
    source = Source(handle, pair.below, pair.fine, kind, objects, (), ())
    kept, target = _there(pair, pair.above), pair.target
    routes, sources, parents, positions = [], [], [], []
    with Scratch() as scratch:
        shelf, stored = Loader(source, scratch, check, BATCH_ROWS).load(stored=True)
        assert stored is not None  # noqa: S101  asked for
        for number in range(shelf.batches):
            check()
            rows, own = shelf.batch(number), slice(*shelf.starts[number : number + 2].tolist())
            sources.append(np.array(stored[own]))
            if weights is not None:
                rows = replace(rows, weights=weights[sources[-1]])
            marks = handle.layout.parents_cross_fragments
            job = BatchJob(rows, {}, kept, kind, target, {}, {}, handle.meta.bounds[0], marks)
            result = reduce_batch(job)
            routes.append(result.routed.route)
            parents.append(result.parents)
            positions.append(np.array(result.rows.positions))
    merged = merge(routes)
    same = np.array_equal(merged.coords, pair.coarse.coords) and np.array_equal(
        merged.counts, pair.coarse.counts
    )
    fine, coarse = [], []
    made = np.zeros((int(merged.counts.sum()), handle.meta.ndim))
    for number, above in enumerate(parents):
        places = merged.stored(number)
        made[places] = positions[number]
        live = above >= 0
        fine.append(sources[number][live])
        coarse.append(places[above[live]])
    every = [np.arange(len(t.coords), dtype=np.int64) for t in (pair.fine, pair.coarse)]
    if same:
        there = _positions(pair.above, pair.coarse, every[1])
        same = bool((np.abs(there - made) <= 1e-3 * np.asarray(target.bin_shape)).all())
    if not same:
        raise CoarseningError(
            f"level {target.level} of {handle.backend.url} has no links to level {arrays.path} and "
            "is not what that level is made into here: build the pyramid again"
        )
    rows_below, rows_above = np.concatenate(fine), np.concatenate(coarse)
    order = np.argsort(rows_below, kind="stable")
    return Family(every[0], rows_below[order], every[1], rows_above[order])


def _positions(reader: LevelReader, table: ChunkTable, chunks: IntArray) -> FloatArray:
    """Vertices of some chunks, one chunk after the other."""
    keys = [tuple(row) for row in table.coords[chunks].tolist()]
    found = reader.read_chunks(keys)
    none = np.zeros((0, reader.arrays.ndim), reader.arrays.vertices.dtype)
    return np.concatenate([none, *(found[key].positions for key in keys)])
