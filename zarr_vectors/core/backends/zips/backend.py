"""A zip file as a place: its directory is read once, a value is one range of the file."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from zarr.abc.store import Store

from zarr_vectors.constants import MAX_DENSE_BYTES, NODE
from zarr_vectors.core.backends.as_zarr import BackendStore
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.backends.zips.directory import (
    DEFLATED,
    STORED,
    TAIL_BYTES,
    Entry,
    data_start,
    find_directory,
    header_bytes,
    read_directory,
)
from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import StoreError, ZVWarning

Buffer = bytes | bytearray | memoryview


class ZipBackend:
    """Values of a zip file, never written to.

    A file that holds nothing but one folder with a store in it is read as that store.

    Args:
        place: Where the file is.
        name: Its key there.
        url: Its address, without secrets.

    Raises:
        StoreError: There is no such file, or it cannot be read safely.
    """

    name = "zip"
    any_key = True
    read_only = True

    def __init__(self, place: StorageBackend, name: str, url: str) -> None:
        self.url = url
        self.local_path: Path | None = None
        self.stats = place.stats
        self._place = place
        self._file = check_key(name)
        self._starts: dict[str, int] = {}
        self._entries = self._read_directory()
        self._below = _root_of(self._entries)

    def __repr__(self) -> str:
        return f"ZipBackend({self.url!r})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        found = self._known(keys)
        return dict(zip(found, self._values(found), strict=True))

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""
        entries = self._known(key for key, _, _ in ranges)
        whole = [key for key, entry in entries.items() if entry.method != STORED]
        values = dict(zip(whole, self._values({k: entries[k] for k in whole}), strict=True))
        self._find_starts({k: e for k, e in entries.items() if e.method == STORED})
        answers: list[bytes | None] = [None] * len(ranges)
        asked: list[tuple[int, str, int, int]] = []
        for position, (key, start, length) in enumerate(ranges):
            entry = entries.get(key)
            if entry is None:
                continue
            begin = max(entry.size + start, 0) if start < 0 else min(start, entry.size)
            end = min(begin + length, entry.size)
            if key in values:
                answers[position] = values[key][begin:end]
            elif end == begin:
                answers[position] = b""
            else:
                asked.append((position, key, begin, end - begin))
        parts = self._parts([(self._starts[key] + b, n) for _, key, b, n in asked])
        for (position, *_), part in zip(asked, parts, strict=True):
            answers[position] = part
        return answers

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``."""
        skip = len(prefix) + 1 if prefix else 0
        return sorted({key[skip:].partition("/")[0] for key in self.keys_below(prefix)})

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below a prefix."""
        start = self._below + (f"{check_key(prefix)}/" if prefix else "")
        skip = len(self._below)
        return sorted(name[skip:] for name in self._entries if name.startswith(start))

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Refused."""
        self._refuse()

    def put_new(self, key: str, data: bytes) -> bool:
        """Refused."""
        return self._refuse()

    def delete_many(self, keys: Iterable[str]) -> None:
        """Refused."""
        self._refuse()

    def delete_prefix(self, prefix: str) -> None:
        """Refused."""
        self._refuse()

    def sync(self) -> None:
        """Nothing: there is nothing written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Nothing: there is nothing written."""

    def zarr_store(self) -> Store:
        """The same place as a zarr Store."""
        return BackendStore(self)

    def _read_directory(self) -> dict[str, Entry]:
        tail = self._place.get_ranges([(self._file, -TAIL_BYTES, TAIL_BYTES)])[0]
        if tail == b"":  # some servers refuse to give more than there is
            tail = self._place.get_many([self._file]).get(self._file)
        if tail is None:
            raise StoreError(f"there is no file {self.url}")
        try:
            span = find_directory(tail)
            data = span.data
            if span.size and not data:
                data = self._parts([(span.offset, span.size)])[0]
            entries, again = read_directory(data, span)
        except StoreError as error:
            raise StoreError(f"cannot read {self.url}: {error}") from error
        if again:
            warnings.warn(
                ZVWarning(f"{self.url} holds {again} names more than once: the last is read"),
                stacklevel=3,
            )
        return entries

    def _known(self, keys: Iterable[str]) -> dict[str, Entry]:
        found = {}
        for key in keys:
            entry = self._entries.get(self._below + check_key(key))
            if entry is not None:
                found[key] = entry
        for key, entry in found.items():
            what = ""
            if entry.encrypted:
                what = "is encrypted"
            elif entry.method not in {STORED, DEFLATED}:
                what = f"is packed by method {entry.method}, which is not read here"
            elif entry.size > MAX_DENSE_BYTES:
                what = f"has {entry.size} bytes, too many at once"
            if what:
                raise StoreError(f"{key} of {self.url} {what}")
        return found

    def _values(self, entries: Mapping[str, Entry]) -> list[bytes]:
        parts = self._parts([(entry.offset, entry.room) for entry in entries.values()])
        values = []
        for (key, entry), part in zip(entries.items(), parts, strict=True):
            try:
                start = data_start(part, entry)
            except StoreError as error:
                raise StoreError(f"{key} of {self.url} cannot be read: {error}") from error
            value = _unpacked(part[start : start + entry.packed], entry)
            if len(value) != entry.size or zlib.crc32(value) != entry.checksum:
                raise StoreError(f"{key} of {self.url} is damaged: its checksum does not fit")
            values.append(value)
        return values

    def _find_starts(self, entries: Mapping[str, Entry]) -> None:
        new = {key: entry for key, entry in entries.items() if key not in self._starts}
        heads = self._parts([(entry.offset, header_bytes(entry)) for entry in new.values()])
        for (key, entry), head in zip(new.items(), heads, strict=True):
            try:
                self._starts[key] = entry.offset + data_start(head, entry)
            except StoreError as error:
                raise StoreError(f"{key} of {self.url} cannot be read: {error}") from error

    def _parts(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """Bytes of the file at ``(offset, length)`` each."""
        asked = [(self._file, offset, length) for offset, length in places]
        parts = []
        for (_, length), part in zip(places, self._place.get_ranges(asked), strict=True):
            if part is None or len(part) != length:
                raise StoreError(f"{self.url} ends before what its directory names")
            parts.append(part)
        return parts

    def _refuse(self) -> bool:
        raise StoreError(f"{self.url} is a zip file, which is read only")


def _unpacked(data: bytes, entry: Entry) -> bytes:
    if entry.method == STORED:
        return data
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return unpacker.decompress(data, entry.size + 1)
    except zlib.error:
        return b""  # its checksum says the rest


def _root_of(entries: Mapping[str, Entry]) -> str:
    """Prefix of the store: none, or the one folder that holds a store."""
    if NODE in entries:
        return ""
    ends = f"/{NODE}"
    folders = {name.removesuffix(ends) for name in entries if name.endswith(ends)}
    tops = {name for name in folders if "/" not in name}
    return f"{tops.pop()}/" if len(tops) == 1 else ""
