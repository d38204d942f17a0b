"""Stores that behave as the outside world does: slow, unable to list, failing."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
)
from typing import Any, Literal, Self

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


class NthCall:
    """Says of each call whether it fails: the n-th one, and all after it where that lasts.

    Args:
        number: Counting from 1; None lets every call pass.
        lasting: Whether later calls fail too.
    """

    def __init__(self, number: int | None = None, *, lasting: bool = False) -> None:
        self.number = number
        self.lasting = lasting
        self.count = 0

    def __call__(self, key: str) -> bool:
        """Count a call."""
        self.count += 1
        if self.number is None:
            return False
        return self.count == self.number or (self.lasting and self.count > self.number)


class FailingStore(WrapperStore[Store]):
    """Raises for chosen calls; calls of every kind are asked about.

    Args:
        store: The store underneath.
        fails: Says whether a call with this key or prefix fails; all do by default.
        error: What is raised.
        when: Whether a failing call raises before it does anything, after it has done everything,
            or halfway: half of a value is written.

    Attributes:
        calls: (kind, key) of every call made.
    """

    def __init__(
        self,
        store: Store,
        fails: Callable[[str], bool] = lambda key: True,
        error: Exception | None = None,
        when: Literal["before", "after", "half"] = "before",
    ) -> None:
        super().__init__(store)
        self.fails = fails
        self.error = error or OSError("the wire was cut")
        self.when = when
        self.calls: list[tuple[str, str]] = []

    def _with_store(self, store: Store) -> Self:
        return type(self)(store, self.fails, self.error, self.when)

    def _check(self, kind: str, key: str) -> None:
        if self._failing(kind, key):
            raise self.error

    def _failing(self, kind: str, key: str) -> bool:
        self.calls.append((kind, key))
        return self.fails(key)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """A value, or the error."""
        self._check("get", key)
        return await self._store.get(key, prototype, byte_range)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Parts of values, or the error."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for key, prototype, part in requests:
            yield key, await self.get(key, prototype, part)

    async def exists(self, key: str) -> bool:
        """Whether there is a value, or the error."""
        self._check("exists", key)
        return await self._store.exists(key)

    async def is_empty(self, prefix: str) -> bool:
        """Whether nothing is below a prefix, or the error."""
        self._check("is_empty", prefix)
        return await self._store.is_empty(prefix)

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value, or the error."""
        await self._written("set", key, value, self._store.set)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Store a value where there is none, or the error."""
        await self._written("set_if_not_exists", key, value, self._store.set_if_not_exists)

    async def _set_many(self, values: Iterable[tuple[str, Buffer]]) -> None:
        for key, value in values:
            await self.set(key, value)

    async def delete(self, key: str) -> None:
        """Remove a value, or the error."""
        await self._removed("delete", key, self._store.delete(key))

    async def delete_dir(self, prefix: str) -> None:
        """Remove what is below a prefix, or the error."""
        await self._removed("delete_dir", prefix, self._store.delete_dir(prefix))

    async def clear(self) -> None:
        """Remove everything, or the error."""
        await self._removed("clear", "", self._store.clear())

    def list(self) -> AsyncIterator[str]:
        """All keys, or the error."""
        self._check("list", "")
        return self._store.list()

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys below a prefix, or the error."""
        self._check("list_prefix", prefix)
        return self._store.list_prefix(prefix)

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Child names, or the error."""
        self._check("list_dir", prefix)
        return self._store.list_dir(prefix)

    def get_ranges(self, key: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as newer
        """Parts of a value, or the error."""
        self._check("get_ranges", key)
        return self._store.get_ranges(key, *args, **options)  # type: ignore[attr-defined]  # zarr

    async def _written(
        self, kind: str, key: str, value: Buffer, put: Callable[[str, Buffer], Awaitable[None]]
    ) -> None:
        failing = self._failing(kind, key)
        if failing and self.when == "before":
            raise self.error
        await put(key, value[: len(value) // 2] if failing and self.when == "half" else value)
        if failing:
            raise self.error

    async def _removed(self, kind: str, key: str, work: Coroutine[Any, Any, None]) -> None:
        failing = self._failing(kind, key)
        if failing and self.when != "after":
            work.close()
            raise self.error
        await work
        if failing:
            raise self.error
