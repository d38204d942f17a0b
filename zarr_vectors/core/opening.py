"""Reading a store's metadata: the root, its levels, and whether a transaction is under way.

On a disk the levels are listed and every document is read, in one go. Elsewhere a first round trip
asks for the root, level 0 and the journal's head together; where the root's record of its levels
holds, that is all, and where it does not, a second one reads the levels that the root names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zarr_vectors.constants import LEVEL_KEY, NODE
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.documents import attributes_of, parse_document
from zarr_vectors.core.journal import (
    FOLDER,
    HEAD,
    ReadThrough,
    Record,
    Writing,
    identified,
    settle,
)
from zarr_vectors.core.outline import agrees, entries_of, is_of, names_in, recorded_levels
from zarr_vectors.core.paths import level_numbers, node
from zarr_vectors.core.root_meta import LevelDocument, RootDocument, parse_level, parse_root
from zarr_vectors.exceptions import StoreError


@dataclass(frozen=True, eq=False, slots=True)
class FirstLook:
    """What the first round trip found."""

    found: Mapping[str, bytes]
    numbers: list[int] | None
    """Levels by listing; None where the place was not asked to list."""

    @property
    def head(self) -> Record | None:
        """The transaction under way, if any."""
        data = self.found.get(HEAD)
        return None if data is None else Record.parse(data)


def first_look(place: StorageBackend) -> FirstLook:
    """Ask for the root, for levels, and for the journal's head."""
    journal = place.any_key and not isinstance(place, Writing | ReadThrough)
    if place.local_path is not None:
        names = place.list_dir("")
        numbers = level_numbers(names)
        keys = [NODE, *(node(str(number)) for number in numbers)]
        keys += [HEAD] if journal and FOLDER in names else []
        return FirstLook(place.get_many(keys), numbers)
    keys = [NODE, node("0"), *([HEAD] if journal else [])]
    return FirstLook(place.get_many(keys), None)


def root_look(place: StorageBackend) -> FirstLook:
    """Ask for the root and the journal's head alone."""
    journal = place.any_key and not isinstance(place, Writing | ReadThrough)
    return FirstLook(place.get_many([NODE, HEAD] if journal else [NODE]), [])


def past_journal(place: StorageBackend, *, writing: bool) -> StorageBackend:
    """A store as it is when no transaction is under way.

    Raises:
        StoreError: Opened for writing while a writer is at work, or may be.
    """
    return look_past(place, first_look(place), writing=writing)[0]


def look_past(
    place: StorageBackend,
    look: FirstLook,
    *,
    writing: bool,
    again: Callable[[StorageBackend], FirstLook] = first_look,
) -> tuple[StorageBackend, FirstLook]:
    """A store as it is when no transaction is under way, and what a first look at that finds.

    A transaction left behind by a writer that is gone is undone, where the store is opened for
    writing; otherwise the store is read as it was before.

    Args:
        place: The store as it is.
        look: What was found there.
        writing: It is opened for writing.
        again: Looks once more, where a transaction was under way.

    Raises:
        StoreError: Opened for writing while a writer is at work, or may be.
    """
    head = look.head
    if head is None:
        return place, look
    if writing:
        settle(place, head)
    else:
        known = identified(place, head)
        if known is None:
            return place, look
        place = ReadThrough(place, known)
    return place, again(place)


def read_documents(
    place: StorageBackend, look: FirstLook
) -> tuple[RootDocument, dict[int, LevelDocument]]:
    """The root's metadata and every level's, ascending.

    Raises:
        StoreError: Nothing there, not a Zarr Vectors store, of an unknown version, or without the
            level that its record names.
        MetadataError: Damaged metadata.
    """
    root = parse_root(look.found.get(NODE), place.url)
    if node("0") not in look.found and is_of(root) and 0 in (entries_of(root) or {}):
        raise StoreError(f"{node('0')} of {place.url} is recorded but missing")
    if look.numbers is not None:
        return root, _levels(place, root, look.numbers, look.found)
    zero = look.found.get(node("0"))
    finest = None if zero is None else _attributes(place, 0, zero)
    recorded = recorded_levels(root, finest)
    if recorded is not None and finest is not None:
        return root, _recorded(place, root, recorded, finest)
    numbers = sorted(root.transforms) or level_numbers(place.list_dir(""))
    keys = [node(str(number)) for number in numbers if number]
    rest = place.get_many(keys) if keys else {}
    return root, _levels(place, root, numbers, {**look.found, **rest})


def _levels(
    place: StorageBackend, root: RootDocument, numbers: list[int], found: Mapping[str, bytes]
) -> dict[int, LevelDocument]:
    entries = entries_of(root) or {}
    levels = {}
    for number in numbers:
        data = found.get(node(str(number)))
        attributes = {} if data is None else _attributes(place, number, data)
        if LEVEL_KEY not in attributes:
            continue
        level = parse_level(root, number, attributes, place.url)
        same = agrees(root, number, attributes)
        arrays = entries[number]["arrays"] if same and place.local_path is None else None
        if arrays is not None or same is False:
            level = replace(level, arrays=arrays, doubtful=same is False)
        levels[number] = level
    return levels


def _recorded(
    place: StorageBackend,
    root: RootDocument,
    entries: Mapping[int, Any],
    finest: Mapping[str, Any],
) -> dict[int, LevelDocument]:
    levels = {}
    for number, entry in sorted(entries.items()):
        attributes = entry["attributes"] if number else finest
        level = parse_level(root, number, attributes, place.url)
        levels[number] = replace(
            level, arrays=entry["arrays"], names=names_in(entry), recorded=number > 0
        )
    return levels


def _attributes(place: StorageBackend, number: int, data: bytes) -> dict[str, Any]:
    where = f"{node(str(number))} of {place.url}"
    return attributes_of(parse_document(data, where), where)
