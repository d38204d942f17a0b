"""What a place was asked for and how it answered, in plain figures."""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

RECENT = 64
"""Requests that latency and throughput are taken over."""
TROUBLE_S = 30.0
"""Seconds for which a trouble is the last one."""


@dataclass(slots=True)
class IOCount:
    """Requests made, sent again, and bytes moved; plain totals.

    Attributes:
        requests: What was asked for: values, ranges, listings.
        retries: Requests that were sent again after a trouble.
        bytes_read: Bytes of the answers.
        bytes_written: Bytes stored.
        bytes_wasted: Bytes that came and were of no use: cut answers, gaps between ranges.
    """

    requests: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    retries: int = 0
    bytes_wasted: int = 0

    def add(
        self,
        requests: int = 0,
        bytes_read: int = 0,
        bytes_written: int = 0,
        retries: int = 0,
        bytes_wasted: int = 0,
    ) -> None:
        """Add to each total."""
        self.requests += requests
        self.bytes_read += bytes_read
        self.bytes_written += bytes_written
        self.retries += retries
        self.bytes_wasted += bytes_wasted


class Answer(NamedTuple):
    """One request that was answered: when, from start to end in seconds, and its bytes."""

    start: float
    end: float
    size: int


@dataclass(slots=True)
class IOStats:
    """Totals over a backend's life, and per scope for the thread that opened the scope.

    Attributes:
        total: Everything so far.
        in_flight: Requests under way now.
        clock: Seconds that never go back.
    """

    total: IOCount = field(default_factory=IOCount)
    in_flight: int = 0
    clock: Callable[[], float] = time.monotonic
    _recent: deque[Answer] = field(default_factory=lambda: deque(maxlen=RECENT), repr=False)
    _trouble: tuple[float, str] | None = field(default=None, repr=False)
    _failing: tuple[float, str] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def add(
        self,
        requests: int = 0,
        bytes_read: int = 0,
        bytes_written: int = 0,
        retries: int = 0,
        bytes_wasted: int = 0,
    ) -> None:
        """Count one batch; called by a backend in the thread that asked for the batch."""
        counts = (requests, bytes_read, bytes_written, retries, bytes_wasted)
        with self._lock:
            self.total.add(*counts)
        for scope in getattr(self._local, "scopes", ()):
            scope.add(*counts)

    @contextmanager
    def scope(self) -> Iterator[IOCount]:
        """Count what this thread asks for inside the ``with`` block."""
        scopes = self._local.__dict__.setdefault("scopes", [])
        count = IOCount()
        scopes.append(count)
        try:
            yield count
        finally:
            scopes.remove(count)

    def sent(self) -> float:
        """A request is under way; returns the time it was sent."""
        with self._lock:
            self.in_flight += 1
        return self.clock()

    def ended(self, start: float, size: int | None) -> None:
        """A request is over.

        Args:
            start: What :meth:`sent` returned.
            size: Bytes that were answered; None where it failed.
        """
        now = self.clock()
        with self._lock:
            self.in_flight -= 1
            if size is not None:
                self._failing = None
                self._recent.append(Answer(start, now, size))

    def had_trouble(self, text: str, trouble: str) -> None:
        """A request failed; ``text`` says how, without credentials, ``trouble`` in a word."""
        with self._lock:
            now = self.clock()
            self._trouble = (now, text)
            since = now if self._failing is None else self._failing[0]
            self._failing = (since, trouble)

    @property
    def retries(self) -> int:
        """Requests that were sent again."""
        return self.total.retries

    @property
    def latency_s(self) -> float | None:
        """Median seconds of the recent requests; None where nothing was timed."""
        recent = self._answers()
        return statistics.median(one.end - one.start for one in recent) if recent else None

    @property
    def bytes_per_s(self) -> float | None:
        """Bytes per second of the recent requests while any was under way; None without one."""
        recent = self._answers()
        busy = busy_seconds(recent)
        return sum(one.size for one in recent) / busy if busy > 0 else None

    @property
    def last_trouble(self) -> str | None:
        """How a request failed in the last half minute, though another try may have gone well."""
        trouble = self._trouble
        if trouble is None or self.clock() - trouble[0] > TROUBLE_S:
            return None
        return trouble[1]

    @property
    def failing(self) -> tuple[str, float] | None:
        """What requests fail by since the last answer, a word, and for how many seconds.

        None where the last request that ended was answered.
        """
        failing = self._failing
        return None if failing is None else (failing[1], self.clock() - failing[0])

    def _answers(self) -> list[Answer]:
        with self._lock:
            return list(self._recent)


def busy_seconds(answers: Sequence[Answer]) -> float:
    """Seconds in which at least one of the requests was under way."""
    busy = 0.0
    until = float("-inf")
    for one in sorted(answers):
        busy += max(one.end - max(one.start, until), 0.0)
        until = max(until, one.end)
    return busy
