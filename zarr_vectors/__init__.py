"""Zarr Vectors: point clouds and other vector data in chunked, multiscale Zarr stores.

The names below are looked up on first use, so that ``import zarr_vectors`` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarr_vectors.core.store import create_store, open_store
    from zarr_vectors.exceptions import ZVError
    from zarr_vectors.lazy import ZVStore, open_zv
    from zarr_vectors.multiresolution.coarsen import build_pyramid
    from zarr_vectors.types.points import read_points, write_points

_HOMES = {
    "ZVError": "zarr_vectors.exceptions",
    "ZVStore": "zarr_vectors.lazy",
    "build_pyramid": "zarr_vectors.multiresolution.coarsen",
    "create_store": "zarr_vectors.core.store",
    "open_store": "zarr_vectors.core.store",
    "open_zv": "zarr_vectors.lazy",
    "read_points": "zarr_vectors.types.points",
    "write_points": "zarr_vectors.types.points",
}

__all__ = [
    "ZVError",
    "ZVStore",
    "build_pyramid",
    "create_store",
    "open_store",
    "open_zv",
    "read_points",
    "write_points",
]

try:
    __version__ = version("zv-viewer")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
