"""Arrays of a level one chunk at a time, by the level's group: vertices, attributes, objects."""

from zarr_vectors.core.arrays.attributes import (
    create_attribute_array,
    read_chunk_attributes,
    write_chunk_attributes,
)
from zarr_vectors.core.arrays.fragments import read_fragment_index, read_vertex_fragment_index
from zarr_vectors.core.arrays.groupings import (
    read_all_groupings,
    read_groupings_attributes,
    write_groupings,
    write_groupings_attributes,
)
from zarr_vectors.core.arrays.links import (
    count_link_groups,
    read_chunk_links,
    read_cross_chunk_links,
    write_chunk_links,
)
from zarr_vectors.core.arrays.listing import list_chunk_keys
from zarr_vectors.core.arrays.objects import (
    create_object_attributes_array,
    read_all_object_manifests,
    read_object_attributes,
    read_object_manifest,
    read_object_vertices,
    write_object_attributes,
    write_object_index,
)
from zarr_vectors.core.arrays.vertices import (
    create_vertices_array,
    read_chunk_vertices,
    write_chunk_vertices,
)

__all__ = [
    "count_link_groups",
    "create_attribute_array",
    "create_object_attributes_array",
    "create_vertices_array",
    "list_chunk_keys",
    "read_all_groupings",
    "read_all_object_manifests",
    "read_chunk_attributes",
    "read_chunk_links",
    "read_chunk_vertices",
    "read_cross_chunk_links",
    "read_fragment_index",
    "read_groupings_attributes",
    "read_object_attributes",
    "read_object_manifest",
    "read_object_vertices",
    "read_vertex_fragment_index",
    "write_chunk_attributes",
    "write_chunk_links",
    "write_chunk_vertices",
    "write_groupings",
    "write_groupings_attributes",
    "write_object_attributes",
    "write_object_index",
]
