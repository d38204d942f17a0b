"""Any Zarr store as a backend: a batch is one bounded gather on the background loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from zarr.abc.store import ByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.buffer.cpu import Buffer as CpuBuffer

from zarr_vectors._sync import gather_bounded, run
from zarr_vectors.constants import MAX_REQUESTS_AT_ONCE, NODE
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.backends.urls import redact
from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import StoreError, StoreUnlistable

Buffer = bytes | bytearray | memoryview
T = TypeVar("T")
R = TypeVar("R")


class ZarrStoreBackend:
    """Keys of a Zarr store.

    Args:
        store: The store; its own read-only flag holds too.
        read_only: Refuse to write.
        name: Kind of place, for display.
        url: Where the store is; what the store says of itself by default.
        at_once: Requests in flight.
    """

    def __init__(
        self,
        store: Store,
        *,
        read_only: bool = True,
        name: str = "zarr",
        url: str | None = None,
        at_once: int = MAX_REQUESTS_AT_ONCE,
    ) -> None:
        self.name = name
        self.url = redact(str(store) if url is None else url)
        self.read_only = read_only or store.read_only
        self.local_path: Path | None = None
        self.stats = IOStats()
        self._store = store
        self._at_once = at_once
        # a store with sessions has transactions of its own, and takes no keys but those of Zarr
        self.any_key = not hasattr(store, "session")

    def __repr__(self) -> str:
        return f"ZarrStoreBackend({self.url!r}, read_only={self.read_only})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(map(check_key, keys)))

        async def get(key: str) -> bytes | None:
            return await self._get(key, None)

        answers = self._each("read", get, wanted)
        found = {k: a for k, a in zip(wanted, answers, strict=True) if a is not None}
        self.stats.add(requests=len(wanted), bytes_read=sum(map(len, found.values())))
        return found

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""

        async def get(request: tuple[str, int, int]) -> bytes | None:
            key, start, length = request
            if start >= 0:
                return await self._get(check_key(key), RangeByteRequest(start, start + length))
            tail = await self._get(check_key(key), SuffixByteRequest(-start))
            return None if tail is None else tail[:length]

        answers = self._each("read", get, ranges)
        size = sum(len(answer) for answer in answers if answer is not None)
        self.stats.add(requests=len(ranges), bytes_read=size)
        return answers

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value."""
        self._writable()

        async def put(item: tuple[str, Buffer]) -> None:
            await self._store.set(check_key(item[0]), CpuBuffer.from_bytes(bytes(item[1])))

        chunks = list(items.items())
        if not self.any_key:  # a store that knows its nodes takes no chunk of one it does not know
            nodes = [item for item in chunks if item[0].rpartition("/")[2] == NODE]
            chunks = [item for item in chunks if item[0].rpartition("/")[2] != NODE]
            self._each("write", put, nodes)
        self._each("write", put, chunks)
        self.stats.add(requests=len(items), bytes_written=sum(map(len, items.values())))

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists; whether this call created it."""
        self._writable()

        async def put(key: str) -> bytes | None:
            await self._store.set_if_not_exists(key, CpuBuffer.from_bytes(data))
            return await self._get(key, None)

        stored = self._each("create", put, [check_key(key)])[0]
        self.stats.add(requests=2, bytes_written=len(data))
        return stored == data

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self._writable()
        wanted = list(map(check_key, keys))
        self._each("remove", self._store.delete, wanted)
        self.stats.add(requests=len(wanted))

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        self._writable()
        if prefix:
            check_key(prefix)
        self._each("remove", self._store.delete_dir, [prefix])
        self.stats.add(requests=1)

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``; StoreError where the store cannot list."""
        if not self._store.supports_listing:
            raise StoreUnlistable(f"{self.url} cannot list its keys")
        if prefix:
            check_key(prefix)

        async def names(below: str) -> set[str]:
            return {name.strip("/") async for name in self._store.list_dir(below)}

        found = self._each("list", names, [prefix])[0]
        self.stats.add(requests=1)
        return sorted(found - {""})

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below a prefix; StoreError where the store cannot list."""
        if not self._store.supports_listing:
            raise StoreUnlistable(f"{self.url} cannot list its keys")

        async def keys(below: str) -> list[str]:
            return [key async for key in self._store.list_prefix(below)]

        found = self._each("list", keys, [f"{check_key(prefix)}/" if prefix else ""])[0]
        self.stats.add(requests=1)
        return sorted(found)

    def sync(self) -> None:
        """Nothing: what a Zarr store answered for is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: a Zarr store leaves nothing beside its keys."""

    def zarr_store(self) -> Store:
        """The store itself."""
        return self._store

    async def _get(self, key: str, part: ByteRequest | None) -> bytes | None:
        value = await self._store.get(key, default_buffer_prototype(), part)
        return None if value is None else value.to_bytes()

    def _each(self, verb: str, work: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
        if not items:
            return []
        try:
            return run(gather_bounded(work, items, self._at_once))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a foreign store may raise anything
            reason = redact(f"{type(error).__name__}: {error}")
        # outside the handler: the cause may hold credentials and must not be chained
        raise StoreError(f"cannot {verb} {_keys(items)} of {self.url}: {reason}")

    def _writable(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.url} was opened read-only")


def _keys(items: Sequence[object]) -> str:
    first = items[0][0] if isinstance(items[0], tuple) else items[0]
    return f"{first or 'the root'}" if len(items) == 1 else f"{len(items)} keys from {first} on"
