"""What decides what is drawn of what there is; by the cell for points, by the object for lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zv_viewer.model.plan import DrawSet, ViewPlan

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Drawing:
    """What is drawn, and at which level each object: (O,) uint8, None where levels go by cells."""

    draw: DrawSet
    object_levels: npt.NDArray[np.uint8] | None = None


NOTHING = Drawing(DrawSet((), np.empty(0, np.int64), settled=False))
"""Before anything is drawn."""


class DrawPolicy(Protocol):
    """Chooses from the stock it was made with."""

    def start_over(self) -> None:
        """The layer was emptied: nothing of what was drawn is drawn any more."""
        ...

    def leapt(self) -> None:
        """Nothing that was seen is seen any more: what it went through is forgotten."""
        ...

    def ideal(self, plan: ViewPlan, lost: Bool) -> DrawSet:
        """What would be drawn if all that is in memory were in the layer.

        Args:
            plan: The plan.
            lost: (C,) cells that cannot be read.
        """
        ...

    def choose(self, plan: ViewPlan, lost: Bool, cap: int, now: float) -> Drawing:
        """What to draw of what the layer holds.

        Args:
            plan: The plan.
            lost: (C,) cells that cannot be read.
            cap: Vertices at most.
            now: Seconds.
        """
        ...

    @property
    def oscillations(self) -> int:
        """How often something in view went back and forth between levels."""
        ...

    @property
    def known(self) -> tuple[object, ...]:
        """What ``holes`` goes by beside its arguments; equal while answers stay the same."""
        ...

    def drawn(self, drawing: Drawing, opened: Bool, plan: ViewPlan, now: float) -> None:
        """This is drawn from now on.

        Args:
            drawing: What was chosen last.
            opened: (C,) cells drawn finer than themselves.
            plan: The plan it was chosen for.
            now: Seconds.
        """
        ...

    def holes(self, drawing: Drawing, visible: Bool) -> Int:
        """Finest cells in whose place nothing is drawn.

        Args:
            drawing: What was chosen last.
            visible: (C,) cells in view, of a view perhaps newer than the plan.
        """
        ...

    def shown(self, drawing: Drawing) -> DrawSet:
        """The parts of what is drawn that show something."""
        ...
