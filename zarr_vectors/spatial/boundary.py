"""Rows of chunks as rows of a whole level: where every chunk starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from zarr_vectors.constants import ROOT_KEY, VERTEX_FRAGMENTS, VERTICES
from zarr_vectors.encoding.fragments import decode_fragments
from zarr_vectors.encoding.ragged import stored_dtype
from zarr_vectors.exceptions import ArrayError, MetadataError
from zarr_vectors.typing import ChunkCoords


class _Cells(Protocol):
    def get_cells(
        self, request: Mapping[str, Iterable[ChunkCoords]]
    ) -> dict[str, dict[ChunkCoords, bytes]]: ...

    def list_cells(self, path: str) -> tuple[ChunkCoords, ...]: ...

    def array_metas(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]: ...

    def get_attrs(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]: ...


class LevelGroup(Protocol):
    """What is asked of a level's group."""

    @property
    def layout(self) -> _Cells:
        """Where cells are."""
        ...

    @property
    def prefix(self) -> str:
        """The level's path."""
        ...

    @property
    def url(self) -> str:
        """Where the level is, for messages."""
        ...


def chunk_local_to_global_offsets(
    level_group: LevelGroup, ndim: int | None = None
) -> tuple[dict[ChunkCoords, int], list[ChunkCoords], int]:
    """First row of every chunk when chunks are put one behind another in ascending order.

    Args:
        level_group: The level.
        ndim: Number of axes; as the store says by default.

    Returns:
        First row by chunk, the chunks in ascending order, and the number of rows in all.

    Raises:
        ArrayError: The vertices are not whole rows.
        MetadataError: The store does not say how many axes it has.
    """
    layout, where = level_group.layout, level_group.prefix
    path, tables = f"{where}/{VERTICES}", f"{where}/{VERTEX_FRAGMENTS}"
    keys = list(layout.list_cells(path))
    meta = layout.array_metas([path]).get(path, {})
    packed = meta.get("encoding", "raw") != "raw"
    # rows of an encoded chunk are known from its fragments alone
    array = tables if packed else path
    width = 1 if packed else _axes(layout, level_group, ndim)
    size = width * stored_dtype(meta.get("dtype", "float32")).itemsize
    cells = layout.get_cells({array: keys})[array]
    offsets, total = {}, 0
    for key in keys:
        blob = cells.get(key, b"")
        if not packed and len(blob) % size:
            raise ArrayError(
                f"chunk {key} of {array} in {level_group.url} is damaged: {len(blob)} bytes are "
                f"not whole rows of {size} bytes",
                array=array,
                chunk=key,
            )
        offsets[key] = total
        total += decode_fragments(blob).num_rows if packed else len(blob) // size
    return offsets, keys, total


def _axes(layout: _Cells, level_group: LevelGroup, ndim: int | None) -> int:
    if ndim is not None:
        return ndim
    root = layout.get_attrs([""]).get("", {}).get(ROOT_KEY)
    shape = root.get("chunk_shape") if isinstance(root, Mapping) else None
    if not isinstance(shape, list) or not shape:
        raise MetadataError(f"the store of {level_group.url} does not say how many axes it has")
    return len(shape)
