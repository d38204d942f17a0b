"""A Zarr Vectors store as the viewer's source: metadata once, then chunks by the cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import NODE, OBJECT_INDEX
from zarr_vectors.core.backends import CancelScope, StoreLike
from zarr_vectors.core.backends.urls import scheme_of
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy import ZVLevel, ZVStore, open_zv
from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.model.links import NO_OBJECT, RawLinks
from zv_viewer.model.objects import Int
from zv_viewer.model.scene import AttributeInfo, LevelInfo, SceneInfo
from zv_viewer.model.shapes import ParametricObject
from zv_viewer.sources.at_once import at_once
from zv_viewer.sources.base import Copied, Network, News, RawCell
from zv_viewer.sources.changes import ROWS, dated, newest
from zv_viewer.sources.copying import copy_objects
from zv_viewer.sources.drawable import (
    FACES,
    PATHS,
    drawn_as,
    link_width,
    mixed_warning,
    with_direction,
)
from zv_viewer.sources.face_values import FaceValues
from zv_viewer.sources.fingerprint import fingerprint_of
from zv_viewer.sources.left_out import left_out_warnings, levels_left_out
from zv_viewer.sources.object_places import StoreObjects, chunks_of_objects
from zv_viewer.sources.row_objects import ObjectsOfLevels, places_of
from zv_viewer.sources.stale import stale_levels, stale_warnings

T = TypeVar("T", bound=np.generic)


MOST_OBJECTS = 1 << 24
"""Points with as many objects are drawn without telling these apart: a layer cannot."""

_STORED_END_BYTES = 8
"""About what one end of a stored link takes."""


class StoreSource:
    """Reads one store through the library's public API; safe to call from several threads.

    Args:
        place: Any path, URL or store that :func:`zarr_vectors.open_zv` takes.
        options: Passed to it, such as ``region`` or ``skip_signature`` for a bucket.

    Raises:
        StoreError: The path is missing or holds no store.
        MetadataError: The store's metadata is damaged or of an unknown version.
    """

    def __init__(self, place: StoreLike, **options: Any) -> None:  # noqa: ANN401 - as open_zv
        # Cells are kept by the viewer; a second copy here would count twice.
        self._use(open_zv(place, cache_bytes=0, **options))

    def _use(self, store: ZVStore) -> None:
        self._store = store
        self._state: str | None = None
        self._printed: Fingerprint | None = None
        self._before = 0
        self._newest: dict[int, dict[str, int]] = {}
        self._root_dated: int | None = None
        if store.backend.local_path is not None:
            with suppress(OSError):
                self._root_dated = dated(store.backend.local_path / NODE)
        self._remote = is_remote(self._store.url)
        self._levels: dict[int, ZVLevel] = {n: self._store[n] for n in self._store.levels}
        self._kind = drawn_as(self._store.geometry_types)
        self._width = link_width(self._kind)
        self._row_objects = ObjectsOfLevels(self._store)
        meshes = self._kind in FACES and bool(self._levels)
        self._faces = FaceValues(self._levels) if meshes else None

    def describe(self) -> SceneInfo:
        """Levels, chunk tables, errors and attributes; reads metadata only.

        Raises:
            StoreError: There are no levels.
        """
        store = self._store
        names = tuple(axis.name for axis in store.axes)
        units = tuple(axis.unit for axis in store.axes)
        levels = at_once(self._level_info, store.levels)
        if not levels:
            raise StoreError(f"{store.url} has no levels")
        left_out = levels_left_out(store)
        levels = [level for level in levels if level.index not in left_out]
        finest = self._levels[store.levels[0]]
        nbytes = float(finest.vertex_dtype.itemsize * store.ndim)
        links = finest.links_per_vertex if self._width else 0.0
        if self._kind not in PATHS:
            nbytes += links * self._width * _STORED_END_BYTES
        objects, trouble = self._objects()
        return SceneInfo(
            url=store.url,
            name=name_of(store.url),
            format_version=store.zv_version,
            geometry=self._kind,
            axis_names=names,
            axis_units=units,
            bounds=np.asarray(store.bounds, np.float64),
            levels=tuple(levels),
            attributes=with_direction(self._kind, self._attributes(finest)) + self._of_faces,
            bytes_per_vertex=nbytes,
            warnings=(*self._warnings(levels, left_out), *trouble),
            is_map=store.crs is not None,
            link_width=self._width,
            links_per_vertex=links,
            objects=objects,
        )

    def read(
        self, level: int, chunks: npt.NDArray[np.int64], attributes: Sequence[str] = ()
    ) -> RawCell:
        """Positions and values (categories as codes) of some chunks, chunk after chunk."""
        handle = self._levels[level]
        present = [name for name in attributes if name in handle.attribute_specs]
        if self._width:
            return self._read_linked(level, chunks, present, self._face_names(level, attributes))
        with self._store.io.scope() as cost:
            rows = handle.read_chunks(chunks, attributes=present)
        parts = list(rows.values())
        positions = _stack([part.positions for part in parts])
        values = {name: _stack([part.attributes[name] for part in parts]) for name in present}
        return RawCell(positions, values, cost.bytes_read, cost.requests)

    def read_values(
        self, level: int, chunks: npt.NDArray[np.int64], attribute: str
    ) -> tuple[npt.NDArray[np.generic], int, int]:
        """Values of one attribute, of all rows stored, in order; NaN where the level lacks it.

        Published pyramids keep attributes at level 0 only.
        """
        handle = self._levels[level]
        with self._store.io.scope() as cost:
            if self._faces is not None and self._face_names(level, [attribute]):
                counts = self._counts(level, chunks)
                values = self._faces.of(level, chunks, counts, [attribute])[attribute]
            elif attribute in handle.attribute_specs:
                values = _stack(list(handle.read_chunk_values(chunks, attribute).values()))
            else:
                rows = handle.read_chunks(chunks)
                values = np.full(sum(len(part.positions) for part in rows.values()), np.nan)
        return values, cost.bytes_read, cost.requests

    def network(self) -> Network:
        """How the store's place has answered lately."""
        stats = self._store.io
        failing, seconds = stats.failing or ("", 0.0)
        return Network(
            remote=self._remote,
            latency_s=stats.latency_s,
            bytes_per_s=stats.bytes_per_s,
            in_flight=stats.in_flight,
            retries=stats.retries,
            failing=failing,
            failing_s=seconds,
            trouble=stats.last_trouble or "",
        )

    def scope(self) -> CancelScope:
        """A new scope for reads of the store; on a disk there is nothing to end."""
        return CancelScope()

    def objects(self) -> StoreObjects | None:
        """What reads the table of objects; None for points that record no object index."""
        has = self._width > 0 or self._has_object_index
        return StoreObjects(self._store) if has else None

    def chunks_of_objects(self, ids: Int) -> tuple[Int, Int, Int]:
        """Chunks of the finest level that objects run through."""
        return chunks_of_objects(self._store, ids)

    def attributes_of(self, level: int) -> frozenset[str]:
        """Names of the attributes of vertices that a level keeps, and of those of its faces."""
        own = frozenset(self._levels[level].attribute_specs)
        return own if self._faces is None else own | self._faces.names_of(level)

    def objects_of_rows(
        self, level: int, chunks: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], int, int]:
        """Objects of points by the object index; see ``KnowsRowObjects``."""
        with self._store.io.scope() as cost:
            ids = self._row_objects.of(level).of(chunks, self._counts(level, chunks))
        return ids, cost.bytes_read, cost.requests

    def shapes(self) -> tuple[ParametricObject, ...]:
        """The store's planes, lines, spheres and other objects told by coefficients.

        Raises:
            ArrayError: They are damaged.
        """
        found = self._store.parametric()
        return tuple(
            ParametricObject(
                kind=one["type"],
                name=one["name"],
                coefficients=tuple(float(number) for number in one["coefficients"]),
                names=tuple(one["coefficient_names"]),
                attributes={name: rows[k] for name, rows in found.object_attributes.items()},
                groups=tuple(group for group, members in found.groups.items() if k in members),
            )
            for k, one in enumerate(found.objects)
        )

    def copy_objects(
        self, ids: npt.NDArray[np.int64], out: str, progress: Callable[[float], None]
    ) -> Copied:
        """Write objects of the finest level to a new store."""
        return copy_objects(self._store, ids, out, progress)

    def fingerprint(self) -> Fingerprint:
        """What the store's metadata said when it was read."""
        if self._printed is None:
            self._printed = fingerprint_of(self._store, linked=self._width > 0)
        return self._printed

    def writable(self) -> StoreHandle:
        """The store as it is now, open for writing.

        Raises:
            StoreError: It cannot be written to.
        """
        return self._levels[self._store.levels[0]].writable()

    def again(self) -> StoreSource:
        """The store as it is now, through the same connection."""
        source = StoreSource.__new__(StoreSource)
        source._use(self._store.again())  # noqa: SLF001 - one of its own kind
        root = source._store.backend.local_path  # noqa: SLF001 - as above
        if root is not None and self._root_dated is not None:
            source._before = self._root_dated  # noqa: SLF001 - as above
            source._newest = {n: newest(root / str(n)) for n in self._store.levels}  # noqa: SLF001
        return source

    @contextmanager
    def opened_again(self) -> Iterator[ZVStore]:
        """The store as it is now, through the same connection, for more than the viewer reads."""
        store = self._store.again()
        try:
            yield store
        finally:
            store.close()

    def unchanged(self, level: int, attribute: str | None) -> bool:
        """Whether all files of a level are older than the root's document was at the first opening.

        Writers finish with that document. Of other attributes of vertices files may be newer.
        """
        if level not in self._newest:
            return False
        dates = self._newest[level]
        asked = (ROWS,) if attribute is None else (ROWS, attribute)
        return all(dates.get(name, 0) < self._before for name in asked)

    def news(self) -> News:
        """Whether a writer has committed since the store was read, or is at work.

        Raises:
            StoreError: The store is gone, or cannot be reached.
            MetadataError: It is damaged.
        """
        now = self._store.again()
        if now.being_written:
            return News(being_written=True)
        if self._state is None:
            self._state = self._store.state
        return News(changed=now.state != self._state)

    def folders(self) -> tuple[str, ...]:
        """The folder of a local store, and those of its levels."""
        root = self._store.backend.local_path
        if root is None:
            return ()
        return (str(root), *(str(root / str(number)) for number in self._store.levels))

    @property
    def may_change(self) -> bool:
        """False for zip files and versions of repositories."""
        return not is_archive(self._store.url)

    def close(self) -> None:
        """Release the store's caches."""
        self._store.close()

    def _face_names(self, level: int, attributes: Sequence[str]) -> list[str]:
        """Those that are attributes of faces the level has, and of no vertices."""
        if self._faces is None or not any(name in self._faces for name in attributes):
            return []
        own, faces = self._levels[level].attribute_specs, self._faces.names_of(level)
        return [name for name in attributes if name in faces and name not in own]

    def _read_linked(
        self,
        level: int,
        chunks: npt.NDArray[np.int64],
        attributes: Sequence[str],
        of_faces: Sequence[str],
    ) -> RawCell:
        with self._store.io.scope() as cost:
            rows = self._levels[level].read_linked_chunks(chunks, attributes)
            values = dict(rows.attributes)
            if of_faces and self._faces is not None:
                found = self._faces.of(level, chunks, rows.counts.tolist(), of_faces)
                values |= {name: own[rows.stored] for name, own in found.items()}
        links = RawLinks(
            objects=rows.objects,
            inner=rows.links,
            open_rows=rows.open_rows,
            open_ends=rows.open_ends,
            open_objects=rows.open_objects,
            stored=rows.stored,
            stored_count=int(rows.counts.sum()),
        )
        return RawCell(rows.positions, values, cost.bytes_read, cost.requests, links)

    def _objects(self) -> tuple[npt.NDArray[np.int64], list[str]]:
        """Ids of objects, with a place before them for rows of none; why points have none."""
        none = np.array([NO_OBJECT], np.int64)
        if not (self._width or self._has_object_index):
            return none, []
        try:
            ids = self._store.object_ids
        except ArrayError as error:
            if self._width:
                raise
            return none, [f"objects of points cannot be told apart: {error}"]
        if self._width or len(ids) < MOST_OBJECTS:
            return np.concatenate([none, ids]), []
        return none, [f"objects of points cannot be told apart: there are {len(ids):,} of them"]

    @property
    def _has_object_index(self) -> bool:
        finest = self._levels[self._store.levels[0]]
        return OBJECT_INDEX in finest.described.meta.arrays_present

    def _counts(self, level: int, chunks: npt.NDArray[np.int64]) -> list[int]:
        """Rows of chunks; read where they are not recorded."""
        table = self._levels[level].chunk_table
        if table.exact:
            counts: list[int] = table.counts[places_of(table.coords, chunks)].tolist()
            return counts
        return [len(part.positions) for part in self._levels[level].read_chunks(chunks).values()]

    def _level_info(self, number: int) -> LevelInfo:
        level = self._levels[number]
        table = level.chunk_table
        error = level.error
        bins = level.bin_shape if level.bin_shape is not None else self._store.bin_shape
        finest = number == self._store.levels[0]
        return LevelInfo(
            index=number,
            chunk_shape=np.asarray(level.chunk_shape, np.float64),
            bin_shape=np.asarray(bins, np.float64),
            chunks=table.coords,
            counts=table.counts,
            counts_exact=table.exact,
            error=0.0 if finest else float(error.p95) if error is not None else float("nan"),
            error_source="stored" if finest or error is not None else "density",
            object_share=self._object_share(number),
        )

    def _object_share(self, number: int) -> float:
        """Each level records its part of the objects of the level below it."""
        shares = [self._levels[level].object_sparsity for level in self._levels if level <= number]
        return float(np.prod(shares))

    @property
    def _of_faces(self) -> tuple[AttributeInfo, ...]:
        return () if self._faces is None else self._faces.infos

    def _attributes(self, level: ZVLevel) -> tuple[AttributeInfo, ...]:
        return tuple(
            AttributeInfo(
                name=spec.name,
                dtype=str(spec.dtype),
                columns=spec.columns,
                categories=None if spec.categories is None else tuple(spec.categories),
                unit=spec.unit,
                limits=spec.limits,
            )
            for spec in level.attribute_specs.values()
        )

    def _warnings(self, levels: list[LevelInfo], left_out: dict[int, str]) -> list[str]:
        found = stale_warnings(stale_levels(self._store))
        found += left_out_warnings(left_out)
        mixed = mixed_warning(self._store.geometry_types)
        if mixed is not None:
            found.append(mixed)
        if len(levels) == 1 and not left_out and levels[0].vertex_count > 1_000_000:
            found.append("the store has one level only: build a pyramid to see all of it at once")
        if any(level.error_source == "density" for level in levels):
            found.append("level errors are not stored: they are estimated from vertex density")
        if self._faces is not None and self._faces.trouble:
            found.append(self._faces.trouble)
        if any(not level.counts_exact for level in levels):
            found.append("vertices per chunk are not recorded: they are estimated until read")
        return found


def name_of(url: str) -> str:
    """What to call a store: the last name in its address, without what says its kind."""
    names = [name for name in url.rstrip("/").split("/") if not name.startswith("@")]
    last = unquote(names[-1])
    return last.removesuffix(".zip").removesuffix(".zarrvectors") or last


def is_remote(url: str) -> bool:
    """Whether an address is one behind a network."""
    return scheme_of(url).removeprefix("icechunk+") not in {"", "file", "memory"}


def is_archive(url: str) -> bool:
    """Whether an address is that of a zip file, or of one version of a repository."""
    return scheme_of(url).startswith("icechunk") or url.endswith(".zip")


def _stack(parts: list[npt.NDArray[T]]) -> npt.NDArray[T]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
