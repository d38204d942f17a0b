"""An attribute of faces carried up one level: read below, worked out, written above."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES
from zarr_vectors.core.layouts.base import ChunkGrid, Layout
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.multiresolution.parentage import Pair, families
from zarr_vectors.multiresolution.strategies.faces import CarriedValues, carry_values
from zarr_vectors.multiresolution.strategies.points import Aggregation
from zarr_vectors.multiresolution.tiles import rows_of
from zarr_vectors.reading.faces import InnerFaces, face_values, inner_faces
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.route import starts_of


@dataclass(frozen=True, eq=False, slots=True)
class Behind:
    """What stands behind a level, counted at the level the attribute was written to.

    Attributes:
        vertices: (N,) float64 vertices behind each; None: one each.
        faces: (F,) float64 faces behind each of those inside a chunk; None: one each.
    """

    vertices: FloatArray | None = None
    faces: FloatArray | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """What became of one level.

    Attributes:
        how: By what its vertices were told from those below.
        behind: What stands behind it.
        from_around: Faces that have the value of those around them.
        without_value: Faces that have none.
    """

    how: str
    behind: Behind
    from_around: int
    without_value: int


def carry_faces(
    pair: Pair,
    spec: AttributeSpec,
    how: Aggregation,
    behind: Behind,
    absent: AnyArray,
    write: Callable[[AnyArray, InnerFaces], None],
    check: Callable[[], None],
) -> Step:
    """Carry an attribute of faces from a level to the one above.

    A face has the values of the faces that became it; where none inside a chunk did, of those
    around its corners.

    Args:
        pair: The levels.
        spec: The attribute.
        how: How several values become one.
        behind: What stands behind the level below.
        absent: (1, ...) what stands for no value.
        write: Given the values and the faces of the level above.
        check: Called between parts; may raise to stop.

    Raises:
        CoarseningError: It cannot be told which vertices stand for which.
        ArrayError: Damage.
    """
    layout = pair.handle.layout
    below, above = pair.below.arrays.path, pair.above.arrays.path
    told, parts = families(pair, behind.vertices, check)
    first, starts = starts_of(pair.fine.counts), starts_of(pair.coarse.counts)
    parents = np.full(int(first[-1]), -1, np.int64)
    vertices = np.zeros(int(starts[-1]))
    for part in parts:
        check()
        rows = rows_of(part.source_chunks, first)[part.source_rows]
        parents[rows] = own = rows_of(part.target_chunks, starts)[part.target_rows]
        inner = None if behind.vertices is None else behind.vertices[rows]
        vertices += np.bincount(own, inner, minlength=len(vertices))
    fine, coarse = inner_faces(layout, below), inner_faces(layout, above)
    values = face_values(layout, below, spec, fine)
    source, target = _level_rows(fine, pair.fine, below), _level_rows(coarse, pair.coarse, above)
    check()
    found = carry_values(values, source, target, parents, how, behind.faces)
    made = found.values
    made[~found.known] = absent
    write(made, coarse)
    return Step(told, Behind(vertices, found.behind), _around(found), _lost(found))


def put_faces(
    layout: Layout,
    path: str,
    meta: Mapping[str, Any],
    grid: ChunkGrid,
    values: AnyArray,
    faces: InnerFaces,
) -> None:
    """Write an attribute of faces.

    Args:
        layout: The store's layout.
        path: Of the attribute.
        meta: Its metadata.
        grid: The box of the level's chunks.
        values: (F, ...) values.
        faces: The faces.
    """
    layout.create_cells(path, {**meta, "zv_array": "face_attribute"}, grid)
    keys: list[ChunkCoords] = faces.keys()
    parts = np.split(values, np.cumsum(faces.counts)[:-1]) if keys else []
    cells = zip(keys, parts, strict=True)
    layout.put_cells(path, {key: bytes(encode_rows(part)) for key, part in cells})


def face_path(level: int, name: str) -> str:
    """Where an attribute of faces is."""
    return f"{level}/{FACE_ATTRIBUTES}/{name}"


def _level_rows(faces: InnerFaces, table: ChunkTable, path: str) -> IntArray:
    """(F, W) corners as rows of the whole level."""
    if not len(faces.corners):
        return faces.corners.reshape(0, faces.corners.shape[1] or 3)
    chunk = np.repeat(chunk_ranks(faces.chunks, table.coords), faces.counts)[:, None]
    corners = faces.corners
    if (chunk < 0).any() or (corners < 0).any() or (corners >= table.counts[chunk]).any():
        raise ArrayError(f"faces of level {path} name vertices that it does not have")
    return np.asarray(starts_of(table.counts)[chunk] + corners)


def _around(found: CarriedValues) -> int:
    return int(np.count_nonzero(found.known & ~found.own))


def _lost(found: CarriedValues) -> int:
    return int(np.count_nonzero(~found.known))
