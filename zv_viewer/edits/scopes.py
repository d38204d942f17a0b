"""Whose values an attribute holds: the rows of a level, in runs that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES, OBJECT_ATTRIBUTES, VERTEX_ATTRIBUTES
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.objects import fragments_of
from zarr_vectors.reading.plan import Pieces
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import ChunkCoords
from zarr_vectors.writing.route import starts_of
from zv_viewer.edits.columns import Int, Values
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
        kinds = handle.meta.geometry_types
        if scope == "face" and "mesh" not in kinds:
            raise InputError(f"{handle.backend.url} holds {', '.join(kinds)}: it has no faces")
        if scope == "object" and not len(self.object_ids):
            raise InputError(f"level {level} of {handle.backend.url} has no objects")

    @property
    def family(self) -> str:
        """Folder of such attributes in a level."""
        return FAMILIES[self.scope]

    @cached_property
    def runs(self) -> list[Run]:
        """All rows in order."""
        if self.scope == "object":
            return [Run(0, [], np.array([len(self.object_ids)], np.int64))]
        return list(_in_runs(*self._counted()))

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
    def object_ids(self) -> Int:
        """(O,) objects of the level that have vertices, ascending."""
        index = self.handle.layout.get_objects(str(self.level))
        if index is None:
            return np.zeros(0, np.int64)
        there = np.array([blob != EMPTY_MANIFEST for blob in index.manifests], np.bool_)
        return np.asarray(index.ids[there])

    def objects_of(self, run: Run) -> Int:
        """(n,) the object of every vertex, -1 of none; the first where several share one."""
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
            return sorted(self.reader.arrays.attributes)
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

    def read(self, run: Run, names: Sequence[str]) -> dict[str, Values]:
        """Columns by name: attributes of the scope, axes of vertices, ``object_id``.

        Raises:
            InputError: There is no such column.
        """
        arrays, axes = self.reader.arrays, self.axes
        specs = {name: self.spec(name) for name in names}
        unknown = next(
            (n for n, s in specs.items() if s is None and n not in (*axes, "object_id")), None
        )
        if unknown is not None:
            known = ", ".join(dict.fromkeys((*self.names(), *axes, "object_id")))
            raise InputError(f"level {self.level} has no {self.scope} {unknown!r}; it has {known}")
        if self.family != VERTEX_ATTRIBUTES:
            return {
                name: Values(self.object_ids) if spec is None else self._whole(run, name, spec)
                for name, spec in specs.items()
            }
        stored = {name: spec for name, spec in specs.items() if spec is not None}
        found: dict[str, Values] = {}
        if any(name in axes and name not in stored for name in specs):
            parts = self.reader.read_chunks(run.chunks, list(stored))
            none = np.zeros((0, arrays.ndim), arrays.vertices.dtype)
            positions = np.concatenate([none, *(part.positions for part in parts.values())])
            for place, axis in enumerate(axes):
                if axis in specs and axis not in stored:
                    found[axis] = Values(positions[:, place])
            columns = {name: [p.attributes[name] for p in parts.values()] for name in stored}
        else:
            columns = {
                name: list(self.reader.read_chunk_values(run.chunks, name).values())
                for name in stored
            }
        for name, spec in stored.items():
            empty = np.zeros((0, *spec.row_shape), spec.dtype)
            found[name] = Values(np.concatenate([empty, *columns[name]]), spec.categories)
        if "object_id" in specs and specs["object_id"] is None:
            found["object_id"] = Values(self.objects_of(run))
        return found

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes, of vertices."""
        if self.family != VERTEX_ATTRIBUTES:
            return ()
        return tuple(axis.name for axis in self.handle.meta.axes)

    @cached_property
    def _pieces(self) -> Pieces:
        return fragments_of(self.handle.layout, self.reader.arrays, None)

    def _counted(self) -> tuple[list[ChunkCoords], Int]:
        table = self.reader.arrays.table
        keys = table.keys()
        if self.scope == "face":
            return self._faces(keys, table.counts)
        if table.exact:
            return keys, table.counts
        counts = [
            len(part.positions)
            for at in range(0, len(keys), 64)
            for part in self.reader.read_chunks(keys[at : at + 64]).values()
        ]
        return keys, np.array(counts, np.int64)

    def _faces(self, keys: list[ChunkCoords], vertices: Int) -> tuple[list[ChunkCoords], Int]:
        """Chunks with faces inside them, and how many."""
        found: dict[ChunkCoords, int] = {}
        for run in _in_runs(keys, vertices):
            links = self.handle.layout.get_links(str(self.level), within=run.chunks)
            if links is None:
                continue
            inside = (links.chunks == links.chunks[:, :1]).all(axis=(1, 2))
            chunks, counts = np.unique(links.chunks[inside, 0], axis=0, return_counts=True)
            own = zip(map(tuple, chunks.tolist()), counts.tolist(), strict=True)
            found.update(own)
        return list(found), np.array(list(found.values()), np.int64)

    def _whole(self, run: Run, name: str, spec: AttributeSpec) -> Values:
        """Rows of an attribute of objects or faces."""
        path, layout = f"{self.level}/{self.family}/{name}", self.handle.layout
        if self.scope == "face":
            cells = layout.get_cells({path: run.chunks})[path]
            blobs = b"".join(cells.get(chunk, b"") for chunk in run.chunks)
            rows = np.frombuffer(blobs, spec.dtype).reshape(-1, *spec.row_shape)
            if len(rows) != run.count:
                raise ArrayError(f"{path} has {len(rows)} rows for {run.count} faces", array=path)
            return Values(rows, spec.categories)
        found, index = layout.get_dense(path), layout.get_objects(str(self.level))
        assert found is not None and index is not None  # noqa: PT018, S101  it has a spec
        values, present = found
        if values.dtype.kind == "f":
            absent = np.ones(len(values), np.bool_)
            absent[present] = False
            values = np.where(absent.reshape(-1, *(1,) * (values.ndim - 1)), np.nan, values)
        place = np.searchsorted(index.ids, self.object_ids)
        return Values(np.asarray(values[place], spec.dtype), spec.categories)


def _in_runs(keys: list[ChunkCoords], counts: Int) -> Iterator[Run]:
    first, begin, held = 0, 0, 0
    for place, count in enumerate(counts.tolist()):
        if place > begin and held + count > RUN_ROWS:
            yield Run(first, keys[begin:place], counts[begin:place])
            first, begin, held = first + held, place, 0
        held += count
    if len(keys) > begin:
        yield Run(first, keys[begin:], counts[begin:])
