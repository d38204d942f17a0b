from __future__ import annotations

import asyncio
import threading

import pytest

from zarr_vectors._sync import gather_bounded, run


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


def test_results_come_in_order() -> None:
    assert run(gather_bounded(double, list(range(200)))) == list(range(0, 400, 2))
    assert run(gather_bounded(double, [])) == []


def test_it_works_inside_a_running_loop() -> None:
    async def caller() -> int:
        return run(double(21))

    assert asyncio.run(caller()) == 42


def test_it_does_not_wait_for_itself() -> None:
    async def caller() -> None:
        run(double(1))

    with pytest.raises(RuntimeError, match="background loop"):
        run(caller())


def test_no_more_than_the_limit_are_in_flight() -> None:
    now = most = 0

    async def work(_: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1

    run(gather_bounded(work, list(range(50)), 7))
    assert most == 7


def test_a_failure_ends_the_rest_and_is_raised() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            if number == 3:
                raise OSError("third")
            await asyncio.sleep(30)
        finally:
            ended.append(number)

    with pytest.raises(OSError, match="third"):
        run(gather_bounded(work, list(range(100)), 10))
    assert set(ended) == set(range(10))


def test_many_threads_share_one_loop() -> None:
    loops = set()

    async def which() -> None:
        loops.add(id(asyncio.get_running_loop()))

    threads = [threading.Thread(target=lambda: run(which())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 1
