"""Stores inside zip files, for reading: on a disk, a bucket or a web server."""

from zarr_vectors.core.backends.zips.backend import ZipBackend

__all__ = ["ZipBackend"]
