"""What decides what is drawn of what there is; by the cell for points, by the object for lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zv_viewer.model.plan import DrawSet, ViewPlan

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Drawing:
    """What is drawn, and at which level each object: (O,) uint8, None where levels go by cells."""

    draw: DrawSet
    object_levels: npt.NDArray[np.uint8] | None = None


class DrawPolicy(Protocol):
    """Chooses from the stock it was made with."""

    def ideal(self, plan: ViewPlan, lost: Bool) -> DrawSet:
        """What would be drawn if all that is in memory were in the layer.

        Args:
            plan: The plan.
            lost: (C,) cells that cannot be read.
        """
        ...

    def choose(self, plan: ViewPlan, lost: Bool, cap: int) -> Drawing:
        """What to draw of what the layer holds, within ``cap`` vertices."""
        ...
