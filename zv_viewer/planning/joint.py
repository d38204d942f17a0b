"""Caps shared by several layers: one solve over all of them, and a share for each.

Refinements of all layers are taken by falling worth, their screen error times the weight of their
layer, while both caps hold. A layer whose next step does not fit takes no more; the others go on.
So all are as fine as one screen error, but for those that need less or whose next step is too
large. Before that every layer has its coarsest level. Steps of about the same worth take turns:
where a whole level looks alike, one layer does not get all of it before the next gets any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.settings import Budget
from zv_viewer.planning.budget import BYTES_SHARE, Caps, longest_prefix
from zv_viewer.planning.demand import Demand

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

HOLD = 0.1
"""Shares stay while none would move by more than this part of itself."""

ALIKE = 1.4
"""Steps of one layer whose errors are within this factor count as alike."""


@dataclass(frozen=True, eq=False, slots=True)
class _Needs:
    """(L, 2) vertices and bytes of memory of each layer, and of which it would take more."""

    needs: Int
    short: Bool


def joint_shares(
    demands: Sequence[Demand],
    weights: Sequence[float],
    total: Budget,
    before: Sequence[Budget] | None = None,
) -> tuple[Budget, ...]:
    """The share of each layer; together no more than there is.

    What no step takes goes to the layers that would be finer with more of it, by their weights;
    without any, to all.

    Args:
        demands: Of each of L layers.
        weights: How much its screen error counts; of weight 0 are layers that get no more than
            their floor, and that after the others.
        total: Of all together: at least one vertex and three bytes for each layer.
        before: The shares so far, of the same layers.

    Returns:
        (L,) shares. ``before`` while it does: it is within ``total``, has room for the steps taken,
        and no share would move by more than ``HOLD``.
    """
    if len(demands) == 1:
        return (total,)
    worth = np.asarray(weights, np.float64)
    caps = np.array([total.vertices, total.bytes])
    found = _needs(demands, worth, caps)
    shares = found.needs.copy()
    left = caps - shares.sum(axis=0)
    for column in (0, 1):
        short = found.short[:, column]
        part = worth * (short if short.any() else True)
        if part.sum() > 0:
            shares[:, column] += np.floor(left[column] * (part / part.sum())).astype(np.int64)
    if before is not None and len(before) == len(demands):
        held = _array(before)
        fits = (held.sum(axis=0) <= caps).all() and (held >= found.needs).all()
        if fits and (np.abs(shares - held) <= HOLD * held).all():
            return tuple(before)
    return tuple(Budget(int(vertices), int(nbytes)) for vertices, nbytes in shares)


def granted(
    wanted: Sequence[Budget], now: Sequence[Budget], used: Sequence[Caps], total: Budget
) -> tuple[Budget, ...]:
    """The shares that can be given at once: who grows waits for the room that others give back.

    Args:
        wanted: (L,) shares to come.
        now: (L,) shares in force.
        used: (L,) what each layer really draws and holds.
        total: Of all together.

    Returns:
        (L,) shares. What is used and what may be used is within ``total``, if it was before.
    """
    goal, old = _array(wanted), _array(now)
    taken = np.array([[each.vertices, each.bytes] for each in used], np.int64)
    caps = np.array([total.vertices, total.bytes])
    grows = goal > old
    claims = np.where(grows, np.maximum(old, taken), np.maximum(goal, taken))
    room = np.maximum(caps - claims.sum(axis=0), 0)
    asked = np.where(grows, goal - old, 0)
    share = np.minimum(room / np.maximum(asked.sum(axis=0), 1), 1.0)
    given = np.where(grows, old + np.floor(asked * share).astype(np.int64), goal)
    return tuple(Budget(int(vertices), int(nbytes)) for vertices, nbytes in given)


def fair(wants: Int, weights: Float, cap: int) -> Int:
    """Parts of a cap by weight, none larger than wanted; what one leaves goes to the others.

    Args:
        wants: (L,) wanted.
        weights: (L,) not negative; who has none comes after those that have.
        cap: To be shared out.
    """
    parts = np.zeros(len(wants), np.int64)
    left = cap
    for group in (weights > 0, weights <= 0):
        weight = np.where(weights > 0, weights, 1.0)
        hungry = group & (wants > 0)
        while hungry.any() and left > 0:
            level = left * np.where(hungry, weight, 0.0) / weight[hungry].sum()
            full = hungry & (wants - parts <= level)
            if full.any():
                left -= int((wants - parts)[full].sum())
                parts[full] = wants[full]
                hungry &= ~full
                continue
            more = np.where(hungry, np.floor(level), 0).astype(np.int64)
            parts += more
            return parts
    return parts


def worth(demand: Demand) -> Float:
    """(N,) keys of the steps, those that are alike spread over a factor ``ALIKE`` by their cost."""
    order = np.argsort(-demand.key, kind="stable")
    key, cost = demand.key[order], demand.vertices[order] + 1.0
    spread = np.empty(len(key))
    first = 0
    while first < len(key):
        end = first + int(np.searchsorted(-key[first:], -key[first] / ALIKE, side="right"))
        before = np.cumsum(cost[first:end]) - cost[first:end]
        spread[order[first:end]] = key[first] * ALIKE ** (-before / cost[first:end].sum())
        first = end
    return spread


def _needs(demands: Sequence[Demand], weights: Float, caps: Int) -> _Needs:
    """Floors, and the steps taken of all that are wanted."""
    layers = len(demands)
    floors = _costs([each.floor for each in demands])
    got = np.maximum(_fair(floors, weights, caps), 1)
    short = np.zeros(got.shape, bool)
    short[got < floors] = True
    left = np.maximum(caps - got.sum(axis=0), 0)
    got += _fair(_costs([each.around for each in demands]), weights, left)
    key = np.concatenate(
        [worth(each) * (weight or 1.0) for each, weight in zip(demands, weights, strict=True)]
    )
    owner = np.repeat(np.arange(layers), [len(each.key) for each in demands])
    vertices = np.concatenate([each.vertices for each in demands])
    nbytes = np.concatenate([each.nbytes for each in demands])
    # A byte or two of each layer are lost where its share is turned into caps again.
    spare = caps - got.sum(axis=0) - [0, 2 * layers]
    room = Caps(int(max(spare[0], 0)), int(max(spare[1], 0) * BYTES_SHARE))
    taken = np.zeros((layers, 2), np.int64)
    going = np.flatnonzero(~np.asarray(short.any(axis=1))[owner] & (weights[owner] > 0))
    while len(going):
        fit = longest_prefix(key[going], vertices[going], nbytes[going], room)
        chosen = going[fit.taken]
        for column, costs in enumerate((vertices, nbytes)):
            np.add.at(taken[:, column], owner[chosen], costs[chosen])
        if not fit.over:
            break
        room = room.less(int(vertices[chosen].sum()), int(nbytes[chosen].sum()))
        stopped = owner[going[fit.first_refused]]
        short[stopped, 0 if fit.over == "vertices" else 1] = True
        going = np.setdiff1d(going, chosen)
        going = going[owner[going] != stopped]
    taken[:, 1] = [_memory(nbytes) for nbytes in taken[:, 1].tolist()]
    return _Needs(got + taken, short)


def _fair(wants: Int, weights: Float, caps: Int) -> Int:
    """(L, 2) parts of both caps."""
    return np.stack([fair(wants[:, i], weights, int(caps[i])) for i in (0, 1)], axis=1)


def _costs(costs: Sequence[Caps]) -> Int:
    """(L, 2) vertices and bytes of memory."""
    return np.array([[each.vertices, _memory(each.bytes)] for each in costs], np.int64)


def _memory(nbytes: int) -> int:
    """The memory whose share for plans is so many bytes."""
    return math.ceil(nbytes / BYTES_SHARE) + 1 if nbytes else 0


def _array(shares: Sequence[Budget]) -> Int:
    return np.array([[each.vertices, each.bytes] for each in shares], np.int64).reshape(-1, 2)
