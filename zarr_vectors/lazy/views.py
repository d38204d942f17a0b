"""Filters with a face: a view remembers what to keep, and reads it in one plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zarr_vectors.core.group import Group
from zarr_vectors.core.handle import StoreHandle, handle_at
from zarr_vectors.core.layouts.base import KeepsObjects
from zarr_vectors.core.metadata import LevelMetadata, RootMetadata
from zarr_vectors.lazy.arrays import ZVVertexCollection
from zarr_vectors.lazy.links import ZVLinkCollection
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.objects import group_members, pieces_of_objects
from zarr_vectors.reading.plan import ReadPlan, check_box, intersect_boxes, plan_read
from zarr_vectors.reading.results import PointsResult
from zarr_vectors.typing import BoundingBox, ChunkCoords


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What a view keeps; None keeps all."""

    bbox: BoundingBox | None = None
    object_ids: tuple[int, ...] | None = None
    group_ids: tuple[tuple[int, ...], ...] = ()
    """Every entry is one constraint: an object must be in one group of each."""
    chunks: tuple[ChunkCoords, ...] | None = None

    def narrowed(
        self,
        bbox: BoundingBox | None,
        object_ids: Iterable[int] | None,
        group_ids: Iterable[int] | None,
    ) -> ViewSpec:
        """With further constraints; what both keep is kept."""
        spec = replace(self, bbox=intersect_boxes(self.bbox, bbox))
        if object_ids is not None:
            ids = tuple(dict.fromkeys(int(i) for i in object_ids))
            if self.object_ids is not None:
                ids = tuple(i for i in self.object_ids if i in set(ids))
            spec = replace(spec, object_ids=ids)
        if group_ids is not None:
            groups = tuple(int(g) for g in group_ids)
            spec = replace(spec, group_ids=(*spec.group_ids, groups))
        return spec


class ZVView:
    """Part of a level; nothing is read until computed.

    Made by ``filter`` of a level or of another view.

    Args:
        group: The level's group.
        root_meta: Metadata of the store.
        level_meta: Metadata of the level.
        all_chunk_keys: Chunks the view may hold; None for all of the level.
        spec: What the view keeps, also as a mapping of ``bbox``, ``object_ids``, ``group_ids``.

    Raises:
        MetadataError: Metadata of an array is damaged.
    """

    _handle: StoreHandle
    _reader: LevelReader
    _spec: ViewSpec

    def __init__(
        self,
        group: Group,
        root_meta: RootMetadata,
        level_meta: LevelMetadata,
        all_chunk_keys: Iterable[ChunkCoords] | None = None,
        spec: ViewSpec | Mapping[str, Any] | None = None,
    ) -> None:
        handle = handle_at(group.layout)
        known = handle.level(level_meta.level)
        document = replace(known, meta=level_meta)
        handle = replace(handle, root=replace(handle.root, meta=root_meta)).with_level(document)
        reader = LevelReader(handle.layout, describe_level(handle.layout, root_meta, document))
        given = ViewSpec(chunks=None if all_chunk_keys is None else tuple(all_chunk_keys))
        if isinstance(spec, Mapping):
            box = spec.get("bbox")
            box = None if box is None else check_box(box, root_meta.ndim)
            given = given.narrowed(box, spec.get("object_ids"), spec.get("group_ids"))
        elif spec is not None:
            given = replace(spec, chunks=given.chunks)
        self._set(handle, reader, given)

    @classmethod
    def over(cls, handle: StoreHandle, reader: LevelReader, spec: ViewSpec) -> ZVView:
        """A view of a level that is open already."""
        view = cls.__new__(cls)
        cls._set(view, handle, reader, spec)
        return view

    def _set(self, handle: StoreHandle, reader: LevelReader, spec: ViewSpec) -> None:
        self._handle, self._reader, self._spec = handle, reader, spec
        self._layout: KeepsObjects = handle.layout

    def __repr__(self) -> str:
        return f"ZVView(level {self._reader.arrays.path}, {self._spec})"

    def filter(
        self,
        *,
        bbox: BoundingBox | None = None,
        object_ids: Iterable[int] | None = None,
        group_ids: Iterable[int] | None = None,
    ) -> ZVView:
        """The part of this view that also meets these constraints."""
        box = None if bbox is None else check_box(bbox, self._reader.arrays.ndim)
        spec = self._spec.narrowed(box, object_ids, group_ids)
        return ZVView.over(self._handle, self._reader, spec)

    @property
    def vertices(self) -> ZVVertexCollection:
        """Vertices of the view."""
        return ZVVertexCollection(self._reader, self._plan)

    @property
    def edges(self) -> ZVLinkCollection:
        """Edges with both ends in the view, as rows of its vertices."""
        return ZVLinkCollection(self._handle, self._reader, self._plan, faces=False)

    @property
    def faces(self) -> ZVLinkCollection:
        """Faces with all corners in the view, as rows of its vertices."""
        return ZVLinkCollection(self._handle, self._reader, self._plan, faces=True)

    def read(
        self, attributes: Iterable[str] = (), *, decode_categories: bool = True
    ) -> PointsResult:
        """Positions, and the attributes named."""
        return self._reader.read(self._plan(), list(attributes), text=decode_categories)

    def compute(self) -> dict[str, Any]:
        """``positions``, ``vertex_count``, and ``object_ids`` where filtered by object or group."""
        found = self.read()
        names = ("positions", "vertex_count", "object_ids")
        return {name: found[name] for name in names if name in found}

    def _plan(self) -> ReadPlan:
        arrays, spec = self._reader.arrays, self._spec
        pieces = None
        if spec.object_ids is not None or spec.group_ids:
            ids: Iterable[int] | None = spec.object_ids
            for groups in spec.group_ids:
                ids = self._members(ids, groups)
            pieces = pieces_of_objects(self._layout, arrays, ids)
        return plan_read(
            arrays.table.coords,
            arrays.chunk_shape,
            box=spec.bbox,
            chunks=spec.chunks,
            pieces=pieces,
        )

    def _members(self, ids: Iterable[int] | None, groups: tuple[int, ...]) -> list[int]:
        members = group_members(self._layout, self._reader.arrays, groups)
        return members if ids is None else [i for i in ids if i in set(members)]
