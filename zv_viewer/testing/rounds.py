"""How often a reader went there and back, by the log of the server it asked."""

from __future__ import annotations

from collections.abc import Iterable

from zarr_vectors.testing.servers import Request


def round_trips(requests: Iterable[Request]) -> int:
    """Requests that followed one another: the longest chain in which each began after the last.

    Requests under way at the same time are one round trip. Where nothing but the network takes
    time, a chain of n took n times its latency.
    """
    chain, free = 0, float("-inf")
    for request in sorted(requests, key=lambda request: request.ended):
        if request.started >= free:
            chain += 1
            free = request.ended
    return chain
