"""Sends the requests of one place: as many at once as it bears, again after a fault, in time.

All that is decided is decided in the modules beside; here is what waits.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

from zarr_vectors._sync import gather_bounded, run
from zarr_vectors.core.backends.requests.cancelling import CancelScope, current_scope
from zarr_vectors.core.backends.requests.concurrency import Window
from zarr_vectors.core.backends.requests.faults import Fault, describe, fault_of
from zarr_vectors.core.backends.requests.gate import Gate
from zarr_vectors.core.backends.requests.request import Policy, Request, Tally
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.exceptions import StoreError, StoreUnreachable, ZVError

T = TypeVar("T")
R = TypeVar("R")


Work = Callable[[T, Request], Awaitable[R]]


class Requests:
    """The requests of one place; any thread may ask, and several at once.

    Args:
        url: The place, for messages.
        stats: Where requests are counted.
        policy: How many at once, how often again, how long.
        draw: Chance, from 0 up to 1.
    """

    def __init__(
        self,
        url: str,
        stats: IOStats,
        policy: Policy | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.url = url
        self.stats = stats
        self.policy = policy or Policy()
        self.window = Window(self.policy.at_once, most=self.policy.most_at_once)
        self._draw = draw
        self._gate = Gate(self.window)

    def each(
        self,
        verb: str,
        work: Work[T, R],
        items: Sequence[T],
        name: Callable[[T], str] = str,
        *,
        finish: bool = False,
    ) -> list[R]:
        """Results of ``work`` on each item, in order; the first that fails for good ends all.

        Args:
            verb: What is done, for messages: ``read``.
            work: Does one try; may raise anything.
            items: What is worked on.
            name: What to call an item in a message.
            finish: After a failure wait for what has been sent, as writes must.

        Raises:
            Cancelled: A scope around the caller was given up.
            StoreUnreachable: The place does not answer, or not well enough.
            StoreError: Anything else.
        """
        if not items:
            return []
        tally = Tally()
        try:
            scope = current_scope()
            return run(self.gather(verb, work, items, name, tally, scope, finish=finish))
        finally:
            if tally.retries or tally.wasted:
                self.stats.add(retries=tally.retries, bytes_wasted=tally.wasted)

    async def gather(
        self,
        verb: str,
        work: Work[T, R],
        items: Sequence[T],
        name: Callable[[T], str],
        tally: Tally,
        scope: CancelScope | None = None,
        *,
        finish: bool = False,
    ) -> list[R]:
        """As :meth:`each`, on a loop; ``tally`` is added to, ``scope`` may end it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        pace = self.policy.limits.of_batch
        fixed = None if scope is None else scope.seconds

        def end() -> float:
            if fixed is not None:
                return began + fixed
            return began + tally.extra_s + pace.allowed(tally.received, tally.finished)

        async def one(item: T) -> R:
            result = await self._one(verb, work, item, name, tally, moved)
            tally.finished += 1
            moved()
            return result

        try:
            async with asyncio.timeout_at(end()) as timeout:

                def moved() -> None:
                    if not timeout.expired():
                        timeout.reschedule(max(end(), loop.time()))

                with nullcontext() if scope is None else scope.covering():
                    most = int(self.window.most)
                    return await gather_bounded(one, items, most, finish=finish)
        except TimeoutError:
            seconds = loop.time() - began
        except asyncio.CancelledError:
            if scope is None or not scope.cancelled:
                raise
            scope.check()
        raise StoreUnreachable(
            f"cannot {verb} {_some(items, name)} of {self.url}: "
            f"{tally.finished} answers in {seconds:.0f} s",
            trouble="timeout",
        )

    async def _one(
        self,
        verb: str,
        work: Work[T, R],
        item: T,
        name: Callable[[T], str],
        tally: Tally,
        moved: Callable[[], None],
    ) -> R:
        loop = asyncio.get_running_loop()
        request = Request(self.policy.limits, tally, moved)
        failed = 0
        while True:
            await self._gate.enter()
            try:
                request.began = loop.time()
                if not failed:
                    request.first = request.began
                request.received = request.kept_size = 0
                request.extra_s = 0.0
                self.window.sent(request.began, self._gate.under_way)
                result = await self._try(work, item, request)
            finally:
                self._gate.leave()
            if not isinstance(result, _Failed):
                return result
            failed += 1
            request.wasted(request.received - request.kept_size)
            fault = result.fault
            left = (
                request.first + self.policy.limits.of_request.allowed(request.whole) - loop.time()
            )
            wait = None
            if fault is not None:
                wait = self.policy.retrying.wait(failed, fault, self._draw(), left)
            if wait is None:
                raise self._given_up(verb, name(item), result, failed, loop.time() - request.first)
            tally.retries += 1
            await asyncio.sleep(wait)

    async def _try(self, work: Work[T, R], item: T, request: Request) -> R | _Failed:
        started, size = self.stats.sent(), None
        try:
            async with asyncio.timeout_at(request.end()) as request.timeout:
                result = await work(item, request)
        except ZVError:
            raise
        except Exception as error:  # noqa: BLE001 - clients raise anything; it is named to the caller
            fault = fault_of(error)
            failure = _Failed(fault, describe(error) if fault is None else fault.text)
        else:
            size = request.received
            self.window.answered(asyncio.get_running_loop().time())
            return result
        finally:
            self.stats.ended(started, size)
        if fault is not None:
            self.stats.had_trouble(fault.text, fault.trouble)
            if fault.trouble in {"throttled", "timeout"}:
                self.window.refused(asyncio.get_running_loop().time(), request.began)
        return failure

    def _given_up(
        self, verb: str, what: str, failure: _Failed, tries: int, seconds: float
    ) -> StoreError:
        # a new error, with no cause: that of the client may hold credentials
        message = f"cannot {verb} {what or 'the root'} of {self.url}: {failure.text}"
        if failure.fault is None:
            return StoreError(message)
        message += f" ({tries} {'try' if tries == 1 else 'tries'} in {seconds:.1f} s)"
        return StoreUnreachable(message, trouble=failure.fault.trouble)


@dataclass(frozen=True, slots=True)
class _Failed:
    fault: Fault | None
    text: str


def _some(items: Sequence[T], name: Callable[[T], str]) -> str:
    first = name(items[0]) or "the root"
    return first if len(items) == 1 else f"{len(items)} keys from {first} on"
