"""Reading a store through a network that fails: the truth comes out, or an error that names why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.backends.requests import Limits, Pace, Policy, Retrying
from zarr_vectors.exceptions import StoreUnreachable
from zarr_vectors.testing.kinds import contents
from zarr_vectors.testing.servers import Server, at_rate

FAULTS = ("slow_down", "throttle", "error", "reset", "lost", "half", "no_range", "hang")
"""What may happen to any request."""

QUICK = Policy(
    retrying=Retrying(tries=10, first_s=0.002, most_s=0.05),
    limits=Limits(of_try=Pace(2.0, 1e6), of_request=Pace(30.0, 1e6)),
)
"""As the usual policy, with less patience."""
PATIENT = Policy(
    at_once=8, most_at_once=8, limits=Limits(of_try=Pace(60.0, 1e6), of_request=Pace(300.0, 1e6))
)
"""For servers that share a machine with all else."""


class WrongDataError(Exception):
    """What was read is not what is stored."""


@dataclass(slots=True)
class Tally:
    """What came of many reads."""

    right: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    retries: int = 0

    def __str__(self) -> str:
        told = ", ".join(f"{n} {trouble}" for trouble, n in self.refused.most_common())
        return f"{self.right} right, {self.retries} requests sent again, refused: {told or 'none'}"


def filled(server: Server, name: str, files: Mapping[str, bytes]) -> None:
    """Put the files of a store into a server's bucket."""
    options = {"policy": PATIENT, **server.options}
    open_backend(server.at(name), mode="a", **options).put_many(files)


def read_through_faults(
    server: Server,
    name: str,
    truth: Mapping[str, Any],
    tally: Tally,
    *,
    rate: float,
    seed: int,
    **options: Any,  # noqa: ANN401 - those of the backend
) -> None:
    """Read all of a store while requests fail.

    Args:
        server: Where it is.
        name: Which store.
        truth: What it says, as :func:`~zarr_vectors.testing.kinds.contents` has it.
        tally: Added to.
        rate: Share of requests that fail, from 0 to 1.
        seed: Which ones.
        options: Passed to the backend.

    Raises:
        WrongDataError: Something else came out, and no error.
        ZVError: An error that blames the store, not the network.
    """
    own = {"policy": QUICK, "retry_config": {"max_retries": 0}, "memory_bytes": 0}
    place = open_backend(server.at(name), **{**server.options, **own, **options})
    server.network.clear()
    server.network.hang_s = 4.0
    server.network.rule = at_rate(rate, FAULTS, seed=seed)
    try:
        found = contents(place)
    except StoreUnreachable as error:
        tally.refused[error.trouble] += 1
    else:
        if repr(found) != repr(truth):
            raise WrongDataError(f"{name} with seed {seed}")
        tally.right += 1
    finally:
        server.network.clear()
    tally.retries += place.stats.retries
    if place.stats.in_flight:
        raise WrongDataError(f"{place.stats.in_flight} requests are left")
