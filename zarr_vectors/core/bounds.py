"""Bounds of a store: growing them, and shrinking them with what lies outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_INDEX, VERTEX_ATTRIBUTES, VERTEX_FRAGMENTS, VERTICES
from zarr_vectors.core.group import Group
from zarr_vectors.core.handle import StoreHandle, finish, handle_at
from zarr_vectors.core.layouts.base import ChunkGrid, ObjectRows
from zarr_vectors.core.levels import outdate
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable, VertexSpec
from zarr_vectors.core.metadata.root import Bounds
from zarr_vectors.core.root_meta import LevelDocument
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments, encode_fragments
from zarr_vectors.encoding.manifests import decode_manifests, encode_manifest
from zarr_vectors.encoding.ragged import decode_rows
from zarr_vectors.exceptions import MetadataError, StoreError
from zarr_vectors.spatial.chunking import chunk_box, positions_in_box
from zarr_vectors.typing import ChunkCoords, IntArray


def set_bounds(
    root: Group, new_bounds: tuple[Sequence[float], Sequence[float]], *, force: bool = False
) -> None:
    """Change the bounds of a store.

    Args:
        root: The store's root group.
        new_bounds: (min corner, max corner), world units, both ends inclusive.
        force: Where vertices lie outside the new bounds, remove them.

    Raises:
        MetadataError: Wrong shape, or inverted.
        StoreError: Vertices lie outside, and ``force`` is not given or links between vertices
            name them.
    """
    with handle_at(root.layout).transaction("set the bounds") as writing:
        _set_bounds(writing, new_bounds, force=force)


def _set_bounds(
    handle: StoreHandle, new_bounds: tuple[Sequence[float], Sequence[float]], *, force: bool
) -> None:
    bounds = _checked(new_bounds, handle.meta.ndim)
    old = handle.meta.bounds
    grows = all(a <= b for a, b in zip(bounds[0], old[0], strict=True)) and all(
        a >= b for a, b in zip(bounds[1], old[1], strict=True)
    )
    changed = handle
    if not grows:
        if not force:
            raise StoreError(
                f"{handle.backend.url}: bounds only shrink with force=True, which prunes vertices"
            )
        for level in handle.levels.values():
            changed = changed.with_level(_pruned(handle, level, bounds))
        if changed.level(0).meta.vertex_count < handle.level(0).meta.vertex_count:
            changed, _ = outdate(changed, 0, "vertices out of the bounds were removed from level 0")
    meta = replace(handle.meta, bounds=bounds)
    changed = replace(changed, root=replace(handle.root, meta=meta))
    for level in changed.levels.values():
        _make_room(changed, level, bounds)
    finish(changed, *changed.levels)


def grid_for(bounds: Bounds, chunk_shape: Sequence[float], bins: int | None = None) -> ChunkGrid:
    """The box of chunks the bounds touch, led by attribute bins where there are."""
    origin, shape = chunk_box(bounds, chunk_shape)
    return ChunkGrid(origin, shape) if bins is None else ChunkGrid((0, *origin), (bins, *shape))


def _checked(bounds: tuple[Sequence[float], Sequence[float]], ndim: int) -> Bounds:
    corners = [np.asarray(corner, np.float64) for corner in bounds]
    if len(corners) != 2 or any(corner.shape != (ndim,) for corner in corners):
        raise MetadataError(f"bounds must be two corners of {ndim} numbers each")
    if not np.isfinite(corners).all() or (corners[0] > corners[1]).any():
        raise MetadataError("bounds must be finite, and min no larger than max")
    return tuple(corners[0].tolist()), tuple(corners[1].tolist())


def _bins_of(level: LevelDocument) -> int | None:
    values = level.meta.chunk_attribute_values
    return len(values or ()) if level.meta.chunked_by_attribute else None


def _make_room(handle: StoreHandle, level: LevelDocument, bounds: Bounds) -> None:
    """Fit the grids of a level's arrays to the bounds and the chunks there are."""
    layout, path = handle.layout, str(level.meta.level)
    cells = layout.list_cells(f"{path}/{VERTICES}")
    grid = grid_for(bounds, level.meta.chunk_shape or handle.meta.chunk_shape, _bins_of(level))
    if cells:
        known = np.array(cells, np.int64)
        low = np.minimum(grid.origin, known.min(axis=0))
        top = np.array(grid.origin) + np.array(grid.shape)
        high = np.maximum(top, known.max(axis=0) + 1)
        grid = ChunkGrid(tuple(low.tolist()), tuple((high - low).tolist()))
    names = layout.array_names(f"{path}/{VERTEX_ATTRIBUTES}")
    attributes = [f"{path}/{VERTEX_ATTRIBUTES}/{name}" for name in names]
    arrays = [f"{path}/{VERTICES}", f"{path}/{VERTEX_FRAGMENTS}", *attributes]
    for array in layout.array_metas(arrays):
        layout.set_grid(array, grid)


