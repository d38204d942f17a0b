"""Latency, throughput and the last trouble, by a clock that is moved by hand."""

from __future__ import annotations

import pytest

from zarr_vectors.core.backends import IOStats
from zarr_vectors.core.backends.stats import RECENT, TROUBLE_S, Answer, busy_seconds


class Hand:
    """A clock moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_requests_there_are_no_figures() -> None:
    stats = IOStats()
    assert (stats.latency_s, stats.bytes_per_s, stats.last_trouble) == (None, None, None)
    assert (stats.retries, stats.in_flight) == (0, 0)


def test_latency_is_the_median_and_throughput_counts_busy_time_only() -> None:
    clock = Hand()
    stats = IOStats(clock=clock)
    for begin, seconds in ((0.0, 1.0), (10.0, 2.0), (20.0, 9.0)):
        clock.now = begin
        start = stats.sent()
        assert stats.in_flight == 1
        clock.now += seconds
        stats.ended(start, 600)
    assert stats.latency_s == 2.0
    assert stats.bytes_per_s == pytest.approx(150)


def test_a_failed_request_counts_in_neither() -> None:
    clock = Hand()
    stats = IOStats(clock=clock)
    start = stats.sent()
    clock.now = 5.0
    stats.ended(start, None)
    assert (stats.latency_s, stats.in_flight) == (None, 0)


def test_old_requests_are_forgotten() -> None:
    clock = Hand()
    stats = IOStats(clock=clock)
    for seconds in (100.0,) * RECENT + (1.0,) * RECENT:
        start = stats.sent()
        clock.now += seconds
        stats.ended(start, 1)
    assert stats.latency_s == 1.0


def test_a_trouble_is_the_last_one_for_a_while() -> None:
    clock = Hand()
    stats = IOStats(clock=clock)
    stats.had_trouble("no answer", "timeout")
    clock.now = TROUBLE_S
    assert stats.last_trouble == "no answer"
    clock.now += 0.1
    assert stats.last_trouble is None


def test_requests_at_once_are_busy_once() -> None:
    answers = [Answer(0, 4, 0), Answer(1, 2, 0), Answer(3, 6, 0), Answer(8, 9, 0)]
    assert busy_seconds(answers) == 7


def test_retries_and_waste_are_counted_per_scope_too() -> None:
    stats = IOStats()
    with stats.scope() as scope:
        stats.add(requests=2, retries=1, bytes_wasted=10)
    stats.add(retries=1)
    assert (scope.requests, scope.retries, scope.bytes_wasted) == (2, 1, 10)
    assert stats.retries == 2


def test_what_fails_since_the_last_answer() -> None:
    clock = Hand()
    stats = IOStats(clock=clock)
    assert stats.failing is None
    for now, trouble in ((1.0, "offline"), (4.0, "throttled")):
        clock.now = now
        stats.had_trouble("no", trouble)
    clock.now = 6.0
    assert stats.failing == ("throttled", 5.0)
    stats.ended(stats.sent(), None)
    assert stats.failing is not None
    stats.ended(stats.sent(), 0)
    assert stats.failing is None
