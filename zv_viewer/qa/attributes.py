"""Values of attributes at a level against those of level 0. Pure."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zv_viewer.qa.bins import Values
from zv_viewer.qa.report import AttributeDrift

_SLACK = 1e-5
"""Relative rounding allowed."""


def unexplained(
    expected: Values, actual: Values, *, categories: bool, slack: float = _SLACK
) -> npt.NDArray[np.bool_]:
    """(K,) bool, bins whose values lie outside those of level 0 in them.

    A mean, a mode, a smallest, a largest or a first value lies between the smallest and the largest
    of the values it was made from; a category is one of them.

    Args:
        expected: Of level 0, K bins.
        actual: Of the level, the same bins.
        categories: Values are codes of categories.
        slack: Part of the value that rounding may change.
    """
    known = np.isfinite(expected.low) & np.isfinite(actual.low)
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(expected.low), np.abs(expected.high))
        room = np.where(known, size * slack, 0)
        found = known & ((actual.low < expected.low - room) | (actual.high > expected.high + room))
    wrong = np.asarray(found.any(axis=1))
    if categories:
        wrong |= (actual.seen & ~expected.seen) != 0
    return wrong


class Tally:
    """Sum and count of finite values, or shares of categories, block after block."""

    def __init__(self, categories: int | None) -> None:
        self.count, self.total = 0, 0.0
        self._shares: IntArray | None = None if categories is None else np.zeros(0, np.int64)

    def add(self, values: AnyArray) -> None:
        """Take in (n,) or (n, C) values."""
        if self._shares is not None:
            codes = values.reshape(-1).astype(np.int64)
            codes = codes[codes >= 0]
            found = np.bincount(codes, minlength=len(self._shares))
            found[: len(self._shares)] += self._shares
            self._shares = found
            self.count += len(codes)
            return
        number = values.reshape(-1).astype(np.float64)
        number = number[np.isfinite(number)]
        self.count += len(number)
        self.total += float(number.sum())

    def mean(self) -> float:
        """Mean of the values, NaN of none."""
        return self.total / self.count if self.count else float("nan")

    def shares(self, size: int) -> FloatArray:
        """(size,) float64 share of every category."""
        own = np.zeros(size)
        if self._shares is not None and self.count:
            own[: len(self._shares)] = self._shares / self.count
        return own

    @property
    def categories(self) -> int:
        """Categories met, at most."""
        return 0 if self._shares is None else len(self._shares)


def drift_of(
    name: str,
    scope: Literal["vertex", "object", "link"],
    finest: Tally,
    level: Tally,
    samples: tuple[AnyArray, AnyArray],
    outside: float | None,
    *,
    categories: bool,
) -> AttributeDrift:
    """How an attribute differs between level 0 and a level.

    Args:
        name: The attribute.
        scope: ``vertex``, ``object`` or ``link``.
        finest: Of level 0.
        level: Of the level.
        samples: Values of sampled rows of each.
        outside: Share of the bins with values that nothing explains.
        categories: Values are codes of categories.
    """
    if categories:
        size = max(finest.categories, level.categories)
        mix = 0.5 * float(np.abs(finest.shares(size) - level.shares(size)).sum())
        return AttributeDrift(name, scope, None, None, None, None, mix, outside)
    numbers = [sample.reshape(-1).astype(np.float64) for sample in samples]
    numbers = [number[np.isfinite(number)] for number in numbers]
    if not all(len(number) for number in numbers):
        return AttributeDrift(name, scope, None, None, None, None, None, outside)
    first, second = (np.percentile(number, (5, 50, 95)).tolist() for number in numbers)
    return AttributeDrift(
        name,
        scope,
        (finest.mean(), level.mean()),
        (first[0], second[0]),
        (first[1], second[1]),
        (first[2], second[2]),
        None,
        outside,
    )
