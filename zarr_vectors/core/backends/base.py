"""What the library asks of a place that holds bytes: keys in, bytes out, in batches.

Every call is synchronous and takes a batch; a backend decides how to serve the batch at once (a
plain loop of ``open()`` on a disk, one bounded gather on the shared event loop for a bucket).
Callers that live on an event loop use a thread. Keys are ``/``-separated paths relative to the
store's root, built by :mod:`zarr_vectors.core.paths` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from zarr_vectors.core.backends.stats import IOStats

if TYPE_CHECKING:
    from zarr.abc.store import Store


class StorageBackend(Protocol):
    """Keys to bytes below one root.

    Raises :class:`~zarr_vectors.exceptions.StoreError` for anything but an absent key: absent keys
    are left out of the answer. No message, ``repr`` or ``url`` carries credentials.
    """

    name: str
    """``local``, ``obstore``, ``fsspec``, ``zarr`` ..."""
    url: str
    """Where the root is, without user info or query."""
    read_only: bool
    local_path: Path | None
    """The root directory of a local store, else None."""
    stats: IOStats
    any_key: bool
    """Whether keys of our own choice may be kept beside those of Zarr; without, no journal is."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        ...

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key.

        A negative start counts from the end.
        """
        ...

    def put_many(self, items: Mapping[str, bytes | bytearray | memoryview]) -> None:
        """Create or replace each value, whole or not at all."""
        ...

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value whole, unless the key exists; whether this call created it.

        Of several callers at once one succeeds, where the place can promise that: folders, memory,
        and buckets that create conditionally. Other places are asked first, then written to.
        """
        ...

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        ...

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        ...

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``; StoreError where the place cannot list."""
        ...

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below ``prefix/``; StoreError where the place cannot list."""
        ...

    def sync(self) -> None:
        """Wait until what was written and removed would survive a loss of power.

        Only where the place was opened to be durable; otherwise there is nothing to wait for.
        """
        ...

    def sweep(self, keys: Iterable[str]) -> None:
        """Remove what a killed writer of these keys left beside them: half files, empty folders."""
        ...

    def zarr_store(self) -> Store:
        """The same place as a zarr Store, for dense arrays and for callers who want zarr."""
        ...


@runtime_checkable
class PutsParts(Protocol):
    """A backend that stores a value given in parts without joining them first."""

    def put_parts_new(self, key: str, parts: Sequence[bytes]) -> bool:
        """As :meth:`StorageBackend.put_new`."""
        ...


def put_parts_new(place: StorageBackend, key: str, parts: Sequence[bytes]) -> bool:
    """Create a value from its parts, unless the key exists; whether this call created it."""
    if isinstance(place, PutsParts):
        return place.put_parts_new(key, parts)
    return place.put_new(key, b"".join(parts))
