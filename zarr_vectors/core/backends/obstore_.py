"""Buckets and web servers through obstore: a batch is one bounded gather.

The name ends in an underscore so that it never shadows the package it wraps. Imported only when
such a place is opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError, NotSupportedError
from obstore.store import GCSStore, HTTPStore, LocalStore, MemoryStore, ObjectStore, from_url
from zarr.storage import ObjectStore as ZarrObjectStore

from zarr_vectors._sync import gather_bounded, run
from zarr_vectors.constants import MAX_DENSE_BYTES, MAX_REQUESTS_AT_ONCE
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.backends.urls import redact
from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import StoreError

Buffer = bytes | bytearray | memoryview
T = TypeVar("T")
R = TypeVar("R")

_ABSENT = (NotFoundError, FileNotFoundError)
_NEAR = 256 * 1024
_CLIENT = {"timeout": "6s", "connect_timeout": "5s"}
_RETRY = {"max_retries": 3, "retry_timeout": timedelta(seconds=25)}


def open_url(url: str, *, read_only: bool, **options: Any) -> ObstoreBackend:  # noqa: ANN401
    """Backend of a bucket or web address.

    Args:
        url: ``s3://``, ``gs://``, ``az://``, ``http(s)://`` ...
        read_only: Refuse to write.
        options: Passed to obstore; ours are a 6 s request timeout, 3 retries, 25 s in all.

    Raises:
        StoreError: The address or an option is refused.
    """
    if url.lower().startswith("http:"):
        options["client_options"] = {"allow_http": True, **options.get("client_options", {})}
    options["client_options"] = {**_CLIENT, **options.get("client_options", {})}
    options["retry_config"] = {**_RETRY, **options.get("retry_config", {})}
    anonymous = _truthy(options.get("skip_signature")) or _truthy(
        (options.get("config") or {}).get("skip_signature")
    )
    try:
        store = from_url(url, **options)
    except Exception as error:  # noqa: BLE001 - obstore raises many kinds, with the URL in them
        reason = redact(f"{type(error).__name__}: {error}")
    else:
        # an anonymous GCS store would ask the metadata service for a token when writing
        closed = read_only or isinstance(store, HTTPStore) or anonymous
        return ObstoreBackend(store, read_only=closed, url=url)
    raise StoreError(f"cannot open {redact(url)}: {reason}")


class ObstoreBackend:
    """Keys of an obstore store.

    Args:
        store: The obstore store.
        read_only: Refuse to write.
        url: Where the store is; its kind and prefix by default.
        at_once: Requests in flight.
    """

    name = "obstore"
    any_key = True

    def __init__(
        self,
        store: ObjectStore,
        *,
        read_only: bool = True,
        url: str | None = None,
        at_once: int = MAX_REQUESTS_AT_ONCE,
    ) -> None:
        self.url = redact(_describe(store) if url is None else url)
        self.read_only = read_only
        self.local_path: Path | None = None
        self.stats = IOStats()
        self._store = store
        self._at_once = at_once

    def __repr__(self) -> str:
        return f"ObstoreBackend({self.url!r}, read_only={self.read_only})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(map(check_key, keys)))
        answers = self._each("read", self._get, wanted)
        found = {k: a for k, a in zip(wanted, answers, strict=True) if a is not None}
        self.stats.add(requests=len(wanted), bytes_read=sum(map(len, found.values())))
        return found

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key.

        Near ranges of one key are fetched together.
        """
        places: dict[str, list[int]] = {}
        for position, (key, start, _) in enumerate(ranges):
            check_key(key)
            places.setdefault(key if start >= 0 else f"{key} {start}", []).append(position)
        jobs = [[ranges[position] for position in group] for group in places.values()]
        answers: list[bytes | None] = [None] * len(ranges)
        for group, parts in zip(
            places.values(), self._each("read", self._get_parts, jobs), strict=True
        ):
            for position, part in zip(group, parts, strict=True):
                answers[position] = part
        size = sum(len(answer) for answer in answers if answer is not None)
        self.stats.add(requests=len(ranges), bytes_read=size)
        return answers

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value."""
        self._writable()

        async def put(item: tuple[str, Buffer]) -> None:
            await obstore.put_async(self._store, check_key(item[0]), bytes(item[1]))

        self._each("write", put, list(items.items()))
        self.stats.add(requests=len(items), bytes_written=sum(map(len, items.values())))

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists; whether this call created it."""
        self._writable()

        async def put(key: str) -> bool:
            try:
                await obstore.put_async(self._store, key, data, mode="create")
            except (AlreadyExistsError, FileExistsError):
                # a retry of a request that went through is told so too
                return await self._get(key) == data
            except NotSupportedError:  # a service that cannot: one writer only, as the docs say
                if await self._get(key) is not None:
                    return False
                await obstore.put_async(self._store, key, data)
                return await self._get(key) == data
            return True

        created = self._each("create", put, [check_key(key)])[0]
        self.stats.add(requests=1, bytes_written=len(data))
        return created

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self._writable()
        wanted = list(map(check_key, keys))

        async def delete(key: str) -> None:
            try:
                await obstore.delete_async(self._store, key)
            except _ABSENT:
                return

        self._each("remove", delete, wanted)
        self.stats.add(requests=len(wanted))

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        self._writable()
        self.delete_many(self.keys_below(prefix))

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below a prefix."""
        if prefix:
            check_key(prefix)

        async def keys(below: str) -> list[str]:
            pages = obstore.list(self._store, below or None)
            return [meta["path"] async for page in pages for meta in page]

        found = self._each("list", keys, [prefix])[0]
        self.stats.add(requests=1)
        return sorted(found)

    def sync(self) -> None:
        """Nothing: what a bucket answered for is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: a bucket leaves nothing beside its keys."""

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``; StoreError where the place cannot list."""
        if prefix:
            check_key(prefix)

        async def names(below: str) -> list[str]:
            found = await obstore.list_with_delimiter_async(self._store, below or None)
            return [*found["common_prefixes"], *(meta["path"] for meta in found["objects"])]

        paths = self._each("list", names, [prefix])[0]
        self.stats.add(requests=1)
        if not paths and isinstance(self._store, HTTPStore):
            # a web server that knows no listing answers the same as an empty folder
            raise StoreError(f"{self.url} cannot list its keys")
        return sorted({path.strip("/").rsplit("/", 1)[-1] for path in paths} - {""})

    def zarr_store(self) -> ZarrObjectStore[ObjectStore]:
        """The same place as a zarr ObjectStore."""
        return ZarrObjectStore(self._store, read_only=self.read_only)

    async def _get(self, key: str) -> bytes | None:
        try:
            answer = await obstore.get_async(self._store, key)
            size = answer.meta["size"]
            if size > MAX_DENSE_BYTES:
                raise StoreError(f"{key} of {self.url} has {size} bytes, too many at once")
            return bytes(await answer.bytes_async())
        except _ABSENT:
            return None

    async def _get_parts(self, ranges: list[tuple[str, int, int]]) -> list[bytes | None]:
        """Ranges of one key, all from its start or all the same from its end."""
        key, first, _ = ranges[0]
        if len(ranges) == 1:
            return [await self._get_range(ranges[0])]
        if first < 0:
            tail = await self._get_range((key, first, max(n for _, _, n in ranges)))
            return [None if tail is None else tail[:n] for _, _, n in ranges]
        starts = [start for _, start, _ in ranges]
        lengths = [length for _, _, length in ranges]
        try:
            parts = await obstore.get_ranges_async(
                self._store, key, starts=starts, lengths=lengths, coalesce=_NEAR
            )
        except _ABSENT:
            return [None] * len(ranges)
        except NotSupportedError:  # a server that ignores ranges
            whole = await self._get(key)
            return [None if whole is None else whole[a : a + n] for _, a, n in ranges]
        return [bytes(part) for part in parts]

    async def _get_range(self, request: tuple[str, int, int]) -> bytes | None:
        key, start, length = request
        try:
            if start < 0:
                answer = await obstore.get_async(
                    self._store, key, options={"range": {"suffix": -start}}
                )
                return bytes(await answer.bytes_async())[:length]
            part = await obstore.get_range_async(self._store, key, start=start, length=length)
            return bytes(part)
        except _ABSENT:
            return None
        except NotSupportedError:  # a server that ignores ranges
            whole = await self._get(key)
            begin = start if start >= 0 else max(len(whole or b"") + start, 0)
            return None if whole is None else whole[begin : begin + length]

    def _each(self, verb: str, work: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
        if not items:
            return []
        try:
            return run(gather_bounded(work, items, self._at_once))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - messages of any kind may hold the full URL
            reason = redact(f"{type(error).__name__}: {error}").splitlines()[0]
        # outside the handler: the cause may hold credentials and must not be chained
        raise StoreError(f"cannot {verb} {len(items)} keys of {self.url}: {reason}")

    def _writable(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.url} was opened read-only")


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


def _truthy(value: object) -> bool:
    return str(value).lower() in {"true", "1", "yes"}
