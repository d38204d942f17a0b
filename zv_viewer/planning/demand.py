"""What a layer asks of caps that several layers share: steps to a finer picture and their cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.planning.budget import Caps

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

NOTHING = Caps(0, 0)
_EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Demand:
    """What one layer would show if all caps were its own.

    Args:
        floor: The coarsest cells in view: what is shown before anything is refined.
        around: What is kept outside the view, as far as there is room.
        key: (N,) screen error in pixels that each step removes, more while the camera moves where
            the plan before took it; no step's is above that of a step it needs.
        vertices: (N,) its cost, not negative.
        nbytes: (N,) likewise.
    """

    floor: Caps
    around: Caps
    key: Float
    vertices: Int
    nbytes: Int

    @classmethod
    def of_floor(cls, floor: Caps, around: Caps = NOTHING) -> Demand:
        """Nothing to refine."""
        return cls(floor, around, np.empty(0), _EMPTY, _EMPTY)

    @classmethod
    def of_rungs(cls, floor: Caps, around: Caps, rungs: list[tuple[float, int, int]]) -> Demand:
        """Steps that are taken one after the other.

        Args:
            floor: As in the class.
            around: As in the class.
            rungs: Key, and vertices and bytes of this step and those before it together.
        """
        if not rungs:
            return cls.of_floor(floor, around)
        key, vertices, nbytes = (np.array(column) for column in zip(*rungs, strict=True))

        def each(together: Int) -> Int:
            return np.diff(np.maximum.accumulate(np.maximum(together, 0)), prepend=0)

        key = np.minimum.accumulate(key.astype(np.float64))
        return cls(
            floor, around, key, each(vertices.astype(np.int64)), each(nbytes.astype(np.int64))
        )

    def first(self, vertices: int, nbytes: int) -> Demand:
        """With a step before all others."""
        if not (vertices or nbytes):
            return self
        return Demand(
            self.floor,
            self.around,
            np.append(np.inf, self.key),
            np.append(vertices, self.vertices).astype(np.int64),
            np.append(nbytes, self.nbytes).astype(np.int64),
        )
