"""Any Zarr store as a backend: a batch is one bounded gather on the background loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from zarr.abc.store import ByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.buffer.cpu import Buffer as CpuBuffer

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends.requests import Policy, Request, Requests, gap_for, jobs_of
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.backends.urls import redact
from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import StoreError, StoreUnlistable

Buffer = bytes | bytearray | memoryview

_PATIENCE_S = 600.0
"""Seconds for what a store does in many requests of its own: listing, removing a folder."""


class ZarrStoreBackend:
    """Keys of a Zarr store.

    Args:
        store: The store; its own read-only flag holds too.
        read_only: Refuse to write.
        name: Kind of place, for display.
        url: Where the store is; what the store says of itself by default.
        policy: How many requests at once, how often again, how long.
    """

    def __init__(
        self,
        store: Store,
        *,
        read_only: bool = True,
        name: str = "zarr",
        url: str | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.name = name
        self.url = redact(str(store) if url is None else url)
        self.read_only = read_only or store.read_only
        self.local_path: Path | None = None
        self.stats = IOStats()
        self._store = store
        self._requests = Requests(self.url, self.stats, policy)
        # a store with sessions has transactions of its own, and takes no keys but those of Zarr
        self.any_key = not hasattr(store, "session")

    def __repr__(self) -> str:
        return f"ZarrStoreBackend({self.url!r}, read_only={self.read_only})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(map(check_key, keys)))

        async def get(key: str, request: Request) -> bytes | None:
            return await self._get(key, None, request)

        answers = self._requests.each("read", get, wanted)
        found = {k: a for k, a in zip(wanted, answers, strict=True) if a is not None}
        self.stats.add(requests=len(wanted), bytes_read=sum(map(len, found.values())))
        return found

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key.

        Near ranges of one key are fetched together.
        """

        async def get(wanted: tuple[str, int, int], request: Request) -> bytes | None:
            key, start, stop = wanted
            part = SuffixByteRequest(-start) if start < 0 else RangeByteRequest(start, stop)
            return await self._get(key, part, request)

        for key, _, _ in ranges:
            check_key(key)
        answers: list[bytes | None] = [None] * len(ranges)
        jobs, wasted = jobs_of(ranges, gap_for(self.stats.latency_s, self.stats.bytes_per_s))
        parts = self._requests.each("read", get, list(jobs), _key_of)
        for job, part in zip(jobs, parts, strict=True):
            for number in jobs[job]:
                _, start, length = ranges[number]
                begin = start - job[1] if start >= 0 else 0
                answers[number] = None if part is None else part[begin : begin + length]
        size = sum(len(answer) for answer in answers if answer is not None)
        self.stats.add(requests=len(ranges), bytes_read=size, bytes_wasted=wasted)
        return answers

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value."""
        self._writable()

        for key in items:
            check_key(key)

        async def put(item: tuple[str, Buffer], request: Request) -> None:
            request.allow(len(item[1]) / request.limits.of_try.bytes_per_s)
            await self._store.set(item[0], CpuBuffer.from_bytes(bytes(item[1])))

        chunks = list(items.items())
        if not self.any_key:  # a store that knows its nodes takes no chunk of one it does not know
            nodes = [item for item in chunks if item[0].rpartition("/")[2] == NODE]
            chunks = [item for item in chunks if item[0].rpartition("/")[2] != NODE]
            self._requests.each("write", put, nodes, _key_of, finish=True)
        self._requests.each("write", put, chunks, _key_of, finish=True)
        self.stats.add(requests=len(items), bytes_written=sum(map(len, items.values())))

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists; whether this call created it."""
        self._writable()

        async def put(key: str, request: Request) -> bytes | None:
            await self._store.set_if_not_exists(key, CpuBuffer.from_bytes(data))
            return await self._get(key, None, request)

        stored = self._requests.each("create", put, [check_key(key)])[0]
        self.stats.add(requests=2, bytes_written=len(data))
        return stored == data

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self._writable()
        wanted = list(map(check_key, keys))

        async def delete(key: str, _: Request) -> None:
            await self._store.delete(key)

        self._requests.each("remove", delete, wanted, finish=True)
        self.stats.add(requests=len(wanted))

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        self._writable()
        if prefix:
            check_key(prefix)

        async def delete(below: str, request: Request) -> None:
            request.allow(_PATIENCE_S)
            await self._store.delete_dir(below)

        self._requests.each("remove", delete, [prefix])
        self.stats.add(requests=1)

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``; StoreError where the store cannot list."""
        if not self._store.supports_listing:
            raise StoreUnlistable(f"{self.url} cannot list its keys")
        if prefix:
            check_key(prefix)

        async def names(below: str, request: Request) -> set[str]:
            request.allow(_PATIENCE_S)
            return {name.strip("/") async for name in self._store.list_dir(below)}

        found = self._requests.each("list", names, [prefix])[0]
        self.stats.add(requests=1)
        return sorted(found - {""})

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below a prefix; StoreError where the store cannot list."""
        if not self._store.supports_listing:
            raise StoreUnlistable(f"{self.url} cannot list its keys")

        async def keys(below: str, request: Request) -> list[str]:
            request.allow(_PATIENCE_S)
            return [key async for key in self._store.list_prefix(below)]

        found = self._requests.each("list", keys, [f"{check_key(prefix)}/" if prefix else ""])[0]
        self.stats.add(requests=1)
        return sorted(found)

    def sync(self) -> None:
        """Nothing: what a Zarr store answered for is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: a Zarr store leaves nothing beside its keys."""

    def zarr_store(self) -> Store:
        """The store itself."""
        return self._store

    async def _get(self, key: str, part: ByteRequest | None, request: Request) -> bytes | None:
        try:
            value = await self._store.get(key, default_buffer_prototype(), part)
        except Exception:
            # a store that knows its nodes refuses a chunk of one that is not there
            if self.any_key or await self._store.exists(key):
                raise
            return None
        if value is None:
            return None
        data = value.to_bytes()
        request.got(len(data))
        return data

    def _writable(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.url} was opened read-only")


def _key_of(item: tuple[str, object] | tuple[str, int, int]) -> str:
    return item[0]
