"""Which chunks an array has, where it is, and the grid a new one gets."""

from __future__ import annotations

from collections.abc import Sequence

from zarr_vectors.core.group import Group
from zarr_vectors.core.layouts.base import ChunkGrid
from zarr_vectors.core.paths import join
from zarr_vectors.core.root_meta import parse_level, read_root
from zarr_vectors.exceptions import StoreError
from zarr_vectors.spatial.chunking import chunk_box
from zarr_vectors.typing import ChunkCoords


def list_chunk_keys(level_group: Group, array: str = "vertices") -> list[ChunkCoords]:
    """Coordinates of an array's chunks, ascending."""
    return list(level_group.layout.list_cells(path_of(level_group, array)))


def path_of(level_group: Group, *names: str) -> str:
    """Logical path of an array of a level."""
    return join(level_group.prefix, *names)


def axes_of(level_group: Group, given: int | None) -> int:
    """Number of axes: as given, else as the store's root says."""
    return read_root(level_group.backend).meta.ndim if given is None else given


def new_grid(level_group: Group) -> ChunkGrid:
    """The box of chunks the level's bounds touch, led by attribute bins where there are.

    Raises:
        StoreError: The group is not a level.
    """
    layout, number = level_group.layout, level_group.prefix
    if not number.isdecimal():
        raise StoreError(f"{level_group.url} is not a level")
    root = read_root(level_group.backend)
    attributes = level_group.attrs.to_dict()
    level = parse_level(root, int(number), attributes, layout.backend.url).meta
    origin, shape = chunk_box(root.meta.bounds, level.chunk_shape or root.meta.chunk_shape)
    if level.chunked_by_attribute:
        return ChunkGrid((0, *origin), (len(level.chunk_attribute_values or ()), *shape))
    return ChunkGrid(origin, shape)


def key_of(chunk: Sequence[int]) -> ChunkCoords:
    """Chunk coordinates as a tuple of ints."""
    return tuple(int(x) for x in chunk)
