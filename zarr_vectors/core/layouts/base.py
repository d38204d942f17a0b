"""The seam between what is stored and how a format version lays it out.

Logical path and absolute chunk coordinates in, bytes out; plural is the primitive. A logical path
is ``<level>/<array>``, e.g. ``0/vertices`` or ``0/vertex_attributes/gene``. Nothing above this
package asks for a format version. Each capability is a Protocol of its own; :class:`Layout` is all
of them.

Absent and damaged differ. An absent cell is left out of the answer; a cell that is recorded but
missing, cut short or undecodable raises :class:`~zarr_vectors.exceptions.ArrayError` naming array,
chunk and store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.layouts.recorded import LevelNames, Promises, Recorded
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

Cells = dict[ChunkCoords, bytes]


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """The box of chunk coordinates an array may hold: ``origin <= coord < origin + shape``."""

    origin: ChunkCoords
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ObjectRows:
    """An object index as stored: row ``r`` holds the manifest blob of object ``ids[r]``."""

    ids: IntArray
    """(n,) int64, ascending."""
    manifests: Sequence[bytes]
    """n blobs, or the rows asked for."""
    sid_ndim: int
    """Rank of the chunk coordinates inside the blobs: D, or D + 1 when attribute-chunked."""


@dataclass(frozen=True, eq=False, slots=True)
class LinkRecords:
    """Links of one level, endpoint 0 at that level, the others at the level plus a delta.

    Attributes:
        chunks: (M, W, R) int64, chunk of every endpoint.
        rows: (M, W) int64, row of every endpoint among all rows of its chunk.
        attributes: name -> (M,) or (M, C) in the stored dtype.
    """

    chunks: IntArray
    rows: IntArray
    attributes: Mapping[str, AnyArray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class NumberedLinks:
    """Links about to be stored whose chunks are told by number.

    Attributes:
        coords: (K, R) int64 chunks, ascending in tuple order, each once.
        numbers: (M, W) int64, chunk of every endpoint.
        rows: (M, W) int64, row of every endpoint among all rows of its chunk.
        attributes: name -> (M,) or (M, C) in the stored dtype.
    """

    coords: IntArray
    numbers: IntArray
    rows: IntArray
    attributes: Mapping[str, AnyArray] = field(default_factory=dict)

    def records(self) -> LinkRecords:
        """The same with the chunk of every endpoint."""
        return LinkRecords(self.coords[self.numbers], self.rows, self.attributes)


NewLinks = LinkRecords | NumberedLinks


@dataclass(frozen=True, slots=True)
class LinkFamily:
    """What a level's links of one delta are, from metadata alone."""

    width: int
    """Endpoints of a link: 2 for edges, 3 or 4 for faces."""
    count: int | None
    """Number of links, None where the format does not record it."""
    attributes: tuple[str, ...] = ()
    """Names of link attributes, sorted."""


class ReadsCells(Protocol):
    """Fetching the per-chunk blobs of any number of arrays in one go."""

    def get_cells(self, request: Mapping[str, Iterable[ChunkCoords]]) -> dict[str, Cells]:
        """Blobs of ``{logical path: coords}`` in one batch; absent cells are left out."""
        ...

    def list_cells(self, path: str) -> tuple[ChunkCoords, ...]:
        """Coordinates of the non-empty cells, ascending in numeric tuple order."""
        ...


class WritesCells(Protocol):
    """Creating chunked arrays and storing their blobs."""

    def create_cells(self, path: str, meta: Mapping[str, Any], grid: ChunkGrid) -> None:
        """Create an empty chunked array; ``meta`` is its logical metadata (dtype ...)."""
        ...

    def put_cells(self, path: str, cells: Mapping[ChunkCoords, bytes | memoryview]) -> None:
        """Create or replace cells; an empty blob removes one. Keeps the record of what exists."""
        ...

    def set_grid(self, path: str, grid: ChunkGrid) -> None:
        """Make room for the chunks of ``grid``, keeping every cell; it must hold those stored."""
        ...


@dataclass(frozen=True, slots=True)
class Packed:
    """How the chunks of an array are packed."""

    shards: int
    chunks: int
    """Chunks inside shards."""


