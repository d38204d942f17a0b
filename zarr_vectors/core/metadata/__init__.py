"""Metadata of stores, levels and arrays as frozen values, parsed once and checked at birth."""

from zarr_vectors.core.metadata.array import AttributeSpec, VertexSpec
from zarr_vectors.core.metadata.axes import NgffAxis, default_axes, validate_axes
from zarr_vectors.core.metadata.bins import (
    compute_bin_ratio,
    compute_bin_shape,
    validate_bin_shape_divides_chunk,
)
from zarr_vectors.core.metadata.level import LevelMetadata
from zarr_vectors.core.metadata.parametric import (
    ParametricTypeDef,
    deserialise_parametric_types,
    serialise_parametric_types,
)
from zarr_vectors.core.metadata.root import RootMetadata
from zarr_vectors.core.metadata.tables import ChunkTable, LevelError

__all__ = [
    "AttributeSpec",
    "ChunkTable",
    "LevelError",
    "LevelMetadata",
    "NgffAxis",
    "ParametricTypeDef",
    "RootMetadata",
    "VertexSpec",
    "compute_bin_ratio",
    "compute_bin_shape",
    "default_axes",
    "deserialise_parametric_types",
    "serialise_parametric_types",
    "validate_axes",
    "validate_bin_shape_divides_chunk",
]
