"""The runner over a scripted place, in simulated time, and from several threads in real time."""

from __future__ import annotations

import asyncio
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from zarr_vectors._sync import run
from zarr_vectors.core.backends import CancelScope, IOStats
from zarr_vectors.core.backends.requests import (
    CutShort,
    Limits,
    Pace,
    Policy,
    Request,
    Requests,
    Retrying,
    Tally,
)
from zarr_vectors.exceptions import Cancelled, StoreError, StoreUnreachable


class Sim:
    """Requests in simulated time."""

    def __init__(self, simulation: Any, policy: Policy | None = None, seed: int = 0) -> None:
        self.loop = simulation
        self.stats = IOStats(clock=simulation.now)
        chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self.requests = Requests("s3://b", self.stats, policy, chance.random)
        self.tally = Tally()

    def __call__(self, work: Any, items: Any, scope: CancelScope | None = None) -> Any:
        gathered = self.requests.gather("read", work, items, str, self.tally, scope)
        return self.loop.run(gathered)


class Faulty(Exception):
    """A client's error with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


def test_answers_come_in_the_order_asked(simulation: Any) -> None:
    async def work(item: int, _: Request) -> int:
        await asyncio.sleep(1 / (item + 1))
        return item * 10

    sim = Sim(simulation)
    assert sim(work, range(200)) == [n * 10 for n in range(200)]
    assert sim.stats.in_flight == 0
    assert sim.tally.retries == 0


@pytest.mark.parametrize(
    "error",
    [Faulty(500), Faulty(503), TimeoutError(), ConnectionResetError(), CutShort("half")],
    ids=repr,
)
def test_a_fault_is_tried_again(simulation: Any, error: Exception) -> None:
    tries: dict[str, int] = {}

    async def work(key: str, request: Request) -> str:
        tries[key] = tries.get(key, 0) + 1
        request.got(10)
        if tries[key] < 4:
            raise error
        return key

    sim = Sim(simulation)
    assert sim(work, ["a", "b"]) == ["a", "b"]
    assert tries == {"a": 4, "b": 4}
    assert (sim.tally.retries, sim.tally.wasted) == (6, 60)
    assert sim.stats.last_trouble is not None


def test_what_another_try_cannot_mend_is_raised_at_once(simulation: Any) -> None:
    ended = []

    async def work(key: str, _: Request) -> None:
        if key == "bad":
            await asyncio.sleep(1)
            raise Faulty(403)
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(key)

    sim = Sim(simulation)
    with pytest.raises(StoreError, match="cannot read bad of s3://b: Faulty: status 403") as caught:
        sim(work, ["a", "bad", "c"])
    assert not isinstance(caught.value, StoreUnreachable)
    assert simulation.now() == 1
    assert sorted(ended) == ["a", "c"]


def test_an_error_of_ours_passes_as_it_is(simulation: Any) -> None:
    async def work(_: str, __: Request) -> None:
        raise StoreError("too many bytes")

    with pytest.raises(StoreError, match=r"^too many bytes$"):
        Sim(simulation)(work, ["a"])


@pytest.mark.parametrize("seed", range(5))
def test_a_place_that_hangs_is_given_up_in_bounded_time(simulation: Any, seed: int) -> None:
    tries = 0

    async def work(_: str, __: Request) -> None:
        nonlocal tries
        tries += 1
        await asyncio.sleep(1e9)

    sim = Sim(simulation, seed=seed)
    with pytest.raises(StoreUnreachable, match=r"\d tries in") as caught:
        sim(work, ["a"])
    assert caught.value.trouble == "timeout"
    assert simulation.now() <= Limits().of_request.grace_s
    assert 2 <= tries <= Retrying().tries


def test_a_byte_a_second_does_not_hold_a_reader(simulation: Any) -> None:
    async def work(_: str, request: Request) -> None:
        for _ in range(10**6):
            await asyncio.sleep(1)
            request.got(1)

    with pytest.raises(StoreUnreachable):
        Sim(simulation)(work, ["a"])
    assert simulation.now() <= Limits().of_request.grace_s + 1


def test_a_large_answer_over_a_slow_line_is_waited_for(simulation: Any) -> None:
    async def work(_: str, request: Request) -> int:
        for _ in range(1000):
            await asyncio.sleep(1)
            request.got(100_000)
        return request.received

    assert Sim(simulation)(work, ["a"]) == [10**8]
    assert simulation.now() == 1000


def test_an_upload_has_the_time_it_asks_for(simulation: Any) -> None:
    async def work(seconds: float, request: Request) -> float:
        request.allow(seconds)
        await asyncio.sleep(seconds)
        return seconds

    assert Sim(simulation)(work, [500.0, 20.0]) == [500.0, 20.0]


def test_a_batch_that_hardly_moves_is_given_up(simulation: Any) -> None:
    policy = Policy(at_once=1, most_at_once=1, limits=Limits(of_batch=Pace(60.0, 1e9, each_s=0.0)))

    async def work(item: int, _: Request) -> int:
        await asyncio.sleep(5)
        return item

    with pytest.raises(
        StoreUnreachable, match=r"1000 keys from 0 on of s3://b: 11 answers in 60 s"
    ):
        Sim(simulation, policy)(work, range(1000))


def test_a_scope_has_its_own_time(simulation: Any) -> None:
    async def work(_: str, __: Request) -> None:
        await asyncio.sleep(1e9)

    with pytest.raises(StoreUnreachable, match="0 answers in 3 s"):
        Sim(simulation)(work, ["a"], CancelScope(3.0))


class Throttled:
    """A place that refuses what is more than it bears at once."""

    def __init__(self, bears: int, seconds: float = 0.05) -> None:
        self.bears, self.seconds = bears, seconds
        self.now = self.most = self.refused = 0

    async def get(self, item: int, _: Request) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.now > self.bears:
                self.refused += 1
                await asyncio.sleep(0.001)
                raise Faulty(503)
            await asyncio.sleep(self.seconds)
            return item
        finally:
            self.now -= 1


@pytest.mark.parametrize("bears", [4, 20, 100])
def test_a_place_that_throttles_is_read_with_what_it_bears(simulation: Any, bears: int) -> None:
    place = Throttled(bears)
    sim = Sim(simulation)
    assert sim(place.get, range(3000)) == list(range(3000))
    assert sim.requests.window.size <= 2 * bears
    assert place.refused < 1000
    ideal = 3000 / bears * place.seconds
    assert simulation.now() < 4 * ideal + 5


def test_a_place_without_limits_is_asked_more_and_more(simulation: Any) -> None:
    place = Throttled(10**6)
    Sim(simulation)(place.get, range(5000))
    assert place.most == Policy().most_at_once
    assert simulation.now() < 5000 / 64 * place.seconds


def test_batches_at_once_share_one_limit(simulation: Any) -> None:
    place = Throttled(10**6)
    sim = Sim(simulation, Policy(at_once=8, most_at_once=8))

    async def three() -> None:
        batches = (
            sim.requests.gather("read", place.get, range(50), str, Tally()) for _ in range(3)
        )
        await asyncio.gather(*batches)

    simulation.run(three())
    assert place.most == 8


def test_a_request_that_waits_for_its_next_try_holds_no_room(simulation: Any) -> None:
    asked: list[str] = []

    async def work(key: str, _: Request) -> str:
        asked.append(key)
        if key == "bad" and asked.count("bad") == 1:
            raise Faulty(500)
        return key

    policy = Policy(at_once=1, most_at_once=1, retrying=Retrying(first_s=10.0, most_s=10.0))
    Sim(simulation, policy)(work, ["bad", "b", "c"])
    assert asked == ["bad", "b", "c", "bad"] or asked == ["bad", "bad", "b", "c"]


@pytest.mark.parametrize("rate", [0.05, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_through_random_faults_answers_are_right_or_an_error_is_named(
    simulation: Any, rate: float, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    faults: list[Callable[[], Exception]] = [
        lambda: Faulty(500),
        lambda: Faulty(503),
        ConnectionResetError,
        lambda: CutShort("half"),
    ]

    async def work(item: int, request: Request) -> int:
        await asyncio.sleep(chance.expovariate(20))
        if chance.random() < rate:
            if chance.random() < 0.2:
                await asyncio.sleep(60)
            raise chance.choice(faults)()
        request.got(100)
        return item

    sim = Sim(simulation, seed=seed)
    right = failed = 0
    for _ in range(20):
        try:
            assert sim(work, range(100)) == list(range(100))
            right += 1
        except StoreUnreachable:
            failed += 1
    assert right >= 19, failed
    assert sim.tally.retries > 2000 * rate * 0.8


def left_on_the_loop() -> set[Any]:
    async def others() -> set[Any]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    return run(others())


class Held:
    """Work that waits until it is released."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.released = threading.Event()
        self.ended = 0

    async def get(self, _: object, __: Request) -> str:
        self.started.set()
        try:
            while not self.released.is_set():
                await asyncio.sleep(0.001)
        finally:
            self.ended += 1
        return "answer"


