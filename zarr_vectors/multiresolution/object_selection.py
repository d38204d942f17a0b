"""Which objects a sparser level keeps. Pure."""

from __future__ import annotations

import numpy as np

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.typing import IntArray

STRATEGIES = ("random",)


def keep_objects(
    slots: IntArray, factor: float, *, strategy: str = "random", seed: int | None = None
) -> IntArray:
    """Ids of ``max(1, round(len(slots) / factor))`` objects, ascending.

    Args:
        slots: (O,) int64 ids to choose from.
        factor: 1 keeps all, 2 half of them, and so on.
        strategy: ``random``: every id is as likely.
        seed: Makes the choice repeatable.

    Raises:
        CoarseningError: A factor below 1 or an unknown strategy.
    """
    if not factor >= 1:
        raise CoarseningError(f"sparsity_factor must be at least 1, not {factor}")
    if strategy not in STRATEGIES:
        raise CoarseningError(
            f"unknown sparsity_strategy {strategy!r}; there are {', '.join(STRATEGIES)}"
        )
    if factor == 1 or not len(slots):
        return slots
    count = max(1, round(len(slots) / factor))
    return np.sort(np.random.default_rng(seed).choice(slots, count, replace=False))
