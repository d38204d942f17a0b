"""Whose values an attribute holds: the rows of a level, in runs that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES, OBJECT_ATTRIBUTES, VERTEX_ATTRIBUTES
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.objects import fragments_of
from zarr_vectors.reading.plan import Pieces
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import ChunkCoords
from zarr_vectors.writing.route import starts_of
from zv_viewer.edits.columns import Array, Int
from zv_viewer.edits.face_rows import Corners, FaceRows
from zv_viewer.errors import InputError

Scope = Literal["vertex", "node", "face", "object"]
SCOPES: tuple[Scope, ...] = ("vertex", "node", "face", "object")
"""Nodes are vertices."""

FAMILIES: dict[Scope, str] = {
    "vertex": VERTEX_ATTRIBUTES,
    "node": VERTEX_ATTRIBUTES,
    "face": FACE_ATTRIBUTES,
    "object": OBJECT_ATTRIBUTES,
}
PLURALS: dict[Scope, str] = {
    "vertex": "vertices",
    "node": "nodes",
    "face": "faces inside one chunk",
    "object": "objects",
}

_OF_KIND: dict[str, tuple[Scope, ...]] = {
    "graph": ("vertex", "node"),
    "skeleton": ("vertex", "node"),
    "mesh": ("vertex", "face"),
}


def scopes_of(geometry: str | None, *, objects: bool) -> tuple[Scope, ...]:
    """The scopes a store of a kind of geometry has; all of them where it is not known."""
    if geometry is None:
        return SCOPES
    own = _OF_KIND.get(geometry, ("vertex",))
    return (*own, "object") if objects else own


RUN_ROWS = 1 << 19
"""Rows at once, unless one chunk has more."""
RUN_VALUES = 1 << 21
"""Values of one attribute at once, likewise."""


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """Rows of some chunks, one after the other.

    Attributes:
        first: Number of the first row among all.
        chunks: The chunks; none of objects.
        counts: (M,) rows of each.
    """

    first: int
    chunks: Sequence[ChunkCoords]
    counts: Int

    @property
    def count(self) -> int:
        """Rows in all."""
        return int(self.counts.sum())


class Rows:
    """The rows of a level that an attribute of a scope has values for.

    Args:
        handle: The store.
        level: Number of the level.
        scope: Whose values.

    Raises:
        InputError: The level has no such rows.
        StoreError: There is no such level.
    """

    def __init__(self, handle: StoreHandle, level: int, scope: Scope) -> None:
        self.handle = handle
        self.level = level
        self.scope = scope
        arrays = describe_level(handle.layout, handle.meta, handle.level(level))
        self.reader = LevelReader(handle.layout, arrays)
        self._faces = FaceRows(handle.layout, self.reader)
        self._most = RUN_ROWS
        self.make_room(max((spec.columns for spec in arrays.attributes.values()), default=1))
        kinds = handle.meta.geometry_types
        if scope == "face" and "mesh" not in kinds:
            raise InputError(f"{handle.backend.url} holds {', '.join(kinds)}: it has no faces")
        if scope == "object" and not len(self.object_ids):
            raise InputError(f"level {level} of {handle.backend.url} has no objects")
        if scope == "face" and not self.count:
            raise InputError(
                f"no face of level {level} of {handle.backend.url} lies inside one chunk: the "
                "format keeps values for no others"
            )

    @property
    def family(self) -> str:
        """Folder of such attributes in a level."""
        return FAMILIES[self.scope]

    @cached_property
    def runs(self) -> list[Run]:
        """All rows in order."""
        if self.scope == "object":
            return [Run(0, [], np.array([len(self.object_ids)], np.int64))]
        return list(_in_runs(*self._counted(), self._most))

    def make_room(self, columns: int) -> None:
        """Have shorter runs where an attribute of so many columns is to be held, too."""
        most = max(min(self._most, RUN_VALUES // max(columns, 1)), 1)
        if most < self._most:
            self._most = most
            self.__dict__.pop("runs", None)
            self.__dict__.pop("chunks", None)

    @property
    def count(self) -> int:
        """Rows in all."""
        return sum(run.count for run in self.runs)

    @cached_property
    def chunks(self) -> Int:
        """(M, R) chunks that hold rows."""
        keys = [chunk for run in self.runs for chunk in run.chunks]
        return np.array(keys, np.int64).reshape(len(keys), self.reader.arrays.rank)

    @cached_property
    def index(self) -> ObjectRows | None:
        """The object index; None where there is none."""
        return self.handle.layout.get_objects(str(self.level))

    @cached_property
    def object_ids(self) -> Int:
        """(O,) objects of the level that have vertices, ascending."""
        if self.index is None:
            return np.zeros(0, np.int64)
        there = np.array([blob != EMPTY_MANIFEST for blob in self.index.manifests], np.bool_)
        return np.asarray(self.index.ids[there])

    @property
    def lacking(self) -> str:
        """Which rows the format keeps no values for, in a sentence; empty where it does for all."""
        if self.scope != "face":
            return ""
        across = self._faces.across(self.count)
        if across is None:
            return "faces that reach from one chunk to another have no values in this format"
        whole = f"{across:,} of {across + self.count:,} faces reach from one chunk to another"
        return f"{whole}: the format keeps no values for these" if across else ""

    def objects_of(self, run: Run) -> Int:
        """(n,) the object of every vertex, or of the first corner of every face.

        -1 of none; the first where several share a vertex.
        """
        if self.scope != "face":
            return self._vertex_objects(run)
        corners = self.corners(run)
        own = self._vertex_objects(Run(0, run.chunks, corners.counts))
        return np.asarray(own[corners.rows[:, 0]])

    def corners(self, run: Run, names: Sequence[str] = ()) -> Corners:
        """Of faces, their corners, with attributes of vertices.

        Raises:
            InputError: One of the attributes is of categories.
        """
        return self._faces.corners(run.chunks, names)

    def face_values(self, run: Run, spec: AttributeSpec) -> Array:
        """Of faces, an attribute of theirs."""
        return self._faces.values(run.chunks, spec)

    def vertex_names(self) -> list[str]:
        """Names of the attributes of vertices, sorted."""
        return sorted(self.reader.arrays.attributes)

    def _vertex_objects(self, run: Run) -> Int:
        arrays = self.reader.arrays
        pieces, wanted = self._pieces, np.array(run.chunks, np.int64)
        own = np.flatnonzero(chunk_ranks(pieces.chunks, wanted) >= 0)
        part = Pieces(pieces.chunks[own], pieces.fragments[own], pieces.objects[own])
        keys = list(run.chunks)
        rows, objects = piece_rows(
            part,
            self.reader.fragment_tables(keys),
            keys,
            starts_of(run.counts),
            arrays.fragments_path,
            arrays.url,
        )
        found = np.full(run.count, -1, np.int64)
        found[rows[::-1]] = objects[::-1]
        return found

    def names(self) -> list[str]:
        """Names of the attributes of the scope, sorted."""
        if self.family == VERTEX_ATTRIBUTES:
            return self.vertex_names()
        return self.handle.layout.array_names(f"{self.level}/{self.family}")

    def spec(self, name: str) -> AttributeSpec | None:
        """What is known of an attribute of the scope, None where there is none."""
        if self.family == VERTEX_ATTRIBUTES:
            return self.reader.arrays.attributes.get(name)
        path = f"{self.level}/{self.family}/{name}"
        meta = self.handle.layout.array_metas([path]).get(path)
        if meta is None:
            return None
        shape = meta.get("shape", [])[1:] if self.scope == "object" else meta.get("row_shape")
        return AttributeSpec.from_meta(name, {**meta, "row_shape": shape or []})

    @cached_property
    def _pieces(self) -> Pieces:
        return fragments_of(self.handle.layout, self.reader.arrays, None)

    def _counted(self) -> tuple[list[ChunkCoords], Int]:
        table = self.reader.arrays.table
        keys = table.keys()
        if self.scope == "face":
            return self._faces.counted(
                [run.chunks for run in _in_runs(keys, table.counts, self._most)]
            )
        if table.exact:
            return keys, table.counts
        counts = [
            len(part.positions)
            for at in range(0, len(keys), 64)
            for part in self.reader.read_chunks(keys[at : at + 64]).values()
        ]
        return keys, np.array(counts, np.int64)


def _in_runs(keys: list[ChunkCoords], counts: Int, most: int) -> Iterator[Run]:
    first, begin, held = 0, 0, 0
    for place, count in enumerate(counts.tolist()):
        if place > begin and held + count > most:
            yield Run(first, keys[begin:place], counts[begin:place])
            first, begin, held = first + held, place, 0
        held += count
    if len(keys) > begin:
        yield Run(first, keys[begin:], counts[begin:])
