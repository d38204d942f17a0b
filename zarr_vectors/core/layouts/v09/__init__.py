"""Format 0.9: one array per logical array, a cell of bytes per chunk."""

from zarr_vectors.core.layouts.v09.layout import V09Layout

__all__ = ["V09Layout"]
