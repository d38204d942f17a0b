"""What the steps of a turn tell one another: what is to be done, what each cell is for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.plan import ViewPlan

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(slots=True)
class Todo:
    """Left to do in this turn or the next.

    Args:
        plan: Something plans are made from has changed.
        fresh: The next plan is due at once and owes nothing to the one before.
        draw: Something the layer is fed from has changed.
        exposed: Much is in view that nothing was planned for; the next plan is due at once.
    """

    plan: bool = True
    fresh: bool = False
    draw: bool = True
    exposed: bool = False


class Marks:
    """What each cell is for; planning and drawing each say their part.

    Args:
        cells: Number of cells of the tree.
    """

    def __init__(self, cells: int) -> None:
        self.needed: Bool = np.zeros(cells, bool)
        """(C,) what the plan shows or keeps."""
        self.visible: Bool = np.zeros(cells, bool)
        """(C,) what is in view."""
        self.drawn: Bool = np.zeros(cells, bool)
        """(C,) what the layer draws, in whole or part."""

    def planned(self, plan: ViewPlan, stand_ins: Int) -> None:
        """This is the plan; ``stand_ins`` are drawn for what of it cannot be read."""
        self.needed[:] = False
        self.needed[plan.cells] = True
        self.needed[stand_ins] = True
        self.visible = plan.visible

    def now_drawn(self, cells: Int) -> None:
        """These are drawn from now on, and no others."""
        self.drawn[:] = False
        self.drawn[cells] = True
