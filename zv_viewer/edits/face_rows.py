"""Faces as rows: how many each chunk has, and what their corners say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.reading.faces import InnerFaces, face_values, inner_faces, rows_of_corners
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.typing import ChunkCoords
from zarr_vectors.writing.route import starts_of
from zv_viewer.edits.columns import Array, Int
from zv_viewer.errors import InputError


@dataclass(frozen=True, eq=False, slots=True)
class Corners:
    """Corners of the faces of some chunks, and the vertices of these.

    Attributes:
        rows: (F, W) rows of ``positions``.
        positions: (N, D) vertices of the chunks, one chunk after the other.
        values: Name -> (N,) or (N, C) of attributes of these vertices.
        counts: (M,) vertices of each chunk.
    """

    rows: Int
    positions: Array
    values: dict[str, Array]
    counts: Int


class FaceRows:
    """The faces of a level that lie inside one chunk.

    Args:
        layout: Of the store.
        reader: Of the level.
    """

    def __init__(self, layout: Layout, reader: LevelReader) -> None:
        self._layout, self._reader = layout, reader
        self._level = reader.arrays.path

    def counted(self, runs: Sequence[Sequence[ChunkCoords]]) -> tuple[list[ChunkCoords], Int]:
        """Chunks with such faces, and how many, of runs of chunks."""
        keys, counts = [], [np.zeros(0, np.int64)]
        for run in runs:
            found = self._of(run)
            keys += found.keys()
            counts.append(found.counts)
        return keys, np.concatenate(counts)

    def across(self, inside: int) -> int | None:
        """Faces that reach from one chunk to another; None where nobody counted faces."""
        family = self._layout.link_families(self._level).get(0)
        if family is None:
            return 0
        return None if family.count is None else family.count - inside

    def values(self, chunks: Sequence[ChunkCoords], spec: AttributeSpec) -> Array:
        """An attribute of the faces of some chunks, categories as codes."""
        return face_values(self._layout, self._level, spec, self._of(chunks))

    def corners(self, chunks: Sequence[ChunkCoords], names: Sequence[str] = ()) -> Corners:
        """The faces of some chunks by their corners, with attributes of vertices.

        Raises:
            InputError: One of the attributes is of categories.
        """
        arrays = self._reader.arrays
        texts = next((n for n in names if arrays.attributes[n].categories is not None), None)
        if texts is not None:
            raise InputError(f"{texts!r} holds categories of vertices: faces have no mean of them")
        faces, keys = self._of(chunks), list(chunks)
        parts = list(self._reader.read_chunks(keys, list(names)).values())
        counts = np.array([len(part.positions) for part in parts], np.int64)
        place = {key: number for number, key in enumerate(keys)}
        own = np.array([place[key] for key in faces.keys()], np.int64)  # noqa: SIM118  no dict
        first = starts_of(counts)[own]
        none = np.zeros((0, arrays.ndim), arrays.vertices.dtype)
        return Corners(
            rows_of_corners(faces, first, counts[own], self._level, arrays.url),
            np.concatenate([none, *(part.positions for part in parts)]),
            {
                name: np.concatenate([_none(arrays.attributes[name]), *columns])
                for name, columns in ((n, [part.attributes[n] for part in parts]) for n in names)
            },
            counts,
        )

    def _of(self, chunks: Sequence[ChunkCoords]) -> InnerFaces:
        return inner_faces(self._layout, self._level, chunks)


def mean_of_corners(values: Array, corners: Int) -> Array:
    """(F,) or (F, C) float64 mean of numbers of vertices over the corners of each face."""
    return np.asarray(values[corners].astype(np.float64).mean(axis=1))


def _none(spec: AttributeSpec) -> Array:
    return np.zeros((0, *spec.row_shape), spec.dtype)
