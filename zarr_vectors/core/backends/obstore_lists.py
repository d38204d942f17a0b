"""Listings through obstore, page by page: a fault costs a page, and no server lists forever."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import obstore
from obstore.store import ObjectStore

from zarr_vectors.core.backends.obstore_reads import Asks
from zarr_vectors.core.backends.requests import Request
from zarr_vectors.exceptions import StoreError

_PAGE = 1000
_MOST_KEYS = 20_000_000
_PATIENCE_S = 110.0
"""Seconds for a folder's children, whose pages obstore gathers itself."""


@dataclass(slots=True)
class _Listed:
    """Keys so far; in ascending order they can be gone on with, as the services list them."""

    keys: set[str] = field(default_factory=set)
    last: str = ""
    ascending: bool = True


async def list_below(asks: Asks, prefix: str, request: Request) -> list[str]:
    """Keys below a prefix, sorted.

    Raises:
        StoreError: The listing repeats itself, or is absurdly long.
    """
    listed: _Listed | None = request.kept
    if listed is None or not listed.ascending:
        listed = request.kept = _Listed()
    offset = listed.last or None

    async def first(store: ObjectStore) -> tuple[Any, Any]:
        pages = obstore.list(store, prefix or None, offset=offset, chunk_size=_PAGE)
        return pages, await _next(pages)

    pages, page = await asks.ask(first)
    while page:
        before = len(listed.keys)
        for meta in page:
            path = meta["path"]
            listed.ascending = listed.ascending and path > listed.last
            listed.last = path
            listed.keys.add(path)
            request.got(len(path))
            request.kept_size += len(path)
        if len(listed.keys) == before:
            raise StoreError(f"the listing of {prefix or 'the root'} comes to no end: it repeats")
        if len(listed.keys) > _MOST_KEYS:
            raise StoreError(f"the listing of {prefix or 'the root'} has over {_MOST_KEYS} keys")
        page = await _next(pages)
    return sorted(listed.keys)


async def _next(pages: Any) -> Any:  # noqa: ANN401 - a stream of the driver
    try:
        return await anext(pages)
    except StopAsyncIteration:
        return ()


async def list_children(asks: Asks, prefix: str, request: Request) -> list[str]:
    """Paths directly below a prefix: objects, and folders that hold some."""
    request.allow(_PATIENCE_S)
    found = await asks.ask(lambda store: obstore.list_with_delimiter_async(store, prefix or None))
    return [*found["common_prefixes"], *(meta["path"] for meta in found["objects"])]
