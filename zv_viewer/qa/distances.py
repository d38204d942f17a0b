"""Quantiles of sampled distances, with what they tell of those not sampled. Pure."""

from __future__ import annotations

import math

import numpy as np

from zarr_vectors.typing import FloatArray
from zv_viewer.qa.report import Distances

_Z = 1.959963984540054
"""Standard deviations that 95 % of a normal distribution lie within."""


def summary(distances: FloatArray, of: int) -> Distances | None:
    """Quantiles of a sample; None of an empty one.

    The interval of a quantile q is between the order statistics of rank n q +- 1.96 sqrt(n q (1 -
    q)), which holds whatever the distribution is; it closes where all were measured.

    Args:
        distances: (n,) float, world units.
        of: How many there are.
    """
    count = len(distances)
    if not count:
        return None
    ordered = np.sort(distances)
    whole = count >= of

    def interval(q: float) -> tuple[float, float]:
        if whole:
            return quantile(q), quantile(q)
        half = _Z * math.sqrt(count * q * (1 - q))
        low = max(0, math.floor(count * q - half) - 1)
        high = min(count - 1, math.ceil(count * q + half))
        return float(ordered[low]), float(ordered[high])

    def quantile(q: float) -> float:
        return float(ordered[min(count - 1, math.ceil(q * count) - 1)])

    return Distances(
        p50=quantile(0.5),
        p95=quantile(0.95),
        max=float(ordered[-1]),
        sample=count,
        of=of,
        p50_interval=interval(0.5),
        p95_interval=interval(0.95),
    )
