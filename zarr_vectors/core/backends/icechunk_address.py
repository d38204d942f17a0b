"""Addresses of Icechunk repositories and of what is read in them; pure.

``icechunk+s3://bucket/prefix@branch.main``: ``icechunk+`` before the address of the storage, and
after it, where it is not the branch ``main``, ``@branch.NAME``, ``@tag.NAME`` or
``@snapshot.ID``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from zarr_vectors.core.backends.urls import redact
from zarr_vectors.exceptions import StoreError

PREFIX = "icechunk+"
MAIN = "main"
_REF = re.compile(r"(?P<storage>.*?)/?@(?P<kind>branch|tag|snapshot)\.(?P<name>[^@]+)")


@dataclass(frozen=True, slots=True)
class Ref:
    """What of a repository: the last snapshot of a branch, or one that does not change."""

    kind: str = "branch"
    name: str = MAIN

    @property
    def writable(self) -> bool:
        """Writing makes a snapshot of a branch."""
        return self.kind == "branch"

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}"


def is_repository(address: str) -> bool:
    """An address of a repository."""
    return address[: len(PREFIX)].lower() == PREFIX


def parse_address(address: str) -> tuple[str, Ref | None]:
    """Address of the storage, and what of the repository is meant where that is said.

    Raises:
        StoreError: It is no address of a repository.
    """
    rest = address[len(PREFIX) :] if is_repository(address) else address
    if is_repository(address) and "://" not in rest:
        raise StoreError(f"{redact(address)}: after {PREFIX} comes a URL such as file:///folder")
    found = _REF.fullmatch(rest)
    if found is None:
        return rest, None
    return found["storage"], Ref(found["kind"], found["name"])


def address_of(storage: str, ref: Ref) -> str:
    """The address of a part of a repository, without secrets."""
    return f"{PREFIX}{redact(storage).rstrip('/')}/@{ref}"


def chosen_ref(
    said: Ref | None, *, branch: str | None, tag: str | None, snapshot_id: str | None
) -> Ref:
    """What is meant by an address and by options together.

    Raises:
        StoreError: They contradict each other.
    """
    options = {"branch": branch, "tag": tag, "snapshot": snapshot_id}
    named = [Ref(kind, name) for kind, name in options.items() if name is not None]
    # a snapshot is of a branch: the two are no contradiction
    if len(named) == 2 and named[0].kind == "branch" and named[1].kind == "snapshot":
        named = named[1:]
    every = {*named, *([] if said is None else [said])}
    if len(every) > 1:
        words = " and ".join(sorted(map(str, every)))
        raise StoreError(f"one part of a repository is opened at a time, not {words}")
    return every.pop() if every else Ref()
