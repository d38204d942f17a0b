"""How many requests are under way at once: more while that brings more, half when told to slow.

Answers are counted in steps of as many as the limit allows at once. Where a step brought more per
second than the one before, the limit is raised for the next; a raise that brought nothing is taken
back, and tried again some steps later. A refusal or a timeout halves the limit, once for all
requests sent before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GAIN = 1.05
"""A step counts as quicker from this ratio on."""
REST = 4
"""Steps without gain before the limit is tried again."""


@dataclass(slots=True)
class Window:
    """The limit and what it is judged by; times are seconds of any clock.

    Attributes:
        limit: Requests under way at most; a fraction counts as none.
        least: Lower bound.
        most: Upper bound.
    """

    limit: float = 64.0
    least: float = 2.0
    most: float = 256.0
    _quick: bool = True
    _grown_by: float = 0.0
    _rate: float = 0.0
    _rest: int = 0
    _since: float | None = None
    _answers: int = 0
    _full: bool = False
    _cut_at: float = -math.inf

    @property
    def size(self) -> int:
        """Requests that may be under way."""
        return int(self.limit)

    def sent(self, now: float, in_flight: int) -> None:
        """A request was sent; ``in_flight`` counts it."""
        if self._since is None:
            self._since = now
        self._full = self._full or in_flight >= self.size

    def answered(self, now: float) -> None:
        """A request was answered."""
        self._answers += 1
        if self._since is None or self._answers < self.size:
            return
        seconds = now - self._since
        if self._full and seconds > 0:
            self._judge(self._answers / seconds)
        self._restart()

    def refused(self, now: float, sent: float) -> None:
        """A request sent at ``sent`` was refused, or got no answer in time."""
        if sent <= self._cut_at:
            return
        self.limit = max(self.limit / 2, self.least)
        self._cut_at = now
        self._quick = False
        self._rate = self._grown_by = 0.0
        self._rest = 0
        self._restart()

    def _judge(self, rate: float) -> None:
        gain = rate / self._rate if self._rate else math.inf
        self._rate = rate
        grown, self._grown_by = self._grown_by, 0.0
        if gain > GAIN:
            self._grow()
        elif grown:  # it brought nothing
            self.limit -= grown
            self._quick, self._rest = False, REST
        elif self._rest == 0:
            self._grow()
        else:
            self._rest -= 1

    def _grow(self) -> None:
        step = self.limit if self._quick else max(self.limit / 8, 1.0)
        self._grown_by = min(step, self.most - self.limit)
        self.limit += self._grown_by

    def _restart(self) -> None:
        self._since, self._answers, self._full = None, 0, False
