"""Sessions of Icechunk repositories, which keep snapshots; their stores open like any other."""

from __future__ import annotations

import importlib
from typing import Any
from urllib.parse import urlsplit

from zarr_vectors.core.backends.urls import local_path, redact, scheme_of
from zarr_vectors.exceptions import StoreError

_MODES = ("r", "r+", "a", "w")


def make_icechunk_session(
    url: str,
    *,
    mode: str = "r+",
    branch: str = "main",
    snapshot_id: str | None = None,
    repository_config: Any = None,  # noqa: ANN401  Icechunk's own, an optional package
    **storage_kwargs: Any,  # noqa: ANN401  each storage has options of its own
) -> tuple[Any, Any]:
    """Open a session of an Icechunk repository.

    ``create_store(store)``, ``open_store(store)`` and the writers take the store; what they write
    is a snapshot once ``core.store.commit(group)`` or ``session.commit(message)`` is called.

    Args:
        url: Folder or ``file://``, ``s3://``, ``gs://``, ``az://account/container/prefix``.
        mode: ``r`` read-only; ``r+`` writable; ``a`` and ``w`` also make the repository.
        branch: The branch.
        snapshot_id: Read this snapshot instead of the branch's last; for mode ``r``.
        repository_config: An ``icechunk.RepositoryConfig``.
        storage_kwargs: Passed to Icechunk's storage, such as credentials.

    Returns:
        The session and its Zarr store.

    Raises:
        StoreError: Icechunk is not installed, there is no such repository, branch or snapshot, or
            the arguments contradict each other.
    """
    if mode not in _MODES:
        raise StoreError(f"mode {mode!r} is unknown: expected {', '.join(_MODES)}")
    if snapshot_id is not None and mode != "r":
        raise StoreError(f"a snapshot can be read, not written to: mode {mode!r}")
    try:
        icechunk = importlib.import_module("icechunk")
    except ImportError:
        raise StoreError("Icechunk is not installed: pip install 'zv-viewer[icechunk]'") from None
    reason = ""
    try:
        storage = _storage(icechunk, url, storage_kwargs)
        make = icechunk.Repository.open_or_create if mode in "aw" else icechunk.Repository.open
        repository = make(storage, repository_config)
        if mode != "r":
            session = repository.writable_session(branch)
        elif snapshot_id is None:
            session = repository.readonly_session(branch)
        else:
            session = repository.readonly_session(snapshot_id=snapshot_id)
    except (icechunk.IcechunkError, TypeError, ValueError) as error:
        reason = redact(str(error))
    else:
        return session, session.store
    raise StoreError(f"cannot open the repository {redact(url)}: {reason}")


def _storage(icechunk: Any, url: str, options: dict[str, Any]) -> Any:  # noqa: ANN401
    scheme = scheme_of(url)
    if scheme in {"", "file"}:
        return icechunk.local_filesystem_storage(str(local_path(url)), **options)
    parts = urlsplit(url)
    prefix = parts.path.strip("/") or None
    if scheme in {"s3", "s3a"}:
        options = options if options else {"from_env": True}
        return icechunk.s3_storage(bucket=parts.netloc, prefix=prefix, **options)
    if scheme == "gs":
        options = options if options else {"from_env": True}
        return icechunk.gcs_storage(bucket=parts.netloc, prefix=prefix, **options)
    if scheme in {"az", "azure"}:
        container, _, rest = (prefix or "").partition("/")
        options = options if options else {"from_env": True}
        return icechunk.azure_storage(
            account=parts.netloc, container=container, prefix=rest, **options
        )
    raise StoreError(f"Icechunk has no storage for {scheme}:// addresses")
