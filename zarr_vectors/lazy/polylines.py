"""Objects of a level as polylines: known from the index, read when computed, many in one batch."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from zarr_vectors.core.group import Group
from zarr_vectors.core.handle import handle_at
from zarr_vectors.core.layouts.base import KeepsObjects
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy._compute import Deferred, delayed, later
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.paths import PathTable, objects_of, path_lengths, placed, read_paths
from zarr_vectors.types.polylines import PolylinesResult, polylines_of
from zarr_vectors.typing import FloatArray, IntArray

BATCH = 4096
"""Objects :meth:`ZVPolylineCollection.items` reads at once."""


class ZVPolylineCollection:
    """Whole polylines of a level by object id.

    The object index is read once, when first needed; vertices are read when computed. To read many
    objects in one batch, ``filter(object_ids=...)`` them and compute the collection.

    Args:
        group: A level, or objects of one that is open.
        ndim: D, the axes of the store.
    """

    def __init__(self, group: Group | Objects, ndim: int = 3) -> None:
        self._objects = (
            group
            if isinstance(group, Objects)
            else Objects(group.layout, lambda: _reader_of(group, ndim))
        )

    def __repr__(self) -> str:
        return f"ZVPolylineCollection({self._objects.label})"

    def __len__(self) -> int:
        return len(self._objects.ids)

    def __iter__(self) -> Iterator[Deferred[FloatArray]]:
        return (self[oid] for oid in self.object_ids)

    def __getitem__(self, oid: int) -> Deferred[FloatArray]:
        """The polyline of an object, (n, D); of one that the level has left out, (0, D).

        Raises:
            IndexError: There is no such object.
        """
        row = self._objects.row_of(int(oid))
        return later(lambda: self._objects.line(row), f"polyline {oid}")

    @property
    def count(self) -> int:
        """Number of polylines."""
        return len(self)

    @property
    def object_ids(self) -> list[int]:
        """Object ids in the collection's order: ascending, or as asked for in a filter."""
        found: list[int] = self._objects.ids.tolist()
        return found

    def items(self) -> Iterator[tuple[int, FloatArray]]:
        """Pairs of object id and (n, D) polyline, read some thousands at a time."""
        rows = self._objects.rows
        for start in range(0, len(rows), BATCH):
            part = self._objects.read(rows[start : start + BATCH])
            yield from zip(part.object_ids.tolist(), part.lines, strict=True)

    def compute(self) -> list[FloatArray]:
        """Every polyline as an (n, D) array, all read in one batch."""
        return self.read().lines

    def read(
        self, attribute_names: Iterable[str] = (), *, decode_categories: bool = True
    ) -> PolylinesResult:
        """All polylines as rows and offsets, with the vertex attributes named, in one batch."""
        return self._objects.read(self._objects.rows, list(attribute_names), text=decode_categories)

    def to_delayed(self) -> list[Deferred[FloatArray]]:
        """One deferred (n, D) array per polyline."""
        return [delayed(self[oid].compute, f"polyline {oid}") for oid in self.object_ids]

    def filter(
        self,
        *,
        object_ids: Iterable[int] | None = None,
        length_range: tuple[float, float] | None = None,
    ) -> ZVPolylineCollection:
        """The polylines of this collection that meet both constraints.

        Args:
            object_ids: Only these, in this order; ids that are not there are passed over.
            length_range: (least, most) Euclidean path length, world units, both ends inclusive;
                the vertices are read to know it, once the result is used.

        Raises:
            ArrayError: The range is inverted or not two numbers.
        """
        found = self._objects
        if object_ids is not None:
            found = found.among([int(oid) for oid in object_ids])
        if length_range is not None:
            found = found.of_length(*_checked_range(length_range))
        return ZVPolylineCollection(found)


