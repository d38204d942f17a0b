"""Bytes of keys exchanged for others: all of them, where each is as it is known to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import Cancelled, StoreError
from zv_viewer.edits.changes import Change, Stored, digest_of
from zv_viewer.edits.rehearsal import Pack, batches, digest
from zv_viewer.edits.request import Progress

GIVEN_UP = "writing was given up: the store is as before"


def check_guards(place: StorageBackend, guards: Mapping[str, str]) -> None:
    """See that documents are as a dry run saw them.

    Raises:
        StoreError: One is another.
    """
    now = place.get_many(guards)
    for key, known in guards.items():
        if digest(now.get(key)) != known:
            raise StoreError(
                f"{place.url} was changed since the dry run ({key} is another): run it again"
            )


def save(place: StorageBackend, changes: tuple[Change, ...], pack: Pack) -> tuple[Change, ...]:
    """Keep what is there now in a pack.

    Raises:
        StoreError: It is not what the dry run saw.
    """
    saved = []
    known = {change.key: change for change in changes}
    for keys in batches(known):
        now = place.get_many(keys)
        for key in keys:
            change = known[key]
            if digest(now.get(key)) != digest_of(change.old):
                raise StoreError(
                    f"{place.url} was changed since the dry run ({key} is another): run it again"
                )
            old = change.old
            if old is not None:
                ((start, _),) = pack.add([now[key]])
                old = Stored(old.length, old.digest, start)
            saved.append(Change(key, old, change.new))
    return tuple(saved)


def exchange(
    handle: StoreHandle,
    operation: str,
    changes: tuple[Change, ...],
    pack: Pack,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    """Put the new value of every key in place of the old one, as a transaction of its own.

    Raises:
        StoreError: One of the keys has another value, the pack is damaged, or the store cannot be
            written to.
        Cancelled: It was given up.
    """
    with handle.for_writing().transaction(operation) as writing:
        place = writing.backend
        known = {change.key: change for change in changes}
        for keys in batches(known):
            now = place.get_many(keys)
            other = next((k for k in keys if digest(now.get(k)) != digest_of(known[k].old)), None)
            if other is not None:
                raise StoreError(
                    f"{place.url} was changed since ({other} is another), so that nothing is put "
                    f"back: {operation}"
                )
        put(place, changes, pack, progress, cancelled)
    handle.layout.forget()


def put(
    place: StorageBackend,
    changes: tuple[Change, ...],
    pack: Pack,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    """Put the new value of every key, or remove it."""
    known = {change.key: change for change in changes}
    whole = sum(c.new.length for c in changes if c.new is not None)
    done = 0
    for group in _in_order(change.key for change in changes if change.new is not None):
        for keys in batches(group):
            if cancelled():
                raise Cancelled(GIVEN_UP)
            items = dict(_values(pack, ((key, known[key].new) for key in keys)))
            place.put_many(items)
            done += sum(map(len, items.values()))
            progress(done / max(whole, 1), f"{done:,} of {whole:,} bytes")
    gone = [change.key for change in changes if change.new is None]
    for group in reversed(_in_order(gone)):
        if cancelled():
            raise Cancelled(GIVEN_UP)
        place.delete_many(group)
        place.sweep(group)
    if cancelled():
        raise Cancelled(GIVEN_UP)


def _in_order(keys: Iterable[str]) -> list[list[str]]:
    """Keys in groups: documents of arrays, the outer ones first; data; levels and the root.

    Some places know no data of an array that they have no document of.
    """
    groups: dict[tuple[int, int], list[str]] = {}
    for key in keys:
        depth = key.count("/")
        outer = (0, depth) if depth > 1 else (2, -depth)
        rank = outer if key.endswith(NODE) else (1, 0)
        groups.setdefault(rank, []).append(key)
    return [groups[rank] for rank in sorted(groups)]


def _values(pack: Pack, wanted: Iterable[tuple[str, Stored | None]]) -> Iterable[tuple[str, bytes]]:
    places = {key: one for key, one in wanted if one is not None}
    found = pack.read([(one.start, one.length) for one in places.values()])
    for (key, one), data in zip(places.items(), found, strict=True):
        if digest(data) != one.digest:
            raise StoreError(f"the bytes saved of {key} are damaged: nothing is written")
        yield key, data
