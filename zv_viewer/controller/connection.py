"""Loads that the network did not bring: each is due again a while later, without being asked.

What is damaged stays damaged and is no business of this. A wait doubles with every failure up to
``LONGEST_WAIT_S`` and is shortened by chance, so that many viewers do not come back at once. After
``DOWN_AFTER`` failures and no answer in between, one load at a time finds out whether the store
answers again; the first that does makes all the others due.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

from zv_viewer.loading.queue import JobKey
from zv_viewer.sources.base import Network

DOWN_AFTER = 3
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 4.0

PATIENCE_S = 1.0
"""Requests that fail for less are no trouble yet."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when a load is held back, after how many failures."""

    failures: int
    until: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps loads from coming, a word of ``TROUBLES``, and for how many seconds."""

    kind: str
    seconds: float


class Connection:
    """How the store answers loads; no clock here.

    Args:
        chance: Numbers in [0, 1), for the waits.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._waits: dict[JobKey, Wait] = {}
        self._in_a_row = 0
        self._probes = 0
        self._probe_at = 0.0
        self._trouble = ""
        self._since = 0.0

    @property
    def down(self) -> bool:
        """Whether nothing has been answered for a number of loads."""
        return self._in_a_row >= DOWN_AFTER

    def trouble(self, network: Network, now: float, *, loading: bool) -> Trouble | None:
        """What keeps loads from coming; None when nothing does.

        Args:
            network: Of the store: a request that fails is sent again before its load fails.
            now: Seconds.
            loading: Whether loads are under way.
        """
        found = []
        if self._waits:
            found.append(Trouble(self._trouble, now - self._since))
        if loading and network.failing and network.failing_s >= PATIENCE_S:
            found.append(Trouble(network.failing, network.failing_s))
        return max(found, key=lambda one: one.seconds, default=None)

    def failed(self, key: JobKey, trouble: str, now: float) -> None:
        """A load failed through the network."""
        if not self._in_a_row or not self._waits:
            self._since = now
        self._in_a_row += 1
        self._trouble = trouble
        before = self._waits.get(key)
        failures = 1 if before is None else before.failures + 1
        self._waits[key] = Wait(failures, now + self._wait_s(failures))
        if self._in_a_row == DOWN_AFTER or (self.down and now >= self._probe_at):
            self._probes += 1
            self._probe_at = now + self._wait_s(self._probes)

    def answered(self, key: JobKey) -> None:
        """A load was answered, well or with something damaged."""
        if self.down:
            self._waits.clear()
        self._waits.pop(key, None)
        self._in_a_row = self._probes = 0

    def keep(self, keys: Set[JobKey]) -> None:
        """Only these loads are wanted any more."""
        for key in [key for key in self._waits if key not in keys]:
            del self._waits[key]

    def may_start(self, key: JobKey, now: float, *, others: bool) -> bool:
        """Whether a load may start now.

        Args:
            key: The load.
            now: Seconds.
            others: Whether loads are under way.
        """
        if self.down:
            return not others and now >= self._probe_at
        wait = self._waits.get(key)
        return wait is None or now >= wait.until

    def _wait_s(self, failures: int) -> float:
        longest = min(FIRST_WAIT_S * 2.0 ** min(failures - 1, 10), LONGEST_WAIT_S)
        return longest * (0.5 + 0.5 * self._chance())