def in_a_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    raised: list[BaseException] = []

    def body() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            raised.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    return thread, raised


def test_a_batch_is_given_up_from_another_thread_and_nothing_is_left() -> None:
    held, scope = Held(), CancelScope()
    requests = Requests("s3://b", IOStats())

    def call() -> None:
        with scope:
            requests.each("read", held.get, range(300))

    thread, raised = in_a_thread(call)
    assert held.started.wait(10)
    scope.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert [type(error) for error in raised] == [Cancelled]
    assert held.ended == Policy().at_once
    assert left_on_the_loop() == set()
    assert requests.stats.in_flight == 0

    async def quick(item: int, _: Request) -> int:
        return item

    assert requests.each("read", quick, range(300)) == list(range(300))  # and all goes on
    with scope, pytest.raises(Cancelled):
        requests.each("read", quick, [1])


def test_an_outer_scope_covers_the_inner_and_not_the_other_way() -> None:
    requests = Requests("s3://b", IOStats())
    held, outer = Held(), CancelScope()

    def call() -> None:
        with outer, CancelScope():
            requests.each("read", held.get, [1])

    thread, raised = in_a_thread(call)
    assert held.started.wait(10)
    outer.cancel()
    thread.join(10)
    assert [type(error) for error in raised] == [Cancelled]
    with CancelScope() as whole:
        with CancelScope() as part:
            part.cancel()
            assert part.cancelled
        assert not whole.cancelled


