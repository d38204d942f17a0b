"""A far place with a memory: what was read is not asked for again.

Only for places opened for reading. The root's document and the journal are always asked for: they
tell which store it is and whether somebody writes. When an answer is younger than the opening of
the place, all that was kept before is forgotten.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.backends.disk_cache import DiskCache
from zarr_vectors.core.backends.requests import Versions
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.core.paths import check_key

if TYPE_CHECKING:
    from zarr.abc.store import Store

T = TypeVar("T")

MEMORY_BYTES = 32 * 2**20
"""Bytes kept in memory unless asked otherwise."""

CACHE_VARIABLE = "ZARR_VECTORS_CACHE"
"""Names the folder of the disk cache where the caller names none."""

_ENTRY = 128
"""Bytes that a kept value costs beside its content and its name."""
Range = tuple[str, int, int]


class MemoryCache:
    """Values by name, bounded in bytes: those not used for longest go first. Threads may share it.

    Args:
        most_bytes: Bytes to keep, names and a little per value included.
    """

    def __init__(self, most_bytes: int = MEMORY_BYTES) -> None:
        self.most_bytes = most_bytes
        self.used = 0
        self._values: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str) -> bytes | None:
        """A value that is kept."""
        with self._lock:
            data = self._values.get(name)
            if data is not None:
                self._values.move_to_end(name)
            return data

    def put(self, name: str, data: bytes) -> None:
        """Keep a value; one that would drive out an eighth of the others is not kept."""
        size = cost_of(name, data)
        if size > self.most_bytes // 8:
            return
        with self._lock:
            before = self._values.pop(name, None)
            if before is not None:
                self.used -= cost_of(name, before)
            self._values[name] = data
            self.used += size
            while self.used > self.most_bytes:
                oldest, gone = self._values.popitem(last=False)
                self.used -= cost_of(oldest, gone)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()
            self.used = 0


class Versioned(StorageBackend, Protocol):
    """A place that tells which values it has seen."""

    @property
    def versions(self) -> Versions:
        """Tags and times of what was read."""
        ...


P = TypeVar("P", bound=Versioned)


class Caching:
    """A place and what was read of it.

    Args:
        place: The place, opened for reading.
        memory: Where values are kept for this opening.
        disk: Where they are kept for longer, None for nowhere; used once the root's document was
            read, if the service tells tag or time of it.
        wall: Seconds since 1970.
    """

    def __init__(
        self,
        place: Versioned,
        memory: MemoryCache,
        disk: DiskCache | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.place = place
        self.memory = memory
        self.disk = disk
        self.name = place.name
        self.url = place.url
        self.read_only = place.read_only
        self.any_key = place.any_key
        self.local_path: Path | None = place.local_path
        self.stats: IOStats = place.stats
        self._since = wall()
        self._fingerprint = ""

    def __repr__(self) -> str:
        return f"Caching({self.place!r})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(map(check_key, keys)))
        found = self._known({key: key for key in wanted if _may_keep(key)})
        ask = [key for key in wanted if key not in found]
        fresh = self.place.get_many(ask) if ask else {}
        if self._changed() and found:
            fresh |= self.place.get_many(found)
            found = {}
        for key, data in fresh.items():
            if _may_keep(key):
                self._keep(key, data)
        if NODE in fresh:
            self._identify(fresh[NODE])
        fresh |= found
        return {key: fresh[key] for key in wanted if key in fresh}

    def get_ranges(self, ranges: Sequence[Range]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""
        names = {one: "\0".join(map(str, one)) for one in ranges if _may_keep(check_key(one[0]))}
        found = self._known(names)
        ask = [one for one in dict.fromkeys(ranges) if one not in found]
        fresh = dict(zip(ask, self.place.get_ranges(ask), strict=True)) if ask else {}
        if self._changed() and found:
            again = list(found)
            fresh |= zip(again, self.place.get_ranges(again), strict=True)
            found = {}
        for one, data in fresh.items():
            if one in names and data is not None:
                self._keep(names[one], data)
        return [found[one] if one in found else fresh[one] for one in ranges]

    def forget(self) -> None:
        """Drop what is kept in memory."""
        self.memory.clear()

    def put_many(self, items: Mapping[str, bytes | bytearray | memoryview]) -> None:
        """Refused by the place."""
        self.place.put_many(items)

    def put_new(self, key: str, data: bytes) -> bool:
        """Refused by the place."""
        return self.place.put_new(key, data)

    def delete_many(self, keys: Iterable[str]) -> None:
        """Refused by the place."""
        self.place.delete_many(keys)

    def delete_prefix(self, prefix: str) -> None:
        """Refused by the place."""
        self.place.delete_prefix(prefix)

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``."""
        return self.place.list_dir(prefix)

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below ``prefix/``."""
        return self.place.keys_below(prefix)

    def sync(self) -> None:
        """Nothing: nothing is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: nothing is written."""

    def zarr_store(self) -> Store:
        """The place as a zarr Store, which knows nothing of what is kept."""
        return self.place.zarr_store()

    def _known(self, names: Mapping[T, str]) -> dict[T, bytes]:
        found = {}
        for wanted, name in names.items():
            data = self.memory.get(name)
            if data is None and self.disk is not None and self._fingerprint:
                data = self.disk.get(self._fingerprint, name)
                if data is not None:
                    self.memory.put(name, data)
            if data is not None:
                found[wanted] = data
        return found

    def _keep(self, name: str, data: bytes) -> None:
        self.memory.put(name, data)
        if self.disk is not None and self._fingerprint:
            self.disk.put(self._fingerprint, name, data)

    def _changed(self) -> bool:
        """Whether something younger than the opening was read; if so, all else is forgotten."""
        newest = self.place.versions.newest
        if newest <= self._since:
            return False
        self._since = newest
        self._fingerprint = ""
        self.memory.clear()
        return True

    def _identify(self, root: bytes) -> None:
        version = self.place.versions.of(NODE)
        content = hashlib.sha256(root).hexdigest()
        self._fingerprint = f"{self.url}\0{version}\0{content}" if version else ""


def with_caches(
    place: P, memory_bytes: int = MEMORY_BYTES, cache_dir: str | Path | None = None
) -> P | Caching:
    """A place opened for reading, with what the caller or the environment wants kept of it.

    Args:
        place: The place.
        memory_bytes: Bytes to keep in memory, 0 for none.
        cache_dir: Folder to keep values in, ``ZARR_VECTORS_CACHE`` when None; ``""`` for none.

    Raises:
        StoreError: The folder may be read or changed by others, or cannot be made.
    """
    folder = os.environ.get(CACHE_VARIABLE, "") if cache_dir is None else cache_dir
    if memory_bytes <= 0 and not folder:
        return place
    disk = DiskCache(folder) if folder else None
    return Caching(place, MemoryCache(memory_bytes), disk)


def forget_kept(place: StorageBackend) -> None:
    """Drop what is kept in memory of a place, however it is wrapped."""
    inner: Any = place
    while inner is not None:
        if isinstance(inner, Caching):
            inner.forget()
        inner = getattr(inner, "place", None)


def cost_of(name: str, data: bytes) -> int:
    """Bytes that count for a kept value."""
    return len(data) + len(name) + _ENTRY


def _may_keep(key: str) -> bool:
    """The root's document and what is no part of the Zarr hierarchy are always asked for."""
    return key != NODE and not key.startswith(".")
