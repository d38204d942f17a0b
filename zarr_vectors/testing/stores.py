"""Stores that behave as the outside world does: slow, unable to list, failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Self

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore


class SlowStore(WrapperStore[Store]):
    """Answers after a delay.

    Args:
        store: The store underneath.
        delay: Seconds before every answer.
    """

    def __init__(self, store: Store, delay: float = 0.002) -> None:
        super().__init__(store)
        self.delay = delay
        self.in_flight = 0
        self.most_in_flight = 0

    def _with_store(self, store: Store) -> Self:
        return type(self)(store, self.delay)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """A value, late."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.delay)
            return await self._store.get(key, prototype, byte_range)
        finally:
            self.in_flight -= 1

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value, late."""
        await asyncio.sleep(self.delay)
        await self._store.set(key, value)


class UnlistableStore(WrapperStore[Store]):
    """Knows its keys only when told them, as a plain web server does."""

    @property
    def supports_listing(self) -> bool:
        """No."""
        return False

    def list(self) -> AsyncIterator[str]:
        """Refused."""
        raise NotImplementedError("this store cannot list")

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Refused."""
        raise NotImplementedError("this store cannot list")

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Refused."""
        raise NotImplementedError("this store cannot list")

    async def delete_dir(self, prefix: str) -> None:
        """Remove what is below a prefix; the store underneath does its own book-keeping."""
        await self._store.delete_dir(prefix)


class FailingStore(WrapperStore[Store]):
    """Raises for chosen keys.

    Args:
        store: The store underneath.
        fails: Says whether a key fails; all do by default.
        error: What is raised.
    """

    def __init__(
        self,
        store: Store,
        fails: Callable[[str], bool] = lambda key: True,
        error: Exception | None = None,
    ) -> None:
        super().__init__(store)
        self.fails = fails
        self.error = error or OSError("the wire was cut")

    def _with_store(self, store: Store) -> Self:
        return type(self)(store, self.fails, self.error)

    def _check(self, key: str) -> None:
        if self.fails(key):
            raise self.error

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """A value, or the error."""
        self._check(key)
        return await self._store.get(key, prototype, byte_range)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Parts of values, or the error."""
        wanted = list(key_ranges)
        for key, _ in wanted:
            self._check(key)
        return await self._store.get_partial_values(prototype, wanted)

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value, or the error."""
        self._check(key)
        await self._store.set(key, value)

    async def delete(self, key: str) -> None:
        """Remove a value, or the error."""
        self._check(key)
        await self._store.delete(key)

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Child names, or the error."""
        self._check(prefix)
        return self._store.list_dir(prefix)
