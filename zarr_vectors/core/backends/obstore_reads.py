"""Bodies of objects through obstore: whole, in ranges, by their ends, and going on where one broke.

Each function does one try of one request; the runner beside decides on the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

import obstore
from obstore.exceptions import GenericError, NotSupportedError, PreconditionError
from obstore.store import AzureStore, ObjectStore

from zarr_vectors.constants import MAX_DENSE_BYTES
from zarr_vectors.core.backends.requests import CutShort, OutOfDate, Request, Version, Versions
from zarr_vectors.core.backends.requests.faults import status_of
from zarr_vectors.exceptions import StoreError

R = TypeVar("R")

ABSENT = FileNotFoundError
"""What obstore raises for a key that is not there."""

_AT_ONCE = 256 * 1024
"""Longer bodies are taken in parts of this size, so that a slow one is told from a stuck one."""


@runtime_checkable
class Asks(Protocol):
    """Whoever sends requests to a store, with the credentials that are answered."""

    @property
    def store(self) -> ObjectStore:
        """The store as it is asked now."""
        ...

    async def ask(self, call: Callable[[ObjectStore], Awaitable[R]], *, reading: bool = True) -> R:
        """What ``call`` answers for the store it is given."""
        ...


class AsIs:
    """Asks a store with what it has.

    Args:
        store: The store.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    async def ask(self, call: Callable[[ObjectStore], Awaitable[R]], *, reading: bool = True) -> R:
        """What ``call`` answers for the store."""
        del reading
        return await call(self.store)


@dataclass(slots=True)
class _Begun:
    """The first part of a body that broke off, and what it was a part of."""

    etag: str
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


class _NoRanges(Exception):
    """A server that answers the whole where a part is asked for."""


class Bodies:
    """Reads objects of one obstore store.

    Args:
        asks: Who asks the store.
        url: Where it is, for messages.

    Attributes:
        versions: What was seen and stored so far; an answer from before it is tried again.
    """

    def __init__(self, asks: Asks, url: str) -> None:
        self.versions = Versions()
        self._asks = asks
        self._url = url

    async def whole(self, key: str, request: Request) -> bytes | None:
        """All of an object; None where there is none.

        A body that broke off is gone on with where it broke, if the object is still the same.
        """
        begun: _Begun | None = request.kept
        if begun is not None and begun.size:
            return await self._rest(key, begun, request)
        return await self._body(key, None, request)

    async def part(self, wanted: tuple[str, int, int], request: Request) -> bytes | None:
        """Bytes from ``start`` to before ``stop`` of ``(key, start, stop)``, fewer at its end."""
        key, start, stop = wanted
        if stop <= start:
            return None if await self._size(key) is None else b""
        try:
            return await self._body(key, (start, stop), request)
        except _NoRanges:
            return await self._cut_out(key, start, stop, request)

    async def tail(self, wanted: tuple[str, int], request: Request) -> bytes | None:
        """The last ``size`` bytes of ``(key, size)``."""
        key, size = wanted
        if not isinstance(self._asks.store, AzureStore):  # which knows no ranges from the end
            try:
                return await self._body(key, {"suffix": size}, request)
            except _NoRanges:
                pass
        length = await self._size(key)
        if length is None:
            return None
        return await self.part((key, max(length - size, 0), length), request)

    async def _size(self, key: str) -> int | None:
        try:
            meta = await self._asks.ask(lambda store: obstore.head_async(store, key))
        except ABSENT:
            return None
        return meta["size"]

    async def _get(self, key: str, options: obstore.GetOptions | None = None) -> obstore.GetResult:
        answer = await self._asks.ask(lambda store: obstore.get_async(store, key, options=options))
        meta = answer.meta
        read = Version(meta["e_tag"] or "", max(meta["last_modified"].timestamp(), 0.0))
        if self.versions.is_older(key, read):
            raise OutOfDate("an older value was answered than is stored")
        return answer

    async def _body(self, key: str, part: Any, request: Request) -> bytes | None:  # noqa: ANN401
        try:
            answer = await self._get(key, None if part is None else {"range": part})
        except ABSENT:
            return None
        except NotSupportedError:
            raise _NoRanges from None
        except GenericError as error:
            if part is not None and _ends_before(error):
                return b""
            if "non-partial response" in str(error):
                raise _NoRanges from None
            raise
        start, stop = answer.range
        self._check_size(key, stop - start)
        if stop - start <= _AT_ONCE:
            data = bytes(await answer.bytes_async())
            request.got(len(data))
            return _checked(data, stop - start)
        etag = answer.meta["e_tag"]
        begun = _Begun(etag or "")
        if part is None and etag and not etag.startswith("W/"):
            request.kept = begun
        return await self._stream(answer, begun, stop - start, request)

    async def _rest(self, key: str, begun: _Begun, request: Request) -> bytes | None:
        try:
            answer = await self._get(key, {"range": {"offset": begun.size}, "if_match": begun.etag})
        except (ABSENT, PreconditionError, NotSupportedError):
            answer = None
        if (
            answer is None
            or answer.meta["e_tag"] != begun.etag
            or answer.range != (begun.size, answer.meta["size"])
        ):
            request.kept = None
            request.wasted(begun.size)
            raise CutShort("it changed while it was read")
        return await self._stream(answer, begun, answer.range[1], request)

    async def _stream(
        self, answer: obstore.GetResult, begun: _Begun, size: int, request: Request
    ) -> bytes:
        async for part in answer.stream(min_chunk_size=_AT_ONCE):
            data = bytes(part)
            begun.parts.append(data)
            begun.size += len(data)
            request.got(len(data))
            if request.kept is begun:
                request.kept_size += len(data)
        request.kept = None
        return _checked(b"".join(begun.parts), size)

    async def _cut_out(self, key: str, start: int, stop: int, request: Request) -> bytes | None:
        """A part of an object whose server gives all or nothing."""
        try:
            answer = await self._get(key)
        except ABSENT:
            return None
        stop = min(stop, answer.meta["size"])
        parts: list[bytes] = []
        size = 0
        async for part in answer.stream(min_chunk_size=_AT_ONCE):
            data = bytes(part)
            request.got(len(data))
            parts.append(data[max(start - size, 0) : max(stop - size, 0)])
            size += len(data)
            if size >= stop:
                break
        request.wasted(size - max(stop - start, 0))
        return _checked(b"".join(parts), max(stop - start, 0))

    def _check_size(self, key: str, size: int) -> None:
        if size > MAX_DENSE_BYTES:
            raise StoreError(f"{key} of {self._url} has {size} bytes, too many at once")


def _ends_before(error: GenericError) -> bool:
    """A range begins beyond the object's end."""
    return status_of(error) == 416 or "Invalid range" in str(error)


def _checked(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise CutShort(f"{len(data)} bytes came, {size} were promised")
    return data
