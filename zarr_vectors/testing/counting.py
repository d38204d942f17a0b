"""A store that counts what it is asked, and how often somebody waited for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Self

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore


class CountingStore(WrapperStore[Store]):
    """Counts requests for values, listings, and round trips.

    Requests under way at the same time are of one round trip; the next one begins with a request
    that is made when none is under way.

    Args:
        store: The store underneath.
        delay: Seconds that an answer takes, so that requests made together meet.

    Attributes:
        asked: Keys of values and parts of values, in the order they were asked for.
        listed: Prefixes that were listed.
        round_trips: How often somebody waited.
    """

    def __init__(self, store: Store, delay: float = 0.002) -> None:
        super().__init__(store)
        self.delay = delay
        self.asked: list[str] = []
        self.listed: list[str] = []
        self.round_trips = 0
        self._in_flight = 0

    def _with_store(self, store: Store) -> Self:
        return type(self)(store, self.delay)

    @property
    def requests(self) -> int:
        """Requests of every kind."""
        return len(self.asked) + len(self.listed)

    def reset(self) -> None:
        """Count anew."""
        self.asked.clear()
        self.listed.clear()
        self.round_trips = 0

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """A value, counted."""
        self.asked.append(key)
        await self._answer()
        return await self._store.get(key, prototype, byte_range)

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Child names, counted."""
        self.listed.append(prefix)
        await self._answer()
        async for name in self._store.list_dir(prefix):
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys below a prefix, counted."""
        self.listed.append(prefix)
        await self._answer()
        async for key in self._store.list_prefix(prefix):
            yield key

    async def _answer(self) -> None:
        if not self._in_flight:
            self.round_trips += 1
        self._in_flight += 1
        try:
            await asyncio.sleep(self.delay)
        finally:
            self._in_flight -= 1
