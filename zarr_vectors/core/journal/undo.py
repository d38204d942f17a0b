"""Putting a store back to where it was before a transaction, or tidying up after a commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends import StorageBackend, StoreLike, open_backend
from zarr_vectors.core.journal.leases import holder, take_over
from zarr_vectors.core.journal.records import FOLDER, HEAD, Record, read_segments
from zarr_vectors.exceptions import StoreError

_LEVELS_TRIED = 64


def identified(backend: StorageBackend, record: Record) -> Record | None:
    """A record, one that was cut short told by the segments there are; None where there are none.

    A place that writes values whole, or not at all, has no such record.
    """
    if record.id:
        return record
    try:
        names = [name for name in backend.list_dir(FOLDER) if "." not in name]
    except StoreError:
        return None
    return replace(record, id=names[0]) if len(names) == 1 else None


def put_back(backend: StorageBackend, found: Record) -> None:
    """Undo a transaction, or finish a committed one; may be interrupted and done again.

    The record itself stays: removing it is the last step, and the caller's.
    """
    record = identified(backend, found)
    if record is None:  # cut short while it was made: nothing was written under it
        return
    if record.committed:
        for prefix in record.removed:
            backend.delete_prefix(prefix)
        backend.sync()
        return
    # what is below a fresh prefix goes first: old bytes saved before that prefix was emptied may
    # belong there
    fresh = set(record.fresh)
    number = 0
    while parts := read_segments(backend, record, number):
        fresh.update(prefix for part in parts for prefix in part.fresh)
        number += len(parts)
    for prefix in sorted(fresh):
        _empty(backend, prefix)
    number = 0
    while parts := read_segments(backend, record, number):
        for part in parts:
            absent = [key for key, data in part.old.items() if data is None]
            backend.put_many({key: data for key, data in part.old.items() if data is not None})
            backend.delete_many(absent)
            backend.sweep(part.old)
        number += len(parts)
    backend.sync()


def tidy(backend: StorageBackend, record: Record) -> None:
    """Remove the segments of a transaction whose record is gone."""
    if record.id:
        backend.delete_prefix(record.folder)
    backend.sweep([HEAD])


def settle(backend: StorageBackend, found: Record, *, forced: bool = False) -> None:
    """Take over from the writer of the head: undo its work, remove its head, then its segments.

    Raises:
        StoreError: The writer is at work, or may be.
    """
    take_over(backend, HEAD, found, lambda record: put_back(backend, record), forced=forced)
    tidy(backend, found)


def recover(place: StoreLike, *, backend: str | None = None, **options: Any) -> list[str]:  # noqa: ANN401
    """Clear what writers that are gone left in a store, also where only you can know they are.

    An interrupted operation is undone: the store is as it was before. Writers on this machine that
    are still running are left alone.

    Args:
        place: Path, URL, Zarr Store or obstore store.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        options: Passed to the backend.

    Returns:
        The operations whose records were cleared.

    Raises:
        StoreError: A writer is known to be at work, or the store cannot be written to.
    """
    opened = open_backend(place, mode="r+", backend=backend, **options)
    cleared = []
    head = holder(opened, HEAD)
    if head is not None:
        settle(opened, head, forced=True)
        cleared.append(head.operation)
    for key in _others(opened):
        found = holder(opened, key)
        if found is not None:
            take_over(opened, key, found, lambda record: None, forced=True)
            cleared.append(found.operation)
    try:
        clear_leftovers(opened)
    except StoreError:  # it cannot list: segments that nothing refers to stay, and do no harm
        return cleared
    opened.sweep([HEAD])
    return cleared


def clear_leftovers(backend: StorageBackend) -> None:
    """Remove the segments of transactions whose heads are gone; nobody may be writing."""
    for name in backend.list_dir(FOLDER):
        if "." not in name:
            backend.delete_prefix(f"{FOLDER}/{name}")


def level_lease(level: int) -> str:
    """Key of the record held by the writer of a level."""
    return f"{FOLDER}/level-{level}.json"


def _others(backend: StorageBackend) -> Iterable[str]:
    """Keys of records beside the head: those of levels, and claims of undoing that was cut off."""
    try:
        names = [name for name in backend.list_dir(FOLDER) if ".json" in name]
    except StoreError:
        names = []
        known = [level_lease(number) for number in range(_LEVELS_TRIED)]
        return sorted(backend.get_many(known))
    return [f"{FOLDER}/{name}" for name in names if name != "head.json"]


def _empty(backend: StorageBackend, prefix: str) -> None:
    """Remove everything below a prefix; the whole store but its journal for ``""``."""
    if prefix:
        backend.delete_prefix(prefix)
        backend.sweep([f"{prefix}/x"])
        return
    try:
        names = backend.list_dir("")
    except StoreError:  # it cannot list: without its root what is left is no store
        names = ["0", NODE]
    for name in names:
        if name != FOLDER:
            backend.delete_prefix(name)
    backend.delete_many(name for name in names if name != FOLDER)
    backend.sweep(["x"])
