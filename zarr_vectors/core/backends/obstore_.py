"""Buckets and web servers through obstore: a batch is one bounded gather.

The name ends in an underscore so that it never shadows the package it wraps. Imported only when
such a place is opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import obstore
from obstore.exceptions import AlreadyExistsError, NotSupportedError
from obstore.store import GCSStore, HTTPStore, LocalStore, MemoryStore, ObjectStore
from zarr.storage import ObjectStore as ZarrObjectStore

from zarr_vectors.core.backends.obstore_lists import list_below, list_children
from zarr_vectors.core.backends.obstore_reads import ABSENT, AsIs, Asks, Bodies
from zarr_vectors.core.backends.requests import (
    Policy,
    Request,
    Requests,
    Versions,
    gap_for,
    jobs_of,
)
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.backends.urls import redact
from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import AccessRefused, StoreError, StoreUnlistable, StoreUnreachable

Buffer = bytes | bytearray | memoryview


class ObstoreBackend:
    """Keys of an obstore store.

    Args:
        store: The obstore store, or who asks one.
        read_only: Refuse to write.
        url: Where the store is; its kind and prefix by default.
        policy: How many requests at once, how often again, how long.
    """

    name = "obstore"
    any_key = True

    def __init__(
        self,
        store: ObjectStore | Asks,
        *,
        read_only: bool = True,
        url: str | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._asks = store if isinstance(store, Asks) else AsIs(store)
        self.url = redact(_describe(self._store) if url is None else url)
        self.read_only = read_only
        self.local_path: Path | None = None
        self.stats = IOStats()
        self._requests = Requests(self.url, self.stats, policy)
        self._bodies = Bodies(self._asks, self.url)

    def __repr__(self) -> str:
        return f"ObstoreBackend({self.url!r}, read_only={self.read_only})"

    @property
    def _store(self) -> ObjectStore:
        return self._asks.store

    @property
    def versions(self) -> Versions:
        """Which values were seen, by the tags and times of the service."""
        return self._bodies.versions

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(map(check_key, keys)))
        answers = self._requests.each("read", self._bodies.whole, wanted)
        found = {k: a for k, a in zip(wanted, answers, strict=True) if a is not None}
        self.stats.add(requests=len(wanted), bytes_read=sum(map(len, found.values())))
        return found

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key.

        Near ranges of one key are fetched together.
        """
        answers: list[bytes | None] = [None] * len(ranges)
        for key, _, _ in ranges:
            check_key(key)
        jobs, wasted = jobs_of(ranges, gap_for(self.stats.latency_s, self.stats.bytes_per_s))
        parts = self._requests.each("read", self._part, list(jobs), _key_of)
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
            await self._put(item[0], bytes(item[1]))

        self._requests.each("write", put, list(items.items()), _key_of, finish=True)
        self.stats.add(requests=len(items), bytes_written=sum(map(len, items.values())))

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists; whether this call created it."""
        self._writable()

        async def put(key: str, request: Request) -> bool:
            try:
                await self._put(key, data, mode="create")
            except (AlreadyExistsError, FileExistsError):
                # a retry of a request that went through is told so too
                return await self._bodies.whole(key, request) == data
            except NotSupportedError:  # a service that cannot: one writer only, as the docs say
                if await self._bodies.whole(key, request) is not None:
                    return False
                await self._put(key, data)
                return await self._bodies.whole(key, request) == data
            return True

        created = self._requests.each("create", put, [check_key(key)])[0]
        self.stats.add(requests=1, bytes_written=len(data))
        return created

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self._writable()
        wanted = list(map(check_key, keys))

        async def delete(key: str, _: Request) -> None:
            with suppress(ABSENT):
                await self._asks.ask(lambda store: obstore.delete_async(store, key), reading=False)
            self._bodies.versions.wrote(key, "")

        self._requests.each("remove", delete, wanted, finish=True)
        self.stats.add(requests=len(wanted))

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        self._writable()
        self.delete_many(self.keys_below(prefix))

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below a prefix."""
        if prefix:
            check_key(prefix)
        found = self._listed(list_below, prefix)
        self.stats.add(requests=1)
        return found

    def sync(self) -> None:
        """Nothing: what a bucket answered for is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: a bucket leaves nothing beside its keys."""

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``; StoreError where the place cannot list."""
        if prefix:
            check_key(prefix)

        paths = self._listed(list_children, prefix)
        self.stats.add(requests=1)
        if not paths and isinstance(self._store, HTTPStore):
            # a web server that knows no listing answers the same as an empty folder
            raise StoreUnlistable(f"{self.url} cannot list its keys")
        return sorted({path.strip("/").rsplit("/", 1)[-1] for path in paths} - {""})

    def _listed(
        self, how: Callable[[Asks, str, Request], Awaitable[list[str]]], prefix: str
    ) -> list[str]:
        async def work(below: str, request: Request) -> list[str]:
            return await how(self._asks, below, request)

        try:
            return self._requests.each("list", work, [prefix])[0]
        except StoreUnreachable:
            raise
        except AccessRefused as error:  # its keys may be read all the same
            raise StoreUnlistable(f"{self.url} does not let its keys be listed") from error
        except StoreError as error:
            if isinstance(self._store, HTTPStore):  # few web servers know how to
                raise StoreUnlistable(f"{self.url} cannot list its keys") from error
            raise

    def zarr_store(self) -> ZarrObjectStore[ObjectStore]:
        """The same place as a zarr ObjectStore, by the way of asking found so far."""
        return _Quiet(self._store, read_only=self.read_only)

    async def _put(
        self, key: str, data: bytes, mode: Literal["create", "overwrite"] = "overwrite"
    ) -> None:
        stored = await self._asks.ask(
            lambda store: obstore.put_async(store, key, data, mode=mode), reading=False
        )
        self._bodies.versions.wrote(key, stored["e_tag"] or "")

    async def _part(self, wanted: tuple[str, int, int], request: Request) -> bytes | None:
        if wanted[1] < 0:
            return await self._bodies.tail((wanted[0], -wanted[1]), request)
        return await self._bodies.part(wanted, request)

    def _writable(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.url} was opened read-only")


class _Quiet(ZarrObjectStore[ObjectStore]):
    """A zarr ObjectStore whose text does not hold the query of its address."""

    def __str__(self) -> str:
        return redact(super().__str__())

    def __repr__(self) -> str:
        return redact(super().__repr__())


def _key_of(item: tuple[Any, ...]) -> str:
    return str(item[0])


def _describe(store: ObjectStore) -> str:
    if isinstance(store, MemoryStore):
        return "memory://"
    if isinstance(store, HTTPStore):
        return store.url
    prefix = str(store.prefix or "").strip("/")
    if isinstance(store, LocalStore):
        return f"file:///{prefix}"
    config = dict(store.config)
    bucket = config.get("bucket") or config.get("container_name") or ""
    scheme = "gs" if isinstance(store, GCSStore) else "s3" if "bucket" in config else "az"
    return f"{scheme}://{bucket}/{prefix}"
