"""Opening a store lazily: root metadata now, levels and data when asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from zarr_vectors.constants import OBJECT_ATTRIBUTES, OBJECT_INDEX, VERTICES
from zarr_vectors.core.backends import (
    MEMORY_BYTES,
    IOStats,
    StorageBackend,
    StoreLike,
    forget_kept,
    origin_of,
)
from zarr_vectors.core.group import Group, group_at
from zarr_vectors.core.handle import (
    StoreHandle,
    handle_again,
    handle_at,
    open_handle,
    root_version,
    state_of,
)
from zarr_vectors.core.headers import read_headers
from zarr_vectors.core.journal import ReadThrough
from zarr_vectors.core.metadata import NgffAxis, RootMetadata
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy.arrays import PaddedVertices
from zarr_vectors.lazy.level import ZVLevel
from zarr_vectors.reading.cache import DEFAULT_BYTES, CellCache
from zarr_vectors.reading.plan import check_box, plan_read
from zarr_vectors.reading.results import ChunkRows, PointsResult
from zarr_vectors.spatial.bins import bins_per_chunk
from zarr_vectors.types.parametric import ParametricSet, parametric_set
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, FloatArray, IntArray

PREFETCH = 32
"""Chunks :meth:`ZVStore.iter_chunks` reads at once."""


class ZVStore:
    """A store whose metadata is read. Closes its caches at the end of a ``with`` block.

    Made by :func:`open_zv`. A mapping of a kind: ``store[2]`` is level 2, ``2 in store`` tells
    whether there is one, iterating gives the level numbers.

    Args:
        root: Root group of a store that is open.
        meta: The root's metadata; read from the store when None.
        cache_bytes: Bytes of chunks to keep, 0 for none.
        cache_size: Chunks of arrays to keep at most, None for any number within ``cache_bytes``.
        n_workers: Threads that read ahead while iterating over chunks.
    """

    def __init__(
        self,
        root: Group | StoreHandle,
        meta: RootMetadata | None = None,
        *,
        cache_bytes: int = DEFAULT_BYTES,
        cache_size: int | None = None,
        n_workers: int = 1,
    ) -> None:
        self._handle = root if isinstance(root, StoreHandle) else handle_at(root.layout)
        if meta is not None:
            document = replace(self._handle.root, meta=meta)
            self._handle = replace(self._handle, root=document)
        self._root_version = root_version(self._handle.backend)
        self._cache = CellCache(cache_bytes, cache_size)
        self._n_workers = max(1, n_workers)
        self._levels: dict[int, ZVLevel] = {}
        self._object_ids: IntArray | None = None

    def __repr__(self) -> str:
        return (
            f"ZVStore({self.url!r}, levels={self.levels}, geometry={self.geometry_types}, "
            f"chunk={self.chunk_shape}, bin={self.bin_shape})"
        )

    def __getitem__(self, level: int) -> ZVLevel:
        found = self._levels.get(level)
        if found is None:
            made = ZVLevel(self._handle, level, self._cache, self._renew)
            found = self._levels.setdefault(level, made)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self.levels)

    def __len__(self) -> int:
        return len(self._handle.levels)

    def __contains__(self, level: object) -> bool:
        return level in self._handle.levels

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def levels(self) -> list[int]:
        """Level numbers, ascending."""
        return sorted(self._handle.levels)

    @property
    def url(self) -> str:
        """Where the store is, without credentials."""
        return self._handle.backend.url

    @property
    def path(self) -> Path:
        """The folder of a local store.

        Raises:
            StoreError: The store is not local.
        """
        found = self._handle.backend.local_path
        if found is None:
            raise StoreError(f"{self.url} is not a local store")
        return found

    @property
    def io(self) -> IOStats:
        """Requests made and bytes moved."""
        return self._handle.backend.stats

    @property
    def backend(self) -> StorageBackend:
        """Where the bytes are."""
        return self._handle.backend

    @property
    def zv_version(self) -> str:
        """Format version."""
        return self._handle.meta.zv_version

    @property
    def axes(self) -> tuple[NgffAxis, ...]:
        """Names, kinds and units of the axes."""
        return self._handle.meta.axes

    @property
    def crs(self) -> dict[str, Any] | None:
        """Coordinate reference system as stored, None where the store names none."""
        crs = self._handle.meta.crs
        return None if crs is None else dict(crs)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._handle.meta.ndim

    @property
    def spatial_dims(self) -> int:
        """Number of axes."""
        return self.ndim

    @property
    def geometry_types(self) -> list[str]:
        """Kinds of geometry in the store."""
        return list(self._handle.meta.geometry_types)

    @property
    def geometry_type(self) -> str:
        """The first kind of geometry, ``""`` where the store names none."""
        return next(iter(self._handle.meta.geometry_types), "")

    @property
    def chunk_shape(self) -> tuple[float, ...]:
        """Level-0 chunk edges, world units."""
        return self._handle.meta.chunk_shape

    @property
    def bin_shape(self) -> tuple[float, ...]:
        """Level-0 bin edges, world units."""
        return self._handle.meta.bin_shape

    @property
    def base_bin_shape(self) -> tuple[float, ...] | None:
        """Level-0 bin edges as stored; None: one bin per chunk."""
        return self._handle.meta.base_bin_shape

    @property
    def bins_per_chunk(self) -> tuple[int, ...]:
        """Level-0 bins per chunk along each axis."""
        return bins_per_chunk(self.chunk_shape, self.bin_shape)

    @property
    def bounds(self) -> tuple[list[float], list[float]]:
        """(min corner, max corner), world units, both ends inclusive."""
        low, high = self._handle.meta.bounds
        return list(low), list(high)

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """(min corner, max corner) as (D,) float64 arrays."""
        low, high = self._handle.meta.bounds
        return np.array(low, np.float64), np.array(high, np.float64)

    @property
    def n_objects(self) -> int:
        """Objects in the index of the finest level, 0 where there is none."""
        return self.object_count_at(self.levels[0]) if self.levels else 0

    @property
    def object_ids(self) -> IntArray:
        """(O,) int64 ids in the object index of the finest level, ascending; read once.

        Objects without vertices are among them: format 0.7.0 counts every id up to the largest.

        Raises:
            ArrayError: The index is damaged.
        """
        if self._object_ids is None:
            level = str(self.levels[0]) if self.levels else None
            found = None if level is None else self._handle.layout.get_object_ids(level)
            ids = np.zeros(0, np.int64) if found is None else found
            ids.flags.writeable = False
            self._object_ids = ids
        return self._object_ids

    @property
    def headers(self) -> dict[str, dict[str, Any]]:
        """Headers kept from imported files: format name -> header."""
        return read_headers(self._handle.layout)

    def parametric(self) -> ParametricSet:
        """Planes, lines, spheres and other objects told by coefficients; read each time.

        Raises:
            ArrayError: They are damaged.
        """
        return parametric_set(self._handle.layout)

    def vertex_count(self, level: int) -> int:
        """Vertices at a level."""
        return self[level].vertex_count

    def bin_shape_at(self, level: int) -> tuple[float, ...]:
        """Bin edges at a level, world units; the base bin at level 0."""
        return self[level].bin_shape or self.bin_shape

    def bin_ratio_at(self, level: int) -> tuple[float, ...]:
        """How many level-0 bins a level's bin spans along each axis."""
        return self[level].bin_ratio or (1.0,) * self.ndim

    def object_count_at(self, level: int) -> int:
        """Objects in the index of a level, 0 where there is none; only metadata is read."""
        self._handle.level(level)
        layout, index = self._handle.layout, f"{level}/{OBJECT_INDEX}"
        known = layout.get_attrs([index]).get(index)
        if known is None:
            return 0
        count = known.get("num_objects")
        if type(count) is int and count >= 0:
            return count
        rows = layout.get_objects(str(level))
        return 0 if rows is None else len(rows.ids)

    def level_group(self, level: int) -> Group:
        """The group of a level, for the functions of ``core.arrays``.

        Raises:
            StoreError: There is no such level.
        """
        self._handle.level(level)
        return group_at(self._handle.layout, str(level))

    def object_levels(self, oid: int) -> list[int]:
        """Levels at which an object has vertices, ascending."""
        return [level for level in self.levels if self[level].has_object(oid)]

    def auto_level(self, target_resolution: float) -> int:
        """The coarsest level whose bins are at most this large; the finest where none is."""
        fit = [n for n in self.levels if max(self.bin_shape_at(n)) <= target_resolution]
        return max(fit, default=self.levels[0])

    def read(
        self,
        level: int | None = None,
        bbox: BoundingBox | None = None,
        target_resolution: float | None = None,
        attributes: Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """Vertices of one level.

        Args:
            level: The level; chosen by ``target_resolution`` when None, else the finest.
            bbox: Only vertices inside, world units, both ends inclusive.
            target_resolution: See :meth:`auto_level`.
            attributes: Names of attributes to read; all when None.

        Returns:
            ``level``, ``vertex_count``, ``positions`` (N, D), ``attributes`` {name: array}.
        """
        if level is None:
            level = (
                self.levels[0] if target_resolution is None else self.auto_level(target_resolution)
            )
        names = list(self[level].attributes) if attributes is None else list(attributes)
        found: PointsResult = self[level].filter(bbox=bbox).read(names)
        return {
            "level": level,
            "vertex_count": found.vertex_count,
            "positions": found.positions,
            "attributes": found.vertex_attributes,
        }

    def iter_chunks(
        self,
        level: int,
        bbox: BoundingBox | None = None,
        prefetch: int = PREFETCH,
        n_workers: int | None = None,
        attributes: Iterable[str] | None = None,
    ) -> Iterator[tuple[ChunkCoords, ChunkRows]]:
        """Chunks of a level in row-major order, each read once.

        Args:
            level: The level.
            bbox: Only chunks the box touches, world units; their rows are not cut.
            prefetch: Chunks read at once.
            n_workers: Threads that read ahead; as given to :func:`open_zv` by default.
            attributes: Names of attributes; all when None.

        Yields:
            (chunk, rows) with ``rows["positions"]`` (n, D) and ``rows["attributes"]``.
        """
        reader = self[level].reader
        arrays = reader.arrays
        names = list(arrays.attributes) if attributes is None else list(attributes)
        box = None if bbox is None else check_box(bbox, self.ndim)
        keys = plan_read(arrays.table.coords, arrays.chunk_shape, box=box).keys()
        step = max(1, prefetch)
        batches = [keys[start : start + step] for start in range(0, len(keys), step)]
        workers = self._n_workers if n_workers is None else max(1, n_workers)
        with ThreadPoolExecutor(workers, thread_name_prefix="zv-chunks") as pool:
            ahead: deque[Future[dict[ChunkCoords, ChunkRows]]] = deque()
            for batch in batches:
                ahead.append(pool.submit(reader.read_chunks, batch, names, text=True))
                if len(ahead) > workers:
                    yield from ahead.popleft().result().items()
            while ahead:
                yield from ahead.popleft().result().items()

    def raw_array(self, path: str, level: int) -> PaddedVertices | AnyArray:
        """An array of a level to slice: ``vertices`` padded, or ``object_attributes/<name>``.

        Raises:
            ArrayError: There is no such array.
        """
        if path == VERTICES:
            return PaddedVertices(self[level].reader)
        family, _, name = path.partition("/")
        if family == OBJECT_ATTRIBUTES and name:
            return self[level].object_attribute(name)
        raise ArrayError(f"{path!r} is not an array to slice: vertices or object_attributes/<name>")

    def set_backend(self, backend: str | None, **options: Any) -> None:  # noqa: ANN401
        """Serve the same address by another driver; cached levels are dropped.

        Args:
            backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
            options: Passed to the driver; those given at opening are not.
        """
        place = origin_of(self._handle.backend)
        self._handle = open_handle(place, backend=backend, **options)
        self.close()

    def again(self) -> ZVStore:
        """The store as it is now: metadata read anew, through the same connection.

        This one goes on with the metadata it has. Credentials given at opening stay in force.

        Raises:
            StoreError: There is no store any more, or it cannot be reached.
            MetadataError: Its metadata is damaged.
        """
        return ZVStore(
            handle_again(self._handle),
            cache_bytes=self._cache.max_bytes,
            cache_size=self._cache.max_cells,
            n_workers=self._n_workers,
        )

    @property
    def state(self) -> str:
        """Digest of the metadata; that of :meth:`again` is another one once a writer committed."""
        return state_of(self._handle, self._root_version)

    @property
    def being_written(self) -> bool:
        """Whether a writer was at work at opening; the store is read as it was before."""
        return isinstance(self._handle.backend, ReadThrough)

    def _renew(self, handle: StoreHandle) -> None:
        self._handle, self._object_ids = handle, None
        for level in self._levels.values():
            level.follow(handle)

    def close(self) -> None:
        """Drop caches; the store may still be used, and reads anew."""
        self._levels.clear()
        self._object_ids = None
        self._cache.clear()
        forget_kept(self._handle.backend)


def open_zv(
    path: StoreLike,
    *,
    backend: str | None = None,
    cache_bytes: int = DEFAULT_BYTES,
    cache_size: int | None = None,
    n_workers: int = 1,
    cache_dir: str | Path | None = None,
    **backend_kwargs: Any,  # noqa: ANN401  each backend has options of its own
) -> ZVStore:
    """Open a store for reading; only metadata is read.

    Args:
        path: Path, URL, Zarr Store or obstore store.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        cache_bytes: Bytes of chunks to keep, 0 for none.
        cache_size: Chunks to keep at most, None for any number within ``cache_bytes``.
        n_workers: Threads that read ahead while iterating over chunks.
        cache_dir: Folder to keep what is read of a bucket or web server, for later runs;
            ``ZARR_VECTORS_CACHE`` when None, and none where that says nothing.
        backend_kwargs: Passed to the backend.

    Raises:
        StoreError: Missing, not a Zarr Vectors store, or of an unknown version.
        MetadataError: Damaged metadata.
    """
    kept = {"memory_bytes": min(cache_bytes, MEMORY_BYTES), "cache_dir": cache_dir}
    handle = open_handle(path, backend=backend, **{**kept, **backend_kwargs})
    return ZVStore(handle, cache_bytes=cache_bytes, cache_size=cache_size, n_workers=n_workers)
