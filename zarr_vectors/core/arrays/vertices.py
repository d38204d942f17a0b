"""Vertices of one chunk, fragment by fragment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import VERTEX_FRAGMENTS, VERTICES
from zarr_vectors.core.arrays.fragments import cut, decode_at, starts_of
from zarr_vectors.core.arrays.listing import axes_of, key_of, new_grid, path_of
from zarr_vectors.core.attrs import forget_outline
from zarr_vectors.core.group import Group
from zarr_vectors.core.metadata import VertexSpec
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.encoding.ragged import decode_rows, encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import FloatArray, IntArray

_FRAGMENTS = {"zv_array": VERTEX_FRAGMENTS, "encoding": "fragment_index_v1"}


def create_vertices_array(
    level_group: Group, dtype: npt.DTypeLike = "float32", encoding: str = "raw"
) -> None:
    """Make empty vertices and fragment tables, replacing those there.

    Raises:
        MetadataError: The dtype is not one of a float.
    """
    spec = VertexSpec.from_meta({"dtype": np.dtype(dtype).name, "encoding": encoding})
    grid = new_grid(level_group)
    level_group.layout.create_cells(path_of(level_group, VERTICES), spec.to_meta(), grid)
    level_group.layout.create_cells(path_of(level_group, VERTEX_FRAGMENTS), _FRAGMENTS, grid)
    forget_outline(level_group.layout)


def read_chunk_vertices(
    level_group: Group,
    chunk: Sequence[int],
    dtype: npt.DTypeLike | None = None,
    ndim: int | None = None,
) -> list[FloatArray]:
    """Vertices of a chunk, one (n, D) array per fragment; ``[]`` where there is no such chunk.

    Args:
        level_group: The level.
        chunk: Chunk coordinates.
        dtype: Dtype to return; as stored by default.
        ndim: Number of axes; as the store says by default.

    Raises:
        ArrayError: The chunk is damaged.
    """
    layout, key = level_group.layout, key_of(chunk)
    path, fragments = path_of(level_group, VERTICES), path_of(level_group, VERTEX_FRAGMENTS)
    cells = layout.get_cells({path: [key], fragments: [key]})
    if key not in cells[path]:
        return []
    spec = VertexSpec.from_meta(layout.array_metas([path]).get(path, {}))
    try:
        rows = decode_rows(cells[path][key], spec.dtype, axes_of(level_group, ndim))
        table = cells[fragments].get(key)
        parts = (
            [rows] if table is None else cut(rows, decode_at(table, fragments, key, level_group))
        )
    except ArrayError as error:
        if error.chunk is not None:
            raise
        text = f"chunk {key} of {path} in {level_group.backend.url} is damaged: {error}"
        raise ArrayError(text, array=path, chunk=key) from error
    return [part if dtype is None else part.astype(dtype) for part in parts]


def write_chunk_vertices(
    level_group: Group,
    chunk: Sequence[int],
    groups: Sequence[npt.NDArray[Any]],
    dtype: npt.DTypeLike | None = None,
) -> IntArray:
    """Store the fragments of a chunk, replacing the chunk.

    Args:
        level_group: The level.
        chunk: Chunk coordinates.
        groups: (n_k, D) float arrays, one per fragment.
        dtype: Must be the stored dtype where given.

    Returns:
        (K,) int64 first row of every fragment.

    Raises:
        ArrayError: Another dtype than the array's.
    """
    layout, key = level_group.layout, key_of(chunk)
    path, fragments = path_of(level_group, VERTICES), path_of(level_group, VERTEX_FRAGMENTS)
    meta = layout.array_metas([path]).get(path)
    if meta is None:
        create_vertices_array(level_group, "float32" if dtype is None else dtype)
        meta = layout.array_metas([path])[path]
    own = VertexSpec.from_meta(meta).dtype
    if dtype is not None and np.dtype(dtype) != own:
        raise ArrayError(f"{path} holds {own.name} vertices, not {np.dtype(dtype).name}")
    starts, counts = starts_of(groups)
    data = b"".join(encode_rows(group, own) for group in groups)
    layout.put_cells(path, {key: data})
    layout.put_cells(fragments, {key: encode_ranges(starts, counts) if data else b""})
    return starts
