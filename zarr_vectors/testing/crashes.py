"""A place that dies, or fails once, at the n-th thing asked of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zarr_vectors.core.backends import IOStats, StorageBackend
from zarr_vectors.exceptions import StoreError

if TYPE_CHECKING:
    from zarr.abc.store import Store

Buffer = bytes | bytearray | memoryview

WAYS = ("before", "after", "half", "once")
"""Dies before the n-th call, after it, in the middle of it; or that one call fails."""


class Died(BaseException):
    """The process is gone: nothing it does reaches the store any more."""


class Dying:
    """A backend whose n-th call does not return. Every key written or removed is a call.

    Args:
        place: The backend underneath.
        at: Number of the call, from 1; 0 for none.
        way: One of :data:`WAYS`.
    """

    def __init__(self, place: StorageBackend, at: int = 0, way: str = "before") -> None:
        self.place = place
        self.at = at
        self.way = way
        self.calls = 0
        self.dead = False
        self.log: list[str] = []
        self.name = place.name
        self.url = place.url
        self.read_only = place.read_only
        self.any_key = place.any_key
        self.local_path: Path | None = place.local_path
        self.stats: IOStats = place.stats

    @contextmanager
    def _call(self, verb: str, key: str) -> Iterator[bool]:
        """One call; True where it is to be done by half."""
        if self.dead:
            raise Died
        self.calls += 1
        self.log.append(f"{verb} {key}")
        now = self.calls == self.at
        if now and self.way == "once":
            raise StoreError(f"cannot {verb} {key} of {self.url}: the wire was cut")
        self.dead = now
        if now and self.way == "before":
            raise Died
        yield now and self.way == "half"
        if now:
            raise Died

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """One call."""
        wanted = list(keys)
        with self._call("read", ", ".join(wanted[:2])):
            return self.place.get_many(wanted)

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One call."""
        with self._call("read", ", ".join(key for key, _, _ in ranges[:2])):
            return self.place.get_ranges(ranges)

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """A call for each key."""
        for key, data in items.items():
            with self._call("write", key) as half:
                if half:
                    self._half(key, bytes(data))
                else:
                    self.place.put_many({key: data})

    def put_new(self, key: str, data: bytes) -> bool:
        """One call; by half it leaves what it was to become."""
        with self._call("create", key) as half:
            if half:
                self._beside(key, data)
                return False
            return self.place.put_new(key, data)

    def delete_many(self, keys: Iterable[str]) -> None:
        """A call for each key."""
        for key in keys:
            with self._call("remove", key) as half:
                if not half:
                    self.place.delete_many([key])

    def delete_prefix(self, prefix: str) -> None:
        """One call; by half it removes every other key."""
        with self._call("remove all below", prefix) as half:
            if half:
                self.place.delete_many(self.place.keys_below(prefix)[::2])
            else:
                self.place.delete_prefix(prefix)

    def list_dir(self, prefix: str) -> list[str]:
        """One call."""
        with self._call("list", prefix):
            return self.place.list_dir(prefix)

    def keys_below(self, prefix: str) -> list[str]:
        """One call."""
        with self._call("list all below", prefix):
            return self.place.keys_below(prefix)

    def sync(self) -> None:
        """Not a call of its own."""
        if self.dead:
            raise Died
        self.place.sync()

    def sweep(self, keys: Iterable[str]) -> None:
        """Not a call of its own."""
        if self.dead:
            raise Died
        self.place.sweep(keys)

    def zarr_store(self) -> Store:
        """That of the place underneath."""
        return self.place.zarr_store()

    def _half(self, key: str, data: bytes) -> None:
        """A new key is cut short; one that is there keeps its value, with the new one beside it."""
        if key in self.place.get_many([key]):
            self._beside(key, data)
        else:
            self.place.put_many({key: data[: len(data) // 2]})

    def _beside(self, key: str, data: bytes) -> None:
        """What a killed process leaves on a disk; nothing in a bucket."""
        if self.local_path is not None:
            path = self.local_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp").write_bytes(data[:3])
