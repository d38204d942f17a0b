"""Which backend serves an address, and opening it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from zarr.abc.store import Store
from zarr.storage import LocalStore, ObjectStore

from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.backends.icechunk_address import is_repository
from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.core.backends.urls import is_zip, local_path, redact, scheme_of, split_zip
from zarr_vectors.core.backends.zarr_store import ZarrStoreBackend
from zarr_vectors.exceptions import StoreError

StoreLike: TypeAlias = Any
"""A path, a URL, a Zarr Store, an obstore store or a :class:`StorageBackend`."""

BACKENDS = ("local", "obstore", "fsspec")
"""Names a caller or ``ZARR_VECTORS_BACKEND`` may choose."""

_OBSTORE_SCHEMES = frozenset(
    {"s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "http", "https", "memory"}
)
CACHES = ("memory_bytes", "cache_dir")
"""Options that say what is kept of far places; of near ones nothing is."""
_VARIABLE = "ZARR_VECTORS_BACKEND"
_origins: WeakKeyDictionary[StorageBackend, str] = WeakKeyDictionary()


def resolve_backend_name(
    url: str | Path, explicit: str | None = None, *, env_override: str | None = None
) -> str:
    """Backend that serves an address.

    Args:
        url: Path or URL.
        explicit: The caller's choice; wins.
        env_override: Stands in for the variable ``ZARR_VECTORS_BACKEND``; ``""`` ignores it.

    Returns:
        ``local``, ``obstore`` or ``fsspec``; ``icechunk`` for addresses of repositories.

    Raises:
        StoreError: The choice is unknown, or nothing installed serves the scheme.
    """
    if is_repository(os.fspath(url)):
        if explicit:
            raise StoreError(f"repositories are served by Icechunk, not by backend={explicit!r}")
        return "icechunk"
    forced = os.environ.get(_VARIABLE, "") if env_override is None else env_override
    for choice, source in ((explicit, "backend"), (forced, _VARIABLE)):
        if choice:
            if choice not in BACKENDS:
                known = ", ".join(BACKENDS)
                raise StoreError(f"{source}={choice!r} is unknown: expected one of {known}")
            return choice
    scheme = scheme_of(os.fspath(url))
    if scheme in {"", "file"}:
        return "local"
    if scheme in _OBSTORE_SCHEMES and importlib.util.find_spec("obstore"):
        return "obstore"
    if importlib.util.find_spec("fsspec"):
        return "fsspec"
    raise StoreError(f"{redact(os.fspath(url))}: nothing installed serves {scheme}:// addresses")


def open_backend(
    place: StoreLike,
    *,
    mode: str = "r",
    backend: str | None = None,
    **options: Any,  # noqa: ANN401 - each backend has options of its own
) -> StorageBackend:
    """Backend of a store.

    Args:
        place: Path, URL, Zarr Store, obstore store, or a backend, which is returned as it is.
        mode: ``r`` read-only; ``r+`` writable and existing; ``a`` and ``w`` writable, made where
            missing.
        backend: ``local``, ``obstore`` or ``fsspec``; by the scheme when None.
        options: Passed to the backend: ``follow_links`` for a local folder, ``credentials`` and
            ``profile`` and settings of obstore for a bucket, ``branch`` or ``tag`` for a
            repository. ``memory_bytes`` and ``cache_dir`` say what is kept of a bucket or web
            server that is only read.

    Raises:
        AccessRefused: There is nothing to write with.
        StoreError: Missing, or of no known kind.
    """
    if mode not in {"r", "r+", "a", "w"}:
        raise StoreError(f"mode {mode!r} is unknown: expected r, r+, a or w")
    read_only = mode == "r"
    caches = {name: options.pop(name) for name in CACHES if name in options}
    if isinstance(place, str | os.PathLike):
        return _open_address(os.fspath(place), mode, backend, options, caches)
    if isinstance(place, LocalStore):
        closed = read_only or place.read_only
        return LocalBackend(place.root, read_only=closed, create=mode in {"a", "w"}, **options)
    if isinstance(place, Store):
        return _open_store(place, read_only, options)
    if type(place).__module__.split(".")[0] == "obstore":
        from zarr_vectors.core.backends.obstore_ import ObstoreBackend

        return ObstoreBackend(place, read_only=read_only, **options)
    if hasattr(place, "get_many") and hasattr(place, "put_many"):
        found: StorageBackend = place
        return found
    kind = type(place).__name__
    raise StoreError(f"a store is a path, URL, Zarr Store or obstore store, not {kind}")


def origin_of(backend: StorageBackend) -> str | Path:
    """What to open to have a backend's place once more; may hold secrets, and is never shown."""
    place: Any = backend
    while place is not None:
        if place in _origins:
            return _origins[place]
        place = getattr(place, "place", None)
    return backend.url if backend.local_path is None else backend.local_path


def _open_store(store: Store, read_only: bool, options: dict[str, Any]) -> StorageBackend:
    if type(store) is ObjectStore:  # what it wraps is asked without it
        from zarr_vectors.core.backends.obstore_ import ObstoreBackend

        return ObstoreBackend(store.store, read_only=read_only or store.read_only, **options)
    return ZarrStoreBackend(store, read_only=read_only, **options)


def _open_address(
    address: str,
    mode: str,
    backend: str | None,
    options: dict[str, Any],
    caches: dict[str, Any],
) -> StorageBackend:
    name = resolve_backend_name(address, backend)
    if is_zip(address, name):
        from zarr_vectors.core.backends.zips import ZipBackend

        if mode in {"a", "w"}:
            raise StoreError(f"{redact(address)} is a zip file, which is read only")
        folder, file, url = split_zip(address)
        place = _open_by(name, folder, "r", options, caches)
        opened: StorageBackend = ZipBackend(place, file, url)
    else:
        opened = _open_by(name, address, mode, options, caches)
    _origins[opened] = address
    return opened


def _open_by(
    name: str, address: str, mode: str, options: dict[str, Any], caches: dict[str, Any]
) -> StorageBackend:
    read_only, making = mode == "r", mode in {"a", "w"}
    scheme = scheme_of(address)
    if name == "icechunk":
        from zarr_vectors.core.backends.icechunk_backend import open_repository

        return open_repository(address, mode=mode, **options)
    if name == "local":
        if scheme not in {"", "file"}:
            raise StoreError(f"{redact(address)} is not a local path")
        return LocalBackend(local_path(address), read_only=read_only, create=making, **options)
    if scheme in {"", "file"}:
        path = os.path.abspath(local_path(address))
        if making:
            Path(path).mkdir(parents=True, exist_ok=True)
        address = Path(path).as_uri()
        if name == "fsspec":
            options = {"auto_mkdir": not read_only, **options}
    if name == "obstore":
        from zarr_vectors.core.backends.buckets import open_url

        return open_url(address, read_only=read_only, **caches, **options)
    from zarr_vectors.core.backends.fsspec_ import open_fsspec

    return open_fsspec(address, read_only=read_only, **options)
