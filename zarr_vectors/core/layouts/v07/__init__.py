"""Format 0.7: a group per logical array, a tiny array of bytes per chunk."""

from zarr_vectors.core.layouts.v07.layout import V07Layout

__all__ = ["V07Layout"]
