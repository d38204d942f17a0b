"""Reads the chunks of a cell; where some are damaged, the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zv_viewer.drawing.links import joined_links
from zv_viewer.sources.base import ChunkSource, RawCell

Int = npt.NDArray[np.int64]
T = TypeVar("T")

LOOKS_FROM_AFAR = 3
"""How often a chunk is read by itself before it is called damaged, where a network may have cut it.

On a disk it is read once."""


class ChunkReading:
    """Reads of one store.

    Args:
        source: The store.
    """

    def __init__(self, source: ChunkSource) -> None:
        self._source = source

    def rows(
        self, level: int, coords: Int, names: Sequence[str]
    ) -> tuple[RawCell, tuple[str, ...], tuple[int, ...]]:
        """All chunks; where some are damaged, the others, and geometry without its values."""
        try:
            return self._source.read(level, coords, names), (), ()
        except ArrayError as error:
            if len(coords) == 1 and not names and not self._source.network().remote:
                raise
            first = error
        parts: list[RawCell] = []
        problems: list[str] = []
        unread: list[int] = []
        for place in range(len(coords)):
            chunk = coords[place : place + 1]
            part, problem = self._best_of(level, chunk, names)
            problems += [problem] if problem else []
            if part is None:
                unread.append(place)
            else:
                parts.append(part)
        if not parts:
            raise first
        return _joined(parts, names), tuple(problems), tuple(unread)

    def _best_of(
        self, level: int, chunk: Int, names: Sequence[str]
    ) -> tuple[RawCell | None, str | None]:
        """One chunk with its values, else without, else nothing; and what was wrong."""
        try:
            return self.looked(lambda: self._source.read(level, chunk, names)), None
        except ArrayError as error:
            problem = str(error)
        if not names:
            return None, problem
        try:
            return self.looked(lambda: self._source.read(level, chunk, ())), problem
        except ArrayError as error:
            return None, str(error)

    def looked(self, read: Callable[[], T]) -> T:
        """What a read gives, the last time it is tried."""
        looks = LOOKS_FROM_AFAR if self._source.network().remote else 1
        for _ in range(looks - 1):
            with suppress(ArrayError):
                return read()
        return read()


def _joined(parts: list[RawCell], names: Sequence[str]) -> RawCell:
    """Chunk after chunk; rows without values get NaN (or -1, or 0)."""
    values: dict[str, npt.NDArray[np.generic]] = {}
    for name in names:
        known = next((part.values[name] for part in parts if name in part.values), None)
        if known is not None:
            values[name] = np.concatenate(
                [
                    part.values[name] if name in part.values else _blank(known, len(part.positions))
                    for part in parts
                ]
            )
    links = [part.links for part in parts if part.links is not None]
    return RawCell(
        np.concatenate([part.positions for part in parts]),
        values,
        sum(part.fetched_bytes for part in parts),
        sum(part.requests for part in parts),
        joined_links(links) if links else None,
    )


def _blank(like: npt.NDArray[np.generic], rows: int) -> npt.NDArray[np.generic]:
    return np.full((rows, *like.shape[1:]), np.nan, np.float64)
