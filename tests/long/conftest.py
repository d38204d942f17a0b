"""Seeds, limits and figures of the long columns."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from zarr_vectors.testing.harming import ROOM, Judge, Look, Seed, Tally, try_store

_figures: list[str] = []


def seed_or(default: int) -> int:
    """``ZV_SEED`` where it is set."""
    return int(os.environ.get("ZV_SEED", default))


@pytest.fixture
def short_seed() -> int:
    """Seed of a run of fixed length: the same every time."""
    return seed_or(0)


@pytest.fixture
def long_seed() -> int:
    """Seed of a long run: another one every time."""
    return seed_or(time.time_ns() % 2**40)


@dataclass
class Clock:
    """The time a long test has."""

    end: float

    def __bool__(self) -> bool:
        return time.perf_counter() < self.end

    def left(self) -> float:
        """Seconds."""
        return max(self.end - time.perf_counter(), 0.0)


@pytest.fixture
def clock(long_seconds: float) -> Clock:
    """True until the test's share of the time is over."""
    return Clock(time.perf_counter() + long_seconds)


@pytest.fixture
def figures(request: pytest.FixtureRequest):
    """Say what a long test did; shown at the end of the run."""

    def say(text: str) -> None:
        _figures.append(f"{request.node.path.name}: {text}")
        print(text)

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures:
        terminalreporter.section("long columns")
        for line in _figures:
            terminalreporter.write_line(line)


@pytest.fixture
def try_for_long(
    clock: Clock, long_seed: int, figures: Callable[[str], None]
) -> Callable[[Sequence[Seed], Look, Judge], None]:
    """Harm stores and read them as long as there is time, and say how many there were."""

    def run(seeds: Sequence[Seed], look: Look, judge: Judge) -> None:
        tally, number = Tally(), long_seed
        try:
            with _memory_limit(ROOM):
                while clock:
                    for seed in seeds:
                        try_store(seed, number, tally, look, judge, closely=number % 16 == 3)
                    number += 1
        finally:
            figures(f"seeds from {long_seed}, {tally}")
        assert tally.refused

    return run


@contextmanager
def _memory_limit(extra: int) -> Iterator[None]:
    now = Path("/proc/self/statm")
    if not now.exists():
        yield
        return
    used = int(now.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def memory_limit():
    """A block in which memory beyond what there is now, and ``extra`` bytes, is not to be had."""
    return _memory_limit
