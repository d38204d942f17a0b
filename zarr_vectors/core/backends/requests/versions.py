"""What was last seen of each object, so that an answer from before it is noticed.

A cache on the way, or a bucket's copy that lags, may answer with a value that was replaced. The
time of change that services send has whole seconds; tags tell values of one second apart.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MOST_KEYS = 2**16
"""Objects remembered, those seen last."""
MOST_PAST = 8
"""Replaced values remembered of each."""


@dataclass(frozen=True, slots=True)
class Version:
    """One value of an object.

    Attributes:
        tag: The service's tag of it; ``""`` where it gives none.
        modified: When it was stored, in seconds since 1970 by the service's clock; 0 if not known.
    """

    tag: str
    modified: float = 0.0

    def __str__(self) -> str:
        return f"{self.tag} {self.modified:.0f}" if self.tag or self.modified else ""


@dataclass(frozen=True, slots=True)
class _Known:
    version: Version
    past: tuple[str, ...] = ()

    def followed_by(self, version: Version) -> _Known:
        tags = (*self.past, self.version.tag) if self.version.tag else self.past
        past = tuple(tag for tag in tags if tag != version.tag)
        return _Known(version, past[-MOST_PAST:])


class Versions:
    """Newest versions by key.

    Attributes:
        newest: The latest time of change among all that was read.
    """

    def __init__(self) -> None:
        self.newest = 0.0
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def of(self, key: str) -> str:
        """Text of the version seen last; ``""`` where none was, or the service tells none."""
        known = self._known.get(key)
        return "" if known is None else str(known.version)

    def wrote(self, key: str, tag: str) -> None:
        """A value of ours was stored, or with no tag removed."""
        known = self._known.get(key)
        version = Version(tag)
        self._keep(key, _Known(version) if known is None else known.followed_by(version))

    def is_older(self, key: str, read: Version) -> bool:
        """Whether a value that was read is one that was replaced; if not, it is remembered."""
        known = self._known.get(key)
        if known is not None and _is_older(read, known):
            return True
        self.newest = max(self.newest, read.modified)
        if known is None:
            self._keep(key, _Known(read))
        elif known.version != read:
            self._keep(key, known.followed_by(read))
        return False

    def _keep(self, key: str, known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)


def _is_older(read: Version, known: _Known) -> bool:
    newest = known.version
    if read.tag and read.tag == newest.tag:
        return False
    if read.modified and newest.modified and read.modified != newest.modified:
        return read.modified < newest.modified
    return bool(read.tag) and read.tag in known.past
