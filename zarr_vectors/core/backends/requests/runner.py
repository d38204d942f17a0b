"""Sends the requests of one place: as many at once as it bears, again after a fault, in time.

All that is decided is decided in the modules beside; here is what waits.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from zarr_vectors._sync import gather_bounded, run
from zarr_vectors.constants import MAX_REQUESTS_AT_ONCE
from zarr_vectors.core.backends.requests.cancelling import CancelScope, current_scope
from zarr_vectors.core.backends.requests.concurrency import Window
from zarr_vectors.core.backends.requests.deadlines import Limits
from zarr_vectors.core.backends.requests.faults import Fault, describe, fault_of
from zarr_vectors.core.backends.requests.retrying import Retrying
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.exceptions import StoreError, StoreUnreachable, ZVError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Policy:
    """How the requests of a place are sent.

    Attributes:
        at_once: Requests under way at first.
        most_at_once: What they may grow to where that is quicker.
        retrying: How often again, and after which wait.
        limits: How long.
    """

    at_once: int = MAX_REQUESTS_AT_ONCE
    most_at_once: int = 4 * MAX_REQUESTS_AT_ONCE
    retrying: Retrying = field(default_factory=Retrying)
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Tally:
    """What a batch cost beyond its answers."""

    retries: int = 0
    wasted: int = 0
    received: int = 0
    finished: int = 0
    extra_s: float = 0.0


@dataclass(slots=True)
class Request:
    """One request with its tries; those who do the work tell it what arrives.

    Attributes:
        kept: For the work to carry from one try to the next.
        kept_size: Bytes of this try in it.
        received: Bytes of this try.
        whole: Bytes of all tries.
    """

    limits: Limits
    tally: Tally
    moved: Callable[[], None]
    kept: Any = None
    kept_size: int = 0
    received: int = 0
    whole: int = 0
    first: float = 0.0
    began: float = 0.0
    extra_s: float = 0.0
    timeout: asyncio.Timeout | None = field(default=None, repr=False)

    def got(self, size: int) -> None:
        """Bytes arrived: there is more time."""
        self.received += size
        self.whole += size
        self.tally.received += size
        self._more_time()

    def allow(self, seconds: float) -> None:
        """This try takes longer than what arrives would allow: an upload, a long listing."""
        self.extra_s = seconds
        self.tally.extra_s = max(self.tally.extra_s, seconds)
        self._more_time()

    def end(self) -> float:
        """When this try is too late."""
        tried = self.limits.of_try.allowed(self.received)
        whole = self.limits.of_request.allowed(self.whole)
        return min(self.began + tried, self.first + whole) + self.extra_s

    def _more_time(self) -> None:
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(self.end())
        self.moved()

    def wasted(self, size: int) -> None:
        """Bytes that came were of no use."""
        self.tally.wasted += size


Work = Callable[[T, Request], Awaitable[R]]


class Gate:
    """Lets as many through as the window says, in the order they came."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def enter(self) -> None:
        """Wait for room."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a child process has a loop of its own
            self._loop, self.under_way = loop, 0
            self._waiting.clear()
        if self.under_way < self.window.size and not self._waiting:
            self.under_way += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            with suppress(ValueError):
                self._waiting.remove(turn)
            raise

    def leave(self) -> None:
        """Make room, and let those in who fit."""
        self.under_way -= 1
        while self._waiting and self.under_way < self.window.size:
            turn = self._waiting.popleft()
            if not turn.done():
                self.under_way += 1
                turn.set_result(None)


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
        self, verb: str, work: Work[T, R], items: Sequence[T], name: Callable[[T], str] = str
    ) -> list[R]:
        """Results of ``work`` on each item, in order; the first that fails for good ends all.

        Args:
            verb: What is done, for messages: ``read``.
            work: Does one try; may raise anything.
            items: What is worked on.
            name: What to call an item in a message.

        Raises:
            Cancelled: A scope around the caller was given up.
            StoreUnreachable: The place does not answer, or not well enough.
            StoreError: Anything else.
        """
        if not items:
            return []
        tally = Tally()
        try:
            return run(self.gather(verb, work, items, name, tally, current_scope()))
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
                    return await gather_bounded(one, items, int(self.window.most))
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
