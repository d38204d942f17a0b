"""Asking a bucket as this or that, until one way is answered; the way found is kept.

Nothing is asked beforehand: the first requests go out by the first way. Only where they are
refused is the root's document asked for, to tell a place that may not be read from one that may
and that answers "forbidden" for what is not there, as buckets do whose keys may not be listed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import obstore
from obstore.store import ObjectStore

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends.access.attempts import Attempt
from zarr_vectors.core.backends.access.refusals import Refusal, refusal_of, refused
from zarr_vectors.core.backends.access.region import region_of
from zarr_vectors.core.backends.requests.faults import fault_of
from zarr_vectors.exceptions import AccessRefused, StoreError

R = TypeVar("R")
Build = Callable[[Attempt, str], ObjectStore]
"""Store of one way to ask; the region is ``""`` where the settings say it."""

_NOT_THERE = ".not-there"
_REGION = re.compile(r"<Region>([a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2})</Region>")
_OF_A_KEY = "PermissionDeniedError"
_HIDDEN = "<Code>AccessDenied</Code>"


class Access:
    """The store of a place, by the way that is answered.

    Args:
        ways: Ways to ask, best first; one at least.
        build: Makes the store of one.
        url: The place, without secrets.
        service: ``s3``, ``gs``, ``az``, or ``""`` for a web server.
        bucket: The bucket's name, where its region may have to be asked for.
        writing: The place was opened to be written to.
        before: Called once, before anything is asked; may raise.

    Raises:
        StoreError: No store can be made by any way.
    """

    def __init__(
        self,
        ways: Sequence[Attempt],
        build: Build,
        *,
        url: str,
        service: str = "",
        bucket: str = "",
        writing: bool = False,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.url = url
        self._service = service
        self._verb = "write" if writing else "read"
        self._bucket = bucket
        self._ways = list(ways)
        self._build = build
        self._tried: list[str] = []
        self._region = ""
        self._region_asked = False
        self._answered = False
        self._hides: bool | None = None
        self._before = before
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.store = self._next()

    def __repr__(self) -> str:
        return f"Access({self.url!r})"

    async def ask(self, call: Callable[[ObjectStore], Awaitable[R]], *, reading: bool = True) -> R:
        """What ``call`` answers, by the next way where this one is refused.

        Args:
            call: Sends the request to the store it is given.
            reading: It asks for a key.

        Raises:
            AccessRefused: By no way is it allowed.
            FileNotFoundError: The place hides that there is no such key.
        """
        if self._before is not None:
            async with self._lock():
                if self._before is not None:
                    await asyncio.to_thread(self._before)
                    self._before = None
        while True:
            store, hides = self.store, self._hides
            try:
                result = await call(store)
            except FileNotFoundError:  # some services tell anybody what is not there
                raise
            except Exception as error:  # what is no refusal is raised again
                kind, text = type(error).__name__, str(error)
                refusal = refusal_of(kind, text)
                if refusal is None:
                    raise
            else:
                self._answered = True
                return result
            hidden = reading and kind == _OF_A_KEY and _HIDDEN in text and self._service != "az"
            if hidden and hides and refusal is Refusal.DENIED:
                raise FileNotFoundError("there is no such key, or it may not be read")
            async with self._lock():
                if self.store is not store or self._hides is not hides:
                    continue  # another request has seen to it
                if refusal is Refusal.ELSEWHERE:
                    await self._move(text)
                elif self._answered or await self._may_read():
                    await self._look_behind(reading=reading, hidden=hidden)
                else:
                    self.store = self._next()

    async def _may_read(self) -> bool:
        self._answered = not await self._denied(NODE)
        return self._answered

    async def _look_behind(self, *, reading: bool, hidden: bool) -> None:
        """Learn whether the place answers "forbidden" for keys that are not there."""
        if hidden and self._hides is None:
            self._hides = await self._denied(_NOT_THERE) and not await self._denied(NODE)
            if self._hides:
                return
        tried = self._tried[-1]
        if not reading:
            raise AccessRefused(f"{self.url} may not be written to with {tried}")
        raise AccessRefused(f"{self.url} may not be read with {tried}, or not all of it any more")

    async def _denied(self, key: str) -> bool:
        """Whether the place refuses to tell of a key; anything but a fault is an answer."""
        try:
            await obstore.head_async(self.store, key)
        except Exception as error:  # a fault is raised again: who asked may try again
            refusal = refusal_of(type(error).__name__, str(error))
            if refusal is None and fault_of(error) is not None:
                raise
            return refusal is Refusal.DENIED
        return False

    async def _move(self, text: str) -> None:
        """Ask in the region the bucket is in."""
        told = _REGION.search(text)
        region = told[1] if told else ""
        if self._bucket and not region and not self._region_asked:
            region = await asyncio.to_thread(region_of, self._bucket, self._region)
        if self._region_asked or not region:
            raise StoreError(f"{self.url} is in another region: set AWS_REGION to it")
        self._region_asked = True
        self._region = region
        self.store = self._build(self._way, region)

    def _next(self) -> ObjectStore:
        while self._ways:
            self._way = self._ways.pop(0)
            source = self._way.source
            if source is not None and source.missing:
                self._tried.append(f"{self._way.name} (which needs: pip install {source.missing})")
                continue
            self._tried.append(self._way.name)
            try:
                return self._build(self._way, self._region)
            except StoreError:
                if not self._ways:
                    raise
        raise AccessRefused(refused(self.url, self._service, self._tried, verb=self._verb))

    def _lock(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:  # a child process has its own
            self._turn = (loop, asyncio.Lock())
        return self._turn[1]
