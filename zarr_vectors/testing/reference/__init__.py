"""A second reader of both formats, to test the library's against."""

from zarr_vectors.testing.reference.levels import Level, edges_of, read_reference
from zarr_vectors.testing.reference.said import reference_contents

__all__ = ["Level", "edges_of", "read_reference", "reference_contents"]
