"""On-disk names, known format versions, defaults and the limits put on stored numbers."""

from __future__ import annotations

from typing import Final

VERSION_07: Final = "0.7.0"
"""The layout of a tiny array per chunk."""
VERSION_09: Final = "0.9.2"
"""The layout of one array per logical array, a cell per chunk."""
KNOWN_VERSIONS: Final = (VERSION_07, VERSION_09)
"""Format versions this library reads and writes, oldest first."""
DEFAULT_VERSION: Final = VERSION_07
"""Format version written unless asked otherwise."""

ROOT_KEY: Final = "zarr_vectors"
"""Root group attribute holding the store's metadata."""
LEVEL_KEY: Final = "zarr_vectors_level"
"""Level group attribute holding a level's metadata."""
ERROR_KEY: Final = "zarr_vectors_error"
"""Level group attribute holding the level's measured distance to level 0."""
CHUNKS_KEY: Final = "zarr_vectors_chunks"
"""Level group attribute holding the occupied chunks and their vertex counts."""
LINKS_KEY: Final = "zarr_vectors_links"
"""Level group attribute saying that links name rows as they are stored."""
STALE_KEY: Final = "zarr_vectors_stale"
"""Level group attribute that says why the level no longer describes the one it was made from."""
OUTLINE_KEY: Final = "zarr_vectors_levels"
"""Root group attribute with what there is to know of levels from their documents."""
CHUNK_ATTRIBUTE_KEY: Final = "zarr_vectors_chunk_attribute"
"""Level group attribute holding the dtype of the attribute a level is chunked by."""
SHARD_KEYS: Final = ("shard_layout", "shard_size")
"""Root group attributes that say how arrays are packed into shards (0.7)."""
MULTISCALES_KEY: Final = "multiscales"
"""Root group attribute holding axes and level transforms."""

NODE: Final = "zarr.json"
"""Name of the document that describes a group or an array."""

VERTICES: Final = "vertices"
"""Array of vertex positions."""
VERTEX_FRAGMENTS: Final = "vertex_fragments"
"""Array of fragment tables over the vertex rows."""
VERTEX_ATTRIBUTES: Final = "vertex_attributes"
"""Family of per-vertex attributes."""
FRAGMENT_ATTRIBUTES: Final = "fragment_attributes"
"""Family of per-fragment attributes."""
LINKS: Final = "links"
"""Family of links inside a chunk."""
LINK_FRAGMENTS: Final = "link_fragments"
"""Array of fragment tables over the link rows."""
LINK_ATTRIBUTES: Final = "link_attributes"
"""Family of per-link attributes."""
CROSS_CHUNK_LINKS: Final = "cross_chunk_links"
"""Family of links between chunks (0.7)."""
FACE_ATTRIBUTES: Final = "face_attributes"
"""Family of per-face attributes."""
OBJECT_INDEX: Final = "object_index"
"""Group of object manifests."""
OBJECT_ATTRIBUTES: Final = "object_attributes"
"""Family of per-object attributes."""
GROUPS: Final = "groups"
"""Lists of object ids."""
GROUP_ATTRIBUTES: Final = "group_attributes"
"""Family of per-group attributes."""
PARAMETRIC: Final = "parametric"
"""Root group of parametric objects."""
HEADERS: Final = "headers"
"""Root group of imported file headers."""

KIND_KEY: Final = "zv_array"
"""Array metadata key naming the family an array belongs to."""
OLD_KIND_KEY: Final = "zvf_array"
"""Older spelling of :data:`KIND_KEY`."""

FRAGMENT_MAGIC: Final = 0x5A564647
"""First four bytes of a fragment table, little-endian."""
FRAGMENT_VERSION: Final = 1
"""Only known version of the fragment table."""
MANIFEST_ROWS: Final = 16384
"""Object manifests per stored chunk."""
DENSE_ROWS: Final = 65536
"""Rows per stored chunk of a dense array (0.9)."""

MAX_CELL_BYTES: Final = 256 * 2**20
"""Largest decoded cell accepted."""
MAX_DENSE_BYTES: Final = 2**30
"""Largest dense array accepted."""
MAX_DOCUMENT_BYTES: Final = 16 * 2**20
"""Largest ``zarr.json`` accepted."""
MAX_REQUESTS_AT_ONCE: Final = 64
"""Requests a remote backend keeps in flight."""