class Objects:
    """Some objects of a level: which they are is found out when first asked."""

    def __init__(
        self,
        layout: KeepsObjects,
        reader: Callable[[], LevelReader],
        *,
        wanted: list[int] | None = None,
        parent: Objects | None = None,
        lengths: tuple[float, float] | None = None,
    ) -> None:
        self._layout, self._get_reader = layout, reader
        self._wanted, self._parent, self._lengths = wanted, parent, lengths
        self._lock = threading.Lock()
        self._known: tuple[LevelReader, PathTable, IntArray] | None = None

    @property
    def label(self) -> str:
        """What is known of them without reading."""
        if self._known is not None:
            return f"count={len(self._known[2])}"
        return "not read" if self._wanted is None else f"at most {len(self._wanted)}, not read"

    @property
    def rows(self) -> IntArray:
        """(n,) int64 rows of the table."""
        return self.found()[2]

    @property
    def ids(self) -> IntArray:
        """(n,) int64 object ids."""
        _, table, rows = self.found()
        return table.ids[rows]

    def row_of(self, oid: int) -> int:
        """Row of the table that holds an object, those that the level has left out included.

        Raises:
            IndexError: There is no such object.
        """
        reader, table, rows = self.found()
        if self._wanted is None and self._lengths is None:
            row = int(np.searchsorted(table.ids, oid))
            if row < len(table) and table.ids[row] == oid:
                return row
        else:
            hits = np.flatnonzero(table.ids[rows] == oid)
            if len(hits):
                return int(rows[hits[0]])
        arrays = reader.arrays
        raise IndexError(
            f"there is no object {oid} among the {len(rows)} of level {arrays.path} of {arrays.url}"
        )

    def read(
        self, rows: IntArray, attributes: list[str] | None = None, *, text: bool = True
    ) -> PolylinesResult:
        """Polylines of rows of the table, in one batch."""
        reader, table, _ = self.found()
        found = read_paths(reader, placed(reader, table.take(rows), attributes or []), text=text)
        return polylines_of(found, reader.arrays.meta.level)

    def line(self, row: int) -> FloatArray:
        """(n, D) polyline of a row of the table."""
        reader, table, _ = self.found()
        pieces = slice(*table.starts[row : row + 2].tolist())
        chunks = [tuple(chunk) for chunk in table.chunks[pieces].tolist()]
        found = reader.read_few(chunks, table.fragments[pieces].tolist())
        return self.read(np.array([row])).positions if found is None else found

    def among(self, wanted: list[int]) -> Objects:
        """Those of them that are wanted, in that order."""
        return Objects(
            self._layout, self._get_reader, wanted=list(dict.fromkeys(wanted)), parent=self
        )

    def of_length(self, least: float, most: float) -> Objects:
        """Those of them whose length is in a range."""
        return Objects(self._layout, self._get_reader, parent=self, lengths=(least, most))

    def found(self) -> tuple[LevelReader, PathTable, IntArray]:
        """What reads the level, its objects or some of them, and the rows that these are."""
        with self._lock:
            if self._known is None:
                self._known = self._find()
            return self._known

    def _find(self) -> tuple[LevelReader, PathTable, IntArray]:
        parent = self._parent
        if parent is None or (parent.is_all and self._lengths is None):
            # objects asked for by id: their manifests alone, not the whole index
            reader = self._get_reader()
            wanted = None if parent is None else self._wanted
            table = objects_of(self._layout, reader.arrays, wanted, absent=True)
            keep = np.diff(table.starts) > 0
            if reader.arrays.meta.parent_level is None:
                keep[:] = True
            return reader, table, np.flatnonzero(keep)
        reader, table, rows = parent.found()
        if self._lengths is not None:
            found = read_paths(reader, placed(reader, table.take(rows)))
            lengths = path_lengths(found.positions, found.offsets)
            least, most = self._lengths
            return reader, table, rows[(lengths >= least) & (lengths <= most)]
        assert self._wanted is not None  # noqa: S101  nothing else narrows
        ids = table.ids[rows].tolist()
        row_of = dict(zip(ids, rows.tolist(), strict=True))
        chosen = [row_of[oid] for oid in self._wanted if oid in row_of]
        return reader, table, np.array(chosen, np.int64)

    @property
    def is_all(self) -> bool:
        """All objects of a level, whose index has not been read."""
        return self._parent is None and self._known is None


def _reader_of(group: Group, ndim: int) -> LevelReader:
    handle = handle_at(group.layout)
    if not group.prefix.isdecimal():
        raise ArrayError(f"{group.url} is not a level")
    if handle.meta.ndim != ndim:
        raise ArrayError(f"{group.url} has {handle.meta.ndim} axes, not {ndim}")
    arrays = describe_level(handle.layout, handle.meta, handle.level(int(group.prefix)))
    return LevelReader(handle.layout, arrays)


def _checked_range(given: tuple[float, float]) -> tuple[float, float]:
    ends = tuple(float(end) for end in given)
    if len(ends) != 2 or not all(a <= b for a, b in itertools.pairwise(ends)):
        raise ArrayError(f"length_range must be (least, most), not {given}")
    return ends
