"""Icechunk repositories, which keep snapshots; one is opened like any other store."""

from __future__ import annotations

import importlib
import inspect
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zarr_vectors.core.backends.icechunk_address import (
    MAIN,
    Ref,
    address_of,
    chosen_ref,
    parse_address,
)
from zarr_vectors.core.backends.icechunk_storage import storages
from zarr_vectors.core.backends.urls import local_path, redact, scheme_of
from zarr_vectors.core.backends.zarr_store import ZarrStoreBackend
from zarr_vectors.exceptions import AccessRefused, StoreError

_MODES = ("r", "r+", "a", "w")
_WIDELY_READ = 1
"""Version of new repositories: Icechunk 1 cannot read those of version 2."""


def make_icechunk_session(
    url: str,
    *,
    mode: str = "r+",
    branch: str = MAIN,
    snapshot_id: str | None = None,
    tag: str | None = None,
    credentials: str | None = None,
    profile: str | None = None,
    spec_version: int = _WIDELY_READ,
    repository_config: Any = None,  # noqa: ANN401  Icechunk's own, an optional package
    **storage_kwargs: Any,  # noqa: ANN401  each storage has options of its own
) -> tuple[Any, Any]:
    """Open a session of an Icechunk repository.

    ``create_store(store)``, ``open_store(store)`` and the writers take the store; what they write
    is a snapshot once ``core.store.commit(group)`` or ``session.commit(message)`` is called.

    Args:
        url: Folder, ``file://``, ``s3://``, ``gs://``, ``az://container/prefix``,
            ``abfss://container@account.dfs.core.windows.net/prefix``, ``http(s)://``; or an
            address such as ``icechunk+s3://bucket/prefix@tag.v1``.
        mode: ``r`` read-only; ``r+`` writable; ``a`` and ``w`` also make the repository.
        branch: The branch.
        snapshot_id: Read this snapshot instead of the branch's last; for mode ``r``.
        tag: Read what this tag names; for mode ``r``.
        credentials: ``auto``, ``anonymous`` or ``machine``, as for buckets.
        profile: Profile of the AWS files.
        spec_version: Version of a repository that is made; for Icechunk 2.
        repository_config: An ``icechunk.RepositoryConfig``.
        storage_kwargs: Passed to Icechunk's storage, such as credentials.

    Returns:
        The session and its Zarr store.

    Raises:
        StoreError: Icechunk is not installed, there is no such repository, branch or snapshot, or
            the arguments contradict each other.
    """
    storage, said = parse_address(url)
    named = None if branch == MAIN else branch  # which goes without saying
    ref = chosen_ref(said, branch=named, tag=tag, snapshot_id=snapshot_id)
    repository = _Repository(
        storage,
        mode,
        ref,
        credentials=credentials,
        profile=profile,
        spec_version=spec_version,
        repository_config=repository_config,
        **storage_kwargs,
    )
    session = repository.session()
    return session, session.store


def open_repository(address: str, *, mode: str, **options: Any) -> IcechunkBackend:  # noqa: ANN401
    """Backend of an address such as ``icechunk+s3://bucket/prefix@branch.main``.

    Args:
        address: The address.
        mode: ``r``, ``r+``, ``a`` or ``w``.
        options: As of :func:`make_icechunk_session`.

    Raises:
        StoreError: As there.
    """
    storage, said = parse_address(address)
    names = {name: options.pop(name, None) for name in ("branch", "tag", "snapshot_id")}
    ref = chosen_ref(said, **names)
    return IcechunkBackend(_Repository(storage, mode, ref, **options))


