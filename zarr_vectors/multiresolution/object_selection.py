"""Which objects a sparser level keeps. Pure."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.route import cell_ranks

STRATEGIES = ("random", "spatial_coverage", "length", "attribute:<name>")
"""``random``: every object is as likely. ``spatial_coverage``: as evenly over space as can be.
``length``: the longest. ``attribute:<name>``: those with the largest values."""

ATTRIBUTE = "attribute:"

_ROUNDS = 48


class ObjectFacts(Protocol):
    """What strategies ask about the objects to choose from, row k for the k-th of them."""

    def centers(self) -> FloatArray:
        """(O, D) mean position, world units."""
        ...

    def lengths(self) -> FloatArray:
        """(O,) length, world units."""
        ...

    def attribute(self, name: str) -> AnyArray:
        """(O,) values of an object attribute; those without one are NaN or the smallest."""
        ...


def check_strategy(strategy: str) -> str:
    """The strategy, which must be one of :data:`STRATEGIES`.

    Raises:
        CoarseningError: It is not.
    """
    name = strategy.removeprefix(ATTRIBUTE)
    if strategy in STRATEGIES[:-1] or (name and name != strategy):
        return strategy
    raise CoarseningError(
        f"unknown sparsity_strategy {strategy!r}; there are {', '.join(STRATEGIES)}"
    )


def keep_objects(
    candidates: IntArray,
    factor: float,
    *,
    strategy: str = "random",
    seed: int | None = None,
    facts: ObjectFacts | None = None,
) -> IntArray:
    """Ids of ``max(1, round(len(candidates) / factor))`` objects, ascending.

    Given the objects that the level before kept, what is kept is a part of them.

    Args:
        candidates: (O,) int64 ids to choose from, ascending.
        factor: 1 keeps all, 2 half of them, and so on.
        strategy: One of :data:`STRATEGIES`.
        seed: Makes a choice by chance repeatable.
        facts: What is known of the candidates; ``random`` needs nothing.

    Raises:
        CoarseningError: A factor below 1 or an unknown strategy.
    """
    check_strategy(strategy)
    if not factor >= 1:
        raise CoarseningError(f"sparsity_factor must be at least 1, not {factor}")
    if factor == 1 or not len(candidates):
        return candidates
    count = max(1, round(len(candidates) / factor))
    rng = np.random.default_rng(seed)
    if strategy == "random":
        return np.sort(rng.choice(candidates, count, replace=False))
    if facts is None:
        raise CoarseningError(f"sparsity_strategy {strategy!r} needs objects that are known")
    if strategy == "spatial_coverage":
        chosen = _spread(facts.centers(), count, rng)
    elif strategy == "length":
        chosen = _largest(facts.lengths(), count)
    else:
        chosen = _largest(facts.attribute(strategy.removeprefix(ATTRIBUTE)), count)
    return np.sort(candidates[chosen])


def _largest(values: AnyArray, count: int) -> IntArray:
    """Rows of the largest values; of equals the first, NaN last."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), -np.inf, values)
    found, ranks = np.unique(values, return_inverse=True)
    return np.argsort(len(found) - 1 - ranks.reshape(-1), kind="stable")[:count].astype(np.int64)


def _spread(centers: FloatArray, count: int, rng: np.random.Generator) -> IntArray:
    """Rows spread over space.

    One of every cell of the finest grid of at most ``count`` cells, then a second of every cell
    that has one, and so on; by chance inside a cell.
    """
    cells = _cells(centers, count)
    shuffled = rng.permutation(len(centers))
    order = shuffled[np.argsort(cells[shuffled], kind="stable")]
    first = np.ones(len(order), np.bool_)
    first[1:] = cells[order][1:] != cells[order][:-1]
    starts = np.flatnonzero(first)
    turn = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return order[np.lexsort((rng.permutation(len(order)), turn))[:count]].astype(np.int64)


def _cells(centers: FloatArray, count: int) -> IntArray:
    """(O,) int64 cell of every row, in the finest grid found with at most ``count`` in use."""
    low = centers.min(axis=0)
    span = float((centers.max(axis=0) - low).max())
    moved = centers.astype(np.float64) - low
    cells: IntArray = np.zeros(len(centers), np.int64)
    if not span > 0:
        return cells
    # edges shrink by 2 ** (1 / 2) a round: from one cell to more cells than objects
    edge = span * 1.01
    for _ in range(_ROUNDS):
        used, found = cell_ranks(moved, (edge,) * moved.shape[1])
        if used > count:
            break
        cells = found
        edge /= np.sqrt(2.0)
    return cells
