"""Links of some chunks at a time: those inside them, and those that reach from them to others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from zarr_vectors.core.layouts.placed import PlacedLinks
from zarr_vectors.typing import ChunkCoords


class TouchingLinks(Protocol):
    """The links of one level; threads may share it.

    Attributes:
        width: Ends of a link.
    """

    width: int

    @property
    def nbytes(self) -> int:
        """Memory of what is kept between reads."""
        ...

    def read(self, chunks: Iterable[ChunkCoords]) -> PlacedLinks:
        """Links with at least one end in these chunks: those inside one chunk first.

        Raises:
            ArrayError: Links of these chunks are damaged.
        """
        ...


@runtime_checkable
class ReadsTouching(Protocol):
    """Finding links by any of their ends."""

    def touching_links(self, level: str) -> TouchingLinks | None:
        """The links of a level, made ready to be read by chunk; None where there are none.

        Raises:
            ArrayError: What describes them is damaged.
        """
        ...
