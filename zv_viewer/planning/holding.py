"""What became coarser while the camera moves stays so for a while, so that nothing flickers.

Objects become coarser when they have to: a cell they run through has come into view and is not
there, or a cap leaves no room. They could be finer again a moment later, and would have to be
coarser a moment after that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.update import NOT_DRAWN

Levels = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

HOLD_S = 2.0
"""What became coarser does not get finer for so long, unless the camera rests."""


class Fallen:
    """The objects that became coarser, and when.

    Args:
        objects: How many objects there are, O.
    """

    def __init__(self, objects: int) -> None:
        self._at = np.full(objects, -np.inf)
        self._last = -np.inf

    def forget(self) -> None:
        """None of them is held any more."""
        self._at[:] = self._last = -np.inf

    def held(self, plan: ViewPlan, now: float) -> Bool | None:
        """(O,) objects that are to get no finer; None: there are none.

        Args:
            plan: The plan that is drawn.
            now: Seconds.
        """
        if not plan.moving or now - self._last >= HOLD_S:
            return None
        return np.asarray(now - self._at < HOLD_S)

    def drawn(self, before: Levels, levels: Levels, now: float) -> None:
        """Objects are drawn at other levels than before.

        Args:
            before: (O,) the level of each.
            levels: (O,) likewise, now.
            now: Seconds.
        """
        fell = (levels > before) & (levels != NOT_DRAWN)
        if fell.any():
            self._at[fell] = self._last = now
