"""Headers of files a store was made from."""

from zarr_vectors.headers.registry import HeaderRegistry

__all__ = ["HeaderRegistry"]
