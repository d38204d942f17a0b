"""Cutting a store into other chunks: by space, or first by group, object or attribute."""

from zarr_vectors.rechunk.api import RechunkSpec, rechunk, rechunk_by_attribute

__all__ = ["RechunkSpec", "rechunk", "rechunk_by_attribute"]
