"""Adding to a level that is open: attributes, and vertices at the end of their chunks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_ATTRIBUTES, VERTEX_ATTRIBUTES
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata.array import dtype_of
from zarr_vectors.core.root_meta import LevelDocument
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy.append import Staged, append, next_id, stage
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.typing import AnyArray
from zarr_vectors.writing.columns import checked_ids, checked_positions, numbers, vertex_columns
from zarr_vectors.writing.commit import grid_of, put_object_attribute, write_column
from zarr_vectors.writing.route import Route


class WritableLevel(Protocol):
    """What a writer needs of the level it writes to."""

    @property
    def level_index(self) -> int:
        """Number of the level."""
        ...

    @property
    def reader(self) -> LevelReader:
        """What reads the level."""
        ...

    @property
    def write_lock(self) -> threading.Lock:
        """Held by the writer at work."""
        ...

    def writable(self) -> StoreHandle:
        """The store, open for writing; StoreError where it cannot be."""
        ...

    def renew(self, handle: StoreHandle) -> None:
        """Take over what was written."""
        ...


class ZVWriter:
    """Adds to one level; one writer per level at a time.

    A context manager, sync and async: leaving it without an exception commits. Every coroutine has
    a twin ``<name>_sync``.

    Raises:
        StoreError: The store cannot be written to, or another writer of the level is at work.
    """

    def __init__(self, level: WritableLevel) -> None:
        self._level = level
        self._handle = level.writable()
        if not level.write_lock.acquire(blocking=False):
            raise StoreError(f"level {level.level_index} of {self._url} has a writer already")
        self._open = True
        self._staged: list[Staged] = []
        self._changed = self._handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.commit_sync()
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                await self.commit()
        finally:
            self.close()

    def close(self) -> None:
        """Let the level go; what is staged and not committed is dropped."""
        if self._open:
            self._open = False
            self._staged.clear()
            self._level.write_lock.release()

    async def add_attribute(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """Write a vertex attribute, replacing one of that name.

        Args:
            name: Its name.
            values: (N,) or (N, C) numbers or (N,) strings, rows as in ``level.vertices.compute()``.
            dtype: Stored dtype; that of ``values`` by default.

        Raises:
            ArrayError: Not one row per vertex, or values that cannot be stored.
        """
        await asyncio.to_thread(self.add_attribute_sync, name, values, dtype=dtype)

    def add_attribute_sync(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_attribute`."""
        self._check()
        if self._staged:
            self.commit_sync()
        reader, number = self._level.reader, self._level.level_index
        arrays = reader.arrays
        if name == arrays.lead_name:
            raise ArrayError(f"level {number} is chunked by {name!r}: it cannot be replaced")
        count = arrays.meta.vertex_count
        column = vertex_columns({name: cast_to(values, dtype)}, count)[name]
        route = _in_place(reader)
        bins = None if arrays.lead_values is None else len(arrays.lead_values)
        grid = grid_of(self._handle.meta.bounds, arrays.chunk_shape, route.chunks, bins)
        path = f"{number}/{VERTEX_ATTRIBUTES}/{name}"
        with self._transaction(f"add attribute {name!r}", fresh=[path]) as writing:
            write_column(writing.layout, str(number), route, column, grid)
            self._record(writing, VERTEX_ATTRIBUTES, f"{VERTEX_ATTRIBUTES}/{name}")

    async def add_node_attribute(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_attribute`."""
        await self.add_attribute(name, values, dtype=dtype)

    def add_node_attribute_sync(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_attribute`."""
        self.add_attribute_sync(name, values, dtype=dtype)

    async def add_object_attribute(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """Write an object attribute, replacing one of that name.

        Args:
            name: Its name.
            values: (O,) or (O, C) numbers, one row per object of the index, ascending by id.
            dtype: Stored dtype; that of ``values`` by default.

        Raises:
            ArrayError: Not one row per object, or values that cannot be stored.
        """
        await asyncio.to_thread(self.add_object_attribute_sync, name, values, dtype=dtype)

    def add_object_attribute_sync(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_object_attribute`."""
        self._check()
        if self._staged:
            self.commit_sync()
        path = str(self._level.level_index)
        rows = numbers(cast_to(values, dtype), f"object attribute {name!r}")
        index = self._handle.layout.get_objects(path)
        count = 0 if index is None else len(index.ids)
        if index is None or len(rows) != count:
            raise ArrayError(
                f"object attribute {name!r} has {len(rows)} rows; level {path} of {self._url} "
                f"has {count} objects"
            )
        fresh = [f"{path}/{OBJECT_ATTRIBUTES}/{name}"]
        with self._transaction(f"add object attribute {name!r}", fresh=fresh) as writing:
            put_object_attribute(writing.layout, path, name, rows, index.ids, index.ids)
            self._record(writing, OBJECT_ATTRIBUTES)

    async def append_vertices(
        self,
        positions: npt.ArrayLike,
        *,
        object_ids: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike | None = None,
        attributes: dict[str, npt.ArrayLike] | None = None,
    ) -> dict[str, int]:
        """Add vertices; they are written at the next commit.

        Args:
            positions: (N, D) numbers, world units; bounds grow where they reach out of them.
            object_ids: (N,) ids of new objects; one new object per vertex by default.
            dtype: Accepted where it is the level's own; vertices of a level share one dtype.
            attributes: name -> (N,) or (N, C) values of the level's attributes. Float attributes
                left out are NaN for the new vertices; others must be given.

        Returns:
            ``vertices_added``, ``new_objects``, ``chunks_touched``.

        Raises:
            ArrayError: Wrong shapes, an id that exists already, or an attribute left out.
        """
        return await asyncio.to_thread(
            self.append_vertices_sync,
            positions,
            object_ids=object_ids,
            dtype=dtype,
            attributes=attributes,
        )

    def append_vertices_sync(
        self,
        positions: npt.ArrayLike,
        *,
        object_ids: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike | None = None,
        attributes: dict[str, npt.ArrayLike] | None = None,
    ) -> dict[str, int]:
        """As :meth:`append_vertices`."""
        self._check()
        arrays = self._level.reader.arrays
        if arrays.meta.chunked_by_attribute:
            raise ArrayError(f"level {arrays.path} is chunked by an attribute: nothing is appended")
        own = arrays.vertices.dtype
        if dtype is not None and np.dtype(dtype) != own:
            raise ArrayError(
                f"level {arrays.path} holds {own.name} vertices, not {np.dtype(dtype)}"
            )
        if np.asarray(positions).ndim != 2 or np.asarray(positions).shape[1] != arrays.ndim:
            raise ArrayError(
                f"positions must be (N, {arrays.ndim}), not {np.asarray(positions).shape}"
            )
        points = checked_positions(positions, own)
        first = next_id(self._handle, arrays.path, self._staged)
        if object_ids is None:
            ids = np.arange(first, first + len(points), dtype=np.int64)
        else:
            ids = checked_ids(object_ids, len(points))
            if len(ids) and int(ids.min()) < first:
                raise ArrayError(
                    f"object id {int(ids.min())} exists already: new ids start at {first}"
                )
        if not len(points):
            return {"vertices_added": 0, "new_objects": 0, "chunks_touched": 0}
        staged = stage(arrays, points, ids, attributes)
        self._staged.append(staged)
        return {
            "vertices_added": len(points),
            "new_objects": len(np.unique(ids)),
            "chunks_touched": len(staged.route.chunks),
        }

    async def commit(self) -> dict[str, Any]:
        """Write what is staged: rows, manifests, counts.

        Returns:
            ``committed`` True, ``objects_committed``.
        """
        return await asyncio.to_thread(self.commit_sync)

    def commit_sync(self) -> dict[str, Any]:
        """As :meth:`commit`."""
        self._check()
        objects = 0
        while self._staged:
            staged = self._staged[0]
            with self._transaction("append vertices") as writing:
                self._changed = append(writing, self._level.reader, staged)
            objects += len(np.unique(staged.ids))
            del self._staged[0]
        return {"committed": True, "objects_committed": objects}

    async def compact(self) -> dict[str, Any]:
        """Commit what is staged; nothing else is left to compact.

        Returns:
            ``compacted`` True, ``num_objects``.
        """
        return await asyncio.to_thread(self.compact_sync)

    def compact_sync(self) -> dict[str, Any]:
        """As :meth:`compact`."""
        self.commit_sync()
        index = self._handle.layout.get_objects(str(self._level.level_index))
        return {"compacted": True, "num_objects": 0 if index is None else len(index.ids)}

    @property
    def _url(self) -> str:
        return self._handle.backend.url

    def _check(self) -> None:
        if not self._open:
            raise StoreError(f"this writer of level {self._level.level_index} is closed")

    @contextmanager
    def _transaction(self, operation: str, fresh: Sequence[str] = ()) -> Iterator[StoreHandle]:
        """Write together; what the block leaves in ``_changed`` is taken over once it holds."""
        number = self._level.level_index
        with self._handle.transaction(f"{operation} ({number})", fresh) as writing:
            self._changed = writing
            yield writing
        changed = self._changed
        self._handle = replace(self._handle, root=changed.root, levels=changed.levels)
        self._level.renew(self._handle)

    def _record(self, writing: StoreHandle, *names: str) -> None:
        """Add to the names of arrays the level says it has."""
        document = writing.level(self._level.level_index)
        known = dict.fromkeys((*document.meta.arrays_present, *names))
        self._changed = writing.with_level(with_arrays(document, tuple(known)))
        finish(self._changed, self._level.level_index)


def cast_to(values: npt.ArrayLike, dtype: npt.DTypeLike | None) -> AnyArray:
    """Values in the dtype asked for, those that it cannot hold refused.

    Raises:
        ArrayError: No such dtype, or values that change.
    """
    found = np.asarray(values)
    if dtype is None:
        return found
    wanted = dtype_of(np.dtype(dtype).name, "the attribute")
    with np.errstate(invalid="ignore", over="ignore"):
        stored = found.astype(wanted)
    if wanted.kind in "iu" and not np.array_equal(stored, found):
        raise ArrayError(f"values of dtype {found.dtype} cannot be stored as {wanted.name}")
    return stored


def with_arrays(document: LevelDocument, names: tuple[str, ...]) -> LevelDocument:
    """The level with these arrays recorded."""
    return replace(document, meta=replace(document.meta, arrays_present=names))


def _in_place(reader: LevelReader) -> Route:
    """A route that leaves every row where it is."""
    table = reader.arrays.table
    counts = table.counts
    if not table.exact:
        found = reader.read_chunks(table.keys())
        counts = np.array([len(part.positions) for part in found.values()], np.int64)
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    order = np.arange(int(starts[-1]), dtype=np.int64)
    return Route(order, table.coords, starts, starts, np.arange(len(counts) + 1))
