"""Fit wishes to caps on vertices and bytes: best first, up to the first that does not fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.settings import Budget

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

BYTES_SHARE = 0.8
"""Part of the byte cap a plan fills; the rest holds cells that are being swapped."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on the cells of a plan together."""

    vertices: int
    bytes: int

    @classmethod
    def of(cls, budget: Budget) -> Caps:
        """The limits a budget leaves to a plan."""
        return cls(budget.vertices, int(budget.bytes * BYTES_SHARE))

    def less(self, vertices: int, nbytes: int) -> Caps:
        """What is left once something is in."""
        return Caps(self.vertices - vertices, self.bytes - nbytes)

    def part(self, share: float) -> Caps:
        """A share of both."""
        return Caps(int(self.vertices * share), int(self.bytes * share))

    def hold(self, vertices: int, nbytes: int, share: float = 1.0) -> bool:
        """Whether so much fits into ``share`` of the caps."""
        return vertices <= self.vertices * share and nbytes <= self.bytes * share


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """The outcome.

    Args:
        taken: (K,) places of the wishes that fit, best first.
        first_refused: Place of the first that does not, or -1.
        over: The cap it would break, ``vertices`` or ``bytes``; empty when all fit.
    """

    taken: Int
    first_refused: int
    over: str


def longest_prefix(key: Float, vertices: Int, nbytes: Int, caps: Caps) -> Fit:
    """Take wishes by falling key, equal keys in the order given, while both caps hold.

    Args:
        key: (N,) worth.
        vertices: (N,) cost, not negative.
        nbytes: (N,) cost, not negative.
        caps: What may be spent.

    Returns:
        The longest prefix that fits. A larger cap never takes less.
    """
    order = np.argsort(-key, kind="stable")
    over_vertices = np.cumsum(vertices[order]) > caps.vertices
    over_bytes = np.cumsum(nbytes[order]) > caps.bytes
    over = over_vertices | over_bytes
    if not over.any():
        return Fit(order, -1, "")
    end = int(np.argmax(over))
    return Fit(order[:end], int(order[end]), "vertices" if over_vertices[end] else "bytes")
