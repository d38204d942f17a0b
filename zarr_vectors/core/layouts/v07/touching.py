"""Links of 0.7 by any of their ends: the one list of links between chunks is indexed by chunk."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.placed import PlacedLinks, narrow
from zarr_vectors.core.layouts.v07.links import Family, ReadsLinks07, inner_path, outer_path
from zarr_vectors.typing import ChunkCoords, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class _Far:
    """Links between chunks, by chunk.

    Attributes:
        chunks: (K, R) int64 chunks with an end of a link, ascending.
        ends: (M, W) integers, chunk of every end.
        rows: (M, W) integers, row of every end among all rows of its chunk.
        order: (T,) integers, links of every chunk, chunk after chunk.
        starts: (K + 1,) int64, first of them of every chunk, and the end.
        place: Chunk -> its number.
    """

    chunks: IntArray
    ends: npt.NDArray[Any]
    rows: npt.NDArray[Any]
    order: npt.NDArray[Any]
    starts: IntArray
    place: dict[ChunkCoords, int]

    @classmethod
    def of(cls, links: IntArray) -> _Far:
        """Index (M, W, R + 1) chunks and rows of ends."""
        count, width, columns = links.shape
        chunks, numbers = ends.number_rows(links[:, :, :-1].reshape(-1, columns - 1))
        order = ends.stable_order(numbers, len(chunks))
        sizes = np.bincount(numbers, minlength=len(chunks))
        return cls(
            chunks,
            narrow(numbers.reshape(count, width)),
            narrow(links[:, :, -1].copy()),
            narrow(order // width) if width else order,
            np.append(0, np.cumsum(sizes)).astype(np.int64),
            {tuple(chunk): number for number, chunk in enumerate(chunks.tolist())},
        )

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, and about that of the numbers of chunks."""
        arrays = (self.chunks, self.ends, self.rows, self.order, self.starts)
        return sum(array.nbytes for array in arrays) + 200 * len(self.chunks)

    def touching(self, chunks: Iterable[ChunkCoords]) -> IntArray:
        """(m,) numbers of the links with an end in some chunks, ascending."""
        known = [self.place[chunk] for chunk in chunks if chunk in self.place]
        parts = [self.order[self.starts[k] : self.starts[k + 1]] for k in known]
        found = np.concatenate([np.zeros(0, self.order.dtype), *parts])
        return np.unique(found).astype(np.int64)


class Touching07:
    """The links of a level, read by any of their ends.

    Args:
        layout: Where they are.
        family: What they are.
        inside: There is an array of links inside chunks.
        rank: Components of a chunk.
    """

    def __init__(self, layout: ReadsLinks07, family: Family, *, inside: bool, rank: int) -> None:
        self._layout, self._family, self._inside, self._rank = layout, family, inside, rank
        self._lock = threading.Lock()
        self._far: _Far | None = None
        self.width = family.width

    @property
    def nbytes(self) -> int:
        """Memory of the links between chunks, once they are read."""
        return 0 if self._far is None else self._far.nbytes

    def read(self, chunks: Iterable[ChunkCoords]) -> PlacedLinks:
        """Links with at least one end in these chunks: those inside one chunk first."""
        wanted = sorted(set(chunks))
        family, layout, width = self._family, self._layout, self.width
        cells = layout.inner_cells(family, wanted, there=self._inside)
        near, counts = layout.link_rows(cells, width)
        own = np.array([cell.chunk for cell in cells], np.int64).reshape(-1, 1, self._rank)
        far = self._index()
        links = far.touching(wanted)
        places = np.concatenate([np.repeat(own, width, axis=1), far.chunks[far.ends[links]]])
        counts = np.concatenate([counts, np.ones(len(links), np.int64)])
        rows = np.concatenate([near, far.rows[links].astype(np.int64)])
        return PlacedLinks(places, counts, np.zeros((0, width), np.int8), rows)

    def _index(self) -> _Far:
        with self._lock:
            if self._far is None:
                family = self._family
                self._far = _Far.of(self._layout.outer_ends(family, self._rank))
            return self._far


class TouchingLinks07(ReadsLinks07):
    """Finding links by any of their ends."""

    def touching_links(self, level: str) -> Touching07 | None:
        """The links of a level, made ready to be read by chunk; None where there are none."""
        inner, outer = inner_path(level, 0), outer_path(level, 0)
        found = self.get_attrs([inner, outer])
        family = self.family(level, 0, found)
        if family is None:
            return None
        rank = family.rank or self.level_rank(family)
        return Touching07(self, family, inside=inner in found, rank=rank)
