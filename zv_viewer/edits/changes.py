"""Keys that an edit changes, by the bytes of before and afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from zv_viewer.edits.rehearsal import Rehearsal, batches, digest


@dataclass(frozen=True, slots=True)
class Stored:
    """A value by its length and digest, and where it begins in a pack."""

    length: int
    digest: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A key that changes: None where it is not there before, or not afterwards."""

    key: str
    old: Stored | None
    new: Stored | None


def changes_of(rehearsal: Rehearsal) -> tuple[Change, ...]:
    """Every key that is another one in the rehearsal than in the store, ascending."""
    found = []
    for keys in batches(sorted(rehearsal.written)):
        before = rehearsal.place.get_many(keys)
        after = rehearsal.get_many(keys)
        for key in keys:
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            at = rehearsal.written[key]
            is_new = None if new is None or at is None else Stored(len(new), digest(new), at[0])
            was = None if old is None else Stored(len(old), digest(old))
            found.append(Change(key, was, is_new))
    return tuple(found)


def is_new(path: str, changes: tuple[Change, ...]) -> bool:
    """Whether nothing below a path was there before."""
    return not any(change.old for change in changes if change.key.startswith(f"{path}/"))


def digest_of(one: Stored | None) -> str:
    """Digest of a value; empty where there is none."""
    return "" if one is None else one.digest
