"""Values fetched before they are asked for, in one batch with others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class ReadsValues(Protocol):
    """Whole values by key."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Values of the keys that exist."""
        ...


class Ahead:
    """Answers from values that are there, and asks for the others.

    Args:
        place: Where to ask.
        asked: Keys that were asked for.
        found: Values of those that exist.
    """

    def __init__(
        self, place: ReadsValues, asked: Iterable[str], found: Mapping[str, bytes]
    ) -> None:
        self._place = place
        self._asked = frozenset(asked)
        self._found = found

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Values of the keys that exist."""
        wanted = list(keys)
        answers = {key: self._found[key] for key in wanted if key in self._found}
        rest = [key for key in wanted if key not in self._asked]
        return answers | self._place.get_many(rest) if rest else answers
