"""Where cells come from. ``sources.store`` reads Zarr Vectors stores; it is imported by name."""

from zv_viewer.sources.base import ChunkSource, Network, RawCell

__all__ = ["ChunkSource", "Network", "RawCell"]
