"""A place that is a dict: the quickest there is, for tests that make thousands of stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zarr.storage import MemoryStore

from zarr_vectors.core.backends import IOStats

if TYPE_CHECKING:
    from zarr.abc.store import Store

Buffer = bytes | bytearray | memoryview


class DictPlace:
    """Keys and values in a dict.

    Args:
        items: What is there; copied.
    """

    name = "dict"
    any_key = True
    read_only = False

    def __init__(self, items: Mapping[str, bytes] | None = None) -> None:
        self.url = "memory://a-dict"
        self.local_path: Path | None = None
        self.stats = IOStats()
        self.items = dict(items or {})

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        return {key: self.items[key] for key in keys if key in self.items}

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``."""
        found: list[bytes | None] = []
        for key, start, length in ranges:
            data = self.items.get(key)
            first = start if start >= 0 else max(len(data or b"") + start, 0)
            found.append(None if data is None else data[first : first + length])
        return found

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value."""
        self.items.update((key, bytes(data)) for key, data in items.items())

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists."""
        return self.items.setdefault(key, data) is data

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        for key in keys:
            self.items.pop(key, None)

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        self.delete_many(self.keys_below(prefix))

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``."""
        at = len(prefix) + 1 if prefix else 0
        return sorted({key[at:].partition("/")[0] for key in self.keys_below(prefix)})

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below ``prefix/``."""
        return sorted(k for k in self.items if not prefix or k.startswith(f"{prefix}/"))

    def sync(self) -> None:
        """Nothing."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing."""

    def zarr_store(self) -> Store:
        """A copy as a zarr store."""
        store = MemoryStore()
        store._store_dict.update({})  # noqa: SLF001 - it starts empty
        return store