class _Repository:
    """An open repository, and the part of it that is meant."""

    def __init__(
        self,
        storage: str,
        mode: str,
        ref: Ref,
        *,
        credentials: str | None = None,
        profile: str | None = None,
        spec_version: int = _WIDELY_READ,
        repository_config: Any = None,  # noqa: ANN401
        **storage_kwargs: Any,  # noqa: ANN401
    ) -> None:
        if mode not in _MODES:
            raise StoreError(f"mode {mode!r} is unknown: expected {', '.join(_MODES)}")
        if mode != "r" and not ref.writable:
            raise StoreError(f"a {ref.kind} can be read, not written to: mode {mode!r}")
        try:
            self._icechunk: Any = importlib.import_module("icechunk")
        except ImportError:
            raise StoreError(
                "Icechunk is not installed: pip install 'zv-viewer[icechunk]'"
            ) from None
        folder = local_path(storage) if scheme_of(storage) in {"", "file"} else None
        if folder is not None and mode in {"r", "r+"} and not os.path.isdir(folder):
            # Icechunk would make the folder
            raise StoreError(f"cannot open the repository {storage}: there is no such folder")
        self.url = address_of(storage, ref)
        self.read_only = mode == "r"
        self.ref = ref
        choice = credentials or os.environ.get("ZARR_VECTORS_CREDENTIALS") or "auto"
        reasons = []
        ways = storages(
            self._icechunk,
            storage,
            storage_kwargs,
            writing=not self.read_only,
            choice=choice,
            profile=profile,
        )
        while True:
            name = ""
            try:
                name, place = next(ways)
                self._repository = self._open(place, mode, repository_config, spec_version)
            except StopIteration:
                break
            except (self._icechunk.IcechunkError, TypeError, ValueError) as error:
                reasons.append(f"{_brief(error)}{f' (with {name})' if name else ''}")
            else:
                return
        said = "; ".join(dict.fromkeys(reasons)) or "no credentials were found"
        kind = AccessRefused if not reasons else StoreError
        raise kind(f"cannot open the repository {redact(storage)}: {said}")

    def session(self) -> Any:  # noqa: ANN401
        """A new session; what is written to it is a snapshot once it is committed."""
        kind, name = self.ref.kind, self.ref.name
        try:
            if not self.read_only:
                return self._repository.writable_session(name)
            if kind == "snapshot":
                return self._repository.readonly_session(snapshot_id=name)
            return self._repository.readonly_session(**{kind: name})
        except (self._icechunk.IcechunkError, ValueError) as error:
            reason = _brief(error)
        raise StoreError(f"cannot open the repository {self.url}: {reason}")

    def _open(self, place: Any, mode: str, config: Any, version: int) -> Any:  # noqa: ANN401
        if mode not in {"a", "w"}:
            return self._icechunk.Repository.open(place, config)
        make = self._icechunk.Repository.open_or_create
        known = "create_version" in inspect.signature(make).parameters
        return make(place, config, **({"create_version": version} if known else {}))


class IcechunkBackend(ZarrStoreBackend):
    """A part of a repository; each operation that writes is one commit.

    Args:
        repository: The repository.
    """

    def __init__(self, repository: _Repository) -> None:
        self._repository = repository
        self._session = repository.session()
        self._depth = 0
        self._turn = threading.RLock()
        super().__init__(
            self._session.store,
            read_only=repository.read_only,
            name="icechunk",
            url=repository.url,
        )

    def __repr__(self) -> str:
        return f"IcechunkBackend({self.url!r}, read_only={self.read_only})"

    @contextmanager
    def one_commit(self, operation: str) -> Iterator[None]:
        """What is written in the block is one snapshot; an exception leaves none of it.

        Args:
            operation: What is done; the message of the snapshot.
        """
        with self._turn:
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self.commit(operation)
            except BaseException:  # whatever it is, nothing of it is kept; raised again
                if self._depth == 1 and self._session.has_uncommitted_changes:
                    self._session.discard_changes()
                raise
            finally:
                self._depth -= 1

    def commit(self, message: str) -> str | None:
        """Make what was written a snapshot; its id, None where nothing was.

        Raises:
            StoreError: Another writer has written to the branch meanwhile.
        """
        if not self._session.has_uncommitted_changes:
            return None
        try:
            made = str(self._session.commit(message))
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being made is told
            reason = _brief(error)
        else:
            self._session = self._repository.session()
            self._store = self._session.store
            return made
        raise StoreError(f"cannot commit to {self.url}: {reason}")


def _brief(error: Exception) -> str:
    """The first line of an error that says something, without secrets."""
    lines = redact(str(error)).splitlines()
    said = (line.strip(" |x-\u2502\u00d7\u2570\u2500\u25b6") for line in lines)
    return next((line for line in said if line), type(error).__name__)