class PacksCells(Protocol):
    """Many chunks in one stored object."""

    def cell_arrays(self, level: str) -> list[str]:
        """Sorted paths of the chunked arrays of a level; StoreError where the place cannot list."""
        ...

    def packed_cells(self, path: str) -> Packed | None:
        """Shards of an array, or None where its chunks are stored one by one."""
        ...

    def pack_cells(self, path: str, order: Sequence[ChunkCoords], size: int) -> Packed:
        """Pack all chunks of an array, which is not packed yet.

        Args:
            path: Logical path.
            order: All its chunks along a curve; formats whose shards are blocks do not need it.
            size: Chunks of a shard, at most.
        """
        ...

    def unpack_cells(self, path: str) -> int:
        """Store every packed chunk of an array by itself; how many there were."""
        ...


class KeepsLinks(Protocol):
    """Links between vertices of one level, or of two levels; any number of endpoints a link.

    ``level`` is the level's path, e.g. ``0``; ``delta`` is how many levels up the endpoints after
    the first are.

    Attributes:
        parents_cross_fragments: Readers of the format take the row before as the parent of a
            skeleton's row also where it is in another fragment or chunk, so that roots must be
            told from other rows.
        links_precede_grouping: Releases of the format numbered the rows of a chunk before sorting
            them by object, so that links in chunks of several objects may name other rows.
    """

    parents_cross_fragments: bool
    links_precede_grouping: bool

    def link_families(self, level: str, deltas: Iterable[int] = (0,)) -> dict[int, LinkFamily]:
        """What the links of those deltas are, where there are any, in one batch."""
        ...

    def get_links(
        self,
        level: str,
        *,
        delta: int = 0,
        within: Iterable[ChunkCoords] | None = None,
        starting: bool = False,
        attributes: Iterable[str] = (),
    ) -> LinkRecords | None:
        """Links of a level, or None where it has none of that delta.

        Links inside one chunk come first, chunk after chunk in ascending order, each chunk's in
        stored order; then all others in one fixed order.

        Args:
            level: The level's path.
            delta: Levels up.
            within: Only links whose endpoints at this level all lie in these chunks.
            starting: It is enough that the first endpoint does.
            attributes: Names of link attributes to read along.
        """
        ...

    def put_links(
        self,
        level: str,
        records: NewLinks | Iterable[NewLinks],
        grid: ChunkGrid,
        *,
        delta: int = 0,
        chunk_ratio: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Create or replace all links of a level and delta, and their attributes.

        Args:
            level: The level's path.
            records: The links, (0, W, R) where there are none; or parts of them, at least one,
                each with all links whose least chunk (between levels, whose first chunk) it has.
            grid: Box of chunks of this level.
            delta: Levels up.
            chunk_ratio: Per axis, the chunk shapes of this and of the other level as integer
                multiples of the root's; None where they are the same.
        """
        ...

    def get_chunk_links(
        self, level: str, chunk: ChunkCoords, *, delta: int = 0
    ) -> list[IntArray] | None:
        """Links inside one chunk, (M_k, W) rows per stored group; None without a family.

        Between levels, a link is inside a chunk where no offset says otherwise.
        """
        ...

    def put_chunk_links(
        self,
        level: str,
        chunk: ChunkCoords,
        groups: Sequence[IntArray],
        grid: ChunkGrid,
        *,
        delta: int = 0,
    ) -> None:
        """Create or replace the links inside one chunk; all other links stay.

        Raises:
            ArrayError: Rows of another width, or as many rows as attributes of them no longer fit.
        """
        ...


class KeepsGroups(Protocol):
    """The tree of groups and their attributes: the root (path ``""``), levels, headers ..."""

    def documents(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The whole documents of the groups and arrays that exist, in one batch."""
        ...

    def get_attrs(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Attributes of the groups and arrays that exist, in one batch."""
        ...

    def put_attrs(self, groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Create groups, or replace their attributes; groups above them are made as needed."""
        ...

    def children(self, path: str) -> list[str]:
        """Sorted names directly below a group; StoreError where the place cannot list."""
        ...

    def delete(self, path: str) -> None:
        """Remove the group or array at ``path`` and all below it."""
        ...

    def forget(self) -> None:
        """Drop what is remembered of the stored documents, which others may have changed."""
        ...


class KeepsArrayMeta(Protocol):
    """Logical metadata of arrays: dtype, encoding, categories, row shape ..."""

    def array_metas(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Metadata of the arrays that exist, in one batch."""
        ...

    def set_array_meta(self, path: str, meta: Mapping[str, Any]) -> None:
        """Merge into an array's metadata."""
        ...

    def array_names(self, parent: str) -> list[str]:
        """Sorted names of the logical arrays below a family path such as ``0/vertex_attributes``.

        StoreError where the place cannot list: callers then use what the level's metadata records.
        """
        ...


class KeepsSlots(Protocol):
    """Named blobs beside the chunks of an array, where the format has them."""

    def get_slot(self, path: str, name: str) -> bytes | None:
        """A blob such as ``data``, or None where there is none."""
        ...

    def put_slot(self, path: str, name: str, data: bytes) -> None:
        """Create or replace a blob; StoreError where the format has no such blobs."""
        ...


class KeepsDense(Protocol):
    """Small whole arrays: object attributes, group attributes."""

    def get_dense(self, path: str) -> tuple[AnyArray, IntArray] | None:
        """(values, present row numbers), or None where there is no such array.

        Raises:
            ArrayError: It is damaged, or recorded and not there.
        """
        ...

    def put_dense(
        self,
        path: str,
        values: AnyArray,
        meta: Mapping[str, Any],
        present: IntArray | None = None,
    ) -> None:
        """Create or replace a dense array; ``present`` are the rows with a value, None for all."""
        ...


class KeepsObjects(Protocol):
    """The object index and the groups of a level. ``level`` is the level's path, e.g. ``0``."""

    def get_objects(self, level: str, ids: Iterable[int] | None = None) -> ObjectRows | None:
        """All rows, or those of the given ids that exist; None where the level has no objects.

        Raises:
            ArrayError: The index is damaged, or recorded and not there.
        """
        ...

    def get_object_ids(self, level: str) -> IntArray | None:
        """(n,) int64 ids of all rows, ascending; None where the level has no objects.

        Raises:
            ArrayError: The index is damaged, or recorded and not there.
        """
        ...

    def put_objects(self, level: str, rows: ObjectRows) -> IntArray:
        """Create or replace the object index.

        Returns:
            (O,) int64 ids of the rows stored, ascending.
        """
        ...

    def get_groups(self, level: str) -> list[IntArray] | None:
        """Object ids per group id 0..G-1, or None where the level has no groups.

        Raises:
            ArrayError: They are damaged, or recorded and not there.
        """
        ...

    def put_groups(self, level: str, groups: Sequence[IntArray]) -> None:
        """Create or replace the groups."""
        ...


class KeepsNames(Protocol):
    """What a store holds by name, so that it is read where nothing can be listed.

    Attributes:
        recorded: Names that the root records, for places that cannot list.
        promises: The same for all places, to tell an array that is gone from one that never was.
        families_have_groups: Writers of the format make a group for every family of arrays, so
            that a family without one is not there.
    """

    recorded: Recorded
    promises: Promises | None
    families_have_groups: bool

    def names_below(self, level: str, *, sharded: bool) -> LevelNames:
        """Names below a level, by listing; StoreUnlistable where the place cannot list."""
        ...

    def look_ahead(
        self,
        level: str,
        *,
        objects: bool = False,
        fragments: bool = False,
        links: bool = False,
        attributes: Iterable[str] = (),
    ) -> None:
        """Fetch along with the next documents those of parts of a level that are read soon.

        Args:
            level: The level's path.
            objects: The object index.
            fragments: Fragment tables of the vertices.
            links: Links of the level.
            attributes: Names of attributes of those links.
        """
        ...


class KeepsParametric(Protocol):
    """Objects told by coefficients instead of vertices, below the root's ``parametric``."""

    def get_parametric(self) -> tuple[FloatArray, list[str]] | None:
        """(n, L) float64 rows and n names, or None where the store has none."""
        ...

    def put_parametric(self, rows: FloatArray, names: Sequence[str]) -> None:
        """Create or replace rows and names."""
        ...


class Layout(
    ReadsCells,
    WritesCells,
    PacksCells,
    KeepsArrayMeta,
    KeepsSlots,
    KeepsDense,
    KeepsObjects,
    KeepsGroups,
    KeepsLinks,
    KeepsNames,
    KeepsParametric,
    Protocol,
):
    """One format version over one backend.

    Attributes:
        version: Of the format.
        backend: Where bytes are.
        splits_paths_by_bin: A fragment of a polyline is a run of vertices in one bin; otherwise,
            in one chunk.
    """

    version: str
    splits_paths_by_bin: bool
    backend: StorageBackend
