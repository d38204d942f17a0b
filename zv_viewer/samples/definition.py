"""What a sample is, and the grid all of them are cut by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

EXTENT = 1000.0
"""Edge of every sample, micrometres."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample's definition, as in ``resources/samples.json``."""

    name: str
    title: str
    kind: str
    ndim: int
    vertices: int
    seed: int
    chunk: float
    bin: float
    levels: int
    format_version: str
    thin: float = 1.0
    """Of so many objects one is kept from each level to the next, above the second."""

    @property
    def grid(self) -> dict[str, Any]:
        """Chunks, bins, bounds, units and format, as every writer takes them."""
        return {
            "chunk_shape": (self.chunk,) * self.ndim,
            "bin_shape": (self.bin,) * self.ndim,
            "bounds": ([0.0] * self.ndim, [EXTENT] * self.ndim),
            "axis_units": ("micrometer",) * self.ndim,
            "format_version": self.format_version,
        }


def inside(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Positions within the extent, float32."""
    positions: npt.NDArray[np.float32] = np.clip(places, 0, EXTENT).astype(np.float32)
    return positions
