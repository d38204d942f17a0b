"""Where objects are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def box_around(boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float64] | None:
    """The box around several; None where an axis is not known of any of them.

    Args:
        boxes: (n, 2, D) low and high corners, world units; NaN where not known.

    Returns:
        (2, D) corners.
    """
    low = np.fmin.reduce(boxes[:, 0])
    high = np.fmax.reduce(boxes[:, 1])
    box = np.array([low, high], np.float64)
    return box if np.isfinite(box).all() else None
