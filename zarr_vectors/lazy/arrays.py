"""Lazy collections of a level: vertices, attributes, objects, and padded arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.lazy._compute import Deferred, delayed, later
from zarr_vectors.reading.faces import face_attribute_names, read_face_attribute
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.plan import ReadPlan, plan_read
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray, ObjectManifest


class ZVVertexCollection:
    """Vertices of a level, or of a view of it.

    ``len`` is the number of vertices where known from metadata; ``[i, j, k]`` is one chunk.
    """

    def __init__(self, reader: LevelReader, plan: Callable[[], ReadPlan] | None = None) -> None:
        self._reader = reader
        self._plan = plan

    def __repr__(self) -> str:
        arrays = self._reader.arrays
        return (
            f"ZVVertexCollection(chunks={len(arrays.table.coords)}, "
            f"vertices={arrays.meta.vertex_count}, ndim={arrays.ndim}, "
            f"dtype={arrays.vertices.dtype.name})"
        )

    def __len__(self) -> int:
        if self._plan is not None:
            return len(self.compute())
        return self._reader.arrays.meta.vertex_count

    def __iter__(self) -> Iterator[Deferred[FloatArray]]:
        return iter(self.to_delayed())

    def __getitem__(self, chunk: ChunkCoords) -> Deferred[FloatArray]:
        key = self._key(chunk)
        return later(lambda: self._chunk(key), f"vertices {key}")

    def compute(self) -> FloatArray:
        """(N, D) positions, chunks in ascending order, rows as stored."""
        return self._reader.read(self._read_plan()).positions

    def to_delayed(self) -> list[Deferred[FloatArray]]:
        """One deferred (n, D) array per chunk."""
        if self._plan is not None:
            return [delayed(self.compute, "vertices of a view")]
        return [delayed(_bind(self._chunk, key), f"vertices {key}") for key in self._keys()]

    def _keys(self) -> list[ChunkCoords]:
        return self._reader.arrays.table.keys()

    def _read_plan(self) -> ReadPlan:
        return whole_level(self._reader) if self._plan is None else self._plan()

    def _chunk(self, key: ChunkCoords) -> FloatArray:
        return self._reader.read_chunks([key])[key].positions

    def _key(self, chunk: ChunkCoords) -> ChunkCoords:
        return chunk_key(chunk, self._reader.arrays.rank)


class ZVAttributeCollection:
    """One vertex attribute of a level; rows aligned with the vertices."""

    def __init__(self, reader: LevelReader, name: str) -> None:
        self._reader = reader
        self.spec: AttributeSpec = reader.arrays.attribute(name)

    def __repr__(self) -> str:
        return f"ZVAttributeCollection({self.name!r}, dtype={self.spec.dtype.name})"

    def __len__(self) -> int:
        return self._reader.arrays.meta.vertex_count

    def __iter__(self) -> Iterator[Deferred[AnyArray]]:
        return iter(self.to_delayed())

    def __getitem__(self, chunk: ChunkCoords) -> Deferred[AnyArray]:
        key = chunk_key(chunk, self._reader.arrays.rank)
        return later(lambda: self._chunk(key), f"{self.name} {key}")

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self.spec.name

    @property
    def dtype(self) -> np.dtype[Any]:
        """Stored dtype; of a categorical attribute, that of its codes."""
        return self.spec.dtype

    @property
    def categories(self) -> tuple[str, ...] | None:
        """Categories in code order, or None."""
        return self.spec.categories

    def compute(self, *, decode_categories: bool = True) -> AnyArray:
        """(N,) or (N, C) values; strings of a categorical attribute, or its codes."""
        return self._reader.read_values(self.name, text=decode_categories)

    def codes(self) -> AnyArray:
        """(N,) values as stored: the codes of a categorical attribute."""
        return self.compute(decode_categories=False)

    def to_delayed(self) -> list[Deferred[AnyArray]]:
        """One deferred array per chunk."""
        keys = self._reader.arrays.table.keys()
        return [delayed(_bind(self._chunk, key), f"{self.name} {key}") for key in keys]

    def _chunk(self, key: ChunkCoords) -> AnyArray:
        return self._reader.read_chunk_values([key], self.name, text=True)[key]


class ZVAttributes(Mapping[str, ZVAttributeCollection]):
    """The vertex attributes of a level by name.

    Args:
        names: Their names, ascending.
        reader: Gives what reads the level, when values are asked for.
    """

    def __init__(self, names: Sequence[str], reader: Callable[[], LevelReader]) -> None:
        self._names = names
        self._reader = reader

    def __repr__(self) -> str:
        return f"ZVAttributes({', '.join(self)})"

    def __getitem__(self, name: str) -> ZVAttributeCollection:
        return ZVAttributeCollection(self._reader(), name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class ZVFaceAttribute:
    """An attribute of the faces that lie inside one chunk, read when computed."""

    def __init__(self, layout: Layout, level: str, name: str) -> None:
        self._layout = layout
        self._level = level
        self.name = name

    def __repr__(self) -> str:
        return f"ZVFaceAttribute({self.name!r}, level {self._level})"

    def compute(self) -> AnyArray:
        """(F,) or (F, C) values, chunks ascending, in a chunk as its faces are stored.

        Raises:
            ArrayError: There is no such attribute, or it is damaged.
        """
        return read_face_attribute(self._layout, self._level, self.name)


class ZVFaceAttributes(Mapping[str, ZVFaceAttribute]):
    """The face attributes of a level by name."""

    def __init__(self, layout: Layout, level: str) -> None:
        self._layout = layout
        self._level = level

    def __repr__(self) -> str:
        return f"ZVFaceAttributes(level {self._level})"

    def __getitem__(self, name: str) -> ZVFaceAttribute:
        return ZVFaceAttribute(self._layout, self._level, name)

    def __contains__(self, name: object) -> bool:
        return name in face_attribute_names(self._layout, self._level)

    def __iter__(self) -> Iterator[str]:
        return iter(face_attribute_names(self._layout, self._level))

    def __len__(self) -> int:
        return len(face_attribute_names(self._layout, self._level))


class ZVObjectIndex:
    """Objects of a level: ids, and the chunks and fragments that hold them."""

    def __init__(self, ids: IntArray, manifest: Callable[[int], ObjectManifest]) -> None:
        self._ids = ids
        self._manifest = manifest

    def __repr__(self) -> str:
        return f"ZVObjectIndex(objects={len(self._ids)})"

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def object_count(self) -> int:
        """Objects in the index, those without vertices at the level included."""
        return len(self._ids)

    @property
    def object_ids(self) -> list[int]:
        """Their ids, ascending."""
        found: list[int] = self._ids.tolist()
        return found

    def __getitem__(self, oid: int) -> ObjectManifest:
        row = int(np.searchsorted(self._ids, oid))
        if row >= len(self._ids) or self._ids[row] != oid:
            raise IndexError(f"there is no object {oid}; there are {len(self._ids)}")
        return self._manifest(oid)


class PaddedVertices:
    """Vertices as one array (*chunks, N_max, D): chunk ``c`` is at ``c - origin``, padded with NaN.

    Only the chunks an index selects are read.
    """

    def __init__(self, reader: LevelReader) -> None:
        arrays = reader.arrays
        coords = arrays.table.coords
        if not len(coords):
            raise StoreError(f"level {arrays.path} of {arrays.url} has no chunks")
        self._reader = reader
        self.origin: ChunkCoords = tuple(int(x) for x in coords.min(axis=0))
        """Chunk at index 0."""
        grid = (coords.max(axis=0) - coords.min(axis=0) + 1).tolist()
        self.shape: tuple[int, ...] = (*grid, self._most_rows(), arrays.ndim)
        self.dtype: np.dtype[Any] = arrays.vertices.dtype

    def __repr__(self) -> str:
        return f"PaddedVertices(shape={self.shape}, dtype={self.dtype.name})"

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, index: object) -> FloatArray:
        rank = self._reader.arrays.rank
        steps = index if isinstance(index, tuple) else (index,)
        steps = _every_axis(steps, self.ndim)
        rows = [
            np.arange(size)[step if isinstance(step, slice) else [step]]
            for size, step in zip(self.shape[:rank], steps[:rank], strict=True)
        ]
        block = np.full((*(len(r) for r in rows), *self.shape[rank:]), np.nan, self.dtype)
        places = {
            tuple(int(r[i]) + o for r, i, o in zip(rows, at, self.origin, strict=True)): at
            for at in np.ndindex(block.shape[:rank])
        }
        for key, part in self._reader.read_chunks(places).items():
            block[places[key]][: len(part.positions)] = part.positions
        inner = tuple(slice(None) if isinstance(s, slice) else 0 for s in steps[:rank])
        return block[(*inner, *steps[rank:])]

    def _most_rows(self) -> int:
        table = self._reader.arrays.table
        if table.exact:
            return int(table.counts.max(initial=0))
        found = self._reader.read_chunks(table.keys())
        return max(len(part.positions) for part in found.values())


def _every_axis(steps: tuple[object, ...], ndim: int) -> tuple[Any, ...]:
    """One integer or slice per axis.

    Raises:
        IndexError: Too many, or something else.
    """
    given = [step for step in steps if step is not Ellipsis]
    if len(given) > ndim or len(steps) - len(given) > 1:
        raise IndexError(f"{len(steps)} indices for {ndim} axes")
    if not all(isinstance(step, slice | int | np.integer) for step in given):
        raise IndexError("axes are indexed by integers and slices")
    rest = (slice(None),) * (ndim - len(given))
    at = next((i for i, step in enumerate(steps) if step is Ellipsis), len(given))
    return (*given[:at], *rest, *given[at:])


def whole_level(reader: LevelReader) -> ReadPlan:
    """The plan that reads everything."""
    arrays = reader.arrays
    return plan_read(arrays.table.coords, arrays.chunk_shape)


def chunk_key(chunk: object, rank: int) -> ChunkCoords:
    """Chunk coordinates given as an index.

    Raises:
        ArrayError: Not as many integers as chunks have components.
    """
    parts = chunk if isinstance(chunk, tuple) else (chunk,)
    if len(parts) != rank or not all(isinstance(x, int | np.integer) for x in parts):
        raise ArrayError(f"a chunk is {rank} integers, not {chunk!r}")
    return tuple(int(x) for x in parts)


def _bind(call: Callable[[ChunkCoords], Any], key: ChunkCoords) -> Callable[[], Any]:
    return lambda: call(key)
