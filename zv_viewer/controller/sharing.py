"""One budget for several controllers: who may draw and hold how much, as their views change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from zv_viewer.model.plan import ViewPlan
from zv_viewer.model.settings import Budget
from zv_viewer.planning import Caps, Demand, granted, joint_shares

SOLVE_EVERY_S = 0.2
"""Shares are worked out at most so often."""

GRANT_EVERY_S = 0.05
"""What others have given back is handed on this often."""

PINNED_SHARE = 0.05
"""A layer that is not to be seen keeps its coarsest level where that is no more of the caps."""

NOTHING = Caps(0, 0)
LEAST = Budget(1, 1)


class Shares(Protocol):
    """A controller, as far as sharing goes."""

    def demand(self, total: Budget, layers: int) -> Demand | None:
        """What its view asks for."""
        ...

    def follow_budget(self, budget: Budget) -> None:
        """Use this share from now on."""
        ...

    @property
    def in_use(self) -> Caps:
        """What it draws and holds."""
        ...

    @property
    def plan(self) -> ViewPlan | None:
        """Its plan."""
        ...


@dataclass(eq=False, slots=True)
class Sharer:
    """A layer that shares a budget.

    Args:
        controller: Feeds it.
        follow: Called with each share it gets.
        weight: How much its screen error counts beside that of others.
        visible: Whether it is to be seen.
        share: What it has.
    """

    controller: Shares
    follow: Callable[[Budget], None]
    weight: float = 1.0
    visible: bool = True
    share: Budget = LEAST

    @property
    def in_use(self) -> Caps:
        """What is on the canvas and in memory."""
        used = self.controller.in_use
        return used if self.visible else Caps(0, used.bytes)

    @property
    def has_to_give(self) -> bool:
        """Whether more memory is held than the share allows."""
        return self.in_use.bytes > self.share.bytes

    def demand(self, total: Budget, layers: int) -> Demand:
        """What is asked for: nothing before the first view, little of what is not to be seen."""
        asked = self.controller.demand(total, layers)
        if asked is None:
            return Demand.of_floor(NOTHING)
        if self.visible:
            return asked
        floor, caps = asked.floor, Caps.of(total)
        few = caps.hold(floor.vertices, floor.bytes, PINNED_SHARE)
        return Demand.of_floor(floor if few else NOTHING)


class Sharing:
    """The layers of one viewer and their budget. The clock is the caller's.

    Args:
        total: Of all together.
    """

    def __init__(self, total: Budget) -> None:
        self.total = total
        self.sharers: list[Sharer] = []
        self.solved = 0
        """How often shares were worked out for more than one layer."""
        self._wanted: dict[Sharer, Budget] = {}
        self._due = False
        self._solved_at = float("-inf")

    @property
    def pending(self) -> bool:
        """Whether shares are to be worked out, or are not handed over yet."""
        return self._due or any(sharer.share != self._wanted.get(sharer) for sharer in self.sharers)

    @property
    def binding(self) -> bool:
        """Whether a picture would be finer with more vertices."""
        plans = [sharer.controller.plan for sharer in self.sharers if sharer.visible]
        return any(plan is not None and plan.limited_by == "vertices" for plan in plans)

    def join(self, sharer: Sharer, now: float) -> None:
        """One more layer."""
        self.sharers.append(sharer)
        self._solve(now)

    def leave(self, sharer: Sharer, now: float) -> None:
        """One layer less; what it had goes to the others."""
        self.sharers.remove(sharer)
        self._solve(now)

    def use(self, total: Budget, now: float) -> None:
        """Share another budget."""
        self.total = total
        self._solve(now)

    def look_again(self) -> None:
        """A view or a weight is another one."""
        self._due = self._due or len(self.sharers) > 1

    def turn(self, now: float) -> float | None:
        """Do what is due; seconds until there is more to do, None for nothing."""
        if self._due and now - self._solved_at >= SOLVE_EVERY_S:
            self._solve(now)
        elif self.pending:
            self._grant()
        if not self.pending:
            return None
        wait = self._solved_at + SOLVE_EVERY_S - now if self._due else GRANT_EVERY_S
        return max(min(wait, GRANT_EVERY_S), 0.0)

    def _solve(self, now: float) -> None:
        self._due, self._solved_at = False, now
        sharers, layers = self.sharers, len(self.sharers)
        if not layers:
            return
        shares: tuple[Budget, ...] = (self.total,)
        if layers > 1:
            self.solved += 1
            before = [self._wanted[each] for each in sharers if each in self._wanted]
            shares = joint_shares(
                [each.demand(self.total, layers) for each in sharers],
                [each.weight if each.visible else 0.0 for each in sharers],
                self.total,
                before if set(self._wanted) == set(sharers) else None,
            )
        self._wanted = dict(zip(sharers, shares, strict=True))
        self._grant()

    def _grant(self) -> None:
        sharers = self.sharers
        shares = granted(
            [self._wanted[each] for each in sharers],
            [each.share for each in sharers],
            [each.in_use for each in sharers],
            self.total,
        )
        if len(sharers) == 1:
            shares = (self.total,)
        for sharer, share in zip(sharers, shares, strict=True):
            if share != sharer.share:
                sharer.share = share
                sharer.follow(share)