def test_other_threads_are_not_given_up() -> None:
    held, scope = Held(), CancelScope()
    requests = Requests("s3://b", IOStats())
    with scope:
        thread, raised = in_a_thread(lambda: requests.each("read", held.get, [1]))
        assert held.started.wait(10)
        scope.cancel()
        thread.join(0.1)
        assert thread.is_alive()
    held.released.set()
    thread.join(10)
    assert raised == []


def test_many_rounds_of_giving_up_leave_nothing() -> None:
    requests = Requests("s3://b", IOStats())
    chance = random.Random(1)  # noqa: S311 - chance, not secrecy

    async def work(item: int, _: Request) -> int:
        await asyncio.sleep(0.001)
        return item

    for _ in range(30):
        scope = CancelScope()

        def call(scope: CancelScope = scope) -> None:
            with scope:
                requests.each("read", work, range(500))

        thread, raised = in_a_thread(call)
        time.sleep(chance.random() * 0.01)
        scope.cancel()
        thread.join(10)
        assert [type(error) for error in raised] in ([Cancelled], [])
    assert left_on_the_loop() == set()
    assert requests._gate.under_way == 0
    assert requests.stats.in_flight == 0


def test_the_answer_of_nothing_is_nothing() -> None:
    requests = Requests("s3://b", IOStats())

    async def work(_: object, __: Request) -> None:
        raise AssertionError

    assert requests.each("read", work, []) == []
    assert math.isfinite(requests.window.limit)
