"""One level against level 0, added up tile after tile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.attributes import Tally, unexplained
from zv_viewer.qa.bins import BinTable, bins_of, coarser, grouped, joined, nests, packed, table_of
from zv_viewer.qa.duplicates import repeated
from zv_viewer.qa.evidence import COLUMNS, Cells, LostBins, Places, WrongValues
from zv_viewer.qa.nearest import FromFinest, FromLevel
from zv_viewer.qa.network import LinkTally
from zv_viewer.qa.occupancy import across_walls, compare, crowding, whole_bins
from zv_viewer.qa.offset import OffsetTally
from zv_viewer.qa.pictures import Picture
from zv_viewer.qa.reading import LevelReading, Rows
from zv_viewer.qa.shapes import to_links, with_other_ends
from zv_viewer.qa.tiles import Tile

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Finest:
    """The level-0 vertices of a tile that a level should show.

    Attributes:
        rows: All of them.
        keep: (N,) bool, or None for all.
        picked: (n,) int64 rows drawn at random.
    """

    rows: Rows
    keep: Bool | None
    picked: IntArray


class LevelTally:
    """What was found at a level so far.

    Args:
        reading: Reads the level.
        categories: Attribute -> whether it holds codes of categories, of those compared.
        strict: Whether the level promises a vertex in every bin.
        offset: Adds up what tells a shift.
        nearest: Measures from the level to level 0.
        shape: Measures from its edges or faces to those of level 0; None where there are none.
        picture: Drawn on, if any.
    """

    def __init__(
        self,
        reading: LevelReading,
        categories: Mapping[str, bool],
        *,
        strict: bool,
        offset: OffsetTally,
        nearest: FromLevel,
        shape: FromLevel | None = None,
        picture: Picture | None = None,
    ) -> None:
        self.reading, self.categories, self.strict = reading, dict(categories), strict
        self.loose = not strict
        """Whether no vertex is promised in a bin; ``strict`` may end where objects are not told."""
        self.offset, self.nearest, self.shape = offset, nearest, shape
        self.picture = picture
        self.shape_distances: list[FloatArray] = []
        """From level 0 to the edges or faces of the level."""
        self.distances = FromFinest(reading)
        self.network = LinkTally(reading)
        self.values = {name: Tally(64 if coded else None) for name, coded in categories.items()}
        self.of = 0
        """Vertices of level 0 that the level should show."""
        self._cells: list[tuple[IntArray, IntArray]] = []
        self._lost: list[tuple[IntArray, FloatArray]] = []
        self._wrong: dict[str, list[IntArray]] = {name: [] for name in categories}
        self._checked = dict.fromkeys(categories, 0)
        self._twice: list[tuple[FloatArray, IntArray]] = []
        self._rest: tuple[list[BinTable], list[BinTable]] = [], []

    def occupied(
        self, finest: Finest, finer: tuple[BinTable, tuple[float, ...]] | None
    ) -> BinTable:
        """Bins of the level that level 0 occupies.

        Args:
            finest: Vertices of level 0 in a tile.
            finer: The same of a finer level with the same attributes, and its bins.
        """
        shape = self.reading.bin_shape
        rows = finest.rows
        if finer is not None and nests(finer[1], shape):
            table = coarser(finer[0], finer[1], shape)
        else:
            values = {name: rows.attributes[name] for name in self.categories}
            table = table_of(rows.positions, rows.objects, shape, values)
        return table

    def shown(self, finest: Finest, table: BinTable) -> BinTable:
        """Of the bins that level 0 occupies, those with a vertex that the level should show.

        Vertices that a point cloud's objects share take part in the values of a bin whether their
        objects are kept or not.
        """
        rows, keep = finest.rows, finest.keep
        self.of += len(rows.positions) if keep is None else int(keep.sum())
        if keep is None:
            return table
        bins = bins_of(rows.positions[keep], self.reading.bin_shape)
        objects = np.full(len(bins), -1, np.int64) if rows.objects is None else rows.objects[keep]
        keys = np.concatenate([objects[:, None], bins], axis=1)
        whole, own = packed(table.keys, keys)
        return table.take(np.flatnonzero(np.isin(whole, own)))

    def add(self, tile: Tile, finest: Finest, expected: BinTable) -> None:
        """Take in a tile."""
        reading, names = self.reading, list(self.categories)
        near = tile.chunks(reading.coords, reading.chunk_shape, self.distances.margin)
        rows = reading.read(near, names)
        if rows.objects is None and finest.rows.objects is not None:
            self.strict = False  # its objects cannot be told: only distances can be measured
            self.distances.add(tile, finest.rows.positions[self._picked(finest)], rows.positions)
            return
        inside = tile.holds(rows.positions)
        if self.shape is None and self.picture is not None:
            self.picture.add_points(rows.positions[inside])
        own = _once(rows.take(inside))
        for name, values in own.attributes.items():
            self.values[name].add(values)
        objects = own.objects if finest.rows.objects is not None else None
        actual = table_of(own.positions, objects, reading.bin_shape, own.attributes)
        first = whole_bins(expected.bins, reading.bin_shape, tile.low, tile.high)
        second = whole_bins(actual.bins, reading.bin_shape, tile.low, tile.high)
        self._rest[0].append(expected.take(np.flatnonzero(~first)))
        self._rest[1].append(actual.take(np.flatnonzero(~second)))
        self._compare(
            expected.take(np.flatnonzero(first)), actual.take(np.flatnonzero(second)), rows
        )
        self._find_twice(own, finest.rows)
        points, away = self.distances.add(
            tile, finest.rows.positions[self._picked(finest)], rows.positions
        )
        self.nearest.add(tile, finest.rows.positions)
        if self.shape is not None:
            whole = with_other_ends(reading, rows, near)
            if whole.links is not None:
                self._draw(tile, whole.positions, whole.links)
                self.shape_distances.append(to_links(points, whole.positions, whole.links, away))
            self.shape.add(tile, finest.rows.positions, finest.rows.links)
        if finest.rows.links is not None and rows.links is not None:
            self.network.add(tile, finest.rows, finest.keep, rows, inside)

    def _draw(self, tile: Tile, positions: FloatArray, links: IntArray) -> None:
        """Draw the links that start in a tile, and its vertices."""
        if self.picture is not None:
            inside = tile.holds(positions)
            own = np.zeros(len(positions), np.bool_)
            own[inside] = True
            self.picture.add_links(positions, links[own[links[:, 0]]])
            self.picture.add_points(positions[inside])

    def finish(self) -> None:
        """Compare what reached across the walls of tiles."""
        if self._rest[0]:
            self._compare(joined(self._rest[0]), joined(self._rest[1]), None)
        self._rest = [], []

    def cells(self) -> Cells:
        """Counts by chunk."""
        far = self.distances.chunks(self.reading.chunk_shape)
        back = self.nearest.chunks(self.reading.chunk_shape)
        coords = np.concatenate([part[0] for part in self._cells] + [self.reading.coords])
        counts = np.concatenate(
            [part[1] for part in self._cells]
            + [np.zeros((len(self.reading.coords), len(COLUMNS)), np.int64)]
        )
        order, first = grouped(packed(coords)[0]) if len(coords) else (coords[:, 0], coords[:, 0])
        where = coords[order[first]]
        sums = np.add.reduceat(counts[order], first, axis=0) if len(first) else counts
        return Cells(
            where,
            {name: sums[:, i] for i, name in enumerate(COLUMNS)},
            _by_chunk(where, *far, (0.5, 0.95, 1.0)),
            _by_chunk(where, *back, (0.95,))[:, 0],
        )

    def lost(self) -> LostBins:
        """Bins without a vertex."""
        ndim = self.reading.coords.shape[1]
        keys = [np.zeros((0, 1 + ndim), np.int64), *(part[0] for part in self._lost)]
        crowds = [np.zeros(0), *(part[1] for part in self._lost)]
        return LostBins(np.concatenate(keys), np.concatenate(crowds))

    def twice(self) -> Places:
        """Vertices that are there already."""
        ndim = self.reading.coords.shape[1]
        places = [np.zeros((0, ndim)), *(part[0] for part in self._twice)]
        objects = [np.zeros(0, np.int64), *(part[1] for part in self._twice)]
        return Places(np.concatenate(places), np.concatenate(objects))

    def wrong(self) -> tuple[WrongValues, ...]:
        """Values that cannot be, by attribute."""
        ndim = self.reading.coords.shape[1]
        found = []
        for name, parts in self._wrong.items():
            bins = np.concatenate([np.zeros((0, ndim), np.int64), *parts])
            found.append(WrongValues(name, self._chunk_of(bins), bins, self._checked[name]))
        return tuple(found)

    def _picked(self, finest: Finest) -> IntArray:
        picked = finest.picked
        return picked if finest.keep is None else picked[finest.keep[picked]]

    def _chunk_of(self, bins: IntArray) -> IntArray:
        centres = (bins + 0.5) * np.asarray(self.reading.bin_shape)
        found: IntArray = np.floor(centres / np.asarray(self.reading.chunk_shape)).astype(np.int64)
        return found

    def _compare(self, expected: BinTable, actual: BinTable, rows: Rows | None) -> None:
        found = compare(expected, actual)
        lost = found.lost
        if len(lost) and rows is not None:
            objects = rows.objects if (expected.objects >= 0).any() else None
            there = across_walls(
                expected.take(lost), rows.positions, objects, self.reading.bin_shape
            )
            lost = lost[~there]
        gone = expected.take(lost)
        if len(gone):
            self._lost.append((gone.keys, crowding(gone, expected)))
        self._count("expected", expected.bins, np.ones(len(expected), np.int64))
        self._count("finest", expected.bins, expected.counts)
        self._count("rows", actual.bins, actual.counts)
        self._count("common", expected.bins[found.expected], np.ones(len(found.expected), np.int64))
        self._count("lost", gone.bins, np.ones(len(gone), np.int64))
        self._count("stray", actual.bins[found.stray], np.ones(len(found.stray), np.int64))
        for name, coded in self.categories.items():
            if name not in actual.values or name not in expected.values:
                continue
            odd = unexplained(
                expected.values[name].take(found.expected),
                actual.values[name].take(found.actual),
                categories=coded,
            )
            self._wrong[name].append(expected.bins[found.expected[odd]])
            self._checked[name] += len(odd)
        self.offset.add(expected, actual, found)

    def _count(self, column: str, bins: IntArray, counts: IntArray) -> None:
        if not len(bins):
            return
        chunks = self._chunk_of(bins)
        order, first = grouped(packed(chunks)[0])
        sums = np.zeros((len(first), len(COLUMNS)), np.int64)
        sums[:, COLUMNS.index(column)] = np.add.reduceat(counts[order], first)
        self._cells.append((chunks[order[first]], sums))

    def _find_twice(self, own: Rows, finest: Rows) -> None:
        """Vertices that are there twice, where level 0 has none that are in the same bin."""
        again = np.flatnonzero(repeated(own.positions, own.objects) | _loose_again(own))
        if not len(again):
            return
        shape = self.reading.bin_shape
        twice = np.flatnonzero(repeated(finest.positions, finest.objects))
        known = finest.take(twice)
        here = table_of(own.positions[again], None, shape, {})
        below = table_of(known.positions, None, shape, {})
        excused = compare(here, below).expected
        bins = here.bins[excused]
        place = np.floor(own.positions[again].astype(np.float64) / np.asarray(shape))
        near, fine = packed(place.astype(np.int64), bins)
        again = again[~np.isin(near, fine)]
        if not len(again):
            return
        objects = own.objects
        ids = np.full(len(again), -1, np.int64) if objects is None else objects[again]
        self._twice.append((own.positions[again].astype(np.float64), ids))
        self._count(
            "duplicates",
            place.astype(np.int64)[~np.isin(near, fine)],
            np.ones(len(again), np.int64),
        )


def _once(rows: Rows) -> Rows:
    """Each stored vertex once for each object, however often its path comes by."""
    if rows.stored is None or rows.objects is None or len(rows.stored) < 2:
        return rows
    pairs = packed(np.stack([rows.stored, rows.objects], axis=1))[0]
    first = np.unique(pairs, return_index=True)[1]
    return rows if len(first) == len(pairs) else rows.take(np.sort(first))


def _loose_again(rows: Rows) -> Bool:
    """(N,) bool, vertices of no object in the place of another."""
    found = np.zeros(len(rows.positions), np.bool_)
    if rows.objects is None or not (rows.objects < 0).any():
        return found
    order = np.argsort(rows.objects < 0, kind="stable")
    found[order] = repeated(rows.positions[order])
    return found & (rows.objects < 0)


def _by_chunk(
    coords: IntArray, chunks: IntArray, distances: FloatArray, at: tuple[float, ...]
) -> FloatArray:
    """(K, len(at)) quantiles of the distances in every chunk, NaN where there are none."""
    found = np.full((len(coords), len(at)), np.nan)
    if not len(chunks) or not len(coords):
        return found
    wanted, given = packed(coords, chunks)
    order = np.lexsort((distances, given))
    given, distances = given[order], distances[order]
    start = np.searchsorted(given, wanted, side="left")
    count = np.searchsorted(given, wanted, side="right") - start
    there = count > 0
    for i, q in enumerate(at):
        rank = np.maximum(np.ceil(q * count).astype(np.int64) - 1, 0)
        found[there, i] = distances[(start + rank)[there]]
    return found
