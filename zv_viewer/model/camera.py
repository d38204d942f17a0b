"""A view as plain numbers: where a vertex lands, and which slab of hidden axes is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Camera:
    """A view of a store, in the store's world units.

    Args:
        matrix: (4, 4) float64, column convention: ``clip = matrix @ [p0, p1, p2, 1]`` where ``p``
            is a position on the displayed axes in the order of ``displayed`` (p2 = 0 when two are
            shown). A vertex is on the canvas where ``w > 0`` and ``|x|, |y| <= w``; depth is not
            bounded.
        viewport: (width, height) of the canvas in device pixels.
        displayed: Store axes shown, two or three of them.
        slab_lo: (D,) float64, lower end of what is kept on each axis; -inf on displayed axes.
        slab_hi: (D,) float64, upper end; inf on displayed axes.
    """

    matrix: Float
    viewport: tuple[float, float]
    displayed: tuple[int, ...]
    slab_lo: Float
    slab_hi: Float

    def __post_init__(self) -> None:
        if self.matrix.shape != (4, 4) or not np.isfinite(self.matrix).all():
            raise ValueError("a camera needs a finite (4, 4) matrix")
        if len(self.displayed) not in (2, 3) or min(self.viewport) <= 0:
            raise ValueError("a camera shows two or three axes on a canvas that has a size")

    @property
    def ndim(self) -> int:
        """Number of axes of the store."""
        return len(self.slab_lo)

    def same_as(self, other: Camera) -> bool:
        """Whether both views are equal number by number."""
        return (
            self.viewport == other.viewport
            and self.displayed == other.displayed
            and np.array_equal(self.matrix, other.matrix)
            and np.array_equal(self.slab_lo, other.slab_lo)
            and np.array_equal(self.slab_hi, other.slab_hi)
        )
