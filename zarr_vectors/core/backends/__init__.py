"""Places that hold bytes: local folders, buckets, web servers, any Zarr store."""

from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.backends.caching import MEMORY_BYTES, forget_kept
from zarr_vectors.core.backends.registry import (
    StoreLike,
    open_backend,
    origin_of,
    resolve_backend_name,
)
from zarr_vectors.core.backends.requests import CancelScope
from zarr_vectors.core.backends.stats import IOCount, IOStats
from zarr_vectors.core.backends.urls import redact

__all__ = [
    "MEMORY_BYTES",
    "CancelScope",
    "IOCount",
    "IOStats",
    "StorageBackend",
    "StoreLike",
    "forget_kept",
    "open_backend",
    "origin_of",
    "redact",
    "resolve_backend_name",
]
