"""Commits of stores that have them, and serving a group by another driver."""

from __future__ import annotations

from typing import Any, Protocol, cast, runtime_checkable

from zarr_vectors.core.backends import open_backend, origin_of
from zarr_vectors.core.backends.urls import redact
from zarr_vectors.core.group import Group, group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import StoreError


@runtime_checkable
class Session(Protocol):
    """A transaction of a store that keeps snapshots."""

    def commit(self, message: str) -> str:
        """Make what was written a snapshot; its id."""
        ...

    def discard_changes(self) -> None:
        """Forget what was written since the last snapshot."""
        ...


@runtime_checkable
class Snapshots(Protocol):
    """A place that goes on after a snapshot."""

    def commit(self, message: str) -> str | None:
        """Make what was written a snapshot; its id, None where nothing was."""
        ...


def session_for(group: Group) -> Session | None:
    """The transaction a group's store writes to, None where the store has none."""
    found = getattr(group.backend.zarr_store(), "session", None)
    return found if isinstance(found, Session) else None


def commit(group: Group, message: str = "zarr-vectors write") -> str | None:
    """Make what was written a snapshot; its id, None where the store has none.

    Of a group opened by the address of a repository, operations are snapshots by themselves: this
    is for what was written to the group directly, and None where that is nothing.
    """
    backend = group.backend
    if isinstance(backend, Snapshots):
        return backend.commit(message)
    session = session_for(group)
    return None if session is None else session.commit(message)


def discard_changes(group: Group) -> None:
    """Forget what was written since the last snapshot; nothing where the store has none."""
    session = session_for(group)
    if session is not None:
        session.discard_changes()
        group.layout.forget()


def rebind(group: Group, backend: str | object, **options: Any) -> Group:  # noqa: ANN401
    """The same group served by another driver.

    Args:
        group: The group.
        backend: ``local``, ``obstore``, ``fsspec``, or a store of the same address.
        options: Passed to the driver; those of the old one are not.

    Raises:
        StoreError: The store given is at another address.
    """
    old = group.backend
    mode = "r" if old.read_only else "r+"
    if isinstance(backend, str):
        new = open_backend(origin_of(old), mode=mode, backend=backend, **options)
    else:
        new = open_backend(cast("Any", backend), mode=mode, **options)
        if new.url.rstrip("/") != old.url.rstrip("/"):
            raise StoreError(f"{redact(new.url)} is not {old.url}: rebind stays at one address")
    handle = open_handle(new, "r" if old.read_only else "r+")
    return group_at(handle.layout, group.prefix)
