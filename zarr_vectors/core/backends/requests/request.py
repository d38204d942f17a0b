"""One request with its tries: what it has brought, and when it is too late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zarr_vectors.constants import MAX_REQUESTS_AT_ONCE
from zarr_vectors.core.backends.requests.deadlines import Limits
from zarr_vectors.core.backends.requests.retrying import Retrying


@dataclass(frozen=True, slots=True)
class Policy:
    """How the requests of a place are sent.

    Attributes:
        at_once: Requests under way at first.
        most_at_once: What they may grow to where that is quicker.
        retrying: How often again, and after which wait.
        limits: How long.
    """

    at_once: int = MAX_REQUESTS_AT_ONCE
    most_at_once: int = 4 * MAX_REQUESTS_AT_ONCE
    retrying: Retrying = field(default_factory=Retrying)
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Tally:
    """What a batch cost beyond its answers."""

    retries: int = 0
    wasted: int = 0
    received: int = 0
    finished: int = 0
    extra_s: float = 0.0


@dataclass(slots=True)
class Request:
    """One request with its tries; those who do the work tell it what arrives.

    Attributes:
        kept: For the work to carry from one try to the next.
        kept_size: Bytes of this try in it.
        received: Bytes of this try.
        whole: Bytes of all tries.
    """

    limits: Limits
    tally: Tally
    moved: Callable[[], None]
    kept: Any = None
    kept_size: int = 0
    received: int = 0
    whole: int = 0
    first: float = 0.0
    began: float = 0.0
    extra_s: float = 0.0
    timeout: asyncio.Timeout | None = field(default=None, repr=False)

    def got(self, size: int) -> None:
        """Bytes arrived: there is more time."""
        self.received += size
        self.whole += size
        self.tally.received += size
        self._more_time()

    def allow(self, seconds: float) -> None:
        """This try takes longer than what arrives would allow: an upload, a long listing."""
        self.extra_s = seconds
        self.tally.extra_s = max(self.tally.extra_s, seconds)
        self._more_time()

    def end(self) -> float:
        """When this try is too late."""
        tried = self.limits.of_try.allowed(self.received)
        whole = self.limits.of_request.allowed(self.whole)
        return min(self.began + tried, self.first + whole) + self.extra_s

    def _more_time(self) -> None:
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(self.end())
        self.moved()

    def wasted(self, size: int) -> None:
        """Bytes that came were of no use."""
        self.tally.wasted += size
