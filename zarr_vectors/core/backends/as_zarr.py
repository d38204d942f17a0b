"""Any backend as a zarr Store for reading, for callers who want zarr."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype

from zarr_vectors.core.backends.base import StorageBackend


class BackendStore(Store):
    """A read-only zarr Store over a backend.

    Args:
        backend: The place.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, backend: StorageBackend) -> None:
        super().__init__(read_only=True)
        self._backend = backend

    def __str__(self) -> str:
        return self._backend.url

    def __repr__(self) -> str:
        return f"BackendStore({self._backend!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BackendStore) and other._backend is self._backend

    __hash__ = None  # type: ignore[assignment]  # as other zarr stores

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """A value, or a part of it; None where there is none."""
        data = await asyncio.to_thread(self._read, key, byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Several parts."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """There is such a key."""
        return await asyncio.to_thread(self._read, key, None) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refused."""
        self._check_writable()

    async def delete(self, key: str) -> None:
        """Refused."""
        self._check_writable()

    async def list(self) -> AsyncIterator[str]:
        """All keys."""
        for key in await asyncio.to_thread(self._backend.keys_below, ""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys that start with a prefix."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names directly below a prefix."""
        for name in await asyncio.to_thread(self._backend.list_dir, prefix.strip("/")):
            yield name

    def _read(self, key: str, part: ByteRequest | None) -> bytes | None:
        if isinstance(part, RangeByteRequest):
            return self._backend.get_ranges([(key, part.start, part.end - part.start)])[0]
        if isinstance(part, SuffixByteRequest):
            return self._backend.get_ranges([(key, -part.suffix, part.suffix)])[0]
        data = self._backend.get_many([key]).get(key)
        if data is not None and isinstance(part, OffsetByteRequest):
            return data[part.offset :]
        return data
