"""Adding to a level that is open: attributes, and vertices at the end of their chunks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import FACE_ATTRIBUTES, OBJECT_ATTRIBUTES, VERTEX_ATTRIBUTES
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.journal import Record, hold, level_lease, release
from zarr_vectors.core.paths import array_path
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy.append import Staged, append, check_ends, next_id, path_blocks, stage
from zarr_vectors.lazy.changes import (
    add_face_attribute,
    add_object_attribute,
    add_vertex_attribute,
    check_appendable,
    check_unchanged,
)
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.writing.columns import checked_ids, checked_positions


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


Add = Callable[
    [StoreHandle, int, str, npt.ArrayLike, npt.DTypeLike | None],
    StoreHandle,
]
"""Writes an attribute inside a transaction."""

PATHS = frozenset({"line", "polyline", "streamline"})
"""Kinds of geometry whose objects are paths."""


class ZVWriter:
    """Adds to one level; one writer per level at a time, in this process and any other.

    A context manager, sync and async: leaving it without an exception commits. Every coroutine has
    a twin ``<name>_sync``. Each call that writes is there altogether afterwards, or not at all.

    Raises:
        StoreError: The store cannot be written to, or another writer of the level is at work.
    """

    def __init__(self, level: WritableLevel) -> None:
        number = level.level_index
        self._level = level
        self._handle = level.writable()
        if not level.write_lock.acquire(blocking=False):
            raise StoreError(f"level {number} of {self._url} has a writer already")
        self._lease = Record.new(f"a writer has level {number} open")
        try:
            if self._handle.backend.any_key:
                hold(self._handle.backend, level_lease(number), self._lease, lambda gone: None)
            self._level.renew(self._handle)
        except BaseException:
            level.write_lock.release()
            raise
        self._open = True
        self._staged: list[Staged] = []

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
        if not self._open:
            return
        self._open = False
        self._staged.clear()
        place = self._handle.backend
        try:
            if place.any_key:
                release(place, level_lease(self._level.level_index), self._lease)
                place.sweep([level_lease(self._level.level_index)])
        finally:
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
        self._add("attribute", VERTEX_ATTRIBUTES, add_vertex_attribute, name, values, dtype)

    async def add_node_attribute(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_attribute`: nodes are vertices."""
        await self.add_attribute(name, values, dtype=dtype)

    def add_node_attribute_sync(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_attribute`."""
        self.add_attribute_sync(name, values, dtype=dtype)

    async def add_face_attribute(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """Write an attribute of faces, replacing one of that name.

        Args:
            name: Its name.
            values: (F,) or (F, C) numbers or (F,) strings: a row for each face whose corners all
                lie in one chunk, chunks ascending and in a chunk as stored. Faces across chunks
                have no row.
            dtype: Stored dtype; that of ``values`` by default.

        Raises:
            ArrayError: Not one row per such face, or values that cannot be stored.
        """
        await asyncio.to_thread(self.add_face_attribute_sync, name, values, dtype=dtype)

    def add_face_attribute_sync(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_face_attribute`."""
        self._add("face attribute", FACE_ATTRIBUTES, add_face_attribute, name, values, dtype)

    async def add_object_attribute(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """Write an object attribute, replacing one of that name.

        Args:
            name: Its name.
            values: (O,) or (O, C) numbers or (O,) strings, ascending by object id: a row for each
                object that has vertices, or for each row of the object index, or for each id from
                0 to the largest. Rows that are masked (``numpy.ma``) are stored as absent.
            dtype: Stored dtype; that of ``values`` by default.

        Raises:
            ArrayError: Rows that do not fit the objects, or values that cannot be stored.
        """
        await asyncio.to_thread(self.add_object_attribute_sync, name, values, dtype=dtype)

    def add_object_attribute_sync(
        self, name: str, values: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None
    ) -> None:
        """As :meth:`add_object_attribute`."""
        self._add("object attribute", OBJECT_ATTRIBUTES, add_object_attribute, name, values, dtype)

    async def append_vertices(
        self,
        positions: npt.ArrayLike,
        *,
        object_ids: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike | None = None,
        attributes: dict[str, npt.ArrayLike] | None = None,
    ) -> dict[str, int]:
        """Add vertices; they are written at the next commit, all that is staged together.

        Each chunk a new object touches gets one new fragment after those there, by ascending
        object id. Levels made from this one are marked as stale until they are built again.

        Args:
            positions: (N, D) numbers, world units; bounds grow where they reach out of them.
            object_ids: (N,) ids of new objects; one new object per vertex by default. Of a
                polyline, the rows are its path, which may not come back to a chunk; a line has
                two rows.
            dtype: Accepted where it is the level's own; vertices of a level share one dtype.
            attributes: name -> (N,) or (N, C) values of the level's attributes. Those left out get
                what stands for no value: NaN, a missing category, or, with a warning, the least
                signed or largest unsigned number. Categories that know no missing value must be
                given.

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
        reader = self._level.reader
        check_appendable(reader)
        arrays = reader.arrays
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
        if self._paths:
            path_blocks(staged)
        if "line" in self._handle.meta.geometry_types:
            check_ends(staged)
        self._staged.append(staged)
        return {
            "vertices_added": len(points),
            "new_objects": len(np.unique(ids)),
            "chunks_touched": len(staged.route.chunks),
        }

    async def commit(self) -> dict[str, Any]:
        """Write what is staged: rows, manifests, counts. All of it is there afterwards, or none.

        Returns:
            ``committed`` True, ``objects_committed``.
        """
        return await asyncio.to_thread(self.commit_sync)

    def commit_sync(self) -> dict[str, Any]:
        """As :meth:`commit`."""
        self._check()
        objects = sum(len(np.unique(part.ids)) for part in self._staged)
        if self._staged:
            level, staged, paths = self._level.level_index, self._staged, self._paths
            self._write(
                "append vertices", lambda writing: append(writing, level, staged, paths=paths)
            )
            self._staged.clear()
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

    @property
    def _paths(self) -> bool:
        return bool(PATHS.intersection(self._handle.meta.geometry_types))

    def _check(self) -> None:
        if not self._open:
            raise StoreError(f"this writer of level {self._level.level_index} is closed")

    def _add(
        self,
        kind: str,
        family: str,
        work: Add,
        name: str,
        values: npt.ArrayLike,
        dtype: npt.DTypeLike | None,
    ) -> None:
        """Write an attribute, after what is staged."""
        self._check()
        self.commit_sync()
        level = self._level.level_index
        path = array_path(level, family, name)
        self._write(
            f"add {kind} {name!r} to level {level}",
            lambda writing: work(writing, level, name, values, dtype),
            fresh=[path],
        )

    def _write(
        self,
        operation: str,
        work: Callable[[StoreHandle], StoreHandle],
        fresh: Sequence[str] = (),
    ) -> None:
        """Do something in one transaction and take over what it made of the store."""
        level = self._level.level_index
        with self._handle.transaction(operation, fresh) as writing:
            check_unchanged(self._handle, writing, level)
            changed = work(writing)
        self._handle = replace(self._handle, root=changed.root, levels=changed.levels)
        self._level.renew(self._handle)
