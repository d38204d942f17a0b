"""Edges, faces and whole objects of a level, or of a view of it: read when computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.lazy._compute import Deferred, later
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import (
    LinkedRows,
    holds_faces,
    link_attribute_names,
    plan_of,
    read_edges,
    read_faces,
)
from zarr_vectors.reading.plan import ReadPlan
from zarr_vectors.reading.results import GraphResult, MeshResult, PointsResult
from zarr_vectors.typing import AnyArray, IntArray

ObjectResult: TypeAlias = PointsResult | GraphResult | MeshResult


class ZVLinkCollection:
    """The edges or the faces between the vertices of a level, or of a view of it.

    Args:
        handle: The store.
        reader: Of the level.
        plan: What to read.
        faces: Faces rather than edges.
    """

    def __init__(
        self,
        handle: StoreHandle,
        reader: LevelReader,
        plan: Callable[[], ReadPlan],
        *,
        faces: bool,
    ) -> None:
        self._handle = handle
        self._reader = reader
        self._plan = plan
        self._faces = faces

    def __repr__(self) -> str:
        what = "faces" if self._faces else "edges"
        return f"ZVLinkCollection({what} of level {self._reader.arrays.path})"

    def __len__(self) -> int:
        return len(self.compute())

    @property
    def attribute_names(self) -> list[str]:
        """Names of the attributes of edges or faces, sorted."""
        return list(link_attribute_names(self._handle, self._reader.arrays.meta.level))

    def compute(self) -> IntArray:
        """(M, 2) edges or (F, L) faces, int64 rows of what ``vertices.compute()`` returns.

        Edges of a skeleton are (child, parent). Those with an end left out are left out.

        Raises:
            ConventionError: The store holds none.
            ArrayError: Damage.
        """
        return self._read(()).links

    def attribute(self, name: str) -> Deferred[AnyArray]:
        """One attribute, (M,) or (M, C), rows as in :meth:`compute`.

        Raises:
            StoreError: When computed, and there is no such attribute.
        """
        return later(lambda: self._read((name,)).attributes[name], f"link attribute {name}")

    def _read(self, names: tuple[str, ...]) -> LinkedRows:
        read = read_faces if self._faces else read_edges
        return read(self._handle, self._reader, self._plan(), (), names)


class ZVObjects:
    """Objects of a level, each with its vertices and what is between them.

    Args:
        handle: The store.
        reader: Of the level.
        ids: (O,) int64 ids of the objects that have vertices at the level, ascending.
    """

    def __init__(self, handle: StoreHandle, reader: LevelReader, ids: IntArray) -> None:
        self._handle = handle
        self._reader = reader
        self._ids = ids

    def __repr__(self) -> str:
        return f"ZVObjects({len(self._ids)} at level {self._reader.arrays.path})"

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self.object_ids)

    def __contains__(self, oid: object) -> bool:
        return oid in self.object_ids

    @property
    def object_ids(self) -> list[int]:
        """Their ids, ascending."""
        found: list[int] = self._ids.tolist()
        return found

    def __getitem__(self, oid: int) -> Deferred[ObjectResult]:
        """An object, when computed: a graph, a mesh, or points where nothing joins them.

        Raises:
            IndexError: There is no such object at the level.
        """
        row = int(np.searchsorted(self._ids, oid))
        if row >= len(self._ids) or self._ids[row] != oid:
            raise IndexError(f"there is no object {oid} at level {self._reader.arrays.path}")
        return later(lambda: self.read([oid]), f"object {oid}")

    def read(
        self,
        object_ids: Iterable[int],
        attributes: Iterable[str] = (),
        link_attributes: Iterable[str] = (),
    ) -> ObjectResult:
        """Several objects in one batch, one after the other; ``object_ids`` tells them apart."""
        plan = plan_of(self._handle, self._reader.arrays, object_ids=object_ids)
        names, links = list(attributes), list(link_attributes)
        faces = holds_faces(self._handle)
        if faces is None:
            return self._reader.read(plan, names)
        found = (read_faces if faces else read_edges)(
            self._handle, self._reader, plan, names, links
        )
        points, level = found.points, self._reader.arrays.meta.level
        if faces:
            return MeshResult(
                points.positions,
                found.links,
                points.vertex_count,
                len(found.links),
                points.vertex_attributes,
                found.attributes,
                points.object_ids,
                level,
            )
        return GraphResult(
            points.positions,
            found.links,
            points.vertex_count,
            len(found.links),
            points.vertex_attributes,
            found.attributes,
            points.object_ids,
            level,
        )
