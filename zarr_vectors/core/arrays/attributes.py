"""Vertex attributes of one chunk, fragment by fragment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import VERTEX_ATTRIBUTES, VERTEX_FRAGMENTS
from zarr_vectors.core.arrays.fragments import cut, decode_at
from zarr_vectors.core.arrays.listing import key_of, new_grid, path_of
from zarr_vectors.core.attrs import forget_outline
from zarr_vectors.core.group import Group
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.core.metadata.array import dtype_of
from zarr_vectors.core.paths import check_name
from zarr_vectors.encoding.ragged import decode_rows, encode_rows
from zarr_vectors.exceptions import ArrayError


def create_attribute_array(
    level_group: Group,
    name: str,
    dtype: npt.DTypeLike = "float32",
    channel_names: Sequence[str] | None = None,
    extra_meta: Mapping[str, Any] | None = None,
) -> None:
    """Make an empty vertex attribute, replacing one of that name.

    Args:
        level_group: The level.
        name: Its name.
        dtype: Stored dtype.
        channel_names: One name per column; None for (n,) values.
        extra_meta: Further metadata, e.g. categories.
    """
    check_name(name, "attribute name")
    channels = None if channel_names is None else tuple(channel_names)
    spec = AttributeSpec(
        name,
        dtype_of(np.dtype(dtype).name, f"attribute {name!r}"),
        columns=len(channels or (name,)),
        row_shape=() if channels is None else (len(channels),),
        channel_names=channels,
    )
    path = path_of(level_group, VERTEX_ATTRIBUTES, name)
    meta = {**spec.to_meta(), **(extra_meta or {})}
    level_group.layout.create_cells(path, meta, new_grid(level_group))
    forget_outline(level_group.layout)


def write_chunk_attributes(
    level_group: Group,
    name: str,
    chunk: Sequence[int],
    groups: Sequence[npt.NDArray[Any]],
    dtype: npt.DTypeLike | None = None,
) -> None:
    """Store the attribute rows of a chunk, one array per fragment, replacing the chunk.

    Args:
        level_group: The level.
        name: The attribute.
        chunk: Chunk coordinates.
        groups: (n_k,) or (n_k, C), fragments as in the vertices.
        dtype: Must be the stored dtype where given.

    Raises:
        ArrayError: Another dtype or width than the array's.
    """
    path, key = path_of(level_group, VERTEX_ATTRIBUTES, name), key_of(chunk)
    layout = level_group.layout
    meta = layout.array_metas([path]).get(path)
    if meta is None:
        first: npt.NDArray[Any] = np.asarray(groups[0]) if len(groups) else np.zeros(0, np.float32)
        channels = [f"ch{i}" for i in range(first.shape[-1])] if first.ndim == 2 else None
        create_attribute_array(level_group, name, dtype or first.dtype, channels)
        meta = layout.array_metas([path])[path]
    spec = AttributeSpec.from_meta(name, meta)
    if dtype is not None and np.dtype(dtype) != spec.dtype:
        raise ArrayError(f"{path} holds {spec.dtype.name} values, not {np.dtype(dtype).name}")
    wrong = [g.shape for g in map(np.asarray, groups) if g.shape[1:] != spec.row_shape]
    if wrong:
        raise ArrayError(f"{path} has rows of shape {spec.row_shape}, got values {wrong[0]}")
    layout.put_cells(path, {key: b"".join(encode_rows(g, spec.dtype) for g in groups)})


def read_chunk_attributes(
    level_group: Group,
    name: str,
    chunk: Sequence[int],
    dtype: npt.DTypeLike | None = None,
    ncols: int | None = None,
) -> list[npt.NDArray[Any]]:
    """Attribute rows of a chunk, one array per fragment; ``[]`` where there is no such chunk.

    Args:
        level_group: The level.
        name: The attribute.
        chunk: Chunk coordinates.
        dtype: Dtype to return; as stored by default.
        ncols: Must be the stored number of columns where given.

    Raises:
        ArrayError: The chunk is damaged, or of another width.
    """
    layout, key = level_group.layout, key_of(chunk)
    path = path_of(level_group, VERTEX_ATTRIBUTES, name)
    fragments = path_of(level_group, VERTEX_FRAGMENTS)
    cells = layout.get_cells({path: [key], fragments: [key]})
    if key not in cells[path]:
        return []
    spec = AttributeSpec.from_meta(name, layout.array_metas([path]).get(path, {}))
    if ncols is not None and ncols != spec.columns:
        raise ArrayError(f"{path} has {spec.columns} columns, not {ncols}", array=path)
    try:
        rows = spec.rows(decode_rows(cells[path][key], spec.dtype))
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
