"""What loading asks of a store: a description, then the chunks of one cell at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zv_viewer.model.scene import SceneInfo


@dataclass(frozen=True, eq=False, slots=True)
class RawCell:
    """Rows of some chunks of one level, chunk after chunk, as stored.

    ``positions`` is (N, D) in the store's dtype; ``values`` maps attribute names to (N,) or (N, C)
    arrays in their own dtype (categories as codes).
    """

    positions: npt.NDArray[np.floating]
    values: dict[str, npt.NDArray[np.generic]]
    fetched_bytes: int
    requests: int


class ChunkSource(Protocol):
    """A store behind the viewer; called from worker threads, raises ``zarr_vectors`` errors."""

    def describe(self) -> SceneInfo:
        """Read metadata only."""
        ...

    def read(
        self, level: int, chunks: npt.NDArray[np.int64], attributes: Sequence[str] = ()
    ) -> RawCell:
        """Read chunks, (M, R) coordinates, of store level ``level``, with attribute values."""
        ...

    def read_values(
        self, level: int, chunks: npt.NDArray[np.int64], attribute: str
    ) -> tuple[npt.NDArray[np.generic], int, int]:
        """(values, fetched bytes, requests) of one attribute, rows as in :meth:`read`."""
        ...

    def close(self) -> None:
        """Release caches and connections."""
        ...
