"""How long a request may take: a grace, and more only for what has arrived by then.

A fixed limit either breaks off large answers over slow lines or lets a server that sends a byte a
second hold a reader for hours. A limit that grows with the bytes received does neither.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The least that is expected of a place.

    Attributes:
        grace_s: Seconds before anything has arrived.
        bytes_per_s: Bytes that earn another second.
        each_s: Seconds that each finished request earns, for batches.
    """

    grace_s: float
    bytes_per_s: float
    each_s: float = 0.0

    def allowed(self, size: int, finished: int = 0) -> float:
        """Seconds from the start until too slow, with ``size`` bytes received so far."""
        return self.grace_s + size / self.bytes_per_s + finished * self.each_s


@dataclass(frozen=True, slots=True)
class Limits:
    """Paces of one try, of a request with all its tries, and of a batch of requests."""

    of_try: Pace = Pace(10.0, 32 * 1024)
    of_request: Pace = Pace(45.0, 16 * 1024)
    of_batch: Pace = Pace(120.0, 16 * 1024, each_s=0.25)
