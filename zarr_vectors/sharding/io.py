"""Packing the chunks of a store into shards, and taking them apart again.

A store of many small files becomes one of few larger ones, which buckets and file systems like
better. Reading stays as it was: a chunk is read by itself out of its shard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from zarr_vectors.constants import SHARD_KEYS
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, finish, open_handle
from zarr_vectors.core.root_meta import RootDocument
from zarr_vectors.exceptions import StoreError
from zarr_vectors.sharding.layout import ShardLayout, along

__all__ = [
    "ShardLayout",
    "get_shard_info",
    "is_sharded",
    "reshard",
    "shard_store",
    "unshard_store",
]

LAYOUT_KEY, SIZE_KEY = SHARD_KEYS


def shard_store(
    store_path: StoreLike,
    layout: ShardLayout | str = ShardLayout.OCTREE,
    shard_size: int = 64,
    *,
    arrays: Iterable[str] | None = None,
    backend: str | None = None,
) -> dict[str, Any]:
    """Pack the chunks of every level into shards; all of it happens or nothing does.

    Args:
        store_path: The store.
        layout: ``octree``, ``snake`` or ``index_table``: the curve along which 0.7.0 packs chunks.
            0.9.2 packs blocks of the chunk grid.
        shard_size: Chunks of a shard, at most.
        arrays: Paths within a level such as ``vertices`` or ``vertex_attributes/gene``; all by
            default.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.

    Returns:
        ``shards_created``, ``chunks_packed``, ``layout``, ``shard_size``.

    Raises:
        ValueError: No such layout, or a size below 1.
        StoreError: No such store or array, not writable, or packed already.
    """
    order = _checked(layout, shard_size)
    opened = open_handle(store_path, "r+", backend=backend)
    with opened.transaction("pack chunks into shards") as handle:
        if _is_sharded(handle):
            raise StoreError(f"{handle.backend.url} is packed into shards already: use reshard")
        shards, chunks = _pack(handle, order, shard_size, arrays)
    return {
        "shards_created": shards,
        "chunks_packed": chunks,
        "layout": order.value,
        "shard_size": shard_size,
    }


def unshard_store(store_path: StoreLike, *, backend: str | None = None) -> dict[str, Any]:
    """Store every chunk by itself again.

    Returns:
        ``chunks_extracted``.

    Raises:
        StoreError: No such store, or not writable.
    """
    opened = open_handle(store_path, "r+", backend=backend)
    with opened.transaction("take shards apart") as handle:
        return {"chunks_extracted": _unpack(handle)}


def reshard(
    store_path: StoreLike,
    target_layout: ShardLayout | str,
    shard_size: int = 64,
    *,
    arrays: Iterable[str] | None = None,
    backend: str | None = None,
) -> dict[str, Any]:
    """Pack the chunks of a store anew; arguments as of :func:`shard_store`.

    Returns:
        ``action``, ``target_layout`` and what :func:`shard_store` returns.

    Raises:
        ValueError: No such layout, or a size below 1.
        StoreError: No such store or array, or not writable.
    """
    order = _checked(target_layout, shard_size)
    opened = open_handle(store_path, "r+", backend=backend)
    with opened.transaction("pack chunks into other shards") as handle:
        _unpack(handle)
        shards, chunks = _pack(handle, order, shard_size, arrays)
    return {
        "action": "reshard",
        "target_layout": order.value,
        "shards_created": shards,
        "chunks_packed": chunks,
        "layout": order.value,
        "shard_size": shard_size,
    }


def is_sharded(store_path: StoreLike, *, backend: str | None = None) -> bool:
    """Whether any array of the store is packed."""
    return _is_sharded(open_handle(store_path, backend=backend))


def get_shard_info(store_path: StoreLike, *, backend: str | None = None) -> dict[str, Any]:
    """How a store is packed.

    Returns:
        ``sharded``, ``layout`` and ``shard_size`` as recorded or None, ``shard_count``,
        ``chunk_count`` and ``arrays``: path -> shards and chunks of every packed array.
    """
    handle = open_handle(store_path, backend=backend)
    packed = {}
    for path in _arrays(handle, None):
        found = handle.layout.packed_cells(path)
        if found is not None:
            packed[path] = {"shards": found.shards, "chunks": found.chunks}
    attributes = handle.root.attributes
    return {
        "sharded": bool(packed),
        "layout": attributes.get(LAYOUT_KEY, ShardLayout.FLAT.value if not packed else None),
        "shard_size": attributes.get(SIZE_KEY),
        "shard_count": sum(entry["shards"] for entry in packed.values()),
        "chunk_count": sum(entry["chunks"] for entry in packed.values()),
        "arrays": packed,
    }


def _checked(layout: ShardLayout | str, size: int) -> ShardLayout:
    order = ShardLayout(layout)
    if order is ShardLayout.FLAT:
        raise ValueError("the layout flat is a store without shards: use unshard_store")
    if size < 1:
        raise ValueError(f"shard_size must be at least 1, not {size}")
    return order


def _pack(
    handle: StoreHandle, order: ShardLayout, size: int, arrays: Iterable[str] | None
) -> tuple[int, int]:
    shards = chunks = 0
    for path in _arrays(handle, arrays):
        stored = handle.layout.list_cells(path)
        if stored:
            found = handle.layout.pack_cells(path, along(order, stored), size)
            shards, chunks = shards + found.shards, chunks + found.chunks
    _record(handle, {LAYOUT_KEY: order.value, SIZE_KEY: size})
    return shards, chunks


def _unpack(handle: StoreHandle) -> int:
    chunks = sum(handle.layout.unpack_cells(path) for path in _arrays(handle, None))
    _record(handle, {})
    return chunks


def _record(handle: StoreHandle, entries: dict[str, Any]) -> None:
    """What the root says of shards."""
    rest = {k: v for k, v in handle.root.attributes.items() if k not in (LAYOUT_KEY, SIZE_KEY)}
    levels = {number: replace(level, names=None) for number, level in handle.levels.items()}
    root = RootDocument({**rest, **entries}, handle.meta)
    finish(replace(handle, root=root, levels=levels))


def _arrays(handle: StoreHandle, wanted: Iterable[str] | None) -> list[str]:
    """Paths of the chunked arrays of every level.

    Raises:
        StoreError: One that is wanted is in no level.
    """
    every = [path for level in handle.levels for path in handle.layout.cell_arrays(str(level))]
    if wanted is None:
        return every
    names = set(wanted)
    unknown = names - {path.split("/", 1)[1] for path in every}
    if unknown:
        raise StoreError(f"{handle.backend.url} has no chunked array {sorted(unknown)[0]!r}")
    return [path for path in every if path.split("/", 1)[1] in names]


def _is_sharded(handle: StoreHandle) -> bool:
    return any(handle.layout.packed_cells(path) is not None for path in _arrays(handle, None))
