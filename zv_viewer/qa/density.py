"""Whether a level thins level 0 evenly. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.evidence import Cells

_FACTOR = 1.5
"""How many times more or fewer vertices than elsewhere a chunk has at least to be odd."""
_SIGMAS = 5.0
"""Standard deviations of a count by chance that it is away at least."""

_FULL = 0.02
"""Share of a chunk's bins that may be lost where others are measured by it."""


@dataclass(frozen=True, eq=False, slots=True)
class Density:
    """How evenly a level thins level 0.

    Attributes:
        density: (K,) float64 vertices of every chunk over those expected; NaN where there are none.
        bias: Spread of the logarithm (base 2) of it over chunks, 0 where the level thins evenly.
        rows: (n,) int64 chunks that are odd.
    """

    density: FloatArray
    bias: float | None
    rows: IntArray


def biased(cells: Cells, *, strict: bool) -> Density:
    """How evenly a level thins level 0.

    Expected are as many vertices as bins are occupied, or as many as there are at level 0, times
    one number for the level: whichever fits better. A chunk is odd where it is away from both.

    Args:
        cells: Counts in the chunks of a level.
        strict: The level promises a vertex in every bin: only that counts.
    """
    rows = cells.counts["rows"].astype(np.float64)
    full = cells.counts["lost"] <= _FULL * cells.counts["expected"]
    models = [_against(rows, cells.counts["expected"], full)]
    if not strict:
        models.append(_against(rows, cells.counts["finest"], np.ones(len(rows), np.bool_)))
    best = min(models, key=lambda model: np.inf if model.bias is None else model.bias)
    odd = set(models[0].rows.tolist()).intersection(*(set(m.rows.tolist()) for m in models))
    return Density(best.density, best.bias, np.array(sorted(odd), np.int64))


def _against(rows: FloatArray, expected: IntArray, full: npt.NDArray[np.bool_]) -> Density:
    """Chunks against what is expected times the rate of the chunks that are full, if there are."""
    known = expected > 0
    if not known.any() or not rows.any():
        none = np.zeros(0, np.int64)
        return Density(np.full(len(rows), np.nan), None, none)
    raw = rows / np.where(known, expected, 1)
    weights = expected[known].astype(np.float64)
    like = known & full if (known & full).any() else known
    rate = _weighted_median(raw[like], expected[like].astype(np.float64))
    rate = rate if rate > 0 else float(rows.sum() / expected.sum())
    mean = expected * rate
    density = np.where(known, rows / np.where(known, mean, 1), np.nan)
    logs = np.log2(np.clip(density[known], 1 / 64, 64))
    middle = float(np.average(logs, weights=weights))
    bias = float(np.sqrt(np.average((logs - middle) ** 2, weights=weights)))
    far = np.abs(rows - mean) > _SIGMAS * np.sqrt(np.maximum(mean, 1))
    with np.errstate(invalid="ignore"):
        odd = known & far & ((density > _FACTOR) | (density < 1 / _FACTOR))
    return Density(density, bias, np.flatnonzero(odd))


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values)
    share = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(share, share[-1] / 2)]])
