"""The network of a simulated flight: how long a load takes, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import TROUBLES, ArrayError, StoreUnreachable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.sources.base import Network, RawCell
from zv_viewer.testing.sources import CloudSource, Uncut

Int = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outage:
    """No answers from ``start`` to ``end``: refused at once, or ``silent`` until a timeout."""

    start: float
    end: float
    silent: bool

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Weather:
    """What a load meets on its way.

    Args:
        latency_s: The longest a load takes; how long each takes is drawn.
        stalls: Chance that it takes ``stall_s`` more.
        stall_s: Seconds.
        errors: Chance that it fails.
        stale: Chance that what a read gives is not of the store as it is now.
        outages: When there is no network.
        timeout_s: After so long a load gives up.
    """

    latency_s: float = 0.05
    stalls: float = 0.0
    stall_s: float = 2.0
    errors: float = 0.0
    stale: float = 0.0
    outages: tuple[Outage, ...] = ()
    timeout_s: float = 6.0

    def cleared(self) -> Weather:
        """The same network without faults."""
        return replace(self, errors=0.0, stale=0.0, outages=())

    def fate(self, rng: np.random.Generator, now: float) -> tuple[float, StoreUnreachable | None]:
        """When a load that starts now ends, and how it fails."""
        ends = now + float(rng.random()) * self.latency_s
        if rng.random() < self.stalls:
            ends += self.stall_s
        for outage in self.outages:
            if not (now < outage.end and outage.start <= ends):
                continue
            begins = max(now, outage.start)
            if not outage.silent:
                return begins + 0.01, StoreUnreachable("no connection", trouble="offline")
            if outage.end > begins + self.timeout_s:
                late = StoreUnreachable("no answer", trouble="timeout")
                return begins + self.timeout_s, late
            ends += outage.end - begins
        if self.errors and rng.random() < self.errors:
            return ends, StoreUnreachable("an error", trouble=str(rng.choice(TROUBLES)))
        return ends, None


@dataclass(eq=False)
class FarSource:
    """A cloud behind a network: what it gives may be out of date, and is found out."""

    cloud: CloudSource
    rng: np.random.Generator
    weather: Weather

    def describe(self) -> SceneInfo:
        """The cloud's."""
        return self.cloud.describe()

    def read(self, level: int, chunks: Int, attributes: Sequence[str] = ()) -> RawCell:
        """Chunks, or the error that says that they do not fit the store."""
        self._check(level, chunks)
        return self.cloud.read(level, chunks, attributes)

    def read_values(
        self, level: int, chunks: Int, attribute: str
    ) -> tuple[npt.NDArray[np.generic], int, int]:
        """Values of one attribute, or that error."""
        self._check(level, chunks)
        return self.cloud.read_values(level, chunks, attribute)

    def network(self) -> Network:
        """As a store on a bucket says of itself."""
        return Network(remote=True, latency_s=self.weather.latency_s / 2)

    def scope(self) -> Uncut:
        """The cloud's."""
        return self.cloud.scope()

    def close(self) -> None:
        """Close the cloud."""
        self.cloud.close()

    def _check(self, level: int, chunks: Int) -> None:
        if self.weather.stale and self.rng.random() < self.weather.stale:
            raise ArrayError(f"chunks {chunks.tolist()} of level {level} are of another version")


def bad_weather(rng: np.random.Generator, seconds: float = 600.0, start: float = 100.0) -> Weather:
    """Faults of all kinds, drawn: an outage of up to a minute somewhere within ``seconds``."""
    longest = min(60.0, seconds / 4)
    begins = start + float(rng.uniform(1.0, max(seconds - longest, 2.0)))
    outage = Outage(begins, begins + float(rng.uniform(0.1, longest)), bool(rng.random() < 0.5))
    return Weather(
        latency_s=float(rng.choice([0.05, 0.3, 1.0, 5.0])),
        stalls=float(rng.choice([0.0, 0.1])),
        errors=float(rng.uniform(0.0, 0.3)),
        stale=float(rng.uniform(0.0, 0.05)),
        outages=(outage,) if rng.random() < 0.8 else (),
    )


def fail(error: Exception) -> NoReturn:
    """What a load does that gets no answer."""
    raise error
