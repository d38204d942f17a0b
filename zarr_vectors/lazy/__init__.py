"""Stores opened lazily: metadata at once, data when computed."""

from zarr_vectors.lazy.level import ZVLevel
from zarr_vectors.lazy.polylines import ZVPolylineCollection
from zarr_vectors.lazy.store import ZVStore, open_zv
from zarr_vectors.lazy.views import ZVView

__all__ = ["ZVLevel", "ZVPolylineCollection", "ZVStore", "ZVView", "open_zv"]
