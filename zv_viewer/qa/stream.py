"""One pass over a store: tile after tile of level 0, with what every other level has there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata.tables import SHAPE_METRIC
from zarr_vectors.exceptions import Cancelled, StoreUnreachable, ZVError
from zarr_vectors.lazy import ZVStore
from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.attributes import Tally, drift_of
from zv_viewer.qa.bins import BinTable, nests
from zv_viewer.qa.distances import summary
from zv_viewer.qa.evidence import COLUMNS, Cells, Evidence, Far, LostBins, Places
from zv_viewer.qa.lengths import Lengths
from zv_viewer.qa.link_values import Compared, compare_links
from zv_viewer.qa.links import degenerate
from zv_viewer.qa.nearest import FromLevel
from zv_viewer.qa.objects import object_facts
from zv_viewer.qa.offset import OffsetTally
from zv_viewer.qa.path_links import LostJoints, lost_joints
from zv_viewer.qa.pictures import Picture
from zv_viewer.qa.reading import LevelReading, Rows
from zv_viewer.qa.report import AttributeDrift, Distances
from zv_viewer.qa.shapes import on_links
from zv_viewer.qa.tally import Finest, LevelTally
from zv_viewer.qa.tiles import Tile, tiles_of
from zv_viewer.sources.drawable import PATHS
from zv_viewer.sources.weight import stored_bytes

TILE_ROWS = 600_000
"""Vertices of level 0 that are held at once."""
SAMPLE = 100_000
"""Vertices of level 0 whose distances are measured."""
BACK_SAMPLE = 20_000
"""Vertices of each other level whose distances are measured."""
_BACK_CHUNKS = 64
_SLACK = 1.05
"""How many times farther than it says a level may be: another link may be measured."""
METHOD = "per_object"
"""How levels say that they have a vertex in every bin of the level before."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a pass is made.

    Attributes:
        tile_rows: Vertices of level 0 held at once.
        sample: Vertices of level 0 whose distances are measured.
        back_sample: Likewise of every other level.
    """

    tile_rows: int = TILE_ROWS
    sample: int = SAMPLE
    back_sample: int = BACK_SAMPLE


class Stopped(Exception):
    """The work was cancelled."""


class Pass:
    """A pass over the levels of a store.

    Args:
        store: The store.
        linked: Whether edges or faces join the vertices.
        pace: How it is made.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked between tiles; True stops.
    """

    def __init__(
        self,
        store: ZVStore,
        *,
        linked: bool,
        pace: Pace,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> None:
        self._store, self._linked, self._pace = store, linked, pace
        self._progress, self._cancelled = progress, cancelled
        self._rng = np.random.default_rng(0)
        numbers = store.levels
        self.unreadable: dict[int, str] = {}
        """Level -> damage that is no chunk's."""
        self.readings = [LevelReading(store, numbers[0], linked=linked)]
        for number in numbers[1:]:
            try:
                self.readings.append(LevelReading(store, number, linked=linked))
            except (Cancelled, StoreUnreachable):
                raise
            except ZVError as error:
                self.unreadable[number] = str(error)
        self.finest = self.readings[0]
        self.objects = object_facts(store, numbers, self.unreadable)
        self._names = {
            name: spec.categories is not None or spec.dtype.kind == "b"
            for name, spec in self.finest.specs.items()
        }
        self._tallies: list[LevelTally] = []
        self._values = {n: Tally(64 if c else None) for n, c in self._names.items()}
        self._picked: dict[str, list[npt.NDArray[np.generic]]] = {n: [] for n in self._names}
        self._back: dict[int, dict[str, npt.NDArray[np.generic]]] = {}
        self._flat: list[tuple[FloatArray, IntArray]] = []
        self.complete = True
        readings = self.readings if store.ndim > 1 else []
        self.pictures = {r.number: Picture(*store.bounds, self._dot(r)) for r in readings}
        """Level -> what it looks like."""
        ids = np.zeros(0, np.int64) if self.objects is None else self.objects.finest
        self.lengths = Lengths(ids, store.ndim)

    def run(self) -> list[Evidence]:
        """Make the pass; what was found so far where it is cancelled."""
        try:
            self._start()
            self._stream()
        except Stopped:
            self.complete = False
        for tally in self._tallies:
            tally.finish()
            tally.network.finish()
        return [self._of_finest(), *(self._of_level(tally) for tally in self._tallies)]

    def _dot(self, reading: LevelReading) -> float:
        """Edge of the dots of a level's vertices: a bin, where nothing joins them."""
        if self._linked or reading is self.finest:
            return 0.0
        return min(reading.bin_shape[:2])

    def _check(self) -> None:
        if self._cancelled():
            raise Stopped

    def _start(self) -> None:
        """Draw the samples of the coarse levels."""
        shapes: list[tuple[float, ...]] = []
        strict = True
        for reading in self.readings[1:]:
            self._check()
            self._progress(0, 1, f"sampling level {reading.number}")
            points, places = self._sample_back(reading)
            strict = strict and all(nests(shape, reading.bin_shape) for shape in shapes)
            shapes.append(reading.bin_shape)
            names = {n: c for n, c in self._names.items() if n in reading.specs}
            self._tallies.append(
                LevelTally(
                    reading,
                    names,
                    strict=strict and self._declares_bins(reading),
                    offset=OffsetTally(reading, self._rng),
                    nearest=FromLevel(points, reading.bin_shape),
                    shape=FromLevel(places, reading.bin_shape) if self._linked else None,
                    picture=self.pictures.get(reading.number),
                )
            )

    def _declares_bins(self, reading: LevelReading) -> bool:
        method = self._store.level_group(reading.number).attrs.get("zarr_vectors_level", {})
        return bool(method.get("coarsening_method") == METHOD)

    def _sample_back(self, reading: LevelReading) -> tuple[FloatArray, FloatArray]:
        """Vertices of a level, drawn from all of its chunks or from some, and places on links."""
        count = len(reading.coords)
        chunks = np.arange(count)
        if count > _BACK_CHUNKS and int(reading.counts.sum()) > 4 * self._pace.back_sample:
            chunks = np.sort(self._rng.choice(count, _BACK_CHUNKS, replace=False))
        rows = reading.read(chunks, [name for name in self._names if name in reading.specs])
        picked = np.arange(len(rows.positions))
        if len(picked) > self._pace.back_sample:
            picked = np.sort(self._rng.choice(picked, self._pace.back_sample, replace=False))
        own = rows.take(picked)
        self._back[reading.number] = dict(own.attributes)
        places: FloatArray = np.zeros((0, own.positions.shape[1]))
        if rows.links is not None:
            places = on_links(rows.positions, rows.links, self._pace.back_sample, self._rng)
        return own.positions, places

    def _stream(self) -> None:
        finest = self.finest
        shapes = [reading.bin_shape for reading in self.readings[1:]]
        most = self._pace.tile_rows
        tiles = tiles_of(finest.coords, finest.counts, finest.chunk_shape, most, shapes)
        share = self._pace.sample / max(int(finest.counts.sum()), 1)
        for done, tile in enumerate(tiles):
            self._check()
            self._progress(done, len(tiles), f"tile {done + 1} of {len(tiles)}")
            rows = finest.read(tile.rows, list(self._names))
            self._look_at(rows, tile)
            picked = np.flatnonzero(self._rng.random(len(rows.positions)) < share)
            for name, values in rows.attributes.items():
                self._values[name].add(values)
                self._picked[name].append(values[picked])
            self._tile(tile, rows, picked)
        self._progress(len(tiles), len(tiles), "judging")

    def _tile(self, tile: Tile, rows: Rows, picked: IntArray) -> None:
        owners = self._owners(tile, rows)
        finer: tuple[BinTable, tuple[float, ...]] | None = None
        for tally in self._tallies:
            self._check()
            seen = Finest(rows, self._kept(tally.reading, rows, owners), picked)
            if finer is not None and finer[0].values.keys() != tally.categories.keys():
                finer = None
            occupied = tally.occupied(seen, finer)
            finer = occupied, tally.reading.bin_shape
            tally.add(tile, seen, tally.shown(seen, occupied))

    def _owners(self, tile: Tile, rows: Rows) -> tuple[IntArray, IntArray] | None:
        """(rows, objects) of the vertices of a point cloud, where levels leave objects out."""
        if rows.objects is not None or self.objects is None:
            return None
        found = self.finest.owners(tile.rows)
        if found is not None:
            self.lengths.add(rows.positions[found[0]], found[1])
        return found

    def _kept(
        self, reading: LevelReading, rows: Rows, owners: tuple[IntArray, IntArray] | None
    ) -> npt.NDArray[np.bool_] | None:
        """Which vertices of level 0 a level should show; None for all."""
        if self.objects is None or self.objects.keeps_all(reading.number):
            return None
        ids = self.objects.at(reading.number)
        if rows.objects is not None:
            return np.isin(rows.objects, ids)
        if owners is None:
            return None
        keep = np.zeros(len(rows.positions), np.bool_)
        keep[owners[0][np.isin(owners[1], ids)]] = True
        return keep

    def _look_at(self, rows: Rows, tile: Tile) -> None:
        """What level 0 alone tells."""
        picture = self.pictures.get(self.finest.number)
        if picture is not None:
            picture.add_points(rows.positions)
            if rows.links is not None:
                picture.add_links(rows.positions, rows.links)
        if rows.objects is not None:
            self.lengths.add(rows.positions, rows.objects)
        if rows.links is not None and rows.links.shape[1] > 2 and rows.objects is not None:
            flat = rows.links[degenerate(rows.links, rows.positions, by_place=False)]
            if len(flat):
                places = rows.positions[flat[:, 0]].astype(np.float64)
                self._flat.append((places, rows.objects[flat[:, 0]]))

    def _of_finest(self) -> Evidence:
        reading = self.finest
        none = np.zeros(0, np.int64)
        counts = {name: np.zeros(len(reading.coords), np.int64) for name in COLUMNS}
        counts["rows"] = counts["finest"] = reading.counts
        shape = len(reading.coords)
        cells = Cells(reading.coords, counts, np.full((shape, 3), np.nan), np.full(shape, np.nan))
        ndim = self._store.ndim
        flat = Places(
            np.concatenate([np.zeros((0, ndim)), *(part[0] for part in self._flat)]),
            np.concatenate([none, *(part[1] for part in self._flat)]),
        )
        lost = LostBins(np.zeros((0, 1 + ndim), np.int64), np.zeros(0))
        return self._evidence(reading, cells=cells, lost=lost, degenerate=flat)

    def _of_level(self, tally: LevelTally) -> Evidence:
        reading = tally.reading
        number = reading.number
        away, back = tally.distances.distances(), tally.nearest.distances()
        shown = np.concatenate([np.zeros(0), *tally.shape_distances])
        places = np.zeros(0) if tally.shape is None else tally.shape.distances()
        links = self._links(reading)
        return self._evidence(
            reading,
            strict=tally.strict,
            cells=tally.cells(),
            lost=tally.lost(),
            shift=tally.offset.shift() if self.complete else None,
            to_level=summary(away, max(len(away), tally.of)),
            to_finest=summary(back, max(int(reading.counts.sum()), len(back))),
            shape_to_level=summary(shown, max(len(shown), tally.of)),
            shape_to_finest=summary(places, len(places) + 1),
            lost_links=tally.network.lost(),
            degenerate=tally.network.flat(),
            duplicates=tally.twice(),
            wrong=(*tally.wrong(), *links.wrong),
            drift=(*self._drift(tally), *links.drift),
            missing=(
                *(name for name in self._names if name not in reading.specs),
                *links.missing,
            ),
            objects=None if self.objects is None else self.objects.facts(number, self.lengths),
            joints=self._joints(reading),
            far=self._far(tally, shown) if self.complete else None,
        )

    def _far(self, tally: LevelTally, shown: FloatArray) -> Far | None:
        """Vertices of level 0 that are farther away than the level says, where bins say nothing.

        Args:
            tally: Of the level.
            shown: (n,) distances to edges and faces, or none.
        """
        level = tally.reading.level
        told = level.error
        if not tally.loose or told is None or level.stale is not None:
            return None
        if told.reference_level != self.finest.number:
            return None
        points, found = tally.distances.points(), tally.distances.distances()
        if told.metric == SHAPE_METRIC:
            if len(shown) != len(found):
                return None
            found = shown
        rounding = 1e-6 * float(np.linalg.norm(tally.reading.bin_shape))
        odd = np.flatnonzero(found > _SLACK * told.max + rounding)
        return Far(points[odd], found[odd], told.max)

    def _links(self, reading: LevelReading) -> Compared:
        """What became of the attributes of links."""
        if not self.complete or not self._linked or set(self._store.geometry_types) & PATHS:
            return Compared()
        layout = self._store.level_group(reading.number).layout
        try:
            return compare_links(layout, self.finest, reading)
        except (Cancelled, StoreUnreachable):
            raise
        except ZVError as error:
            known = [*reading.troubles, *self.finest.troubles, *reading.damaged.values()]
            if str(error) not in known:
                reading.troubles.append(str(error))
            return Compared()

    def _joints(self, reading: LevelReading) -> LostJoints | None:
        """Of paths, where one leaves a chunk and no link says so."""
        if not self.complete or not set(self._store.geometry_types) & PATHS:
            return None
        try:
            return lost_joints(self._store, reading.number)
        except (Cancelled, StoreUnreachable):
            raise
        except ZVError as error:
            reading.troubles.append(str(error))
            return None

    def _drift(self, tally: LevelTally) -> tuple[AttributeDrift, ...]:
        found = []
        wrong = {entry.name: entry for entry in tally.wrong()}
        for name, coded in tally.categories.items():
            entry = wrong[name]
            outside = len(entry.bins) / entry.checked if entry.checked else None
            parts = self._picked[name]
            if not parts:
                continue
            samples = np.concatenate(parts), self._back[tally.reading.number][name]
            found.append(
                drift_of(
                    name,
                    "vertex",
                    self._values[name],
                    tally.values[name],
                    samples,
                    outside,
                    categories=coded,
                )
            )
        return tuple(found)

    def _evidence(
        self,
        reading: LevelReading,
        *,
        cells: Cells,
        lost: LostBins,
        degenerate: Places,
        strict: bool = True,
        shift: FloatArray | None = None,
        to_level: Distances | None = None,
        to_finest: Distances | None = None,
        **more: object,
    ) -> Evidence:
        outside = {reading.chunk(int(i)): int(reading.outside[i]) for i in _some(reading.outside)}
        return Evidence(
            level=reading.number,
            vertices=int(reading.counts.sum()),
            recorded=reading.level.vertex_count,
            bytes=stored_bytes(self._store, reading.number),
            chunk_shape=reading.chunk_shape,
            bin_shape=reading.bin_shape,
            strict=strict,
            cells=cells,
            lost=lost,
            degenerate=degenerate,
            shift=shift,
            to_level=to_level,
            to_finest=to_finest,
            damaged=dict(reading.damaged),
            troubles=tuple(reading.troubles),
            outside=outside,
            miscounted=reading.miscounted(),
            absent=reading.absent(),
            **more,  # type: ignore[arg-type]  # fields of the evidence
        )


def _some(counts: IntArray) -> IntArray:
    return np.flatnonzero(counts)
