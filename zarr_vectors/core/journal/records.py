"""What a journal stores: who is at work on what, and the bytes there were before.

``.zarr_vectors_journal/head.json`` says that a transaction is under way, or committed and not
tidied up. ``.zarr_vectors_journal/<id>/<n>`` are its segments, counted from 0: old bytes of keys,
keys that were not there, and prefixes below which nothing was.
"""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.documents import parse_document
from zarr_vectors.core.journal.owners import Owner, this_process
from zarr_vectors.core.paths import check_key
from zarr_vectors.exceptions import MetadataError, StoreError

FOLDER = ".zarr_vectors_journal"
HEAD = f"{FOLDER}/head.json"

_MAGIC = b"ZVJ1"
_PREAMBLE = struct.Struct("<4sII")
_SEGMENTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Record:
    """Who is at work on a store, on what, and since when."""

    id: str
    operation: str
    owner: Owner
    time: str
    fresh: tuple[str, ...] = ()
    """Prefixes below which nothing was when the transaction began; ``""``: the whole store."""
    committed: bool = False
    """What was written holds; only :attr:`removed` is left to do."""
    removed: tuple[str, ...] = ()
    """Prefixes that a committed transaction removes."""

    @classmethod
    def new(cls, operation: str, fresh: Sequence[str] = ()) -> Record:
        """A record of this process, now."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(uuid.uuid4().hex[:20], operation, this_process(), now, tuple(fresh))

    @classmethod
    def parse(cls, data: bytes) -> Record:
        """A stored record; one that was cut short has no owner and no id."""
        try:
            found = parse_document(data, HEAD)
            return cls(
                id=str(found["id"]),
                operation=str(found["operation"]),
                owner=Owner.from_dict(found["owner"]),
                time=str(found["time"]),
                fresh=_texts(found["fresh"]),
                committed=found["committed"] is True,
                removed=_texts(found["removed"]),
            )
        except (MetadataError, KeyError, TypeError, AttributeError):
            return cls("", "an operation whose record is damaged", Owner("", 0), "an unknown time")

    def encode(self) -> bytes:
        """As stored."""
        found: dict[str, Any] = {
            "version": 1,
            "id": self.id,
            "operation": self.operation,
            "owner": self.owner.to_dict(),
            "time": self.time,
            "fresh": list(self.fresh),
            "committed": self.committed,
            "removed": list(self.removed),
        }
        return json.dumps(found, indent=1).encode()

    @property
    def folder(self) -> str:
        """Where the segments are."""
        return f"{FOLDER}/{self.id}"

    def segment_key(self, number: int) -> str:
        """Key of a segment."""
        return f"{self.folder}/{number:06d}"


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """Part of what there was before: old bytes, or None of a key that was not there."""

    old: Mapping[str, bytes | None]
    fresh: tuple[str, ...] = field(default=())

    def encode(self, record_id: str) -> list[bytes]:
        """As stored, in parts, with what shows whether all of it is there."""
        keys = [[key, None if data is None else len(data)] for key, data in self.old.items()]
        head = {"id": record_id, "fresh": list(self.fresh), "keys": keys}
        text = json.dumps(head).encode()
        parts = [text, *(data for data in self.old.values() if data)]
        crc = 0
        for part in parts:
            crc = zlib.crc32(part, crc)
        return [_PREAMBLE.pack(_MAGIC, len(text), crc), *parts]

    @classmethod
    def decode(cls, data: bytes, record_id: str) -> Segment | None:
        """A stored segment, or None where it was cut short or is another transaction's.

        Raises:
            ZVError: It is whole, and does not say what it should or names what no key can be.
        """
        if len(data) < _PREAMBLE.size:
            return None
        magic, size, crc = _PREAMBLE.unpack_from(data)
        body = memoryview(data)[_PREAMBLE.size :]
        if magic != _MAGIC or zlib.crc32(body) != crc:
            return None
        head = parse_document(body[:size], "a segment of the journal")
        if head.get("id") != record_id:
            return None
        fresh, keys = _contents(head)
        for name in (*(key for key, _ in keys), *filter(None, fresh)):
            check_key(name)
        if size + sum(length or 0 for _, length in keys) != len(body):
            raise StoreError("the journal is damaged: a segment is not as long as it says")
        old: dict[str, bytes | None] = {}
        at = size
        for key, length in keys:
            old[key] = None if length is None else bytes(body[at : at + length])
            at += length or 0
        return cls(old, fresh)


def read_segments(backend: StorageBackend, record: Record, first: int = 0) -> list[Segment]:
    """Up to a fixed number of a transaction's segments from one on; fewer where there are no more.

    A last one that was cut short does not count: what it was to protect was not touched yet.

    Raises:
        StoreError: A segment is damaged and others follow it.
    """
    keys = [record.segment_key(first + n) for n in range(_SEGMENTS_AT_ONCE)]
    stored = backend.get_many(keys)
    found: list[Segment] = []
    for number, key in enumerate(keys):
        part = Segment.decode(stored[key], record.id) if key in stored else None
        if part is None:
            if any(later in stored for later in keys[number + 1 :]):
                raise StoreError(f"the journal of {backend.url} is damaged: {key} does not read")
            break
        found.append(part)
    return found


def is_below(key: str, prefixes: Sequence[str]) -> bool:
    """Whether a key is below one of some prefixes; everything but the journal is below ``""``."""
    if not prefixes:
        return False
    if key.startswith(f"{FOLDER}/"):
        return False
    return any(not prefix or key.startswith(f"{prefix}/") for prefix in prefixes)


def _contents(head: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, int | None]]]:
    """Fresh prefixes, and keys with the number of their old bytes."""
    try:
        fresh = _texts(head["fresh"])
        keys = [(key, length) for key, length in head["keys"]]
        _texts([key for key, _ in keys])
    except (KeyError, TypeError, ValueError):
        fresh, keys = (), [("", -1)]
    if any(n is not None and (type(n) is not int or n < 0) for _, n in keys):
        raise StoreError("the journal is damaged: a segment is malformed")
    return fresh, keys


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("not a list of texts")
    return tuple(value)
