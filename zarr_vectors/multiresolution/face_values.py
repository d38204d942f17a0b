"""An attribute of faces carried up one level, some chunks at a time: read, worked out, written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.multiresolution.parentage import Pair, families
from zarr_vectors.multiresolution.strategies.faces import CarriedValues, carry_values
from zarr_vectors.multiresolution.strategies.points import Aggregation
from zarr_vectors.multiresolution.tiles import rows_of
from zarr_vectors.reading.faces import InnerFaces, face_values, inner_faces, rows_of_corners
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.commit import grid_of
from zarr_vectors.writing.route import starts_of

AT_ONCE = 1 << 18
"""Vertices of the coarser level whose faces are worked out together."""

Check = Callable[[], None]


@dataclass(frozen=True, eq=False, slots=True)
class Behind:
    """What stands behind a level, counted at the level the attribute was written to.

    Attributes:
        vertices: (N,) float64 vertices behind each; None: one each.
        faces: Chunk -> (F,) float64 faces behind each of those inside it; None: one each.
    """

    vertices: FloatArray | None = None
    faces: dict[ChunkCoords, FloatArray] | None = None


@dataclass(slots=True)
class Step:
    """What became of one level.

    Attributes:
        how: By what its vertices were told from those below.
        behind: What stands behind it.
        from_around: Faces that have the value of those around them.
        without_value: Faces that have none.
    """

    how: str
    behind: Behind = field(default_factory=Behind)
    from_around: int = 0
    without_value: int = 0

    def count(self, found: CarriedValues) -> None:
        """Some faces were worked out."""
        self.from_around += int(np.count_nonzero(found.known & ~found.own))
        self.without_value += int(np.count_nonzero(~found.known))


def carry_faces(
    pair: Pair,
    spec: AttributeSpec,
    meta: Mapping[str, Any],
    how: Aggregation,
    behind: Behind,
    absent: AnyArray,
    check: Check,
) -> Step:
    """Carry an attribute of faces from a level to the one above, and write it there.

    A face has the values of the faces that became it; where none inside a chunk did, of those
    around its corners.

    Args:
        pair: The levels.
        spec: The attribute.
        meta: Its metadata.
        how: How several values become one.
        behind: What stands behind the level below.
        absent: (1, ...) what stands for no value.
        check: Called between parts; may raise to stop.

    Raises:
        CoarseningError: It cannot be told which vertices stand for which.
        ArrayError: Damage.
    """
    layout, arrays = pair.handle.layout, pair.above.arrays
    path = face_path(arrays.path, spec.name)
    grid = grid_of(pair.handle.meta.bounds, arrays.chunk_shape, pair.coarse.coords)
    layout.create_cells(path, {**meta, "zv_array": "face_attribute"}, grid)
    told, parents, vertices = _parents(pair, behind.vertices, check)
    made: dict[ChunkCoords, FloatArray] = {}
    step = Step(told, Behind(vertices, made))
    for target, source in _tiles(pair, parents):
        check()
        coarse = inner_faces(layout, arrays.path, target)
        if not len(coarse.corners):
            continue
        fine = inner_faces(layout, pair.below.arrays.path, source)
        found = carry_values(
            face_values(layout, pair.below.arrays.path, spec, fine),
            _level_rows(fine, pair.fine, pair.below),
            _level_rows(coarse, pair.coarse, pair.above),
            parents,
            how,
            _weights(behind, fine),
        )
        found.values[~found.known] = absent
        step.count(found)
        keys, ends = coarse.keys(), np.cumsum(coarse.counts)[:-1]
        made |= zip(keys, np.split(found.behind, ends), strict=True)
        cells = zip(keys, np.split(found.values, ends), strict=True)
        layout.put_cells(path, {key: bytes(encode_rows(own)) for key, own in cells})
    return step


def face_path(level: str, name: str) -> str:
    """Where an attribute of faces is."""
    return f"{level}/{FACE_ATTRIBUTES}/{name}"


def face_spec(layout: Layout, level: str, name: str) -> AttributeSpec:
    """What is known of an attribute of faces.

    Raises:
        ArrayError: There is none.
    """
    path = face_path(level, name)
    found = layout.array_metas([path]).get(path)
    if found is None:
        raise ArrayError(f"{layout.backend.url} has no {path}", array=path)
    return AttributeSpec.from_meta(name, found)


def _parents(
    pair: Pair, weights: FloatArray | None, check: Check
) -> tuple[str, IntArray, FloatArray]:
    """How vertices are told; (N,) row above of every row below, -1 of none; (M,) rows behind."""
    told, parts = families(pair, weights, check)
    first, starts = starts_of(pair.fine.counts), starts_of(pair.coarse.counts)
    parents = np.full(int(first[-1]), -1, np.int64)
    behind = np.zeros(int(starts[-1]))
    for part in parts:
        check()
        rows = rows_of(part.source_chunks, first)[part.source_rows]
        parents[rows] = own = rows_of(part.target_chunks, starts)[part.target_rows]
        inner = None if weights is None else weights[rows]
        behind += np.bincount(own, inner, minlength=len(behind))
    return told, parents, behind


def _tiles(pair: Pair, parents: IntArray) -> Iterator[tuple[list[ChunkCoords], list[ChunkCoords]]]:
    """Some chunks of the level above, and the chunks below whose vertices went there."""
    first, starts = starts_of(pair.fine.counts), starts_of(pair.coarse.counts)
    above, below = pair.coarse.keys(), pair.fine.keys()
    owners = []
    for chunk in range(len(below)):
        rows = parents[first[chunk] : first[chunk + 1]]
        owners.append(np.unique(np.searchsorted(starts, rows[rows >= 0], side="right") - 1))
    source = np.repeat(np.arange(len(below)), [len(own) for own in owners])
    target = np.concatenate([np.zeros(0, np.int64), *owners])
    begin = 0
    while begin < len(above):
        end = int(np.searchsorted(starts, starts[begin] + AT_ONCE, side="right")) - 1
        end = min(max(end, begin + 1), len(above))
        own = np.unique(source[(target >= begin) & (target < end)])
        yield above[begin:end], [below[chunk] for chunk in own.tolist()]
        begin = end


def _weights(behind: Behind, faces: InnerFaces) -> FloatArray | None:
    if behind.faces is None:
        return None
    return np.concatenate([np.zeros(0), *(behind.faces[key] for key in faces.keys())])  # noqa: SIM118


def _level_rows(faces: InnerFaces, table: ChunkTable, reader: LevelReader) -> IntArray:
    """(F, W) corners as rows of the whole level."""
    if not len(faces.corners):
        return faces.corners.reshape(0, faces.corners.shape[1] or 3)
    chunk = chunk_ranks(faces.chunks, table.coords)
    counts = np.where(chunk >= 0, table.counts[chunk], 0)
    arrays = reader.arrays
    return rows_of_corners(faces, starts_of(table.counts)[chunk], counts, arrays.path, arrays.url)
