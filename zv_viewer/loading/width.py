"""How many loads run at once: as many as keep a network busy, and no more than a disk can use."""

from __future__ import annotations

NEAR = 3
"""For a disk, where a load is work and no waiting."""

FAR = 32
"""At most."""

LOAD_S = 0.004
"""What a load takes beside waiting for answers."""


def loads_at_once(latency_s: float | None, *, remote: bool) -> int:
    """Loads to run at the same time.

    Args:
        latency_s: Seconds a request takes; None while unknown.
        remote: Whether there is a network in between.
    """
    if not remote:
        return NEAR
    if latency_s is None:
        return FAR
    return max(NEAR, min(FAR, NEAR + round(latency_s / LOAD_S)))
