"""Bins for about so many vertices: tried until what they hold is near. Pure but for the count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, inf, log

from zarr_vectors.core.metadata import LevelMetadata, RootMetadata
from zarr_vectors.exceptions import ChunkingError, CoarseningError
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.spatial.chunking import bins_per_chunk

NEAR = 0.01
"""Part of the wanted number that a count may be away from it to be taken at once."""

_LARGEST = 2.0**20
_HALVINGS = 10


def sized_target(
    root: RootMetadata,
    source: LevelMetadata,
    level: int,
    wanted: int,
    count: Callable[[Target], int],
) -> Target:
    """Grids of a level whose bins hold about so many vertices.

    Bins are no smaller than those of the source, and divide the chunks, which are whole chunks of
    the source; axes may differ by a bin in a chunk.

    Args:
        root: Of the store.
        source: The level below.
        level: Number of the level.
        wanted: Vertices.
        count: Tells how many bins of a target hold a vertex.

    Raises:
        CoarseningError: The bins of the source hold fewer.
    """
    search = _Search(root, source, level, wanted, count)
    if search.count_at(1.0) < wanted * (1 - NEAR):
        raise CoarseningError(
            f"level {level} cannot have {wanted:,} vertices: the bins of the level below, "
            f"{source.bin_shape or root.bin_shape}, hold {search.count_at(1.0):,}"
        )
    low, high = 1.0, 2.0
    while search.count_at(high) > wanted and high < _LARGEST:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        if search.is_near:
            break
        middle = (low * high) ** 0.5
        if search.count_at(middle) > wanted:
            low = middle
        else:
            high = middle
    for grid in search.beside():
        if search.is_near:
            break
        search.look(grid)
    return search.best


Grid = tuple[int, tuple[int, ...]]
"""Source chunks along the edge of a chunk, and bins along each of its edges."""


class _Search:
    def __init__(
        self,
        root: RootMetadata,
        source: LevelMetadata,
        level: int,
        wanted: int,
        count: Callable[[Target], int],
    ) -> None:
        self._root, self._level = root, level
        self._chunk = source.chunk_shape or root.chunk_shape
        bins = source.bin_shape or root.bin_shape
        try:
            self._bins = bins_per_chunk(self._chunk, bins)
        except ChunkingError:
            pairs = zip(self._chunk, bins, strict=True)
            self._bins = tuple(max(1, int(chunk / edge)) for chunk, edge in pairs)
        self._wanted, self._count = wanted, count
        self._known: dict[Grid, int] = {}
        self._nearest: tuple[float, Grid] = inf, (1, self._bins)

    @property
    def best(self) -> Target:
        """The grids whose count was nearest."""
        return self._target(self._nearest[1])

    @property
    def is_near(self) -> bool:
        """Whether their count is near enough."""
        return self._nearest[0] <= NEAR

    def count_at(self, factor: float) -> int:
        """Occupied bins where bins are about so much larger than those of the source."""
        scale = ceil(factor - 1e-9)
        middle = (len(self._bins) - 1) / 2
        # axes gain a bin one after the other, not all at once
        turns = [(axis - middle) / len(self._bins) for axis in range(len(self._bins))]
        edges = tuple(
            min(max(round(scale * own / factor + turn), 1), scale * own)
            for own, turn in zip(self._bins, turns, strict=True)
        )
        return self.look((scale, edges))

    def look(self, grid: Grid) -> int:
        """Occupied bins of a grid; the nearest is kept."""
        if grid not in self._known:
            found = self._known[grid] = self._count(self._target(grid))
            away = abs(log(max(found, 1) / self._wanted))
            self._nearest = min(self._nearest, (away, grid))
        return self._known[grid]

    def beside(self) -> Iterator[Grid]:
        """Grids with a bin more or less along an axis than the nearest, that of most bins first."""
        scale, edges = self._nearest[1]
        for axis in sorted(range(len(edges)), key=lambda axis: -edges[axis]):
            for more in (1, -1):
                own = edges[axis] + more
                if 1 <= own <= scale * self._bins[axis]:
                    yield scale, (*edges[:axis], own, *edges[axis + 1 :])

    def _target(self, grid: Grid) -> Target:
        scale, edges = grid
        chunk = tuple(edge * scale for edge in self._chunk)
        bins = tuple(edge / number for edge, number in zip(chunk, edges, strict=True))
        ratio = zip(bins, self._root.bin_shape, strict=True)
        return Target(self._level, bins, tuple(a / b for a, b in ratio), chunk)
