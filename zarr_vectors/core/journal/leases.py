"""One writer at a time: a record created under a condition, taken over from a writer that is gone.

Taking over is itself a lease, on a claim named after the record: of several processes that find a
writer gone, one undoes its work.
"""

from __future__ import annotations

from collections.abc import Callable

from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.journal.owners import LIVE, is_gone
from zarr_vectors.core.journal.records import Record
from zarr_vectors.exceptions import StoreError

Undo = Callable[[Record], None]
"""Called with the record of a writer that is gone, before the record is removed."""


def hold(backend: StorageBackend, key: str, record: Record, undo: Undo) -> None:
    """Create a record; where one is there whose writer is gone, take over from it first.

    Raises:
        StoreError: Another writer is at work, or may be.
    """
    LIVE.add(record.id)
    try:
        while not backend.put_new(key, record.encode()):
            found = holder(backend, key)
            if found is not None:
                take_over(backend, key, found, undo)
    except BaseException:  # whatever it is, nothing is held; raised again
        LIVE.discard(record.id)
        raise


def holder(backend: StorageBackend, key: str) -> Record | None:
    """The record there is, if any."""
    data = backend.get_many([key]).get(key)
    return None if data is None else Record.parse(data)


def take_over(
    backend: StorageBackend, key: str, found: Record, undo: Undo, *, forced: bool = False
) -> None:
    """Undo what a writer left behind, then remove its record.

    Args:
        backend: Where the record is.
        key: The record's key.
        found: The record.
        undo: Puts things back.
        forced: Also where it cannot be known whether the writer is gone.

    Raises:
        StoreError: The writer is at work, or may be and ``forced`` is not given.
    """
    gone = is_gone(found.owner, found.id, local=backend.local_path is not None)
    if gone is False or (gone is None and not forced):
        raise StoreError(refusal(backend, found, known=gone is not None))
    claim = f"{key}.{found.id or 'damaged'}"
    mine = Record.new(f"undo {found.operation}")
    hold(backend, claim, mine, lambda dead: None)
    try:
        now = holder(backend, key)
        if now is not None and now.id == found.id:
            undo(now)
            backend.delete_many([key])
    finally:
        release(backend, claim, mine)


def release(backend: StorageBackend, key: str, record: Record) -> None:
    """Remove a record of one's own.

    Raises:
        StoreError: It is not there any more: somebody cleared it, and may have begun to write.
    """
    try:
        check_mine(backend, key, record)
        backend.delete_many([key])
    finally:
        LIVE.discard(record.id)


def check_mine(backend: StorageBackend, key: str, record: Record) -> None:
    """See that a record of one's own still stands.

    Raises:
        StoreError: It does not.
    """
    now = holder(backend, key)
    if now is None or now.id != record.id:
        raise StoreError(
            f"{backend.url}: the record of {record.operation} was cleared by another process "
            "while it was at work; check the store"
        )


def refusal(backend: StorageBackend, found: Record, *, known: bool) -> str:
    """Why nothing is written: who writes, since when, and how to clear a record left behind."""
    text = (
        f"{backend.url} is being written to: {found.operation}, by process {found.owner.pid} on "
        f"{found.owner.host or 'an unknown machine'} since {found.time}"
    )
    if known:
        return text
    return (
        f"{text}; if that process is gone, clear its record with "
        f"zarr_vectors.core.journal.recover({backend.url!r})"
    )
