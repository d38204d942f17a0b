"""Threads at work: as many as told, cancelled before they start, all ended after closing."""

import threading
import time

import pytest

from zv_viewer.loading import ThreadExecutor
from zv_viewer.loading.width import FAR, NEAR, loads_at_once


def wait_for(done) -> None:
    end = time.perf_counter() + 10
    while not done():
        assert time.perf_counter() < end
        time.sleep(0.001)


def test_so_many_run_as_told_and_more_when_told() -> None:
    gate, started = threading.Event(), []
    executor = ThreadExecutor(2, most=5)

    def task() -> int:
        started.append(1)
        gate.wait(10)
        return 7

    futures = [executor.submit(task) for _ in range(8)]
    wait_for(lambda: len(started) == 2)
    executor.use(50)
    assert executor.workers == 5
    wait_for(lambda: len(started) == 5)
    time.sleep(0.02)
    assert len(started) == 5
    assert futures[7].cancel()
    gate.set()
    assert [future.result(10) for future in futures[:7]] == [7] * 7
    assert len(started) == 7
    executor.close()


def test_an_error_is_in_the_future_and_the_thread_goes_on() -> None:
    executor = ThreadExecutor(1)

    def fail() -> None:
        raise ValueError("no")

    bad, good = executor.submit(fail), executor.submit(lambda: 1)
    with pytest.raises(ValueError, match="no"):
        bad.result(10)
    assert good.result(10) == 1
    executor.close()


def test_closing_forgets_what_waits_and_lets_the_rest_end() -> None:
    gate = threading.Event()
    executor = ThreadExecutor(1)
    running, waiting = executor.submit(lambda: gate.wait(10)), executor.submit(lambda: 1)
    wait_for(running.running)
    executor.close()
    assert waiting.cancelled()
    gate.set()
    assert running.result(10)


def test_a_slow_network_gets_more_loads_at_once() -> None:
    assert loads_at_once(None, remote=False) == loads_at_once(1.0, remote=False) == NEAR
    widths = [loads_at_once(ms / 1000, remote=True) for ms in (0, 5, 20, 50, 100, 1000)]
    assert widths == sorted(widths)
    assert widths[0] == NEAR
    assert widths[-1] == loads_at_once(None, remote=True) == FAR
