"""Values of rows that are in memory, read later than the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zv_viewer.controller.chunk_reading import ChunkReading, Int
from zv_viewer.model.links import NO_OBJECT
from zv_viewer.sources.base import ChunkSource, KnowsRowObjects


class ValuesOfRows:
    """Values of the rows of a cell in memory, each attribute read once, and what that cost.

    Args:
        source: The store.
        level: Number of the level.
        chunks: (M, R) the cell's chunks, damaged ones left out.
        order: (N,) which of the rows stored there each row is.
    """

    def __init__(
        self,
        source: ChunkSource,
        level: int,
        chunks: Int,
        order: npt.NDArray[np.uint32],
    ) -> None:
        self.fetched = self.requests = 0
        self.problems: tuple[str, ...] = ()
        self._source, self._level, self._chunks = source, level, chunks
        self._order, self._reading = order, ChunkReading(source)
        self._read: dict[str, npt.NDArray[np.generic]] = {}

    def of(self, name: str) -> npt.NDArray[np.generic]:
        """(N,) or (N, C) values; ArrayError where they cannot be read."""
        if name not in self._read:
            found, fetched, requests = self._reading.looked(
                lambda: self._source.read_values(self._level, self._chunks, name)
            )
            self.fetched += fetched
            self.requests += requests
            if len(self._order) and int(self._order.max()) >= len(found):
                raise ArrayError(
                    f"level {self._level} holds {len(found)} values of {name!r} for more vertices "
                    f"in chunks {self._chunks.tolist()}"
                )
            self._read[name] = found[self._order]
        return self._read[name]

    def objects(self) -> Int:
        """(N,) ids of the objects of the rows, ``NO_OBJECT`` where that is not known."""
        none = np.full(len(self._order), NO_OBJECT, np.int64)
        if not isinstance(self._source, KnowsRowObjects) or not len(self._order):
            return none
        try:
            ids, fetched, requests = self._source.objects_of_rows(self._level, self._chunks)
        except ArrayError as error:
            self.problems = (*self.problems, str(error))
            return none
        self.fetched += fetched
        self.requests += requests
        return ids[self._order]

    def of_sound(self, name: str) -> npt.NDArray[np.generic] | None:
        """The same, or None and a problem."""
        try:
            return self.of(name)
        except ArrayError as error:
            self.problems = (*self.problems, str(error))
            return None
