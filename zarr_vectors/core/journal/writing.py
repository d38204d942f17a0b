"""A transaction: what is written through it is there altogether, or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends import IOStats, StorageBackend
from zarr_vectors.core.backends.base import put_parts_new
from zarr_vectors.core.backends.joined import ByteArray, Joined, ReadsJoined
from zarr_vectors.core.journal.leases import check_mine, hold, holder
from zarr_vectors.core.journal.owners import LIVE
from zarr_vectors.core.journal.records import (
    FOLDER,
    HEAD,
    Record,
    Segment,
    is_below,
    read_segments,
)
from zarr_vectors.core.journal.undo import clear_leftovers, put_back, tidy
from zarr_vectors.exceptions import StoreError

if TYPE_CHECKING:
    from zarr.abc.store import Store

Buffer = bytes | bytearray | memoryview


@runtime_checkable
class KeepsSnapshots(Protocol):
    """A place where what is written is a snapshot or nothing, without a journal."""

    def one_commit(self, operation: str) -> AbstractContextManager[None]:
        """What is written in the block is one snapshot; an exception leaves none of it."""
        ...


SEGMENT_BYTES = 16 * 2**20
"""Old bytes held and stored together."""
_KEYS_AT_ONCE = 64


class Writing:
    """A backend that saves what was there before it changes anything.

    Args:
        place: The backend underneath.
        record: The transaction.
    """

    def __init__(self, place: StorageBackend, record: Record) -> None:
        self.place = place
        self.record = record
        self.name = place.name
        self.url = place.url
        self.read_only = False
        self.any_key = True
        self.local_path: Path | None = place.local_path
        self.stats: IOStats = place.stats
        self.removed: list[str] = []
        """Prefixes to remove once the rest is committed."""
        self._fresh: list[str] = list(record.fresh)
        self._saved: set[str] = set()
        self._segments = 0
        self._saving = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Writing({self.place!r}, {self.record.operation!r})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist, with what was written here."""
        if not self._saving:
            return self.place.get_many(keys)
        wanted = list(keys)
        found: dict[str, bytes | None] = {}
        self._save(wanted, read=found)
        rest = [key for key in wanted if key not in found]
        there = {key: data for key, data in found.items() if data is not None}
        return there | (self.place.get_many(rest) if rest else {})

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Save what :meth:`get_many` reads in the block: it is about to change."""
        self._saving = True
        try:
            yield
        finally:
            self._saving = False

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there is no such key."""
        return self.place.get_ranges(ranges)

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Create or replace each value, after what was there is saved."""
        self._save(items)
        self.place.put_many(items)

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a value, unless the key exists; whether this call created it."""
        self._save([key])
        return self.place.put_new(key, data)

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove the keys that exist, after what was there is saved."""
        wanted = list(keys)
        self._save(wanted)
        self.place.delete_many(wanted)

    def delete_prefix(self, prefix: str) -> None:
        """Remove everything below ``prefix/``, after what was there is saved."""
        if not is_below(f"{prefix}/", self._fresh):
            found = self.place.keys_below(prefix)
            kept = [key for key in found if not key.startswith(f"{FOLDER}/")]
            self._save(kept, fresh=[prefix] if prefix else [])
        if prefix:
            self.place.delete_prefix(prefix)
            return
        for name in self.list_dir(""):
            self.place.delete_prefix(name)

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``, the journal left out."""
        names = self.place.list_dir(prefix)
        return names if prefix else [name for name in names if name != FOLDER]

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys of everything below ``prefix/``, the journal left out."""
        found = self.place.keys_below(prefix)
        return [key for key in found if not key.startswith(f"{FOLDER}/")]

    def sync(self) -> None:
        """As the backend underneath."""
        self.place.sync()

    def sweep(self, keys: Iterable[str]) -> None:
        """As the backend underneath."""
        self.place.sweep(keys)

    def zarr_store(self) -> Store:
        """The same place as a zarr Store; what is written to that is not part of the journal."""
        return self.place.zarr_store()

    def add_fresh(self, prefixes: Iterable[str]) -> None:
        """Say that nothing is below some prefixes, so that nothing need be saved there.

        Where something is there all the same, it is saved as everywhere else.
        """
        new = [prefix for prefix in prefixes if not is_below(f"{prefix}/", self._fresh)]
        empty = [prefix for prefix in new if is_empty(self.place, prefix)]
        if empty:
            self._save([], fresh=empty)

    def remove_at_commit(self, prefix: str) -> None:
        """Remove everything below ``prefix/`` once the rest is committed; nothing is saved."""
        self.removed.append(prefix)

    def _save(
        self,
        keys: Iterable[str],
        fresh: Sequence[str] = (),
        read: dict[str, bytes | None] | None = None,
    ) -> None:
        """Store what the keys hold now, before the first change of each; give it in ``read``."""
        with self._lock:
            wanted = [
                key for key in keys if key not in self._saved and not is_below(key, self._fresh)
            ]
            old: dict[str, bytes | None] = {}
            size = 0
            # group after group, as values may be large: a batch is answered whole
            for start in range(0, len(wanted), _KEYS_AT_ONCE):
                group = wanted[start : start + _KEYS_AT_ONCE]
                found = self.place.get_many(group)
                old.update((key, found.get(key)) for key in group)
                size += sum(map(len, found.values()))
                if size >= SEGMENT_BYTES:
                    self._put_segment(Segment(old), read)
                    old, size = {}, 0
            if old or fresh:
                self._put_segment(Segment(old, tuple(fresh)), read)
            self._saved.update(wanted)
            self._fresh += fresh

    def _put_segment(self, segment: Segment, read: dict[str, bytes | None] | None) -> None:
        key = self.record.segment_key(self._segments)
        if not put_parts_new(self.place, key, segment.encode(self.record.id)):
            raise StoreError(f"{self.url}: {key} is there already: another writer is at work")
        self.place.sync()
        self._segments += 1
        if read is not None:
            read.update(segment.old)


class _ReadingJoined(Writing):
    """Over a place that reads many small values faster together."""

    def get_joined(
        self, keys: Sequence[str], head: int = 0, room: ByteArray | None = None
    ) -> Joined:
        """As :class:`~zarr_vectors.core.backends.joined.ReadsJoined` says."""
        assert isinstance(self.place, ReadsJoined)  # noqa: S101  made for such places only
        if self._saving:
            self._save(keys)
        return self.place.get_joined(keys, head, room)


def saving(place: StorageBackend) -> AbstractContextManager[None]:
    """Let a transaction save what is read in the block: it is about to change.

    What is to be undone is then read once, not once more where it is written to.

    Args:
        place: What a transaction writes through; nothing is done elsewhere.
    """
    return place.saving() if isinstance(place, Writing) else nullcontext()


@contextmanager
def transaction(
    place: StorageBackend, operation: str, fresh: Iterable[str] = (), *, whole: bool = False
) -> Iterator[StorageBackend]:
    """Write to a store such that either all of it is there afterwards, or none.

    Inside a transaction of the same backend this is part of that one. In a repository opened by
    its address it is one commit; a store that has a session of its own is left for its owner to
    commit.

    Args:
        place: The store; a transaction's backend joins that transaction.
        operation: What is done, in words that finish "... is being written to:".
        fresh: Prefixes below which nothing is yet, such as ``0/vertex_attributes/x``: nothing need
            be saved there. One that is not empty after all is treated as any other place.
        whole: The store is new: everything in it is fresh.

    Yields:
        The backend to write through.

    Raises:
        StoreError: Another writer is at work, or the store cannot be written to.
    """
    if isinstance(place, Writing):
        place.add_fresh(fresh)
        yield place
        return
    if place.read_only:
        raise StoreError(f"{place.url} cannot be written to: it was opened for reading")
    if not place.any_key:
        with place.one_commit(operation) if isinstance(place, KeepsSnapshots) else nullcontext():
            yield place
        return
    record = Record.new(operation)
    hold(place, HEAD, record, lambda dead: put_back(place, dead))
    kind = _ReadingJoined if isinstance(place, ReadsJoined) else Writing
    writing = kind(place, record)
    try:
        if place.local_path is not None:  # where that costs no request
            clear_leftovers(place)
        place.sync()
        if whole:
            check_vacant(place)
        writing.add_fresh([""] if whole else fresh)
        yield writing
        place.sync()
        check_mine(place, HEAD, record)
    except BaseException as error:  # whatever it is, what was written is undone; raised again
        LIVE.discard(record.id)
        _roll_back(place, record, error)
        raise
    try:
        _commit(place, writing)
    finally:
        LIVE.discard(record.id)
    with contextlib.suppress(StoreError):  # committed; segments left over do no harm
        tidy(place, record)


def joined(place: StorageBackend, ticket: str) -> Writing:
    """The same transaction in another process, which may write below its fresh prefixes only.

    Args:
        place: The store, opened for writing.
        ticket: ``id`` of the transaction's record.

    Raises:
        StoreError: That transaction is not under way.
    """
    record = holder(place, HEAD)
    if record is None or record.id != ticket:
        raise StoreError(f"{place.url}: the transaction to join is not under way")
    return _Joined(place, record)


class _Joined(Writing):
    """Writes of a process that helps: below fresh prefixes, where nothing need be saved."""

    def __init__(self, place: StorageBackend, record: Record) -> None:
        super().__init__(place, record)
        while parts := read_segments(place, record, self._segments):
            self._segments += len(parts)
            self._fresh += [prefix for part in parts for prefix in part.fresh]

    def _save(
        self,
        keys: Iterable[str],
        fresh: Sequence[str] = (),
        read: dict[str, bytes | None] | None = None,
    ) -> None:
        outside = next((key for key in (*keys, *fresh) if not is_below(key, self._fresh)), None)
        if outside is not None:
            raise StoreError(
                f"{self.url}: {outside} is not below what {self.record.operation} makes anew: "
                "only the process that began it writes there"
            )


def is_empty(place: StorageBackend, prefix: str) -> bool:
    """Whether nothing is below a prefix; not known is no."""
    try:
        return not any(name != FOLDER for name in place.list_dir(prefix))
    except StoreError:
        return False


def check_vacant(place: StorageBackend) -> None:
    """See that a store can be made there; a place that cannot list is asked for a root group.

    Raises:
        StoreError: Something is there.
    """
    try:
        taken = any(name != FOLDER for name in place.list_dir(""))
    except StoreError:
        taken = bool(place.get_many([NODE]))
    if taken:
        raise StoreError(f"{place.url} is not empty: a new store needs an empty place")


def _commit(place: StorageBackend, writing: Writing) -> None:
    if writing.removed:
        done = replace(writing.record, committed=True, removed=tuple(writing.removed))
        place.put_many({HEAD: done.encode()})
        place.sync()
        put_back(place, done)
    place.delete_many([HEAD])
    place.sync()


def _roll_back(place: StorageBackend, record: Record, error: BaseException) -> None:
    """Undo what was written; where that fails too, the next writer does it."""
    try:
        check_mine(place, HEAD, record)
        put_back(place, record)
        place.delete_many([HEAD])
        place.sync()
        tidy(place, record)
    except StoreError as second:
        error.add_note(
            f"{record.operation} could not be undone now ({second}); readers of this library see "
            "the store as it was, and the next one to write undoes it"
        )
