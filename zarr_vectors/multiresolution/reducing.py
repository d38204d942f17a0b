"""One tile of a cloud made coarser: rows in, vertices of the next level out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.multiresolution.strategies.settling import settled
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.spatial.bins import cells_along
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.route import Route, cell_ranks, route_bins, route_rows

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False, slots=True)
class TileJob:
    """What is needed to make one tile coarser; can be sent to another process.

    Attributes:
        level: The source level.
        coords: (m, R) int64 source chunks, ascending.
        target: Grids of the level to make.
        attributes: Names, and how each is reduced.
        offset: D floats near the data: sums are taken from here, so that coordinates far from 0
            keep their digits, and sums do not depend on the tiling.
        weights: (n,) number of level-0 vertices behind every row, or None for one each.
        live: (n,) bool rows to use, or None for all.
        shared: Every vertex becomes a fragment of its own, for objects to share.
        settle: Vertices move to where they are nearest to those around, inside their bins.
    """

    level: int
    coords: IntArray
    target: Target
    attributes: tuple[tuple[str, reduce.Aggregation], ...]
    offset: tuple[float, ...]
    weights: npt.NDArray[np.floating] | None = None
    live: npt.NDArray[np.bool_] | None = None
    shared: bool = False
    settle: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class TileResult:
    """Vertices of the next level.

    Attributes:
        route: Where they go.
        positions: (c, D), in the input order of the route.
        values: (c,) or (c, C) of each attribute, likewise.
        totals: (c,) float64 level-0 vertices behind each, likewise.
        parents: (n,) int64 stored row within the tile of every source row's vertex; -1 for rows
            left out.
    """

    route: Route
    positions: FloatArray
    values: list[AnyArray]
    totals: FloatArray
    parents: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class ReadTile:
    """A tile and its rows, for who cannot open the store; can be sent to another process.

    Attributes:
        job: The tile.
        positions: (n, D) float, world units.
        values: (n,) or (n, C) of each attribute, as stored.
    """

    job: TileJob
    positions: FloatArray
    values: list[AnyArray]


def read_tile(reader: LevelReader, job: TileJob) -> ReadTile:
    """The rows of a tile."""
    arrays = reader.arrays
    names = [name for name, _ in job.attributes]
    chunks = [tuple(row) for row in job.coords.tolist()]
    plan = plan_read(arrays.table.coords, arrays.chunk_shape, chunks=chunks)
    found = reader.read(plan, names, text=False)
    return ReadTile(job, found.positions, [found.vertex_attributes[name] for name in names])


def reduce_tile(tile: ReadTile) -> TileResult:
    """Reduce the rows of a tile to one vertex per bin."""
    job = tile.job
    positions, live, weights = tile.positions, job.live, job.weights
    if live is not None:
        positions, weights = positions[live], None if weights is None else weights[live]
    count, ranks = cell_ranks(positions, job.target.bin_shape)
    totals = reduce.total_weights(ranks, count, weights)
    means = reduce.mean_positions(positions, ranks, totals, weights, job.offset)
    if job.settle:
        shapes = job.target.bin_shape, job.target.chunk_shape
        means = settled(means, positions, ranks, weights, *shapes)
    means = _within_bins(means, positions, ranks, job.target.bin_shape)
    values = []
    for column, (_, how) in zip(tile.values, job.attributes, strict=True):
        rows = column if live is None else column[live]
        values.append(reduce.reduce_values(rows, ranks, count, how, weights))
    if job.shared:
        route = route_rows(means, job.target.chunk_shape, job.target.bin_shape)
    else:
        route = route_bins(means, job.target.chunk_shape, job.target.fragment_bins)
    stored = np.empty(count, np.int64)
    stored[route.order] = np.arange(count)
    if live is None:
        parents = stored[ranks]
    else:
        parents = np.full(len(live), -1, np.int64)
        parents[live] = stored[ranks]
    return TileResult(route, means, values, totals, parents)


class Runner(Protocol):
    """Does parts of a level in the order given, here or elsewhere."""

    def tiles(self, reader: LevelReader, jobs: Iterable[TileJob]) -> Iterator[TileResult]:
        """Tiles made coarser, in the order of the jobs."""
        ...

    def each(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Results in the order of the jobs; both can be sent to other processes."""
        ...


class _Serial:
    """One part after the other, in this process."""

    def tiles(self, reader: LevelReader, jobs: Iterable[TileJob]) -> Iterator[TileResult]:
        """Tiles made coarser, in the order of the jobs."""
        return (reduce_tile(read_tile(reader, job)) for job in jobs)

    def each(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Results in the order of the jobs."""
        return map(work, jobs)


serial: Runner = _Serial()
"""Does everything in this process."""


def _within_bins(
    means: FloatArray, positions: FloatArray, ranks: IntArray, bin_shape: Sequence[float]
) -> FloatArray:
    """Means that rounding put outside the bin of their vertices, put back inside."""
    first = np.zeros(len(means), np.int64)
    first[ranks[::-1]] = np.arange(len(ranks))[::-1]
    for axis, edge in enumerate(bin_shape):
        inside = positions[first, axis]
        own = cells_along(inside, edge)
        column = means[:, axis]
        for _ in range(4):
            wrong = cells_along(column, edge) != own
            if not wrong.any():
                break
            column[wrong] = np.nextafter(column[wrong], inside[wrong])
        else:
            wrong = cells_along(column, edge) != own
            column[wrong] = inside[wrong]
    return means
