"""A store that looks written to: what is written goes into a file beside it, nothing is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zarr_vectors.core.backends import IOStats, StorageBackend
from zarr_vectors.exceptions import StoreError

if TYPE_CHECKING:
    from zarr.abc.store import Store

Buffer = bytes | bytearray | memoryview

AT_ONCE = 64
"""Keys read together: a batch is answered whole."""


class Pack:
    """Values one after the other in a file.

    Args:
        path: The file; made where missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch(mode=0o600, exist_ok=True)

    def add(self, values: Iterable[Buffer]) -> list[tuple[int, int]]:
        """Put values at the end; where each begins, and its length."""
        places = []
        with self.path.open("ab") as file:
            for data in values:
                places.append((file.tell(), len(data)))
                file.write(data)
        return places

    def read(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """Values by where they begin and their length; cut short where the file is."""
        found = []
        with self.path.open("rb") as file:
            for start, length in places:
                file.seek(start)
                found.append(file.read(length))
        return found


class Rehearsal:
    """Reads a store, and what was written since; writes go into a pack.

    Args:
        place: The store, which is only read.
        pack: Where values go.
    """

    def __init__(self, place: StorageBackend, pack: Pack) -> None:
        self.place = place
        self.name = place.name
        self.url = place.url
        self.read_only = False
        self.any_key = False  # nobody else sees what is written: no journal is needed
        self.local_path: Path | None = None
        self.stats: IOStats = place.stats
        self.pack = pack
        self.written: dict[str, tuple[int, int] | None] = {}
        """Key -> where its value is, None where it was removed."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(keys))
        found = self.place.get_many([key for key in wanted if key not in self.written])
        return found | dict(self._own(wanted))

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""
        rest = [one for one in ranges if one[0] not in self.written]
        theirs = iter(self.place.get_ranges(rest) if rest else [])
        own = dict(self._own(dict.fromkeys(key for key, _, _ in ranges)))
        answers: list[bytes | None] = []
        for key, start, length in ranges:
            if key not in self.written:
                answers.append(next(theirs))
                continue
            data = own.get(key)
            first = start if start >= 0 else max(len(data or b"") + start, 0)
            answers.append(None if data is None else data[first : first + length])
        return answers

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value."""
        places = self.pack.add(items.values())
        self.written.update(zip(items, places, strict=True))

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists."""
        if self.get_many([key]):
            return False
        self.put_many({key: data})
        return True

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist."""
        self.written.update(dict.fromkeys(keys))

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``."""
        self.delete_many(self.keys_below(prefix))

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``."""
        below = f"{prefix}/" if prefix else ""
        touched = [key for key in self.written if key.startswith(below)]
        own = {key[len(below) :].partition("/")[0] for key in touched if self.written[key]}
        theirs = set(self.place.list_dir(prefix))
        doubtful = {key[len(below) :].partition("/")[0] for key in touched} & (theirs - own)
        gone = {name for name in doubtful if not self._holds(f"{below}{name}")}
        return sorted((theirs | own) - gone)

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below ``prefix/``."""
        below = f"{prefix}/" if prefix else ""
        own = {key for key, at in self.written.items() if at and key.startswith(below)}
        theirs = {key for key in self.place.keys_below(prefix) if key not in self.written}
        return sorted(own | theirs)

    def sync(self) -> None:
        """Nothing: nothing is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: nothing is left behind."""

    def zarr_store(self) -> Store:
        """Refused: a Zarr store would write past the rehearsal."""
        raise StoreError(f"{self.url} is rehearsed: it is no Zarr store")

    def _own(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        places = {key: at for key in keys if (at := self.written.get(key)) is not None}
        return zip(places, self.pack.read(list(places.values())), strict=True)

    def _holds(self, path: str) -> bool:
        if path in self.written:
            return self.written[path] is not None
        return bool(self.keys_below(path)) or bool(self.place.get_many([path]))


def digest(data: Buffer | None) -> str:
    """Of a value; empty of a key that is not there."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """Keys, :data:`AT_ONCE` at a time."""
    wanted = list(keys)
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
