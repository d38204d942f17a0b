"""What a zip file says it holds; pure, and wary: whoever wrote the file may mean harm.

Nothing is taken from the file but numbers that fit each other: every entry has its own bytes, a
name that stays inside, and a size that its packed bytes can be.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import StoreError

TAIL_BYTES = 256 * 1024
"""Bytes at the end of the file that are read first; they hold most directories whole."""
MAX_DIRECTORY_BYTES = 256 * 2**20
MAX_ENTRIES = 2_000_000
MAX_RATIO = 250
"""Size of an entry over that of its packed bytes, from ``RATIO_FROM`` on."""
RATIO_FROM = 2**20

STORED, DEFLATED = 0, 8
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_UTF8 = 0x800
_ENCRYPTED = 0x1
_MOST_BEFORE_DATA = _LOCAL.size + 2 * 0xFFFF


@dataclass(frozen=True, slots=True)
class Span:
    """Where the directory is: ``size`` bytes from ``offset`` on, holding ``count`` entries.

    Attributes:
        data: Its bytes, where they are known already.
    """

    offset: int
    size: int
    count: int
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One value in the file.

    Attributes:
        offset: Where its own header starts.
        room: Bytes from there to the next entry, or to where its data must end.
        packed: Bytes of its data as they are in the file.
        size: Bytes of its value.
        method: How it is packed: ``STORED`` or ``DEFLATED``, or what cannot be read.
        checksum: CRC-32 of its value.
        encrypted: It cannot be read.
        raw_name: Its name as the file has it.
    """

    offset: int
    room: int
    packed: int
    size: int
    method: int
    checksum: int
    encrypted: bool
    raw_name: bytes


def find_directory(tail: bytes) -> Span:
    """Where the last bytes of a file say its directory is.

    Args:
        tail: The last ``TAIL_BYTES`` of the file, or all of it.

    Raises:
        StoreError: They are not the end of a zip file.
    """
    at = len(tail) - _END.size
    while at >= 0:
        at = tail.rfind(b"PK\5\6", 0, at + 4)
        if at < 0:
            break
        *_, count, size, offset, comment = _END.unpack_from(tail, at)
        if at + _END.size + comment == len(tail):
            long = _find_64(tail, at) if count == _FULL_16 or _FULL_32 in (size, offset) else None
            span, end = long or (Span(offset, size, count), at)
            return _with_data(_checked(span), tail, end)
        at -= 1
    raise StoreError("it is no zip file, or it was cut short")


def _with_data(span: Span, tail: bytes, end: int) -> Span:
    """The directory with its bytes, where they stand before the end of it that was found."""
    data = tail[end - span.size : end] if span.size <= end else b""
    return replace(span, data=data) if data[:4] == b"PK\1\2" else span


def _find_64(tail: bytes, end: int) -> tuple[Span, int] | None:
    at = end - _LOCATOR.size
    if at < 0 or tail[at : at + 4] != b"PK\6\7":
        return None
    at -= _END_64.size  # one without extensions stands just before
    if at < 0 or tail[at : at + 4] != b"PK\6\6":
        raise StoreError("its end is of a kind that is not read here")
    *_, count, size, offset = _END_64.unpack_from(tail, at)
    return Span(offset, size, count), at


def _checked(span: Span) -> Span:
    if span.count > MAX_ENTRIES or span.size > MAX_DIRECTORY_BYTES:
        raise StoreError(f"it says it holds {span.count} entries, too many to be read")
    if span.size < span.count * _ENTRY.size:
        raise StoreError("its directory is too short for its entries")
    return span


def read_directory(data: bytes, span: Span) -> tuple[dict[str, Entry], int]:
    """Entries by name, and how many names stand there more than once; the last of each counts.

    Args:
        data: The bytes of the directory.
        span: Where they are in the file.

    Raises:
        StoreError: They are damaged, or mean harm.
    """
    found: dict[str, Entry] = {}
    spans: list[tuple[int, int]] = []
    at = again = 0
    for _ in range(span.count):
        entry, name, at = _entry(data, at)
        spans.append((entry.offset, entry.packed + _LOCAL.size + len(entry.raw_name)))
        if name.endswith("/"):
            continue
        again += name in found
        found[check_key(name)] = entry
    room = _rooms(spans, span.offset)
    most = _MOST_BEFORE_DATA
    entries = {
        name: replace(entry, room=min(room[entry.offset], most + entry.packed))
        for name, entry in found.items()
    }
    return entries, again


def _entry(data: bytes, at: int) -> tuple[Entry, str, int]:
    if data[at : at + 4] != b"PK\1\2" or len(data) < at + _ENTRY.size:
        raise StoreError("its directory is damaged")
    fields = _ENTRY.unpack_from(data, at)
    flags, method = fields[3], fields[4]
    checksum, packed, size, name_length, extra_length, comment_length = fields[7:13]
    offset = fields[16]
    start = at + _ENTRY.size
    raw_name = data[start : start + name_length]
    extra = data[start + name_length : start + name_length + extra_length]
    end = start + name_length + extra_length + comment_length
    if end > len(data):
        raise StoreError("its directory is damaged")
    size, packed, offset = _long(extra, size, packed, offset)
    try:
        name = raw_name.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        raise StoreError("it holds a name that is no text") from None
    if size > RATIO_FROM and size > MAX_RATIO * packed:
        raise StoreError(f"it says that {packed} bytes of it unpack to {size}")
    if method == STORED and size != packed:
        raise StoreError("it says that bytes that are not packed change their number")
    encrypted = bool(flags & _ENCRYPTED)
    return Entry(offset, 0, packed, size, method, checksum, encrypted, raw_name), name, end


def _long(extra: bytes, *numbers: int) -> list[int]:
    """Numbers of an entry, those that do not fit taken from its extra field."""
    found = list(numbers)
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            wanted = [i for i, number in enumerate(numbers) if number == _FULL_32]
            if len(field) < 8 * len(wanted):
                raise StoreError("its directory is damaged")
            for place, i in enumerate(wanted):
                found[i] = struct.unpack_from("<Q", field, 8 * place)[0]
            return found
        at += 4 + length
    return found


def _rooms(spans: list[tuple[int, int]], end: int) -> Mapping[int, int]:
    """Bytes each entry may have: up to the next one, none of them shared."""
    spans.sort()
    ends = [offset for offset, _ in spans[1:]] + [end]
    room = {}
    for (offset, least), stop in zip(spans, ends, strict=True):
        if offset + least > stop:
            raise StoreError("entries of it lie over one another")
        room[offset] = stop - offset
    return room


def data_start(header: bytes, entry: Entry) -> int:
    """Where an entry's data starts, from its own header on.

    Args:
        header: Bytes from ``entry.offset`` on, its name at least.
        entry: The entry.

    Raises:
        StoreError: The header does not agree with the directory.
    """
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise StoreError("the header of an entry is damaged")
    fields = _LOCAL.unpack_from(header)
    method, name_length, extra_length = fields[3], fields[9], fields[10]
    start: int = _LOCAL.size + name_length + extra_length
    name = header[_LOCAL.size : _LOCAL.size + name_length]
    if name != entry.raw_name or method != entry.method or start + entry.packed > entry.room:
        raise StoreError("the header of an entry is not what the directory says")
    return start


def header_bytes(entry: Entry) -> int:
    """Bytes of an entry's header up to the end of its name."""
    return _LOCAL.size + len(entry.raw_name)
