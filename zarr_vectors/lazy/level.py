"""One resolution level of an open store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_ATTRIBUTES
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.core.journal import ReadThrough
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.levels import stale
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable, LevelError
from zarr_vectors.encoding.manifests import decode_manifest
from zarr_vectors.exceptions import ArrayError, StoreUnlistable
from zarr_vectors.lazy.arrays import (
    ZVAttributes,
    ZVFaceAttributes,
    ZVObjectIndex,
    ZVVertexCollection,
    chunk_key,
)
from zarr_vectors.lazy.links import ZVLinkCollection, ZVObjects
from zarr_vectors.lazy.polylines import Objects, ZVPolylineCollection
from zarr_vectors.lazy.views import ViewSpec, ZVView
from zarr_vectors.lazy.writer import ZVWriter
from zarr_vectors.reading.assemble import categories_as_text
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.faces import (
    InnerFaces,
    face_attribute_specs,
    face_values,
    inner_faces,
)
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays, describe_level, describe_recorded
from zarr_vectors.reading.linked import holds_faces
from zarr_vectors.reading.linked_chunks import LinkedChunks
from zarr_vectors.reading.linked_level import LinkedLevel
from zarr_vectors.reading.objects import all_ids, lead_of_value
from zarr_vectors.reading.paths import check_paths
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.reading.results import ChunkRows
from zarr_vectors.rechunk import RechunkSpec, rechunk
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.copying import family_names


class ZVLevel:
    """A level: metadata now, arrays when computed. Safe to read from several threads."""

    def __init__(
        self,
        handle: StoreHandle,
        number: int,
        cache: CellCache | None = None,
        on_write: Callable[[StoreHandle], None] = lambda handle: None,
    ) -> None:
        self._handle = handle
        self._on_write = on_write
        self._number = number
        self._cache = cache
        self._meta = handle.level(number).meta
        self._found: LevelReader | None = None
        self._recorded: LevelArrays | None = None
        self._lines: tuple[LevelReader, ZVPolylineCollection] | None = None
        self._per_vertex: float | None = None
        self._linked: tuple[LevelReader, LinkedLevel] | None = None
        self._lock = threading.Lock()
        self.write_lock = threading.Lock()

    def __repr__(self) -> str:
        return (
            f"ZVLevel({self._number}, vertices={self.vertex_count}, chunk_shape={self.chunk_shape})"
        )

    @property
    def reader(self) -> LevelReader:
        """What reads this level; its arrays' metadata is read on first use."""
        with self._lock:
            if self._found is None:
                handle = self._handle
                arrays = describe_level(handle.layout, handle.meta, handle.level(self._number))
                self._found = LevelReader(handle.layout, arrays, self._cache)
                self._meta = arrays.meta
            return self._found

    @property
    def described(self) -> LevelArrays:
        """The level's arrays: as the root records them until data is read, else as they are."""
        with self._lock:
            if self._found is None and self._recorded is None:
                document = self._handle.level(self._number)
                layout, meta = self._handle.layout, self._handle.meta
                self._recorded = describe_recorded(layout, meta, document)
            found = self._recorded if self._found is None else self._found.arrays
        return self.reader.arrays if found is None else found

    @property
    def level_index(self) -> int:
        """Number of the level, 0 the finest."""
        return self._number

    @property
    def vertex_count(self) -> int:
        """Vertices at the level."""
        return self._meta.vertex_count

    @property
    def chunk_shape(self) -> tuple[float, ...]:
        """Edges of a chunk, world units."""
        return self._meta.chunk_shape or self._handle.meta.chunk_shape

    @property
    def bin_shape(self) -> tuple[float, ...] | None:
        """Edges of a bin, world units; None at level 0."""
        return None if self._number == 0 else self._meta.bin_shape

    @property
    def bin_ratio(self) -> tuple[float, ...] | None:
        """How many level-0 bins a bin spans along each axis; None at level 0."""
        return None if self._number == 0 else self._meta.bin_ratio

    @property
    def object_sparsity(self) -> float:
        """Share of the objects of the level before that this level keeps."""
        return self._meta.object_sparsity

    @property
    def vertex_dtype(self) -> np.dtype[Any]:
        """Stored dtype of positions."""
        return self.described.vertices.dtype

    @property
    def chunk_table(self) -> ChunkTable:
        """Occupied chunks and the vertices in each."""
        return self.described.table

    @property
    def chunk_keys(self) -> list[ChunkCoords]:
        """Occupied chunks, ascending."""
        return self.chunk_table.keys()

    @property
    def chunk_count(self) -> int:
        """Number of occupied chunks."""
        return len(self.chunk_table.coords)

    @property
    def error(self) -> LevelError | None:
        """Measured distance to the reference level, or None where it is not recorded."""
        return self.described.error if self._found else self._handle.level(self._number).error

    @property
    def stale(self) -> str | None:
        """Why the level no longer describes the one it was made from; None where it does."""
        return stale(self._handle.level(self._number))

    @property
    def face_attributes(self) -> ZVFaceAttributes:
        """Attributes of the faces that lie inside one chunk, by name."""
        return ZVFaceAttributes(self._handle.layout, str(self._number))

    @property
    def vertices(self) -> ZVVertexCollection:
        """Positions."""
        return ZVVertexCollection(self.reader)

    @property
    def edges(self) -> ZVLinkCollection:
        """Edges between the vertices."""
        return self.filter().edges

    @property
    def faces(self) -> ZVLinkCollection:
        """Faces between the vertices."""
        return self.filter().faces

    @property
    def links_per_vertex(self) -> float:
        """How many edges, or triangles, there are for a vertex; by metadata alone.

        0 where nothing joins the vertices. The number that is recorded of graphs and meshes; where
        none is, 1 of edges and 2 of triangles, which also paths and skeletons come close to.
        """
        handle = self._handle
        faces = holds_faces(handle)
        if faces is None:
            return 0.0
        known = self._per_vertex
        if known is None:
            told = faces or handle.meta.links_convention == "explicit"
            recorded = self._recorded_links() if told else None
            known = (2.0 if faces else 1.0) if recorded is None else recorded
            self._per_vertex = known
        return known

    @property
    def objects(self) -> ZVObjects:
        """Objects by id: graphs, meshes or points, each whole."""
        return ZVObjects(self._handle, self.reader, self.present_oids)

    @property
    def attributes(self) -> ZVAttributes:
        """Vertex attributes by name."""
        return ZVAttributes(list(self.described.attributes), lambda: self.reader)

    @property
    def polylines(self) -> ZVPolylineCollection:
        """Objects as paths, one polyline each.

        Raises:
            ConventionError: The store does not hold lines, polylines or streamlines.
        """
        check_paths(self._handle.meta, self._handle.backend.url)
        reader = self.reader
        with self._lock:
            if self._lines is None or self._lines[0] is not reader:
                objects = Objects(self._handle.layout, lambda: reader)
                self._lines = reader, ZVPolylineCollection(objects)
            return self._lines[1]

    @property
    def attribute_specs(self) -> dict[str, AttributeSpec]:
        """What is known of every vertex attribute from metadata."""
        return dict(self.described.attributes)

    @property
    def chunk_dims(self) -> tuple[str, ...] | None:
        """Names of chunk components on an attribute-chunked level, else None."""
        return self._meta.chunk_dims

    @property
    def chunk_attribute_name(self) -> str | None:
        """The attribute the level is chunked by, or None."""
        return self._meta.chunk_attribute_name

    @property
    def attribute_values(self) -> list[Any] | None:
        """Value of every attribute bin on an attribute-chunked level, else None."""
        values = self._meta.chunk_attribute_values
        return None if values is None else list(values)

    @property
    def preserves_object_ids(self) -> bool:
        """Whether object ids mean the same as at level 0."""
        return self._meta.preserves_object_ids

    @property
    def shared_fragments(self) -> bool:
        """Whether objects may share fragments."""
        return self._meta.shared_fragments

    @property
    def inherited_num_objects(self) -> int | None:
        """Object slots of the level this one was made from."""
        return self._meta.inherited_num_objects

    @property
    def present_oids(self) -> IntArray:
        """(O,) int64 ids of the objects with vertices at this level, ascending."""
        return all_ids(self._handle.layout, self.reader.arrays)

    @property
    def object_index(self) -> ZVObjectIndex:
        """Objects and the fragments that hold them."""
        layout, path = self._handle.layout, str(self._number)
        rows = layout.get_objects(path)
        if rows is None:
            return ZVObjectIndex(np.zeros(0, np.int64), lambda oid: [])
        blobs = dict(zip(rows.ids.tolist(), rows.manifests, strict=True))
        return ZVObjectIndex(rows.ids, lambda oid: decode_manifest(blobs[oid], rows.sid_ndim))

    def has_object(self, oid: int) -> bool:
        """Whether the object has vertices at this level."""
        rows = self._handle.layout.get_objects(str(self._number), [oid])
        if rows is None or not len(rows.ids):
            return False
        return bool(decode_manifest(rows.manifests[0], rows.sid_ndim))

    @property
    def object_attribute_names(self) -> list[str]:
        """Sorted names of the object attributes; StoreError where the place cannot list."""
        return family_names(self._handle.layout, f"{self._number}/{OBJECT_ATTRIBUTES}")

    @property
    def groups(self) -> list[IntArray] | None:
        """(n,) int64 object ids of every group, by group id; None where there are no groups."""
        return self._handle.layout.get_groups(str(self._number))

    def object_attribute(self, name: str, *, masked: bool = False) -> AnyArray:
        """(O,) or (O, C) values of an object attribute, one row per object of the index.

        Rows without a value are ``""`` for strings; of numbers, what the format keeps in their
        place: 0 in 0.7.0; in 0.9.2 NaN, the least signed or the largest unsigned number.

        Args:
            name: The attribute.
            masked: Return a masked array, in which rows without a value are masked.

        Raises:
            ArrayError: There is no such attribute.
        """
        values, present = self._object_rows(name)
        if not masked:
            return values
        mask = np.ones(values.shape, np.bool_)
        mask[present] = False
        return np.ma.MaskedArray(values, mask)

    def _object_rows(self, name: str) -> tuple[AnyArray, IntArray]:
        path = f"{self._number}/object_attributes/{name}"
        layout = self._handle.layout
        found = layout.get_dense(path)
        if found is None:
            raise ArrayError(f"{layout.backend.url} has no {path}", array=path)
        meta = layout.array_metas([path])[path]
        if meta.get("encoding") != "dictionary":
            return found
        spec = AttributeSpec.from_meta(name, meta)
        text = np.full(len(found[0]), "", object)
        present = found[0][found[1]]
        text[found[1]] = categories_as_text(present, spec, path, layout.backend.url)
        return text.astype(str), found[1]

    def filter(
        self,
        *,
        bbox: BoundingBox | None = None,
        object_ids: Iterable[int] | None = None,
        group_ids: Iterable[int] | None = None,
    ) -> ZVView:
        """Part of the level: constraints intersect, here and in further filters."""
        view = ZVView.over(self._handle, self.reader, ViewSpec())
        return view.filter(bbox=bbox, object_ids=object_ids, group_ids=group_ids)

    def read_chunks(
        self,
        coords: npt.ArrayLike | Iterable[ChunkCoords],
        attributes: Iterable[str] = (),
        *,
        decode_categories: bool = False,
    ) -> dict[ChunkCoords, ChunkRows]:
        """Rows of chunks, all arrays of all chunks in one batch, in stored order.

        Args:
            coords: (M, R) chunk coordinates.
            attributes: Names of attributes to read with the positions.
            decode_categories: Categories as strings; by default their codes.

        Returns:
            Chunk -> rows, in the order asked; a chunk that does not exist has no rows.

        Raises:
            ArrayError: A chunk is damaged; its message names the chunk, the array and the store.
            StoreError: There is no such attribute.
        """
        keys = self._keys(coords)
        return self.reader.read_chunks(keys, list(attributes), text=decode_categories)

    def read_linked_chunks(
        self,
        coords: npt.ArrayLike | Iterable[ChunkCoords],
        attributes: Iterable[str] = (),
    ) -> LinkedChunks:
        """Rows of chunks with the objects they belong to and the edges or faces between them.

        Reads these chunks and, once for the level, the object index; of format 0.7.0 also the one
        list of its links between chunks. What was read of the whole level is kept, some 12 bytes
        for every fragment of an object and 24 for every edge of that list.

        Edges of paths are told by the object index, of skeletons in part by the order of rows;
        faces of four corners are cut into two triangles. Where objects share rows, each has its
        own copy of them and of the links between them. Stores without objects have none in
        ``objects``; their paths have no edges.

        Args:
            coords: (M, R) chunk coordinates; those that do not exist have no rows.
            attributes: Names of attributes to read with the positions.

        Returns:
            Rows in the order of the chunks asked for, links between them, and links that reach
            from them to other chunks.

        Raises:
            ConventionError: The vertices of the store are not joined.
            ArrayError: One of these chunks is damaged, or an array that tells of all chunks; its
                message names the array and the store, and the chunk.
            StoreError: There is no such attribute.
        """
        keys, reader = self._keys(coords), self.reader
        with self._lock:
            if self._linked is None or self._linked[0] is not reader:
                self._linked = reader, LinkedLevel(self._handle, reader)
            linked = self._linked[1]
        return linked.read(keys, list(attributes))

    def read_chunk_values(
        self,
        coords: npt.ArrayLike | Iterable[ChunkCoords],
        name: str,
        *,
        decode_categories: bool = False,
    ) -> dict[ChunkCoords, AnyArray]:
        """Values of one attribute by chunk, rows as in :meth:`read_chunks`."""
        return self.reader.read_chunk_values(self._keys(coords), name, text=decode_categories)

    @property
    def face_attribute_specs(self) -> dict[str, AttributeSpec]:
        """What is known of every face attribute from metadata.

        Raises:
            StoreError: The level tells that there are some and not which, and cannot be listed.
        """
        names = self._meta.arrays_present
        return face_attribute_specs(self._handle.layout, str(self._number), names)

    def read_inner_faces(
        self, coords: npt.ArrayLike | Iterable[ChunkCoords], attributes: Iterable[str] = ()
    ) -> tuple[InnerFaces, dict[str, AnyArray]]:
        """The faces that lie inside each of some chunks, and their attributes.

        Args:
            coords: (M, R) chunk coordinates.
            attributes: Names of face attributes.

        Returns:
            The faces, and name -> (F,) or (F, C) in the stored dtype, categories as codes.

        Raises:
            ArrayError: There is no such attribute, or a chunk is damaged.
        """
        layout, path, specs = self._handle.layout, str(self._number), self.face_attribute_specs
        wanted = list(attributes)
        unknown = next((name for name in wanted if name not in specs), None)
        if unknown is not None:
            where = f"level {path} of {layout.backend.url}"
            raise ArrayError(f"{where} has no face attribute {unknown!r}")
        faces = inner_faces(layout, path, self._keys(coords))
        return faces, {name: face_values(layout, path, specs[name], faces) for name in wanted}

    def read_attribute_chunk(self, value: object) -> list[FloatArray]:
        """Fragments of the chunks that hold one value of the attribute the level is chunked by.

        Raises:
            ValueError: The level is not chunked by an attribute.
        """
        arrays = self.reader.arrays
        if arrays.lead_name is None:
            raise ValueError(f"level {self._number} is not chunked by an attribute")
        lead = lead_of_value(arrays, {arrays.lead_name: value})
        keys = plan_read(arrays.table.coords, arrays.chunk_shape, lead=lead).keys()
        rows, indexes = self.reader.read_chunks(keys), self.reader.fragment_indexes(keys)
        return [rows[key].positions[part] for key in keys for part in indexes[key]]

    def rechunk(
        self,
        by: str,
        *,
        bins: Sequence[float] | None = None,
        output: StoreLike | None = None,
        categorical: bool = False,
    ) -> dict[str, Any]:
        """Cut the whole store into other chunks, see :func:`zarr_vectors.rechunk.rechunk`.

        Args:
            by: ``group``, ``object_id``, ``attribute:<name>`` or ``spatial``.
            bins: Ascending edges that values fall between; a bin per value by default.
            output: Where to; None replaces the store, which this handle then shows.
            categorical: Values are kinds: each has a bin.

        Returns:
            ``objects_rechunked``, ``bins_created``, ``output_path`` and more.

        Raises:
            ValueError: An unknown way to cut, or no such attribute.
            StoreError: The place is not empty, or the store cannot be written to.
        """
        spec = RechunkSpec(by, bins, categorical=categorical)
        place = self._handle.backend if output is not None else self.writable().backend
        done = rechunk(place, spec, output)
        if output is None:
            self.renew(open_handle(place))
            done["output_path"] = place.url
        return done

    def writer(self) -> ZVWriter:
        """A handle that adds attributes and vertices; one at a time.

        Raises:
            StoreError: The store cannot be written to, or another writer is at work.
        """
        return ZVWriter(self)

    def writable(self) -> StoreHandle:
        """The store opened for writing.

        Raises:
            StoreError: It cannot be written to.
        """
        return self._handle.for_writing()

    def renew(self, handle: StoreHandle) -> None:
        """Take over what a writer wrote: metadata, and arrays to be read anew."""
        with self._lock:
            own = self._handle
            if isinstance(own.backend, ReadThrough):  # what it read past is undone by now
                place = own.backend.place
                layout = layout_for(own.meta.zv_version, place)
                own = replace(own, backend=place, layout=layout)
            self._handle = replace(own, root=handle.root, levels=handle.levels)
            self._handle.layout.forget()
            self._meta = handle.level(self._number).meta
            self._found = self._recorded = self._per_vertex = None
            if self._cache is not None:
                self._cache.clear()
        self._on_write(self._handle)

    def follow(self, handle: StoreHandle) -> None:
        """Take over what was written to other levels."""
        if self._number in handle.levels:
            self._handle = handle

    def _recorded_links(self) -> float | None:
        """Edges, or triangles, for a vertex; None where they are not counted in metadata."""
        try:
            family = self._handle.layout.link_families(str(self._number)).get(0)
        except StoreUnlistable:
            return None
        vertices = self._meta.vertex_count
        packed = self.described.vertices.encoding != "raw"
        if family is None or family.count is None or packed or not vertices:
            return None
        return family.count * (2 if family.width == 4 else 1) / vertices

    def _keys(self, coords: npt.ArrayLike | Iterable[ChunkCoords]) -> list[ChunkCoords]:
        rank = self.reader.arrays.rank
        if isinstance(coords, np.ndarray):
            if coords.ndim != 2 or coords.shape[1] != rank:
                raise ArrayError(f"chunk coordinates must be (M, {rank}), not {coords.shape}")
            return [tuple(row) for row in coords.tolist()]
        return [chunk_key(chunk, rank) for chunk in coords]  # type: ignore[union-attr]  # iterable