def _pruned(handle: StoreHandle, level: LevelDocument, bounds: Bounds) -> LevelDocument:
    """Remove a level's vertices that lie outside, with their attribute rows; fragments stay."""
    layout, path = handle.layout, str(level.meta.level)
    vertices = f"{path}/{VERTICES}"
    names = layout.array_names(f"{path}/{VERTEX_ATTRIBUTES}")
    attributes = {f"{path}/{VERTEX_ATTRIBUTES}/{name}": name for name in names}
    metas = layout.array_metas([vertices, *attributes])
    spec = VertexSpec.from_meta(metas.get(vertices, {}))
    dtype, ndim = spec.dtype, handle.meta.ndim
    if spec.encoding != "raw":
        raise StoreError(
            f"{handle.backend.url}: vertices of level {path} are encoded as "
            f"{spec.encoding[:60]!r}, so that none can be removed"
        )
    linked = any(family.count != 0 for family in layout.link_families(path, (0, 1, -1)).values())
    keys = layout.list_cells(vertices)
    counts: dict[ChunkCoords, int] = {}
    for key in keys:
        cells = layout.get_cells(
            {array: [key] for array in (vertices, f"{path}/{VERTEX_FRAGMENTS}", *attributes)}
        )
        positions = decode_rows(cells[vertices].get(key, b""), dtype, ndim)
        inside = positions_in_box(positions, bounds)
        counts[key] = int(np.count_nonzero(inside))
        if inside.all():
            continue
        if linked:
            raise StoreError(
                f"{handle.backend.url}: vertices of level {path} lie outside the new bounds and "
                "cannot be removed, since links name vertices by row"
            )
        layout.put_cells(vertices, {key: positions[inside].tobytes()})
        for array, name in attributes.items():
            column = AttributeSpec.from_meta(name, metas[array])
            rows = decode_rows(cells[array].get(key, b""), column.dtype, column.columns)
            layout.put_cells(array, {key: rows[inside].tobytes()})
        table = cells[f"{path}/{VERTEX_FRAGMENTS}"].get(key)
        if table is not None:
            index = decode_fragments(table)
            blob = _renumbered(index, inside) if counts[key] else b""
            layout.put_cells(f"{path}/{VERTEX_FRAGMENTS}", {key: blob})
    left = sorted(key for key, count in counts.items() if count)
    rank = handle.meta.ndim + level.meta.chunked_by_attribute
    if OBJECT_INDEX in level.meta.arrays_present and len(left) < len(keys):
        _drop_chunks(handle, path, set(left))
    coords = np.array(left, np.int64).reshape(len(left), rank)
    table_now = ChunkTable(coords, np.array([counts[key] for key in left], np.int64), exact=True)
    meta = replace(level.meta, vertex_count=int(table_now.counts.sum()))
    return replace(level, meta=meta, table=table_now)


def _renumbered(index: FragmentIndex, inside: npt.NDArray[np.bool_]) -> bytes:
    """The table with removed rows taken out of every fragment."""
    before = np.zeros(len(inside) + 1, np.int64)
    np.cumsum(inside, out=before[1:])
    fragments: list[tuple[int, int] | IntArray] = []
    for number in range(len(index)):
        if index.is_range(number):
            start, count = index.range(number)
            first = int(before[start])
            fragments.append((first, int(before[start + count]) - first))
        else:
            rows = index.indices(number)
            fragments.append(before[rows[inside[rows]]])
    return encode_fragments(fragments)


def _drop_chunks(handle: StoreHandle, path: str, left: set[ChunkCoords]) -> None:
    """Take chunks that are gone out of the manifests."""
    rows = handle.layout.get_objects(path)
    if rows is None:
        return
    table = decode_manifests(rows.manifests, rows.sid_ndim)
    kept = [
        encode_manifest([pair for pair in table[row] if pair[0] in left])
        for row in range(len(rows.ids))
    ]
    handle.layout.put_objects(path, ObjectRows(rows.ids, kept, rows.sid_ndim))
